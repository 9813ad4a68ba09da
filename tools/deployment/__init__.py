"""A deployment: the folder of files that put a measured candidate into production, and the plan behind it.

The program in it is `tools.pipeline`, copied as it is; what is particular stands in ``config.yaml``. No file is made by
pasting names into code.
"""

from __future__ import annotations

import datetime as dt
import errno
import io
import json
import secrets
import shutil
import zipfile
from pathlib import Path
from typing import Any

from filelock import FileLock

from knowledge.candidate import parse_candidate
from knowledge.dataset import Dataset
from knowledge.errors import UserError
from knowledge.results import Report
from knowledge.results.deployment import DeploymentPlan
from knowledge.wording import Language, say
from tools import bm25
from tools.deployment import compose as containers
from tools.deployment.configuration import Measured, alias, configuration
from tools.deployment.decisions import deployment_plan, latency_limit
from tools.deployment.guides import Guide
from tools.deployment.handover import handover, measured_candidate
from tools.deployment.monitoring import alerts, monitoring
from tools.deployment.possible import obstacle
from tools.whole_files import write_whole, writing
from tools.workspace import Workspace

__all__ = ["Deployment", "deployment_plan", "make_deployment", "obstacle", "write_deployment", "zipped"]

_PROGRAM = Path(__file__).parents[1] / "pipeline"
_HEADER = "# Made by the Embedding Advisor. What is changed here makes another collection; see rollback.md.\n"


class Deployment:
    """The files, by their names in the folder, and the plan that they carry out.

    Attributes:
        plan: the decisions.
        files: name -> content.
    """

    def __init__(self, plan: DeploymentPlan, files: dict[str, bytes]) -> None:
        self.plan, self.files = plan, files


def make_deployment(
    report: Report,
    dataset: Dataset,
    workspace: Workspace,
    *,
    now: dt.datetime,
    spec: str | None = None,
    name: str | None = None,
    language: Language = "en",
) -> Deployment:
    """Make the files.

    Args:
        report: of the decision.
        dataset: that it was measured on.
        workspace: where the run store, the vectors and the encoders are.
        now: when they are made.
        spec: of a candidate that was measured; None: the winner.
        name: of the collection's alias; None: the dataset's.
        language: of the texts for people.

    Raises:
        UserError: nothing was measured, not this candidate, or on other data.
        SpecError: no files are written for it yet; says which candidate is nearest.
    """
    spec = spec or report.recommendation.winner
    if spec is None:
        raise UserError(
            say("There is no winner, so there is nothing to deploy."),
            say("Name a candidate that was measured, with --candidate."),
        )
    measured, evaluation = measured_candidate(report, spec), report.evaluation
    assert evaluation
    spec = measured.spec  # as it is written in full
    candidate = parse_candidate(spec)
    if stuck := obstacle(report, spec):
        raise stuck
    expected = report.requirements.documents
    speed = next((c for c in report.benchmark.candidates if c.spec == spec), None) if report.benchmark else None
    known = Measured(
        language=bm25.language_of(list(dataset.documents.values())),
        documents=expected.value if expected else len(dataset.documents),
        metrics=tuple(measured.metrics),
        query=next(iter(dataset.queries.values()), ""),
        dimension=measured.dimension
        if len([leg for leg in candidate.searched if leg.backend != "bm25"]) == 1
        else None,
        batch=speed.best_batch if speed else None,
    )
    config = configuration(candidate, workspace, known, name or evaluation.dataset.name)
    plan = deployment_plan(report, spec, dataset, now)
    assert plan
    handed = handover(report, spec, dataset, config, workspace, now)
    server = containers.embedding_server(candidate, workspace)
    row = next((row for row in report.recommendation.rows if row.spec == spec), None)
    trains = any(leg.get("library") == "sentence-transformers" for leg in config["legs"])
    guide = Guide(
        plan=plan,
        handed=handed,
        name=config["name"],
        vectors=containers.has_vectors(config),
        words=any(leg["kind"] == "words" for leg in config["legs"]),
        trains=trains,
        server=server,
        language=language,
    )
    packages = containers.requirements(candidate, config)
    texts = {
        "README.md": guide.readme(),
        "config.yaml": _HEADER + _yaml(config),
        "requirements.txt": packages,
        "compose.yaml": _yaml(containers.compose(config, server)),
        "Dockerfile": containers.DOCKERFILE,
        ".dockerignore": containers.DOCKERIGNORE,
        ".gitignore": containers.GITIGNORE,
        ".env.example": containers.environment(config, server, torch="torch==" in packages),
        "monitoring.md": monitoring(language, vectors=guide.vectors),
        "alerts.yaml": _yaml(alerts(language, latency_limit(report, row)[0])),
        "rollback.md": guide.rollback(),
        "plan.json": _json(plan.model_dump(mode="json", context={"language": language})),
        "evaluation/verify.json": _json(handed.model_dump(mode="json", context={"language": language})),
    }
    if guide.vectors:
        texts["embedEtcd.yaml"] = _yaml(containers.EMBEDDED_ETCD)
    files = {name: text.encode("utf-8", "replace") for name, text in texts.items()}
    for file in sorted(_PROGRAM.glob("*.py")):
        if trains or file.name != "finetune.py":
            files[f"pipeline/{file.name}"] = file.read_bytes()
    return Deployment(plan, files)


def write_deployment(deployment: Deployment, folder: Path, *, force: bool = False) -> None:
    """Write the files into a folder, which is made when missing; all of them or none, and of one deployment.

    Args:
        deployment: the files.
        folder: where to.
        force: write over files that are there; others in the folder stay, the ledger in ``state`` among them.

    Raises:
        UserError: the folder is not empty, and nobody said that it may be written over.
        ResourceError: the disk is full or the folder is not writable; then nothing was written.
    """
    is_new = not folder.exists() or (folder.is_dir() and not any(folder.iterdir()))
    if is_new:
        _place(deployment, folder)
    elif force:
        # two at once would leave files of both; the lock is in the folder that they share
        with writing(folder), FileLock(folder / ".deploying"):
            write_whole({folder / name: content for name, content in deployment.files.items()})
    else:
        raise _there_already(folder)


def _place(deployment: Deployment, folder: Path) -> None:
    """Write the files beside the folder, and give them its name: of several at once one does, and the others are told.

    Raises:
        UserError, ResourceError: as `write_deployment`.
    """
    with writing(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        aside = folder.with_name(f".{folder.name[:100]}.{secrets.token_hex(4)}")
        aside.mkdir()
    try:
        write_whole({aside / name: content for name, content in deployment.files.items()})
        with writing(folder):
            try:
                aside.rename(folder)  # takes the place of an empty folder, and of no other
            except OSError as error:
                if error.errno in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
                    raise _there_already(folder) from error
                raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _there_already(folder: Path) -> UserError:
    return UserError(
        say("{folder} is there already.", folder=str(folder)),
        say("Name another folder with --out, or say --force to write over the files in it."),
    )


def zipped(deployment: Deployment, folder: str) -> bytes:
    """The files as one zip archive, in a folder of this name."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in deployment.files.items():
            archive.writestr(f"{alias(folder)}/{name}", content)
    return written.getvalue()


def _yaml(content: dict[str, Any]) -> str:
    import yaml

    return str(yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=110))


def _json(content: Any) -> str:
    return json.dumps(content, ensure_ascii=False, indent=2, allow_nan=False) + "\n"
