"""Which roles the columns of an opened table play: as the user says, else by their names, else by the first rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from knowledge.errors import DatasetError
from knowledge.languages import language_code
from knowledge.wording import Text, how_to, say
from tools.datasets.columns import are_sides, column_list, guess, is_called_query, looks_like_judgments
from tools.datasets.problems import shown
from tools.datasets.tables import Row, Table

#: rows that the column of texts is guessed from, where no name tells
GUESSED_FROM_ROWS = 50
#: texts are longer than labels and ids, and have so many characters on average
_LEAST = 20
#: role -> column
Roles = dict[str, str]
_OF_DOCUMENTS = say("It is read from tables of documents, and there is none here.")
_OF_QUERIES = say("It is read from tables of queries, and there is none here.")
_OF_JUDGMENTS = say("It is read from judgments, which have a file of their own (qrels.tsv), and there is none here.")
_OF_CLASSES = say(
    "It is read from one table of texts with their classes (or train.* and test.* beside each other), and there is "
    "none here."
)
_OF_COUPLES = say(
    "It is read from one table with two texts a row (or train.* and test.* beside each other), and there is none here."
)
#: where a role is read from, said where there is no such file
_WHERE_READ = {
    "id": _OF_DOCUMENTS,
    "title": _OF_DOCUMENTS,
    "text": _OF_DOCUMENTS,
    "query": _OF_QUERIES,
    "query_id": _OF_QUERIES,
    "relevant": say("It is read from queries in a file of their own (queries.csv), and there is none here."),
    "grade": _OF_JUDGMENTS,
    "judged_query": _OF_JUDGMENTS,
    "judged_document": _OF_JUDGMENTS,
    "source": say("It is read from tables of documents or of queries, and there is none here."),
    "label": _OF_CLASSES,
    "split": _OF_CLASSES,
    "text1": _OF_COUPLES,
    "text2": _OF_COUPLES,
    "score": _OF_COUPLES,
}


def table_roles(table: Table, start: Sequence[tuple[int, Row]], columns: Mapping[str, str]) -> tuple[str, Roles]:
    """What the rows of the only table of the data are (a kind of `columns.roles_of`), and the roles of its columns.

    What the user names decides; else a query and a document a row come before two texts a row, and texts with their
    classes before texts alone.
    """
    if "label" not in columns or not columns["label"]:
        pairs = None if {"text1", "text2"} & columns.keys() else pair_roles(table, start, columns)
        if pairs is not None:
            return "pairs", pairs
        couples = couple_roles(table, start, columns)
        if couples is not None:
            return "couples", couples
    labelled = labelled_roles(table, start, columns)
    return ("labelled", labelled) if labelled is not None else ("documents", document_roles(table, start, columns))


def couple_roles(table: Table, start: Sequence[tuple[int, Row]], columns: Mapping[str, str]) -> Roles | None:
    """Roles in a table with two texts a row, by the names of its columns, or two languages'; None where it has none."""
    roles = guess("couples", table.names, columns, file=table.file.shown)
    if {"text1", "text2"} & columns.keys():
        return roles
    if {"text1", "text2"} <= roles.keys() and are_sides(roles["text1"], roles["text2"]):
        return roles
    taken = set(roles.values())
    languages = [n for n in table.names if n not in taken and language_code(n) and _holds_texts(start, n)]
    if len(languages) != 2:
        return None
    others = {role: name for role, name in roles.items() if role not in ("text1", "text2")}
    return others | {"text1": languages[0], "text2": languages[1]}


def labelled_roles(table: Table, start: Sequence[tuple[int, Row]], columns: Mapping[str, str]) -> Roles | None:
    """Roles in a table of texts with their classes; None where no column is one of classes."""
    roles = guess("labelled", table.names, columns, file=table.file.shown)
    if "label" not in roles or (roles["label"] == columns.get("source") and "label" not in columns):
        return None
    if "text" not in roles and "text" not in columns:
        roles |= _guessed_text(start, set(roles.values()))
    if "text" not in roles and "title" in roles and "title" not in columns:
        roles["text"] = roles.pop("title")
    return roles if "text" in roles or "label" in columns else None


def pair_roles(table: Table, start: Sequence[tuple[int, Row]], columns: Mapping[str, str]) -> Roles | None:
    """Roles in a table with a query and a document a row, whose first rows are `start`; None where it is of documents.

    The column that the user names for the query makes it such a table, whatever the texts are called; then ``text`` is
    missing where no column looks like texts. So does a column that is called a query, beside one with longer texts.
    """
    roles = guess("pairs", table.names, columns, file=table.file.shown)
    if "query" not in roles and "query" not in columns:
        taken = set(roles.values())
        for name in table.names:
            if "query" not in roles and name not in taken and is_called_query(name) and _holds_texts(start, name):
                roles["query"] = name
    if "query" not in roles:
        return None
    if "text" not in roles and "text" not in columns:
        guessed = _guessed_text(start, set(roles.values()), least=1 if "query" in columns else _LEAST)
        if "query" in columns or _length(start, guessed.get("text")) >= _length(start, roles["query"]):
            roles |= guessed
    if "text" not in roles and "title" in roles and "title" not in columns:
        roles["text"] = roles.pop("title")
    return _with_source(roles, table, columns) if "text" in roles or "query" in columns else None


