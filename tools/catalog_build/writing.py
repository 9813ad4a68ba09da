"""Writing files that are small, ordered and easy to diff."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

VERSION = 1


def known(row: Mapping[str, Any]) -> dict[str, Any]:
    """The row without what is not known: None and empty lists, but not zero and not False."""
    return {key: value for key, value in row.items() if value is not None and value != [] and value != ""}


def as_json(value: Any) -> str:
    """JSON on one line, Chinese as itself."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def write_lines(path: Path, kind: str, rows: Iterable[Mapping[str, Any]], **header: str) -> None:
    """One row a line below a header that says what the file is and how many rows belong to it."""
    lines = [as_json(row) for row in rows]
    head = as_json({"format": kind, "version": VERSION, "rows": len(lines), **header})
    write_text(path, "\n".join([head, *lines]) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write the whole file or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(path.name + ".part")
    half.write_text(text, "utf-8")
    half.replace(path)
