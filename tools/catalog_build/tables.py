"""The distilled tables of MTEB, as rows."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from knowledge.errors import CatalogError
from knowledge.wording import say
from tools.catalog_build.languages import normalise
from tools.catalog_build.models import COLUMNS as MODEL_COLUMNS
from tools.catalog_build.rows import Cells, Rows
from tools.catalog_build.tasks import COLUMNS as TASK_COLUMNS

#: what the tables were distilled from (their study says so; the tables themselves do not)
MTEB, RESULTS = "2.26.24", "f4cc6c8"


def read_tables(folder: Path) -> Rows:
    """Read a folder with ``models``, ``tasks`` and ``scores_lite.parquet``, groups and suspects.

    Raises:
        CatalogError: a table is missing, unreadable or lacks a column.
    """
    return Rows(
        models=read_table(folder / "models.parquet", MODEL_COLUMNS),
        tasks=read_table(folder / "tasks.parquet", TASK_COLUMNS),
        cells=_cells(folder / "scores_lite.parquet"),
        groups=_groups(folder / "near_duplicate_groups.json"),
        suspects=_suspects(folder / "suspect_cells.csv"),
        mteb=MTEB,
        results=RESULTS,
    )


def read_table(path: Path, columns: Sequence[str]) -> list[dict[str, Any]]:
    """The rows of a Parquet file, only these columns.

    Raises:
        CatalogError: the file is missing, is not Parquet, or lacks a column.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    hint = say("Give the folder that holds the tables of the catalog.")
    if not path.is_file():
        raise CatalogError(say("There is no file {file}.", file=str(path)), hint)
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise _unreadable(path, error) from error
    missing = [name for name in columns if name not in table.column_names]
    if missing:
        raise CatalogError(say("{file} lacks the columns {columns}.", file=str(path), columns=", ".join(missing)), hint)
    rows: list[dict[str, Any]] = table.select(list(columns)).to_pylist()
    return rows


def _cells(path: Path) -> Cells:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path).unify_dictionaries().combine_chunks()
        parts = [table[name].chunk(0) for name in ("model", "task", "lang")]
        index = [part.indices.to_numpy() for part in parts] + [table["score"].to_numpy()]
    except (OSError, KeyError, AttributeError, pa.ArrowInvalid) as error:
        raise _unreadable(path, error) from error
    models, tasks, subsets = (part.dictionary.to_pylist() for part in parts)
    return Cells(models, tasks, subsets, np.stack(index).astype(np.int64))


def _groups(path: Path) -> dict[str, str]:
    try:
        return dict(json.loads(_text(path)))
    except (ValueError, TypeError) as error:
        raise _unreadable(path, error) from error


def _suspects(path: Path) -> dict[tuple[str, str, str], float | None]:
    try:
        cells = [(row["model"], row["task@lang"].partition("@")) for row in csv.DictReader(io.StringIO(_text(path)))]
    except (KeyError, AttributeError) as error:
        raise _unreadable(path, error) from error
    return {(model, task, normalise(language)): None for model, (task, _, language) in cells}


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
