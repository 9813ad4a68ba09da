"""What files of data look like, before they are read: columns, first rows, which column was taken for what."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from knowledge.errors import DatasetError
from knowledge.results import DatasetSummary
from knowledge.wording import Text
from tools.datasets.columns import check_roles, column_list, roles_of
from tools.datasets.files import DataFile, data_file, is_folder, is_unicode, listed, text_of
from tools.datasets.layout import Layout, recognise
from tools.datasets.limits import Budget, Limits
from tools.datasets.problems import Problems, shown
from tools.datasets.roles import (
    GUESSED_FROM_ROWS,
    Roles,
    document_roles,
    judgment_header,
    judgment_roles,
    missing_role,
    query_roles,
    table_roles,
    unused_column,
    unused_texts,
)
from tools.datasets.tables import SUFFIXES, read_table

Part = Literal["table", "documents", "queries", "judgments"]

#: what is shown of each file
ROWS, COLUMNS, CELL, NAME = 5, 100, 200, 200
#: files that are shown where it is not clear which of them are the data
FILES = 20
#: of each file, what is read for it: a row of the longest field that is allowed fits
HEAD = 16 * 2**20
#: up to this size all is read for the preview, so that it counts, and names the first problem wherever it is
COUNTED = 16 * 2**20
#: text packs to a fifth and less
_GZIP_WEIGHT = 8


class Problem(BaseModel):
    """What is wrong, and what can be done about it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    cause: Text
    next_step: Text


class FilePreview(BaseModel):
    """One file of the data.

    Attributes:
        name: the file's, fit to be shown; of a folder of texts, the first of them.
        part: what it was taken for; a ``table`` is the only one: documents, a query and a document a row, texts
            with classes, or two texts a row.
        columns: their names as in the file, which `DataSource.columns` takes: they have to be escaped where shown.
        left_out: how many more columns there are: too many to show, or with a name that is too long or no text.
        rows: the first ones, cell by cell in the order of `columns`, shortened and without control characters.
        guessed: role -> column, as it will be read.
        roles: those that may be mapped to a column of this file.
        notes: how it was read where that is not plain.
        problem: the first one met in it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    part: Part
    columns: tuple[str, ...] = ()
    left_out: int = 0
    rows: tuple[tuple[str, ...], ...] = ()
    guessed: dict[str, str] = {}
    roles: tuple[str, ...] = ()
    notes: tuple[Text, ...] = ()
    problem: Problem | None = None


class Preview(BaseModel):
    """What files of data look like; made of their beginnings, and never an error: what is wrong is in it.

    Attributes:
        name: of the file or folder.
        layout: how it was recognised, such as ``CSV`` or ``BEIR``; empty where it was not.
        files: documents first, then queries, then judgments.
        summary: what reading all of it gave, where it is small enough to have been read already.
        problem: why it cannot be used as it is: the first problem of the whole, with its file and line.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    layout: str = ""
    files: tuple[FilePreview, ...] = ()
    summary: DatasetSummary | None = None
    problem: Problem | None = None


def preview_dataset(
    path: Path,
    *,
    columns: Mapping[str, str] | None = None,
    skip_bad: bool = False,
    limits: Limits | None = None,
    read: Callable[[], DatasetSummary] | None = None,
) -> Preview:
    """Look at a file or folder without reading more than the head of each file.

    Args:
        path: the file or folder.
        columns: as for `read_dataset`.
        skip_bad: as for `read_dataset`.
        limits: caps on size; None means the defaults.
        read: reads all of it; called where that is little.
    """
    limits = replace(limits or Limits(), head=HEAD)
    look = _Look(columns or {}, skip_bad, limits)
    found = Preview(name=shown(path.name, NAME))
    problems: list[Problem] = []
    with _noting(problems):
        check_roles(columns or {})
        layout = recognise(path, limits, Problems(skip=skip_bad, cap=limits.problems))
        found = found.model_copy(update={"layout": layout.format, "files": tuple(look.at_layout(layout))})
        problems += [file.problem for file in found.files if file.problem]
        used = {role: column for file in found.files for role, column in file.guessed.items()}
        unused = None if problems else unused_column({r: _sayable(c) for r, c in (columns or {}).items()}, used)
        if unused:
            raise unused
        if read and _weight(layout) <= COUNTED:
            summary = _read(read, problems)
            found = found.model_copy(update={"summary": summary})
    if not found.layout:
        found = found.model_copy(update={"files": tuple(look.at_tables(path))})
    return found.model_copy(update={"problem": problems[0] if problems else None})


def _read(read: Callable[[], DatasetSummary], problems: list[Problem]) -> DatasetSummary | None:
    """What reading all of it gives; its problem, which counts the others too, goes before those of single files."""
    met: list[Problem] = []
    summary = None
    with _noting(met):
        summary = read()
    problems[:0] = met
    return summary


@contextmanager
def _noting(problems: list[Problem]) -> Iterator[None]:
    try:
        yield
    except DatasetError as error:
        problems.append(Problem(cause=error.cause, next_step=error.next_step))


