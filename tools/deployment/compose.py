"""Containers of a deployment: ``compose.yaml``, ``Dockerfile``, ``requirements.txt`` and what they read.

Everything is data written by a YAML library, never text pasted together: a name cannot become anything but a name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from knowledge.candidate import Candidate
from knowledge.errors import AdvisorError
from tools import encoders, leg_use, model_folder
from tools.deployment.facts import facts
from tools.workspace import Workspace

#: what every deployment needs, what searching vectors needs, what cutting documents needs
_ALWAYS = ("numpy", "PyYAML", "fastapi", "uvicorn", "prometheus-client")
_VECTORS = ("pymilvus", "milvus-lite")
_CHUNKS = ("langchain-text-splitters",)
#: run beside the named package, so that what was measured is what is installed
_BESIDE = {"sentence-transformers": ("torch", "transformers")}
#: what exports a graph, and what runs it
_GRAPHS = {
    "onnx": ("onnx", "onnxruntime", "filelock"),
    "openvino": ("onnx", "onnxruntime", "filelock", "openvino"),
}
_MARKERS = {"milvus-lite": " ; sys_platform != 'win32'"}
#: Milvus's own, as its script for one container has it (scripts/standalone_embed.sh)
EMBEDDED_ETCD = {
    "listen-client-urls": "http://0.0.0.0:2379",
    "advertise-client-urls": "http://0.0.0.0:2379",
    "quota-backend-bytes": 4_294_967_296,
    "auto-compaction-mode": "revision",
    "auto-compaction-retention": "1000",
}
DOCKERFILE = """\
FROM python:3.12-slim
WORKDIR /app
RUN useradd --create-home --uid 10001 app && mkdir /app/state /models && chown app /app/state /models
COPY requirements.txt .
ARG PIP_FLAGS=""
RUN pip install --no-cache-dir $PIP_FLAGS -r requirements.txt
COPY config.yaml .
COPY pipeline pipeline
USER app
ENV HF_HOME=/models STATE=/app/state
CMD ["python", "-m", "pipeline.serve", "--host", "0.0.0.0"]
"""
#: a virtual environment, documents and secrets beside it are not sent to the builder
DOCKERIGNORE = "*\n!requirements.txt\n!config.yaml\n!pipeline\n**/__pycache__\n"
GITIGNORE = ".env\n.venv\n__pycache__\nstate\nbefore\n"
_ENV = """\
# copy this file to .env and fill it in; compose.yaml reads it, and it belongs in no repository
{lines}"""


def requirements(candidate: Candidate, config: Mapping[str, Any]) -> str:
    """``requirements.txt``: every package at the version that is installed here, which is the one that measured."""
    names = list(_ALWAYS)
    if has_vectors(config):
        names += _VECTORS
    for leg in candidate.legs:
        for name in leg_use.packages_of(leg):
            names += [name, *_BESIDE.get(name, ())]
    for leg in config["legs"]:
        names += _GRAPHS[leg["graph"]["engine"]] if leg.get("graph") else ()
    if any(leg["chunks"] for leg in config["legs"]):
        names += _CHUNKS
    carried = {leg["revision"] for leg in config["legs"] if leg.get("package")}  # NAME==VERSION, as it is found
    lines = {*map(_pinned, names), *carried}
    return "".join(f"{line}\n" for line in sorted(lines, key=str.lower))


def _pinned(name: str) -> str:
    try:
        # without what marks a build, such as +cpu: package indexes do not serve it under that name
        return f"{name}=={version(name).partition('+')[0]}{_MARKERS.get(name, '')}"
    except PackageNotFoundError:
        return f"{name}{_MARKERS.get(name, '')}"


def has_vectors(config: Mapping[str, Any]) -> bool:
    """Whether a leg searches in Milvus."""
    return any(leg["kind"] in ("dense", "sparse") for leg in config["legs"])


def environment(config: Mapping[str, Any], server: Mapping[str, Any] | None, *, torch: bool) -> str:
    """``.env.example``: the secrets and addresses that compose.yaml asks for, without any value.

    Args:
        config: config.yaml.
        server: the embedding server that compose.yaml offers.
        torch: whether PyTorch is among the packages.
    """
    lines = ["# what callers of the search send: Authorization: Bearer ...", "SEARCH_API_KEY="]
    if has_vectors(config):
        lines += ["# of Milvus's user root, set at its first start", "MILVUS_PASSWORD="]
    if _endpoints(config):
        lines += ["# of the service that encodes", "OPENAI_API_KEY=", "OPENAI_BASE_URL="]
    if server:
        lines += [
            f"# to encode in {server['name']} (docker compose --profile embedding-server up -d), else leave it empty",
            f"# EMBEDDING_URL=http://embedding:{server['port']}/v1",
            "EMBEDDING_URL=",
        ]
    if torch:
        lines += [
            "# PyPI's torch brings several GB of CUDA; without an NVIDIA card: --extra-index-url and the index of CPU",
            "# builds that PyTorch's page “Get started” names",
            "PIP_FLAGS=",
        ]
    return _ENV.format(lines="".join(f"{line}\n" for line in lines))


def embedding_server(candidate: Candidate, workspace: Workspace) -> dict[str, Any] | None:
    """A server that runs the encoder by its architecture and under a licence that allows it; None: our own alone.

    Only for one encoder that PyTorch runs with weights from the hub: no image has a folder of this machine or what an
    installed package carries, and exported graphs give vectors of their own.
    """
    legs = [leg for leg in candidate.searched if leg.backend == "st"]
    if len(legs) != 1 or leg_use.is_folder(legs[0]) or leg_use.engine_of(legs[0])[0] != "torch":
        return None
    try:
        resolved = encoders.resolve(legs[0], workspace)
        if leg_use.package_of(resolved):
            return None
        config = model_folder.read_json(
            legs[0].name, Path(resolved.path) if resolved.path else None, "config.json", dict
        )
    except AdvisorError:
        return None
    for server in facts()["embedding_servers"]:
        if config.get("model_type") in server["model_types"]:
            revision = ["--revision", resolved.revision] if leg_use.pinned(resolved) else []
            return {**server, "command": ["--model-id", legs[0].name, *revision, "--auto-truncate"]}
    return None


def compose(config: Mapping[str, Any], server: Mapping[str, Any] | None) -> dict[str, Any]:
    """``compose.yaml``: Milvus in one container, the search, and perhaps an embedding server.

    Nothing is published but to this machine; Milvus's port 9091, by which anybody could control it, not at all.
    """
    search: dict[str, Any] = {
        "build": {"context": ".", "args": {"PIP_FLAGS": "${PIP_FLAGS:-}"}},
        "restart": "unless-stopped",
        "environment": {"SEARCH_API_KEY": "${SEARCH_API_KEY:?set it in .env}", **dict(_search_environment(config))},
        "ports": ["127.0.0.1:8000:8000"],
        "volumes": ["state:/app/state", "models:/models"],
        "healthcheck": {
            "test": [
                "CMD",
                "python",
                "-c",
                "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/health', timeout=5)",
            ],
            "interval": "30s",
            "timeout": "10s",
            "retries": 3,
            "start_period": "120s",
        },
    }
    # a folder of this machine is read where it is; elsewhere it has to be copied to
    search["volumes"] += [
        {"type": "bind", "source": path, "target": path, "read_only": True}
        for path in (leg["model"].replace("$", "$$") for leg in config["legs"] if _is_folder(leg))
    ]
    services: dict[str, Any] = {"search": search}
    volumes: dict[str, Any] = {"state": {}, "models": {}}
    if has_vectors(config):
        services["milvus"] = _milvus()
        search["depends_on"] = {"milvus": {"condition": "service_healthy"}}
        volumes["milvus"] = {}
    if server:
        search["environment"]["EMBEDDING_URL"] = "${EMBEDDING_URL:-}"
        services["embedding"] = {
            "image": server["image"],
            "profiles": ["embedding-server"],
            # a dollar sign would be read as a variable's
            "command": [part.replace("$", "$$") for part in server["command"]],
            "restart": "unless-stopped",
            "volumes": ["models:/data"],
        }
    return {"services": services, "volumes": volumes}


def _milvus() -> dict[str, Any]:
    return {
        "image": facts()["milvus"]["image"],
        "command": ["milvus", "run", "standalone"],
        "restart": "unless-stopped",
        "security_opt": ["seccomp:unconfined"],
        "environment": {
            "DEPLOY_MODE": "STANDALONE",
            "ETCD_USE_EMBED": "true",
            "ETCD_DATA_DIR": "/var/lib/milvus/etcd",
            "ETCD_CONFIG_PATH": "/milvus/configs/embedEtcd.yaml",
            "COMMON_STORAGETYPE": "local",
            "COMMON_SECURITY_AUTHORIZATIONENABLED": "true",
            "COMMON_SECURITY_DEFAULTROOTPASSWORD": "${MILVUS_PASSWORD:?set it in .env}",
        },
        "volumes": ["milvus:/var/lib/milvus", "./embedEtcd.yaml:/milvus/configs/embedEtcd.yaml:ro"],
        "ports": ["127.0.0.1:19530:19530"],
        "healthcheck": {
            "test": ["CMD", "curl", "-f", "http://localhost:9091/healthz"],
            "interval": "30s",
            "timeout": "20s",
            "retries": 3,
            "start_period": "90s",
        },
    }


def _search_environment(config: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if has_vectors(config):
        yield "MILVUS_URI", "http://milvus:19530"
        yield "MILVUS_TOKEN", "root:${MILVUS_PASSWORD:?set it in .env}"
    if _endpoints(config):
        yield "OPENAI_API_KEY", "${OPENAI_API_KEY:?set it in .env}"
        yield "OPENAI_BASE_URL", "${OPENAI_BASE_URL:-}"


def _is_folder(leg: Mapping[str, Any]) -> bool:
    return "model" in leg and Path(leg["model"]).is_absolute()


def _endpoints(config: Mapping[str, Any]) -> bool:
    return any(leg.get("library") == "endpoint" for leg in config["legs"])
