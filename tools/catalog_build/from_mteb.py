"""The rows of a catalog from an installed mteb and a folder or file of published results."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from knowledge.errors import CatalogError
from knowledge.scores import Scores
from knowledge.wording import say
from tools.catalog_build import mteb_package
from tools.catalog_build.groups import grouped
from tools.catalog_build.merged import merge
from tools.catalog_build.results import Reader, read_cached, read_folder
from tools.catalog_build.rows import Rows


def read_mteb(results: Path, snapshot: str, before: Scores) -> Rows:
    """Read the installed mteb and its results.

    Args:
        results: a folder of results, or the cached file.
        snapshot: what to call these results in the manifest.
        before: the matrix so far; its groups of near-duplicates and its suspect cells stay.

    Raises:
        MissingExtraError: mteb is not installed.
        CatalogError: there are no results, or they cannot be read.
    """
    package = mteb_package.needed()
    if not results.exists():
        raise CatalogError(
            say("There is no file {file}.", file=str(results)),
            say("Give a folder laid out as results/<organisation__model>/<revision>/<Task>.json, as mteb writes it."),
        )
    models = mteb_package.model_rows()
    tasks = mteb_package.tasks()
    reader = Reader({row["model"]: row for row in models}, {task.metadata.name: task.metadata for task in tasks})
    found = (read_folder if results.is_dir() else read_cached)(results, reader)
    merged = merge(found, {row["model"]: row["revision"] for row in models})
    task_rows = mteb_package.task_rows(tasks, merged.models_scored())
    return Rows(
        models=models,
        tasks=task_rows,
        cells=merged.cells,
        groups=grouped(task_rows, {task.name: task.group for task in before.tasks}),
        suspects=_suspects(before),
        mteb=_version(package),
        results=snapshot,
        fresh=True,
        notes=(*merged.broken,),
    )


def _suspects(scores: Scores) -> Mapping[tuple[str, str, str], float | None]:
    cells = scores.cell_suspect.nonzero()[0]
    return {
        (
            scores.models[scores.cell_model[cell]],
            scores.tasks[scores.column_task[scores.cell_column[cell]]].name,
            scores.languages[scores.column_language[scores.cell_column[cell]]],
        ): float(scores.cell_score[cell])
        for cell in cells
    }


def _version(package: object) -> str:
    try:
        return version("mteb")
    except PackageNotFoundError:
        return str(getattr(package, "__version__", "unknown"))
