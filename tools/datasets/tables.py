"""Tables in any format, as rows with the line they stand in."""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import Any

from knowledge.errors import DatasetError
from knowledge.wording import Text, say
from tools.datasets.columns import column_list
from tools.datasets.files import DataFile, LineReader, head_text, opened, refuse_large, whole_text
from tools.datasets.limits import Budget, too_much
from tools.datasets.problems import Problems, at, shown

Row = dict[str, Any]
Header = Callable[[Sequence[str]], tuple[str, ...]]

_PEEKED_ROWS = 100
_BATCH_ROWS = 64
_CODED_BYTES = 8 * 2**20
_DELIMITERS = ",;\t|"
# an unclosed string reaches to the end, and nothing is tried twice: linear in hostile input too
_JSON_STRING = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)', re.DOTALL)
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
#: between the items of a JSON list
_GAP = re.compile(r"[\s,]*")


@dataclass(frozen=True)
class Table:
    """One table: its columns and, once, its rows with their numbers (lines; rows where the format has no lines)."""

    file: DataFile
    names: tuple[str, ...]
    rows: Iterator[tuple[int, Row]]
    by_row: bool = False

    def at(self, number: int, why: Text) -> Text:
        """A problem with its place in this table."""
        return at(self.file.shown, number, why, row=self.by_row)


def peeked(table: Table, count: int) -> tuple[list[tuple[int, Row]], Table]:
    """The first rows of a table, and the table with all of them still to come."""
    start = list(islice(table.rows, count))
    return start, replace(table, rows=chain(start, table.rows))


def read_table(
    file: DataFile,
    budget: Budget,
    problems: Problems,
    *,
    header: Header | None = None,
) -> Table:
    """Open a table by its suffix.

    Args:
        file: the file.
        budget: what may still be read.
        problems: takes the lines that cannot be read.
        header: for CSV and TSV; gets the first row and returns the names to use when that row is none, else ``()``.

    Raises:
        DatasetError: the file as a whole cannot be read.
    """
    refuse_large(file, budget)
    table = _READERS[file.suffix](file, budget, problems, header)
    return Table(table.file, table.names, _counted(table, budget), table.by_row)


def _counted(table: Table, budget: Budget) -> Iterator[tuple[int, Row]]:
    for number, row in table.rows:
        budget.spend_row(table.file.shown)
        yield number, row


# ---------------------------------------------------------------- JSON


def _is_deeper(text: str, depth: int) -> bool:
    """Whether brackets are nested deeper than that; of broken JSON, perhaps also where they are not closed."""
    left = _JSON_STRING.sub("", text).encode().translate(None, delete=_NO_BRACKETS)
    for _ in range(depth):  # each time the innermost go, all at once: ten million pairs take a moment, not seconds
        rest = left.replace(b"[]", b"-").replace(b"{}", b"-").replace(b"-", b"")
        if rest == left:
            return _opened(left) > depth
        left = rest
    return _opened(left) > 0


def _opened(brackets: bytes) -> int:
    return brackets.count(b"[") + brackets.count(b"{")


def _parsed(text: str, depth: int) -> Any:
    """JSON as Python objects.

    Raises:
        ValueError: it is broken, or nested deeper than allowed (the parser itself would recurse).
    """
    if text.count("[") + text.count("{") > depth and _is_deeper(text, depth):
        raise ValueError(f"nested deeper than {depth} levels")
    return json.loads(text)


def _jsonl(file: DataFile, budget: Budget, problems: Problems, _: object) -> Table:
    def rows() -> Iterator[tuple[int, Row]]:
        for number, line in LineReader(file, budget, problems):
            if not line.strip():
                continue
            try:
                row = _parsed(line, budget.limits.depth)
            except ValueError as error:
                why = say("the line is not JSON ({why})", why=shown(error))
                problems.add("broken_row", at(file.shown, number, why))
                continue
            if not isinstance(row, dict):
                problems.add("broken_row", at(file.shown, number, say("the line is not a JSON object")))
            elif len(row) > budget.limits.columns:
                problems.add("broken_row", at(file.shown, number, _too_wide(budget)))
            else:
                yield number, row

    return _with_names(file, rows(), by_row=False)


def _too_wide(budget: Budget) -> Text:
    return say("it has more than {limit} fields", limit=budget.limits.columns)