def document_roles(table: Table, start: Sequence[tuple[int, Row]], columns: Mapping[str, str]) -> Roles:
    """Roles in a table of documents whose first rows are `start`; without ``text`` where no column looks like texts."""
    roles = guess("documents", table.names, columns, file=table.file.shown)
    if "text" not in roles:
        roles |= _guessed_text(start, set(roles.values()))
    if "text" not in roles and "title" in roles and "title" not in columns:
        roles["text"] = roles.pop("title")
    return _with_source(roles, table, columns)


def query_roles(table: Table, start: Sequence[tuple[int, Row]], columns: Mapping[str, str]) -> Roles:
    """Roles in a table of queries whose first rows are `start`; without ``query`` where no column looks like texts."""
    roles = guess("queries", table.names, columns, file=table.file.shown)
    if "query" not in roles and "query" not in columns:
        guessed = _guessed_text(start, set(roles.values()))
        roles |= {"query": guessed["text"]} if guessed else {}
    return _with_source(roles, table, columns)


def _with_source(roles: Roles, table: Table, columns: Mapping[str, str]) -> Roles:
    """The roles, and a column of sources that nothing else is read from."""
    found = guess("sources", table.names, columns, file=table.file.shown)
    return roles | {role: name for role, name in found.items() if name not in roles.values()}


def judgment_roles(table: Table, columns: Mapping[str, str]) -> Roles:
    """Roles in a table of judgments."""
    return guess("judgments", table.names, columns, file=table.file.shown)


def missing_role(kind: str, roles: Roles, table: Table) -> DatasetError | None:
    """Why a table (of `columns.guess`) cannot be read with these roles, if it cannot."""
    if kind == "judgments":
        return None if {"judged_query", "judged_document"} <= roles.keys() else _no_judgments(table)
    needed = {"couples": ("text1", "text2"), "queries": ("query",)}.get(kind, ("text",))
    missing = next((role for role in needed if role not in roles), None)
    return None if missing is None else _no_text_column(table, missing)


def unused_column(columns: Mapping[str, str], used: Mapping[str, str]) -> DatasetError | None:
    """Why a column that the user named is not read, if one is not.

    Args:
        columns: the user's mapping; an empty name means "no such column".
        used: role -> column, of all tables together.
    """
    unused = ((role, name) for role, name in columns.items() if name and used.get(role) != name)
    role, name = next(unused, (None, ""))
    if role is None:
        return None
    cause = say("Nothing is read from column “{column}”, which was named for “{role}”.", column=shown(name), role=role)
    if role in ("grade", "query_id") and "query" not in used and "text" in used:
        return DatasetError(
            cause,
            say("Name the column with the queries too, in the same table ({how}).", how=how_to("column", role="query")),
        )
    return DatasetError(cause, _WHERE_READ[role])


def unused_texts(roles: Roles, start: Sequence[tuple[int, Row]]) -> Text | None:
    """What to do where a table gave documents and no queries, though other columns of it hold texts."""
    names = dict.fromkeys(name for _, row in start for name in row if name not in roles.values())
    texts = [name for name in names if _holds_texts(start, name)]
    if not texts:
        return None
    return say(
        "No column was taken for queries; these hold texts and were not used: {columns}. If one of them holds "
        "the queries, name it ({how}).",
        columns=column_list(texts),
        how=how_to("column", role="query"),
    )


def judgment_header(names: Sequence[str]) -> tuple[str, ...]:
    """The columns of judgments whose first row, given here, is no header; else ``()``."""
    if looks_like_judgments(names):
        return ()
    if len(names) == 3:
        return ("query-id", "doc-id", "grade")
    # TREC: query, iteration, document, grade
    return ("query-id", "iteration", "doc-id", "grade") if len(names) == 4 else ()


def _holds_texts(rows: Sequence[tuple[int, Row]], column: str) -> bool:
    """Whether most values of a column are of several words, or in a script other than Latin."""
    values = [value for _, row in rows if isinstance(value := row.get(column), str) and value.strip()]
    return sum(" " in value.strip() or not value.isascii() for value in values) > len(rows) / 2


def _length(rows: Sequence[tuple[int, Row]], column: str | None) -> int:
    return sum(len(value) for _, row in rows if column and isinstance(value := row.get(column), str))


def _guessed_text(rows: Sequence[tuple[int, Row]], taken: set[str], *, least: int = _LEAST) -> Roles:
    """The column with the longest texts, if they have `least` characters on average and are no paths or codes."""
    lengths: dict[str, int] = {}
    for _, row in rows:
        for name, value in row.items():
            if isinstance(value, str) and name not in taken and (" " in value or not value.isascii()):
                lengths[name] = lengths.get(name, 0) + len(value)
    longest = max(lengths, key=lambda name: lengths[name], default=None)
    return {"text": longest} if longest is not None and lengths[longest] >= least * len(rows) else {}


def _no_text_column(table: Table, role: str) -> DatasetError:
    return DatasetError(
        say(
            "{file} has no column that looks like texts; its columns are: {columns}.",
            file=table.file.shown,
            columns=column_list(table.names),
        ),
        say("Say which one it is ({how}).", how=how_to("column", role=role)),
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
