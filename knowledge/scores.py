"""The matrix of published benchmark scores: model x (task, language)."""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from knowledge.errors import CatalogError
from knowledge.wording import say

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

VERSION = 1


def times(matrix: NDArray[np.floating], vector: Floats) -> Floats:
    """The product of a matrix and a vector, in double precision.

    Without BLAS: it would start threads for so little work, which on a busy machine wait for each other longer than the
    work takes (a question in 12 languages took 720 ms, and 140 ms without them).
    """
    product: Floats = np.einsum("ij,j->i", matrix, vector, dtype=np.float64, casting="same_kind")
    return product


#: the language of columns whose texts are programs, whatever the programming language
CODE = "code"


@dataclass(frozen=True)
class BenchmarkTask:
    """A published task; tasks of one `group` are near-duplicates (translations, subsets, rerankings of one source).

    Lengths are means in characters, None where not known.
    """

    name: str
    type: str
    metric: str
    group: str
    modalities: tuple[str, ...]
    domains: tuple[str, ...] = ()
    document_chars: float | None = None
    query_chars: float | None = None


@dataclass(frozen=True, eq=False)
class Scores:
    """Published main scores as a sparse matrix: cells are sorted by column, then model.

    Attributes:
        tasks, languages: what the indices below mean; languages in ISO 639-1 (639-3 where there is none).
        column_task, column_language: one entry a column; several columns may share both (scripts).
        cell_column, cell_model: one entry a cell.
        cell_score: the task's main score, 0 to 1 (correlations may be negative).
        cell_suspect: whether the figure stands out so far that it may be a mistake; a lead to check, not proof.
        source: id of the catalog's source.
        folder: where it was read from; None for one made in memory.
    """

    models: tuple[str, ...]
    tasks: tuple[BenchmarkTask, ...]
    languages: tuple[str, ...]
    column_task: Ints
    column_language: Ints
    cell_column: Ints
    cell_model: Ints
    cell_score: Floats
    cell_suspect: Bools
    source: str = ""
    folder: Path | None = None


@cache
def load_scores(path: Path | None = None) -> Scores:
    """The score matrix in a file, by default the one shipped with this program (read once).

    Raises:
        CatalogError: the file is missing, broken, or of another version.
    """
    path = path or Path(str(files("knowledge") / "data" / "scores.npz"))
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            names = json.loads(arrays["names"].tobytes())
            if names["version"] != VERSION:
                raise CatalogError(
                    say(
                        "The catalog file {file} is of version {found}, not {wanted}.",
                        file=str(path),
                        found=str(names["version"]),
                        wanted=VERSION,
                    ),
                    say("Reinstall the program, or build the catalog again with: advisor catalog build."),
                )
            return _scores(names, dict(arrays), path.parent)
    except (OSError, ValueError, KeyError, IndexError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise CatalogError(
            say("The catalog file {file} is broken: {why}.", file=str(path), why=str(error)),
            say("Reinstall the program, or build the catalog again with: advisor catalog build."),
        ) from error


def _scores(names: dict[str, Any], arrays: dict[str, NDArray[Any]], folder: Path) -> Scores:
    counts = arrays["cells_in_column"].astype(np.int64)
    suspect = np.zeros(len(arrays["cell_model"]), dtype=bool)
    suspect[arrays["suspect"]] = True
    return Scores(
        models=tuple(names["models"]),
        tasks=tuple(
            BenchmarkTask(
                name=task["name"],
                type=task["type"],
                metric=task["metric"],
                group=task["group"],
                modalities=tuple(task["modalities"]),
                domains=tuple(task.get("domains", ())),
                document_chars=task.get("document_chars"),
                query_chars=task.get("query_chars"),
            )
            for task in names["tasks"]
        ),
        languages=tuple(names["languages"]),
        column_task=arrays["column_task"].astype(np.int64),
        column_language=arrays["column_language"].astype(np.int64),
        cell_column=np.repeat(np.arange(len(counts)), counts),
        cell_model=arrays["cell_model"].astype(np.int64),
        cell_score=arrays["cell_score"] / 10_000,
        cell_suspect=suspect,
        source=names["source"],
        folder=folder,
    )
