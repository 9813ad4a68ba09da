"""The score matrix of ``knowledge/scores.py``, built from the published tables."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from knowledge.errors import CatalogError
from knowledge.scores import CODE, VERSION
from knowledge.wording import say
from tools.catalog_build.languages import PROGRAMMING, normalise
from tools.catalog_build.tables import as_json, read_table

Array = NDArray[Any]

#: three quarters of all cells, and about no task that the advisor knows
_LEFT_OUT = "BitextMining"


def build_scores(source: Path, out: Path) -> None:
    """Write the score matrix; the same tables give the same bytes.

    Kept is every cell of every task with a known type, except bitext mining, and except columns that pair two natural
    languages (the question in one, the document in the other): they say little about either.

    Args:
        source: folder with ``scores_lite.parquet``, ``tasks.parquet``, ``near_duplicate_groups.json`` and
            ``suspect_cells.csv``.
        out: the ``.npz`` file to write: integer arrays, and the names as JSON; nothing pickled.

    Raises:
        CatalogError: a table is missing, unreadable or lacks a column.
    """
    tasks = {
        row["task"]: row
        for row in read_table(source / "tasks.parquet", ("task", "type", "main_score", "modalities"))
        if row["type"] not in (None, _LEFT_OUT)
    }
    groups = _groups(source / "near_duplicate_groups.json")
    model_names, task_names, subset_names, cells = _cells(source / "scores_lite.parquet")
    cells = cells[:, np.array([name in tasks for name in task_names])[cells[1]]]
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

    suspect = _suspects(source / "suspect_cells.csv", models, columns)
    used_tasks = sorted({name for name, _, _ in columns})
    languages = sorted({language for _, _, language in columns})
    names = {
        "version": VERSION,
        "source": "mteb-results",
        "models": models,
        "languages": languages,
        "tasks": [_task(tasks[name], groups.get(name, name)) for name in used_tasks],
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
            "suspect": np.nonzero(np.isin(column * len(models) + model, suspect))[0].astype(np.uint32),
        },
    )


def _cells(path: Path) -> tuple[list[str], list[str], list[str], Array]:
    """Names of models, tasks and subsets, and for each cell the three indices and the score, as four rows."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path).unify_dictionaries().combine_chunks()
        parts = [table[name].chunk(0) for name in ("model", "task", "lang")]
        rows = [part.indices.to_numpy() for part in parts] + [table["score"].to_numpy()]
    except (OSError, KeyError, AttributeError, pa.ArrowInvalid) as error:
        raise _unreadable(path, error) from error
    model_names, task_names, subset_names = (part.dictionary.to_pylist() for part in parts)
    return model_names, task_names, subset_names, np.stack(rows).astype(np.int64)


def _language(subset: str) -> str | None:
    """The language of ``zho-Hans`` or ``eng-Latn,python-Code``; None where it has several, or none that exists."""
    try:
        found = {normalise(part) for part in subset.split(",")}
    except ValueError:  # a slip in three published cells: keng-Latn
        return None
    if found & PROGRAMMING:
        return CODE
    return found.pop() if len(found) == 1 else None


def _groups(path: Path) -> dict[str, str]:
    try:
        return dict(json.loads(_text(path)))
    except (ValueError, TypeError) as error:
        raise _unreadable(path, error) from error


def _suspects(path: Path, models: Sequence[str], columns: Sequence[tuple[str, str, str]]) -> Array:
    """The flagged cells, as column x number of models + model."""
    model_row = {name: i for i, name in enumerate(models)}
    column_row = {(task, subset.partition("-")[0]): i for i, (task, subset, _) in enumerate(columns)}
    found = []
    try:
        cells = [(row["model"], row["task@lang"]) for row in csv.DictReader(io.StringIO(_text(path)))]
    except KeyError as error:
        raise _unreadable(path, error) from error
    for model, place in cells:
        task, _, language = place.partition("@")
        if model in model_row and (task, language) in column_row:
            found.append(column_row[task, language] * len(models) + model_row[model])
    return np.array(found, dtype=np.int64)


def _task(row: Mapping[str, Any], group: str) -> dict[str, Any]:
    return {
        "name": row["task"],
        "type": row["type"],
        "metric": row["main_score"],
        "group": group,
        "modalities": row["modalities"],
    }


def _renumbered(names: Sequence[str], order: Sequence[str]) -> Array:
    """For each name its place in `order`, -1 where it has none."""
    place = {name: i for i, name in enumerate(order)}
    return np.array([place.get(name, -1) for name in names], dtype=np.int64)


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> CatalogError:
    return CatalogError(
        say("{file} cannot be read: {why}.", file=str(path), why=str(error).splitlines()[0]),
        say("Give the folder that holds the tables of the catalog."),
    )


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
