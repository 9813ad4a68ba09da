"""The score matrix of ``knowledge/scores.py``, built from published cells."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from knowledge.errors import CatalogError
from knowledge.scores import CODE, VERSION
from tools.catalog_build.languages import PROGRAMMING, normalise
from tools.catalog_build.models import whole
from tools.catalog_build.rows import Array, Row, Rows
from tools.catalog_build.writing import as_json

#: three quarters of all cells, and about no task that the advisor knows
_LEFT_OUT = "BitextMining"
#: half of the last digit a score is stored with: closer figures are the same figure
_SAME = 0.00005


def build_scores(rows: Rows, out: Path) -> None:
    """Write the score matrix; the same rows give the same bytes.

    Kept is every cell of every task with a known type, except bitext mining, and except columns that pair two natural
    languages (the question in one, the document in the other): they say little about either.

    Args:
        rows: as read; the matrix needs their tasks, cells, groups and suspects.
        out: the ``.npz`` file to write: integer arrays, and the names as JSON; nothing pickled.
    """
    tasks = {row["task"]: row for row in rows.tasks if row["type"] not in (None, _LEFT_OUT)}
    model_names, task_names, subset_names = rows.cells.models, rows.cells.tasks, rows.cells.subsets
    cells = rows.cells.index
    cells = cells[:, np.array([name in tasks for name in task_names], dtype=bool)[cells[1]]]
    language_of = {int(i): _language(subset_names[i]) for i in np.unique(cells[2])}
    one_language = [i for i, language in language_of.items() if language is not None]
    model, task, subset, score = cells[:, np.isin(cells[2], one_language)]

    pairs, column = np.unique(np.stack([task, subset]), axis=1, return_inverse=True)
    columns = [(task_names[t], subset_names[s], str(language_of[int(s)])) for t, s in pairs.T]
    by_name = sorted(range(len(columns)), key=columns.__getitem__)
    columns, column = [columns[i] for i in by_name], np.argsort(by_name)[column.ravel()]
    models = sorted({model_names[i] for i in np.unique(model)})
    model = _renumbered(model_names, models)[model]
    order = np.lexsort((model, column))
    model, column, score = model[order], column[order], score[order]

    used_tasks = sorted({name for name, _, _ in columns})
    languages = sorted({language for _, _, language in columns})
    names = {
        "version": VERSION,
        "source": "mteb-results",
        "models": models,
        "languages": languages,
        "tasks": [_task(tasks[name], rows.groups.get(name, name)) for name in used_tasks],
    }
    _write(
        out,
        {
            "names": np.frombuffer(as_json(names).encode(), dtype=np.uint8),
            "column_task": _renumbered([name for name, _, _ in columns], used_tasks).astype(np.uint16),
            "column_language": _renumbered([language for _, _, language in columns], languages).astype(np.uint16),
            "cells_in_column": np.bincount(column, minlength=len(columns)).astype(np.uint16),
            "cell_model": model.astype(np.uint16),
            "cell_score": score.astype(np.int16),
            "suspect": _suspect_cells(rows.suspects, models, columns, column, model, score),
        },
    )


def _language(subset: str) -> str | None:
    """The language of ``zho-Hans`` or ``eng-Latn,python-Code``; None where it has several, or none that exists."""
    try:
        found = {normalise(part) for part in subset.split(",")}
    except CatalogError:  # a slip in three published cells: keng-Latn
        return None
    if found & PROGRAMMING:
        return CODE
    return found.pop() if len(found) == 1 else None


def _suspect_cells(
    suspects: Mapping[tuple[str, str, str], float | None],
    models: Sequence[str],
    columns: Sequence[tuple[str, str, str]],
    column: Array,
    model: Array,
    score: Array,
) -> Array:
    """Which cells are flagged: those suspected before, as long as their figure is the one that was suspected."""
    found = []
    places = {(task, language) for _, task, language in suspects}
    wanted = [i for i, (task, _, language) in enumerate(columns) if (task, language) in places]
    for cell in np.nonzero(np.isin(column, wanted))[0]:
        task, _, language = columns[column[cell]]
        key = (models[model[cell]], task, language)
        if key in suspects:
            then = suspects[key]
            if then is None or abs(then - score[cell] / 10_000) < _SAME:
                found.append(cell)
    return np.array(found, dtype=np.uint32)


def _task(row: Row, group: str) -> dict[str, Any]:
    return {
        "name": row["task"],
        "type": row["type"],
        "metric": row["main_score"],
        "group": group,
        "modalities": row["modalities"],
        "domains": sorted(row["domains"] or ()),
        "document_chars": whole(row["avg_doc_chars"]),
        "query_chars": whole(row["avg_query_chars"]),
    }


def _renumbered(names: Sequence[str], order: Sequence[str]) -> Array:
    """For each name its place in `order`, -1 where it has none."""
    place = {name: i for i, name in enumerate(order)}
    return np.array([place.get(name, -1) for name in names], dtype=np.int64)


def _write(path: Path, arrays: Mapping[str, Array]) -> None:
    """As ``numpy.savez_compressed``, but with fixed time stamps, and the whole file or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(path.name + ".part")
    with zipfile.ZipFile(half, "w") as archive:
        for name, array in arrays.items():
            buffer = io.BytesIO()
            np.lib.format.write_array(buffer, array, allow_pickle=False)
            entry = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            archive.writestr(entry, buffer.getvalue(), zipfile.ZIP_DEFLATED, compresslevel=9)
    half.replace(path)
