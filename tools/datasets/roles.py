"""Which roles the columns of an opened table play: as the user says, else by their names, else by the first rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from knowledge.errors import DatasetError
from knowledge.wording import say
from tools.datasets.columns import column_list, guess, looks_like_judgments
from tools.datasets.tables import Row, Table

#: rows that the column of texts is guessed from, where no name tells
GUESSED_FROM_ROWS = 50
#: role -> column
Roles = dict[str, str]


def pair_roles(table: Table, columns: Mapping[str, str]) -> Roles | None:
    """Roles in a table with a query and a document a row; None where it is a table of documents."""
    roles = guess("pairs", table.names, columns, file=table.file.shown)
    return roles if "query" in roles and "text" in roles else None


def document_roles(table: Table, start: Sequence[tuple[int, Row]], columns: Mapping[str, str]) -> Roles:
    """Roles in a table of documents whose first rows are `start`; without ``text`` where no column looks like texts."""
    roles = guess("documents", table.names, columns, file=table.file.shown)
    if "text" not in roles:
        roles |= _guessed_text(start, set(roles.values()))
    if "text" not in roles and "title" in roles and "title" not in columns:
        roles["text"] = roles.pop("title")
    return roles


def query_roles(table: Table, start: Sequence[tuple[int, Row]], columns: Mapping[str, str]) -> Roles:
    """Roles in a table of queries whose first rows are `start`; without ``query`` where no column looks like texts."""
    roles = guess("queries", table.names, columns, file=table.file.shown)
    if "query" not in roles and "query" not in columns:
        guessed = _guessed_text(start, set(roles.values()))
        roles |= {"query": guessed["text"]} if guessed else {}
    return roles


def judgment_roles(table: Table, columns: Mapping[str, str]) -> Roles:
    """Roles in a table of judgments."""
    return guess("judgments", table.names, columns, file=table.file.shown)


def missing_role(kind: str, roles: Roles, table: Table) -> DatasetError | None:
    """Why a table (``documents``, ``queries`` or ``judgments``) cannot be read with these roles, if it cannot."""
    if kind == "judgments":
        return None if {"judged_query", "judged_document"} <= roles.keys() else _no_judgments(table)
    needed = {"documents": "text", "queries": "query"}[kind]
    return None if needed in roles else _no_text_column(table, needed)


def judgment_header(names: Sequence[str]) -> tuple[str, ...]:
    """The columns of judgments whose first row, given here, is no header; else ``()``."""
    if looks_like_judgments(names):
        return ()
    if len(names) == 3:
        return ("query-id", "doc-id", "grade")
    # TREC: query, iteration, document, grade
    return ("query-id", "iteration", "doc-id", "grade") if len(names) == 4 else ()


def _guessed_text(rows: Sequence[tuple[int, Row]], taken: set[str]) -> Roles:
    """The column with the longest texts, if they are longer than labels and ids are and no paths or codes."""
    lengths: dict[str, int] = {}
    for _, row in rows:
        for name, value in row.items():
            if isinstance(value, str) and name not in taken and (" " in value or not value.isascii()):
                lengths[name] = lengths.get(name, 0) + len(value)
    longest = max(lengths, key=lambda name: lengths[name], default=None)
    return {"text": longest} if longest is not None and lengths[longest] >= 20 * len(rows) else {}


def _no_text_column(table: Table, role: str) -> DatasetError:
    return DatasetError(
        say(
            "{file} has no column that looks like texts; its columns are: {columns}.",
            file=table.file.shown,
            columns=column_list(table.names),
        ),
        say("Say which one it is, for instance --column {role}=NAME.", role=role),
    )


def _no_judgments(table: Table) -> DatasetError:
    return DatasetError(
        say(
            "{file} does not look like judgments; its columns are: {columns}.",
            file=table.file.shown,
            columns=column_list(table.names),
        ),
        say("Use the header query-id, doc-id, grade, separated by tabs."),
    )
