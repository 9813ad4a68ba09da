"""What is wrong with single lines, rows and files of a dataset."""

from __future__ import annotations

from collections import Counter
from typing import Literal, get_args

from knowledge.errors import DatasetError
from knowledge.wording import Text, how_to, join, say

Kind = Literal[
    "duplicate_id",
    "duplicate_judgment",
    "unknown_query",
    "unknown_document",
    "empty_text",
    "encoding",
    "broken_row",
    "long_line",
    "bad_id",
    "bad_text",
    "bad_grade",
    "bad_label",
    "bad_score",
    "outside_link",
    "unreadable_file",
    "orphaned",
]


def problem_text(kind: str, count: int) -> Text:
    """How many problems of one kind, as a phrase: the form in which `DatasetSummary.problems` is shown."""
    phrases = {
        "duplicate_id": say("ids that occur twice: {count}", count=count),
        "duplicate_judgment": say("contradicting judgments: {count}", count=count),
        "unknown_query": say("judgments of unknown queries: {count}", count=count),
        "unknown_document": say("judgments of unknown documents: {count}", count=count),
        "empty_text": say("empty texts: {count}", count=count),
        "encoding": say("texts that are not UTF-8: {count}", count=count),
        "broken_row": say("broken lines: {count}", count=count),
        "long_line": say("lines that are too long: {count}", count=count),
        "bad_id": say("missing or unusable ids: {count}", count=count),
        "bad_text": say("values that are no text: {count}", count=count),
        "bad_grade": say("unusable grades: {count}", count=count),
        "bad_label": say("unusable classes: {count}", count=count),
        "bad_score": say("unusable scores: {count}", count=count),
        "outside_link": say("links that lead out of the folder: {count}", count=count),
        "unreadable_file": say("files that cannot be read: {count}", count=count),
        "orphaned": say("judgments of texts left out: {count}", count=count),
    }
    assert set(phrases) == set(get_args(Kind))
    return phrases[kind]


def shown(value: object, limit: int = 80) -> str:
    """A value from the data, fit for one line of a message: short, and without control or layout characters."""
    text = str(value)
    cut = text if len(text) <= limit else text[: limit - 1] + "…"
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in cut)


def at(file: str, number: int, why: Text, *, row: bool = False) -> Text:
    """A problem with its file and its line, or its row where the format has no lines."""
    if row:
        return say("{file}, row {row}: {why}.", file=file, row=number, why=why)
    return say("{file}, line {line}: {why}.", file=file, line=number, why=why)


class Problems:
    """Counts problems by kind and keeps the first; a problem means that its line, row or file is left out."""

    def __init__(self, *, skip: bool, cap: int) -> None:
        self._skip, self._cap = skip, cap
        self.counts: Counter[str] = Counter()
        self._first: tuple[Kind, Text] | None = None
        self._read_as: dict[str, dict[str, None]] = {}

    def read_as(self, encoding: str, file: str) -> None:
        """Note that a file is read in another encoding than UTF-8: no problem, but to be said."""
        self._read_as.setdefault(encoding, {})[file] = None

    @property
    def notes(self) -> tuple[Text, ...]:
        """What is to be said of how files were read."""
        return tuple(
            say("{file} is not UTF-8; it was read as {encoding}.", file=next(iter(files)), encoding=encoding)
            if len(files) == 1
            else say("{count} files are not UTF-8; they were read as {encoding}.", count=len(files), encoding=encoding)
            for encoding, files in self._read_as.items()
        )

    def add(self, kind: Kind, cause: Text) -> None:
        """Note a problem.

        Raises:
            DatasetError: bad lines are not to be skipped, and there are too many to go on.
        """
        self._first = self._first or (kind, cause)
        self.counts[kind] += 1
        if not self._skip and self.total >= self._cap:
            self.check()

    @property
    def total(self) -> int:
        """All problems."""
        return self.counts.total()

    def check(self) -> None:
        """Stop here unless there is nothing wrong, or what is wrong is to be skipped.

        Raises:
            DatasetError: the first problem, and how many more there are of each kind.
        """
        if self._skip or not self._first:
            return
        kind, cause = self._first
        others = self.counts - Counter({kind: 1})
        if not others:
            raise DatasetError(cause, how_to("mend"))
        kinds = join([problem_text(k, n) for k, n in others.most_common()], Text(template="; "))
        if self.total >= self._cap:
            rest = say("At least {count} more problems follow ({kinds}).", count=others.total(), kinds=kinds)
        else:
            rest = say("{count} more to mend ({kinds}).", count=others.total(), kinds=kinds)
        raise DatasetError(join([cause, rest]), how_to("mend"))
