"""From files to a `Dataset`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from knowledge.dataset import Dataset, Pair, Part, content_hash
from knowledge.errors import DatasetError
from knowledge.results import DatasetSummary
from knowledge.wording import Text, join, say
from tools.datasets.cells import Cells
from tools.datasets.columns import check_roles
from tools.datasets.examples import Examples, unlabelled
from tools.datasets.files import DataFile, is_unicode, text_of
from tools.datasets.layout import Layout, not_alone, recognise
from tools.datasets.limits import Budget, Limits, too_much
from tools.datasets.problems import Problems, problem_text, shown
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
from tools.datasets.sidecar import Labels, labels_of
from tools.datasets.tables import Row, Table, peeked, read_table


def read_dataset(
    path: Path, *, columns: Mapping[str, str] | None = None, skip_bad: bool = False, limits: Limits | None = None
) -> Dataset:
    """Read a file or folder in any of the layouts named in ``tools/datasets/__init__.py``.

    Args:
        path: the file or folder.
        columns: role -> column, where the guess is wrong (``tools/datasets/columns.py`` lists the roles).
        skip_bad: leave out lines, rows and files that something is wrong with; `DatasetSummary.skipped` and
            `DatasetSummary.problems` count them.
        limits: caps on size; None means the defaults.

    Returns:
        The dataset. Labels are ``gold`` where judgments came with it, else ``none``.

    Raises:
        DatasetError: it cannot be read, holds no document, or (without `skip_bad`) something in it is wrong; names
            file and line of the first problem, and counts the others.
    """
    limits = limits or Limits()
    check_roles(columns or {})
    problems = Problems(skip=skip_bad, cap=limits.problems)
    layout = recognise(path, limits, problems)
    assembly = _Assembly(columns or {}, Budget(limits), problems)
    assembly.read(layout)
    problems.check()
    unused = unused_column(columns or {}, assembly.used)
    if unused:
        raise unused
    if not assembly.documents:
        raise _no_documents(path, problems)
    return assembly.dataset(path, layout)


def _no_documents(path: Path, problems: Problems) -> DatasetError:
    name = shown(path, 200)
    if not problems.total:
        return DatasetError(say("{file} holds no documents.", file=name), say("Check that it is the right file."))
    kinds = join([problem_text(k, n) for k, n in problems.counts.most_common()], Text(template="; "))
    return DatasetError(
        say("Nothing is left of {file} after leaving out what is wrong ({kinds}).", file=name, kinds=kinds),
        say("Where nothing is left out, the first problem is named with its line."),
    )


class _Assembly:
    """Documents, queries and judgments while they are read."""

    def __init__(self, columns: Mapping[str, str], budget: Budget, problems: Problems) -> None:
        self._columns, self._budget, self._problems = columns, budget, problems
        self._cells = Cells(problems)
        # ids that were there but had something wrong: judgments of them are no problem of their own
        self._left_out: dict[Literal["document", "query"], set[str]] = {"document": set(), "query": set()}
        self.used: dict[str, str] = {}
        self.notes: list[Text] = []
        self.documents: dict[str, str] = {}
        self.titles: dict[str, str] = {}
        self.sources: dict[str, str] = {}
        self.query_sources: dict[str, str] = {}
        self.queries: dict[str, str] = {}
        self.judgments: dict[str, dict[str, int]] = {}
        self.examples = Examples()

    def read(self, layout: Layout) -> None:
        """Read all files of a layout: documents, then queries, then judgments."""
        if layout.table:
            self._read_table(self._open(layout.table))
        for file in layout.parts:
            self._read_table(self._open(file), part=file.stem)
        if layout.documents:
            self._read_documents(self._open(layout.documents))
        for file in layout.texts:
            self._read_text_file(file, layout.root)
        if layout.queries:
            self._read_queries(self._open(layout.queries))
        elif layout.judgments:
            raise DatasetError(
                say("{file} holds judgments, but there is no file of queries.", file=layout.judgments[0].shown),
                say("Put the queries beside it, as queries.jsonl or queries.csv with the columns id and text."),
            )
        # without documents every judgment would be wrong, and hide the one thing that is
        for file in layout.judgments if self.documents else ():
            self._read_judgments(file)

    def dataset(self, path: Path, layout: Layout) -> Dataset:
        """What was read, with its summary."""
        count = sum(len(grades) for grades in self.judgments.values())
        examples, parts = self.examples, self._settled_parts()
        labelled = bool(count or examples.classes or examples.pairs)
        name = content_hash(
            self.documents,
            self.queries,
            self.judgments,
            classes=examples.classes,
            pairs=examples.pairs,
            parts=parts,
        )
        labels = labels_of(self._note(layout.sidecar), name) if labelled else Labels("none", None)
        summary = DatasetSummary(
            name=shown(path.resolve().name),
            path=shown(path, 1000),
            hash=name,
            format=layout.format,
            documents=len(self.documents),
            queries=len(self.queries),
            judgments=count,
            columns={role: shown(name) for role, name in self.used.items()},
            skipped=self._problems.total,
            problems=dict(sorted(self._problems.counts.items())),
            labels=labels.kind,
            label_origin=labels.origin,
            silver=labels.silver,
            notes=(*self._problems.notes, *self.notes),
            labelled=len(examples.classes),
            classes=len(set(examples.classes.values())),
            pairs=len(examples.pairs),
            scores=examples.scores,
            tested=sum(part == "test" for part in parts.values()),
        )
        return Dataset(
            summary,
            self.documents,
            self.queries,
            self.judgments,
            self.titles,
            self.sources,
            self.query_sources,
            classes=examples.classes,
            pairs=examples.pairs,
            parts=parts,
        )

    def _settled_parts(self) -> dict[str, Part]:
        """What each labelled text or pair is for, once all of them are read; classes that are none go."""
        examples, notes = self.examples, []
        if "label" in self.used:
            column = self.used["label"]
            notes.append(examples.settle_classes(column, stated=bool(self._columns.get("label"))))
            notes.append(unlabelled(self.documents, examples.classes) if examples.classes else None)
        parts: dict[str, Part] = {}
        if examples.classes or examples.pairs:
            parts, note = examples.parts(stated=bool(self._columns.get("split")))
            notes.append(note)
        self.notes += [note for note in notes if note]
        return parts

    def _note(self, sidecar: DataFile | None) -> str:
        """What `save_dataset` noted; empty where it did not, or noted more than it does."""
        if sidecar is None or sidecar.size > self._budget.limits.line_bytes:
            return ""
        return text_of(sidecar, self._budget, Problems(skip=True, cap=1)) or ""

    # ------------------------------------------------------------ tables

    def _require(self, kind: str, roles: dict[str, str], table: Table) -> None:
        missing = missing_role(kind, roles, table)
        if missing:
            self._problems.check()  # lines that cannot be read may be why
            raise missing

    def _open(self, file: DataFile) -> Table:
        return read_table(file, self._budget, self._problems)

    def _read_table(self, table: Table, part: str = "") -> None:
        """Read the only table, or one of several: what its name says its rows are for is `part` then."""
        start, table = peeked(table, GUESSED_FROM_ROWS)
        kind, roles = table_roles(table, start, self._columns)
        if part and kind not in ("labelled", "couples"):
            raise not_alone(table)
        if start or table.names:
            self._require(kind, roles, table)
        self.used |= roles
        if kind == "pairs":
            self._read_pairs(table, roles)
        elif kind == "couples":
            self._read_couples(table, roles, part)
        else:
            self._read_rows(table, roles, part)
            unused = unused_texts(roles, start)
            self.notes += [unused] if unused and kind == "documents" else []

    def _read_documents(self, table: Table) -> None:
        """Read the table of documents, where there are others."""
        start, table = peeked(table, GUESSED_FROM_ROWS)
        roles = document_roles(table, start, self._columns)
        if start or table.names:
            self._require("documents", roles, table)
        self.used |= roles
        self._read_rows(table, roles)

    def _read_rows(self, table: Table, roles: Roles, part: str = "") -> None:
        """Read one document a row, with its class where a column has it."""
        for number, row in table.rows:
            document_id = self._row_id(row, roles, part, table, number)
            if document_id is None:
                continue
            label = self._cells.label(row, roles, table, number) if "label" in roles else ""
            if label is None or not self._add_document(document_id, row, roles, table, number):
                continue
            if label:
                self.examples.classes[document_id] = label
                self._mark(document_id, row, roles, part)

    def _read_couples(self, table: Table, roles: Roles, part: str) -> None:
        """Read two texts a row; equal texts are one document."""
        document_ids = {text: document_id for document_id, text in self.documents.items()}
        for number, row in table.rows:
            pair_id = self._row_id(row, roles, part, table, number)
            texts = [self._cells.text(row, roles, role, table, number) for role in ("text1", "text2")]
            if pair_id is None or None in texts:
                continue
            found = [text.strip() for text in texts if text is not None]
            if not all(found):
                why = say("one of the two texts of “{id}” is empty", id=shown(pair_id))
                self._problems.add("empty_text", table.at(number, why))
                continue
            if pair_id in self.examples.pairs:
                self._problems.add("duplicate_id", table.at(number, _taken(pair_id)))
                continue
            score = self._cells.score(row, roles, table, number) if "score" in roles else None
            if score is None and "score" in roles:
                continue
            for side, text in enumerate(found, 1):
                if text not in document_ids:
                    document_ids[text] = f"{pair_id}/{side}"
                    self._keep_document(document_ids[text], text)
            self.examples.pairs[pair_id] = Pair(document_ids[found[0]], document_ids[found[1]], score)
            self._mark(pair_id, row, roles, part)

    def _row_id(self, row: Row, roles: Roles, part: str, table: Table, number: int) -> str | None:
        """The id of a row, by itself or within the file of its part."""
        found = self._cells.id(row, roles, "id", table, number)
        return f"{part}/{found}" if part and found is not None else found

    def _mark(self, item: str, row: Row, roles: Roles, part: str) -> None:
        """Keep what the data says that a labelled text or a pair is for."""
        if part or "split" in roles:
            self.examples.marks[item] = part or str(row.get(roles["split"]) or "")

    def _add_document(self, document_id: str, row: Row, roles: dict[str, str], table: Table, number: int) -> bool:
        if document_id in self.documents or document_id in self._left_out["document"]:
            self._problems.add("duplicate_id", table.at(number, _taken(document_id)))
            return False
        title, text = (self._cells.text(row, roles, role, table, number) for role in ("title", "text"))
        if title is None or text is None:
            self._left_out["document"].add(document_id)
            return False
        joined = f"{title} {text}".strip()
        if not joined:
            self._left_out["document"].add(document_id)
            why = say("the text of document “{id}” is empty", id=shown(document_id))
            self._problems.add("empty_text", table.at(number, why))
            return False
        self._keep_document(document_id, joined)
        if title.strip():
            self.titles[document_id] = title.strip()
        if source := self._cells.source(row, roles):
            self.sources[document_id] = source
        return True

    def _keep_document(self, document_id: str, text: str) -> None:
        self.documents[document_id] = text
        limit = self._budget.limits.documents
        if len(self.documents) > limit:
            raise too_much(say("The data holds more than {limit} documents, the most this program reads.", limit=limit))

    def _read_text_file(self, file: DataFile, root: Path) -> None:
        document_id = file.path.relative_to(root).as_posix()
        text = text_of(file, self._budget, self._problems)
        if text is None:
            return
        if not is_unicode(document_id):
            why = say("{file}: its name is not UTF-8.", file=file.shown)
            self._problems.add("bad_id", why)
        elif not text.strip():
            self._problems.add("empty_text", say("{file} is empty.", file=file.shown))
            self._left_out["document"].add(document_id)
        else:
            self._keep_document(document_id, text.strip())
            folder, inside, _ = document_id.partition("/")
            if inside:
                self.sources[document_id] = folder

    def _read_queries(self, table: Table) -> None:
        start, table = peeked(table, GUESSED_FROM_ROWS)
        roles = query_roles(table, start, self._columns)
        if start or table.names:
            self._require("queries", roles, table)
        self.used |= roles
        for number, row in table.rows:
            query_id = self._cells.id(row, roles, "query_id", table, number)
            if query_id is not None and self._add_query(query_id, row, roles, table, number):
                for document_id in _ids(row.get(roles.get("relevant", "")), self.documents):
                    self._judge(query_id, document_id, 1, table, number)

    def _add_query(self, query_id: str, row: Row, roles: dict[str, str], table: Table, number: int) -> bool:
        if query_id in self.queries or query_id in self._left_out["query"]:
            self._problems.add("duplicate_id", table.at(number, _taken(query_id)))
            return False
        text = self._cells.text(row, roles, "query", table, number)
        if not text or not text.strip():
            self._left_out["query"].add(query_id)
            if text is not None:
                why = say("the text of query “{id}” is empty", id=shown(query_id))
                self._problems.add("empty_text", table.at(number, why))
            return False
        self.queries[query_id] = text.strip()
        if source := self._cells.source(row, roles):
            self.query_sources[query_id] = source
        return True

    def _read_pairs(self, table: Table, roles: dict[str, str]) -> None:
        """Rows with a query and a document each; equal texts are one document, equal queries one query."""
        document_ids: dict[str, str] = {}
        query_ids: dict[str, str] = {}
        for number, row in table.rows:
            title, text = (self._cells.text(row, roles, role, table, number) for role in ("title", "text"))
            query = self._cells.text(row, roles, "query", table, number)
            document_id = self._cells.id(row, roles, "id", table, number)
            if title is None or text is None or query is None or document_id is None:
                continue
            joined, query = f"{title} {text}".strip(), query.strip()
            if joined not in document_ids:
                if not self._add_document(document_id, row, roles, table, number):
                    continue
                document_ids[joined] = document_id
            if not query:
                continue
            if query not in query_ids:
                query_id = self._cells.id(row, roles, "query_id", table, len(query_ids) + 1)
                if query_id is None:
                    continue
                if query_id in self.queries:
                    self._problems.add("duplicate_id", table.at(number, _taken(query_id)))
                    continue
                query_ids[query] = query_id
                self.queries[query_id] = query
            grade = self._cells.grade(row, roles, table, number)
            if grade is not None:
                self._judge(query_ids[query], document_ids[joined], grade, table, number)

    # ------------------------------------------------------------ judgments

    def _read_judgments(self, file: DataFile) -> None:
        table = read_table(file, self._budget, self._problems, header=judgment_header)
        roles = judgment_roles(table, self._columns)
        if not table.names:
            return
        self._require("judgments", roles, table)
        self.used |= roles
        for number, row in table.rows:
            query_id = self._cells.id(row, roles, "judged_query", table, number)
            document_id = self._cells.id(row, roles, "judged_document", table, number)
            grade = self._cells.grade(row, roles, table, number)
            if query_id is not None and document_id is not None and grade is not None:
                self._judge(query_id, document_id, grade, table, number)

    def _judge(self, query_id: str, document_id: str, grade: int, table: Table, number: int) -> None:
        if query_id in self._left_out["query"] or document_id in self._left_out["document"]:
            self._problems.add(
                "orphaned", table.at(number, say("it judges “{id}”, which is left out", id=shown(document_id)))
            )
        elif query_id not in self.queries:
            why = say("there is no query “{id}”", id=shown(query_id))
            self._problems.add("unknown_query", table.at(number, why))
        elif document_id not in self.documents:
            why = say("there is no document “{id}”", id=shown(document_id))
            self._problems.add("unknown_document", table.at(number, why))
        elif self.judgments.setdefault(query_id, {}).setdefault(document_id, grade) != grade:
            why = say(
                "“{document}” was given another grade for “{query}” before",
                document=shown(document_id),
                query=shown(query_id),
            )
            self._problems.add("duplicate_judgment", table.at(number, why))


def _taken(key: str) -> Text:
    return say("the id “{id}” occurred before", id=shown(key))


def _ids(value: Any, known: Mapping[str, str]) -> Iterator[str]:
    """The ids in one cell: a list, a JSON list, an id, or several separated by semicolons, commas or blanks."""
    if isinstance(value, str):
        if value in known:
            yield value
            return
        try:
            listed = json.loads(value) if value.startswith("[") and value.count("[") == 1 else None
        except ValueError:
            listed = None
        value = listed if isinstance(listed, list) else value.replace(";", ",").replace("|", ",").split(",")
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, str | int) and str(item).strip():
            yield str(item).strip()