def _files(layout: Layout) -> list[tuple[DataFile, Part]]:
    parts: list[tuple[DataFile | None, Part]] = [
        (layout.table, "table"),
        *((file, "table") for file in layout.parts),
        (layout.documents, "documents"),
        (layout.queries, "queries"),
        *((file, "judgments") for file in layout.judgments),
    ]
    return [(file, part) for file, part in parts if file]


def _weight(layout: Layout) -> int:
    files = [*(file for file, _ in _files(layout)), *layout.texts]
    return sum(file.size * (_GZIP_WEIGHT if file.is_gzip else 1) for file in files)


class _Look:
    """Looks at the files of a dataset."""

    def __init__(self, columns: Mapping[str, str], skip_bad: bool, limits: Limits) -> None:
        self._columns, self._skip_bad, self._limits = columns, skip_bad, limits

    def at_layout(self, layout: Layout) -> Iterator[FilePreview]:
        """At the files that were recognised."""
        if layout.texts:
            yield self._texts(layout)
        for file, part in _files(layout):
            yield self._table(file, part)

    def at_tables(self, path: Path) -> Iterator[FilePreview]:
        """At whatever tables there are, where no layout was recognised."""
        try:
            folder = path if is_folder(path) else None
            paths = listed(folder) if folder else [path]
        except DatasetError:
            return  # the recognition has met it too
        tables = [p for p in paths if Path(p.name.lower().removesuffix(".gz")).suffix in SUFFIXES]
        for table in tables[:FILES]:
            try:
                file = data_file(table, inside=folder)
            except DatasetError as error:
                problem = Problem(cause=error.cause, next_step=error.next_step)
                yield FilePreview(name=shown(table.name, NAME), part="table", problem=problem)
            else:
                yield self._table(file, "table")

    def _texts(self, layout: Layout) -> FilePreview:
        problems = Problems(skip=self._skip_bad, cap=self._limits.problems)
        rows: list[tuple[str, str]] = []
        met: list[Problem] = []
        with _noting(met):
            for file in layout.texts[:ROWS]:
                text = text_of(file, Budget(self._limits), problems)
                rows.append((_cell(file.path.relative_to(layout.root).as_posix()), _cell(text)))
            problems.check()
        return FilePreview(
            name=column_list([file.path.name for file in layout.texts[:ROWS]]) + (", …" if layout.texts[ROWS:] else ""),
            part="documents",
            columns=("id", "text"),
            rows=tuple(rows),
            notes=problems.notes,
            problem=met[0] if met else None,
        )

    def _table(self, file: DataFile, part: Part) -> FilePreview:
        problems = Problems(skip=self._skip_bad, cap=self._limits.problems)
        found = FilePreview(name=shown(file.path.name, NAME), part=part, roles=_mappable(part))
        met: list[Problem] = []
        with _noting(met):
            header = judgment_header if part == "judgments" else None
            table = read_table(file, Budget(self._limits), problems, header=header)
            names = [name for name in table.names if 0 < len(name) <= NAME and is_unicode(name)][:COLUMNS]
            found = found.model_copy(update={"columns": tuple(names), "left_out": len(table.names) - len(names)})
            start = []
            with _noting(met):
                for numbered in islice(table.rows, GUESSED_FROM_ROWS):
                    start.append(numbered)  # what came before an error is shown
            rows = tuple(tuple(_cell(row.get(name)) for name in names) for _, row in start[:ROWS])
            found = found.model_copy(update={"rows": rows})
            kind, guessed = self._guessed(part, table, start)
            note = unused_texts(guessed, start) if part == "table" and kind == "documents" else None
            found = found.model_copy(update={"notes": (*problems.notes, *((note,) if note else ()))})
            found = found.model_copy(update={"guessed": {role: _sayable(name) for role, name in guessed.items()}})
            problems.check()
            missing = missing_role(kind, guessed, table) if start or table.names else None
            if missing:
                raise missing
        return found.model_copy(update={"problem": met[0] if met else None})

    def _guessed(self, part: Part, table: Any, start: list[tuple[int, dict[str, Any]]]) -> tuple[str, Roles]:
        if part == "queries":
            return part, query_roles(table, start, self._columns)
        if part == "judgments":
            return part, judgment_roles(table, self._columns)
        if part == "table":
            return table_roles(table, start, self._columns)
        return "documents", document_roles(table, start, self._columns)


def _mappable(part: Part) -> tuple[str, ...]:
    """The roles that columns of a file may be given: those of a table decide what its rows are."""
    kinds = ("pairs", "labelled", "couples") if part == "table" else (part,)
    return tuple(dict.fromkeys(role for kind in kinds for role in roles_of(kind)))


def _sayable(name: str) -> str:
    return name if is_unicode(name) else shown(name)


def _cell(value: Any) -> str:
    """A value in one short line."""
    if value is None:
        return ""
    if not isinstance(value, str):
        try:
            value = json.dumps(value, ensure_ascii=False)
        except (TypeError, ValueError):  # dates and the like in Parquet, numbers of 5,000 digits
            value = type(value).__name__
    return shown(" ".join(value[: 4 * CELL].split()), CELL)