def _json(file: DataFile, budget: Budget, problems: Problems, _: object) -> Table:
    head = head_text(file, budget, problems)
    text = whole_text(file, budget, problems) if head is None else head
    if _is_object(text.lstrip().split("\n", 1)[0], budget.limits.depth):
        return _jsonl(file, budget, problems, None)
    hint = say("It should hold a list of objects, or one object a line.")
    try:
        items = _parsed(text, budget.limits.depth) if head is None else _first_items(head)
    except ValueError as error:
        raise DatasetError(say("{file} is not JSON: {why}.", file=file.shown, why=shown(error)), hint) from error
    if not isinstance(items, list):
        raise DatasetError(say("{file} holds no list of objects.", file=file.shown), hint)

    def rows() -> Iterator[tuple[int, Row]]:
        for number, row in enumerate(items, 1):
            if not isinstance(row, dict):
                problems.add("broken_row", at(file.shown, number, say("it is not a JSON object"), row=True))
            elif len(row) > budget.limits.columns:
                problems.add("broken_row", at(file.shown, number, _too_wide(budget), row=True))
            else:
                yield number, row

    return _with_names(file, rows(), by_row=True)


def _first_items(text: str) -> list[Any] | None:
    """The items of a JSON list of which only the beginning is at hand; None where it is no list."""
    if not text.lstrip().startswith("["):
        return None
    items: list[Any] = []
    decoder, place = json.JSONDecoder(), text.index("[") + 1
    while len(items) < _PEEKED_ROWS and (gap := _GAP.match(text, place)):
        try:
            item, place = decoder.raw_decode(text, gap.end())
        except (ValueError, RecursionError):  # cut off here
            break
        items.append(item)
    return items


def _is_object(line: str, depth: int) -> bool:
    try:
        return isinstance(_parsed(line, depth), dict)
    except ValueError:
        return False


def _with_names(file: DataFile, rows: Iterator[tuple[int, Row]], *, by_row: bool) -> Table:
    """Columns of rows that need not all have the same: those of the first hundred."""
    start = list(islice(rows, _PEEKED_ROWS))
    names = tuple(dict.fromkeys(name for _, row in start for name in row))
    return Table(file, names, chain(start, rows), by_row)


# ---------------------------------------------------------------- CSV and TSV


def _header(names: Sequence[str], file: DataFile, budget: Budget) -> tuple[str, ...]:
    limit = budget.limits.columns
    if len(names) > limit:
        raise DatasetError(
            say("{file} has more than {limit} columns.", file=file.shown, limit=limit),
            say("Keep the columns that hold texts, ids and grades."),
        )
    header = tuple(name.strip() for name in names)
    doubled = sorted(name for name, count in Counter(header).items() if name and count > 1)
    if doubled:
        raise DatasetError(
            say("{file} has two columns called {names}.", file=file.shown, names=column_list(doubled)),
            say("Give each column a name of its own."),
        )
    return header


def _named(
    file: DataFile,
    rows: Iterator[tuple[int, list[str]]],
    budget: Budget,
    problems: Problems,
    header: Header | None,
) -> Table:
    first = next(rows, None)
    if first is None:
        return Table(file, (), iter(()))
    names = header(first[1]) if header else ()
    if names:
        rows = chain([first], rows)
    else:
        names = _header(first[1], file, budget)

    def named() -> Iterator[tuple[int, Row]]:
        for number, fields in rows:
            if len(fields) == len(names):
                yield number, dict(zip(names, fields, strict=True))
            else:
                why = say("it has {count} fields instead of {expected}", count=len(fields), expected=len(names))
                problems.add("broken_row", at(file.shown, number, why))

    return Table(file, names, named())


def _csv(
    file: DataFile,
    budget: Budget,
    problems: Problems,
    header: Header | None,
) -> Table:
    # the csv module's own limit (131,072 characters) is below real documents; it holds for the whole process
    csv.field_size_limit(budget.limits.line_bytes)
    lines = LineReader(file, budget, problems, keep_undecodable=True)

    def rows() -> Iterator[tuple[int, list[str]]]:
        source = (line for _, line in lines)
        first = next(source, None)
        if first is None:
            return
        delimiter = max(_DELIMITERS, key=re.sub(r'"[^"]*"', "", first).count)
        reader = csv.reader(chain([first], source), delimiter=delimiter, strict=True)
        while True:
            start = lines.number + 1 if reader.line_num else 1
            try:
                fields = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                if lines.cut:
                    return
                why = say("the row that starts here is not CSV ({why})", why=shown(error))
                problems.add("broken_row", at(file.shown, start, why))
                continue
            if lines.undecodable:
                number, raw = lines.undecodable.popitem()
                lines.undecodable.clear()
                problems.add("encoding", at(file.shown, number, lines.undecoded(raw)))
            elif fields:
                yield start, fields

    return _named(file, rows(), budget, problems, header)


def _unquoted(field: str) -> str:
    """A field without its quotes, where they are well-formed CSV quotes; a lone quotation mark is text."""
    if len(field) >= 2 and field[0] == field[-1] == '"' and '"' not in field[1:-1].replace('""', ""):
        return field[1:-1].replace('""', '"')
    return field


