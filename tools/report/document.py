"""A report as text and figures before it takes a form: sections made of a few kinds of blocks.

All forms are made from the same document, so that they can not say different things. Its strings are plain text in the
reader's language; each form escapes them in its own way.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from tools.report.curves import Curves
from tools.report.drawings import Bar, Pipeline, Scatter

_DIRECTION = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def plain(text: str) -> str:
    """Text in one line, without what could act on its reader: control and direction characters, half characters."""
    return "".join(
        "\ufffd" if c in _DIRECTION or unicodedata.category(c) in ("Cc", "Cs") else c for c in " ".join(text.split())
    )


@dataclass(frozen=True)
class Cell:
    """One table cell.

    Attributes:
        note: said below it in small print, such as an interval.
        sort: what a sortable table compares; None: nothing to compare, always last.
        cite: id of the evidence the figure rests on.
        code: written for machines, such as a spec; `note` is then its readable name.
        tone: what it means: winner, tied, undecided, worse, excluded, front, shown; empty: nothing special.
        anchor: name of this place in the page, for links.
        bar: the interval, drawn.
    """

    text: str
    note: str = ""
    sort: float | str | None = None
    cite: str | None = None
    code: bool = False
    tone: str = ""
    anchor: str | None = None
    bar: Bar | None = None


@dataclass(frozen=True)
class Column:
    """One table column; `detail` ones are left out where a form is read from beginning to end."""

    title: str
    numeric: bool = False
    detail: bool = False


@dataclass(frozen=True)
class Table:
    """Rows of cells.

    Attributes:
        full: show specs as they are, and not only their readable names.
        cited: its rows are what texts and figures lead to, by the anchor of a cell; where a form is read from beginning
            to end, those that nothing in it leads to are left out.
        compact: as wide as its text, with low rows.
    """

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    sortable: bool = False
    compact: bool = False
    full: bool = False
    cited: bool = False


@dataclass(frozen=True)
class Paragraph:
    """A few sentences; `aside` ones explain how to read what is next to them."""

    text: str
    aside: bool = False


@dataclass(frozen=True)
class Bullets:
    """A list of sentences."""

    items: tuple[str, ...]


@dataclass(frozen=True)
class Code:
    """A command line."""

    text: str


@dataclass(frozen=True)
class Plot:
    """Quality against what it costs."""

    title: str
    scatter: Scatter


@dataclass(frozen=True)
class CurvesPlot:
    """Lines over a range."""

    title: str
    curves: Curves


@dataclass(frozen=True)
class Diagram:
    """The set-up that was measured."""

    title: str
    pipeline: Pipeline


@dataclass(frozen=True)
class Side:
    """What one candidate found for a query; of each document its text, and what was judged of it."""

    name: str
    score: str
    won: bool
    found: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class SideBySide:
    """One query, and what two candidates found for it; `missed` are right answers that neither shows."""

    query: str
    sides: tuple[Side, Side]
    missed: tuple[str, ...]
    missed_title: str


@dataclass(frozen=True)
class Fold:
    """Blocks that are shown on demand."""

    summary: str
    blocks: tuple[Block, ...]


Block = Table | Paragraph | Bullets | Code | Plot | CurvesPlot | Diagram | SideBySide | Fold


@dataclass(frozen=True)
class Section:
    """A titled part; `id` is the same in every language."""

    id: str
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Fact:
    """One figure of the first screen."""

    label: str
    value: str
    note: str = ""
    cite: str | None = None


@dataclass(frozen=True)
class Sureness:
    """How sure the answer is: a title, and a few short sentences."""

    label: str
    text: str
    settled: bool


@dataclass(frozen=True)
class Answer:
    """The first screen: which, how sure, why, at what cost; `in_words` for who does not know the trade's words."""

    kicker: str
    title: str
    headline: str
    in_words: str
    warning: str | None
    spec: str | None
    sureness: Sureness
    facts: tuple[Fact, ...]
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Document:
    """A whole report in one language.

    Attributes:
        labels: the few words that only a form needs, such as "Contents".
        evidence: ids that a text may refer to.
        footer: who made it and when.
    """

    language: str
    title: str
    answer: Answer
    sections: tuple[Section, ...]
    labels: dict[str, str]
    evidence: frozenset[str]
    footer: str

    def section(self, id: str) -> Section | None:
        """The section with this id."""
        return next((s for s in self.sections if s.id == id), None)


def anchor(evidence: str) -> str:
    """An evidence id as a place in the page."""
    return "evidence-" + re.sub(r"\W", "-", evidence)


def mentions(evidence: Iterable[str]) -> re.Pattern[str] | None:
    """What finds ids of evidence in a text, and not the E5 of a model's name; None where there is no evidence."""
    ids = "|".join(re.escape(id) for id in sorted(evidence, key=len, reverse=True))
    return re.compile(rf"(?<![\w/-])({ids})(?![\w-])") if ids else None


def cells(*texts: str) -> tuple[Cell, ...]:
    """A row of plain cells."""
    return tuple(Cell(plain(t)) for t in texts)


def columns(*titles: str, numeric: Iterable[int] = ()) -> tuple[Column, ...]:
    """Table columns by their titles; `numeric` are the positions of those that hold figures."""
    right = set(numeric)
    return tuple(Column(title, numeric=i in right) for i, title in enumerate(titles))
