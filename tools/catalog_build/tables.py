"""Reading the source tables and writing files that are small, ordered and easy to diff."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from knowledge.errors import CatalogError
from knowledge.wording import say

VERSION = 1


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
        raise CatalogError(
            say("{file} cannot be read: {why}.", file=str(path), why=str(error).splitlines()[0]), hint
        ) from error
    missing = [name for name in columns if name not in table.column_names]
    if missing:
        raise CatalogError(say("{file} lacks the columns {columns}.", file=str(path), columns=", ".join(missing)), hint)
    rows: list[dict[str, Any]] = table.select(list(columns)).to_pylist()
    return rows


def known(row: Mapping[str, Any]) -> dict[str, Any]:
    """The row without what is not known: None and empty lists, but not zero and not False."""
    return {key: value for key, value in row.items() if value is not None and value != [] and value != ""}


def as_json(value: Any) -> str:
    """JSON on one line, Chinese as itself."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def write_lines(path: Path, kind: str, rows: Iterable[Mapping[str, Any]], **header: str) -> None:
    """One row a line below a header that says what the file is and how many rows belong to it."""
    lines = [as_json(known(row)) for row in rows]
    head = as_json({"format": kind, "version": VERSION, "rows": len(lines), **header})
    write_text(path, "\n".join([head, *lines]) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write the whole file or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(path.name + ".part")
    half.write_text(text, "utf-8")
    half.replace(path)