def _tsv(
    file: DataFile,
    budget: Budget,
    problems: Problems,
    header: Header | None,
) -> Table:
    """One line, one row: unlike CSV, a TSV often has unpaired quotation marks in its texts."""

    def rows() -> Iterator[tuple[int, list[str]]]:
        separator: str | None = None
        for number, line in LineReader(file, budget, problems):
            bare = line.rstrip("\r\n")
            if not bare.strip():
                continue
            if separator is None:
                # TREC judgments are separated by blanks
                separator = "\t" if "\t" in bare or not header else " "
            yield number, [_unquoted(f) for f in bare.split(separator if separator == "\t" else None)]

    return _named(file, rows(), budget, problems, header)


# ---------------------------------------------------------------- Parquet


def _parquet(file: DataFile, budget: Budget, problems: Problems, _: object) -> Table:
    import pyarrow as pa
    import pyarrow.parquet as pq

    if file.is_gzip:
        raise DatasetError(
            say("{file} is Parquet inside gzip.", file=file.shown),
            say("Unpack it: Parquet is compressed by itself."),
        )
    with opened(file) as stream:
        try:
            metadata = pq.read_metadata(stream)
            schema = metadata.schema.to_arrow_schema()
            largest = max((metadata.row_group(i).total_byte_size for i in range(metadata.num_row_groups)), default=0)
        except (pa.ArrowException, OSError, ValueError) as error:
            raise _damaged(file, error) from error
    names = tuple(field.name for field in schema if _is_usable(field.type))
    texts = [field.name for field in schema if pa.types.is_string(field.type) or pa.types.is_large_string(field.type)]
    _header(names, file, budget)
    # texts stay dictionary-encoded until a row is read: a small file cannot unpack to gigabytes at once. Of a large row
    # group the dictionary itself, which holds each text that came so far, would be the gigabyte
    coded = texts if largest <= _CODED_BYTES else []

    def rows() -> Iterator[tuple[int, Row]]:
        number = 0
        with opened(file) as stream:
            try:
                # with a buffer, columns are read piece by piece and not a row group (often the whole file) at once
                parquet = pq.ParquetFile(stream, metadata=metadata, read_dictionary=coded, buffer_size=2**20)
                for batch in parquet.iter_batches(batch_size=_BATCH_ROWS, columns=list(names), use_threads=False):
                    for i in range(batch.num_rows):
                        number += 1
                        row = _parquet_row(batch, i, file, number, budget, problems)
                        if row is not None:
                            yield number, row
            except (pa.ArrowException, OSError, ValueError) as error:
                raise _damaged(file, error) from error

    return Table(file, names, rows(), by_row=True)


def _is_usable(kind: Any) -> bool:
    """Whether a Parquet column can hold ids, texts, grades or lists of ids."""
    from pyarrow import types

    if types.is_list(kind) or types.is_large_list(kind):
        kind = kind.value_type
    if types.is_dictionary(kind):
        kind = kind.value_type
    checks = (types.is_string, types.is_large_string, types.is_integer, types.is_floating)
    return any(check(kind) for check in checks)


def _damaged(file: DataFile, error: Exception) -> DatasetError:
    if isinstance(error, MemoryError):  # a page that unpacks to gigabytes; pyarrow's error is of both kinds
        return too_much(say("{file} unpacks to more than fits into memory.", file=file.shown))
    return DatasetError(
        say("{file} is not a readable Parquet file: {why}.", file=file.shown, why=shown(error, 160)),
        say("Write it again, for instance with pandas' to_parquet()."),
    )


def _parquet_row(batch: Any, i: int, file: DataFile, number: int, budget: Budget, problems: Problems) -> Row | None:
    try:
        row = {name: batch.column(j)[i].as_py() for j, name in enumerate(batch.schema.names)}
    except UnicodeDecodeError:
        problems.add("encoding", at(file.shown, number, say("a text is not UTF-8"), row=True))
        return None
    sizes = [len(value) for value in row.values() if isinstance(value, str | list)]
    budget.spend_bytes(sum(sizes), file.shown)
    if max(sizes, default=0) > budget.limits.line_bytes:
        why = say("a value is longer than {limit:g} MB", limit=budget.limits.line_bytes / 2**20)
        problems.add("long_line", at(file.shown, number, why, row=True))
        return None
    return row


_READERS: dict[str, Callable[..., Table]] = {
    ".jsonl": _jsonl,
    ".ndjson": _jsonl,
    ".json": _json,
    ".csv": _csv,
    ".tsv": _tsv,
    ".parquet": _parquet,
}
SUFFIXES = tuple(_READERS)
