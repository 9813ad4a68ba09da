"""What a deployment is: its ``config.yaml``, and what differs between machines from the environment.

- ``MILVUS_URI``: address of a Milvus server, or a file name ending in .db for Milvus Lite (default: state/milvus.db)
- ``MILVUS_TOKEN``: ``user:password`` or an API key, where the server asks for one
- ``EMBEDDING_URL``, ``EMBEDDING_API_KEY``: an OpenAI-compatible server that encodes with the model of config.yaml (TEI,
  Infinity, vLLM); without it a sentence-transformers model runs in this process, as it was measured
- ``OPENAI_BASE_URL``, ``OPENAI_API_KEY``: of models that are only had by an API
- ``STATE``: folder of documents.sqlite (default: state, beside config.yaml)
- ``SEARCH_API_KEY``: what callers of ``pipeline.serve`` have to send
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .chunks import Rules
from .errors import PipelineError

HERE = Path(__file__).resolve().parents[1]
VERSION = 1
#: what of a leg does not change what is in its collection
_NOT_KEPT = ("name", "batch", "spec")
#: what of it does not change its vectors either
_NOT_ENCODED = (*_NOT_KEPT, "first", "store", "rescore", "index")


@dataclass(frozen=True)
class Settings:
    """The configuration.

    Attributes:
        name: of the aliases in Milvus: NAME_LEG.
        spec: the set-up as it was measured.
        results: documents that a query is answered with, unless it asks for another number.
        depth: documents that each leg finds for a query.
        legs: by name, as config.yaml has them.
        combine: how they are put together: a tree, see `pipeline.search`.
        state: folder of what this pipeline keeps.
    """

    name: str
    spec: str
    results: int
    depth: int
    legs: dict[str, dict[str, Any]]
    combine: dict[str, Any]
    state: Path

    @property
    def milvus_uri(self) -> str:
        """Where Milvus is."""
        return os.environ.get("MILVUS_URI") or str(self.state / "milvus.db")


def read_settings(file: Path | None = None) -> Settings:
    """Read config.yaml, from beside this package unless another is named.

    Raises:
        PipelineError: it is missing, no YAML, or of another version.
    """
    import yaml

    file = file or HERE / "config.yaml"
    try:
        found = yaml.safe_load(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise PipelineError(f"{file} cannot be read: {error}") from error
    if not isinstance(found, dict) or found.get("version") != VERSION:
        raise PipelineError(f"{file} is no configuration of version {VERSION}; deploy again")
    try:
        return Settings(
            name=str(found["name"]),
            spec=str(found["spec"]),
            results=int(found["results"]),
            depth=int(found["depth"]),
            legs={leg["name"]: leg for leg in found["legs"]},
            combine=found["combine"],
            state=Path(os.environ.get("STATE") or file.resolve().parent / "state"),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise PipelineError(f"{file} lacks something: {error!r}") from error


def identity_of(leg: dict[str, Any]) -> str:
    """Of what a leg keeps in Milvus: model, revision, prompts, dimension, form, index, chunks."""
    kept = {key: value for key, value in leg.items() if key not in _NOT_KEPT}
    if "index" in kept:
        kept["index"] = {key: value for key, value in kept["index"].items() if key != "search"}
    return _hash(kept)


def encoding_of(leg: dict[str, Any]) -> str:
    """Of a leg's vectors: the same whatever form and index they are kept in."""
    return _hash({key: value for key, value in leg.items() if key not in _NOT_ENCODED})


def _hash(kept: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(kept, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:16]


def rules_of(leg: dict[str, Any]) -> Rules | None:
    """How a leg cuts documents; None where it takes them whole."""
    chunks = leg.get("chunks")
    return None if chunks is None else Rules(chunks["size"], chunks["overlap"], chunks["by"])
