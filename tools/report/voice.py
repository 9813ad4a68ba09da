"""The language and form that all sections share."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property

from knowledge.candidate import Candidate, Fusion, Rerank, parse_candidate
from knowledge.errors import SpecError
from knowledge.measured_task import items_of
from knowledge.results import Evidence, Report, Row
from knowledge.wording import Language, Text, say, spoken_of
from tools.report import figures
from tools.report.document import (
    Block,
    Bullets,
    Cell,
    Column,
    Table,
    columns,
    plain,
)

LABELS = {
    "gold": say("gold: the right answers were given with the data"),
    "silver": say("silver: the right answers were derived, not judged by people"),
    "none": say("none"),
}


#: options whose values say what they are of
_TELLING = ("backend", "precision")


def short_names(specs: Iterable[str]) -> dict[str, str]:
    """A readable name for each spec: the model's last part and its options; the spec itself where that is ambiguous."""
    short = {spec: plain(_short(spec)) for spec in specs}
    taken = list(short.values())
    return {spec: name if taken.count(name) == 1 else plain(spec) for spec, name in short.items()}


def _short(spec: str) -> str:
    try:
        return short_candidate(parse_candidate(spec))
    except SpecError:
        return spec


def short_candidate(candidate: Candidate) -> str:
    """The last part of the model's name, and the options; those that speak for themselves without their keys."""
    options = ", ".join(v if k in _TELLING else f"{k}={v}" for k, v in sorted(candidate.options.items()))
    if isinstance(candidate, Fusion):
        name = f"{candidate.method}({', '.join(map(short_candidate, candidate.parts))})"
    elif isinstance(candidate, Rerank):
        name = f"rerank({short_candidate(candidate.base)}, {short_candidate(candidate.reranker)})"
    else:
        name = candidate.name.rstrip("/").rsplit("/", 1)[-1] or candidate.backend
    return f"{name} ({options})" if options else name


def when(moment: dt.datetime) -> str:
    """A moment, to the minute."""
    return f"{moment:%Y-%m-%d %H:%M %Z}".strip()


def cut(text: str, at: int = 24) -> str:
    """At most so many characters."""
    text = plain(text)
    return text if len(text) <= at else text[: at - 1] + "…"


class Voice:
    """A report in one language, and the words and cells that its sections are made of."""

    def __init__(self, report: Report, language: Language) -> None:
        self.report = report
        self.language = language
        self.advice = report.recommendation
        self.names = short_names(row.spec for row in report.recommendation.rows)
        self._items = items_of(report.evaluation.task) if report.evaluation else None

    def t(self, text: Text) -> str:
        """A sentence, finished, with readable names in place of specs, which the tables show beside them."""
        finished = plain(spoken_of(text, self._items).render(self.language))
        return self._specs.sub(lambda found: self.names[found[0]], finished) if self.names else finished

    @cached_property
    def _specs(self) -> re.Pattern[str]:
        longest_first = sorted(self.names, key=len, reverse=True)
        return re.compile(rf"(?<![\w/:])(?:{'|'.join(map(re.escape, longest_first))})(?![\w?@&])")

    def sentences(self, text: Text) -> tuple[Text, ...]:
        """The sentences that were joined to one text, apart again."""
        joined = re.fullmatch(r"\{p\d+\}(?: \{p\d+\})*", text.template)
        parts = tuple(part for part in text.values.values() if isinstance(part, Text))
        return parts if joined and len(parts) == len(text.values) else (text,)

    def name(self, spec: str) -> str:
        """A candidate's readable name."""
        return self.names.get(spec) or short_names([spec])[spec]

    def named(self, texts: dict[str, Text], key: str) -> str:
        """The name of a literal; the literal itself where a later version knows more of them."""
        return self.t(texts[key]) if key in texts else plain(key)

    def table(self, title: Text, columns: tuple[Column, ...], rows: Iterable[tuple[Cell, ...]], **how: bool) -> Table:
        return Table(self.t(title), columns, tuple(rows), **how)

    def heads(self, *titles: Text | str, numeric: Iterable[int] = ()) -> tuple[Column, ...]:
        return columns(*(self.t(x) if isinstance(x, Text) else plain(x) for x in titles), numeric=numeric)

    def spec_cell(self, spec: str, tone: str = "") -> Cell:
        """A candidate: its spec, and its readable name as the note."""
        name = self.name(spec)
        return Cell(plain(spec), note=name, sort=name.lower(), code=True, tone=tone)

    def bullets(self, texts: Sequence[Text]) -> tuple[Block, ...]:
        return (Bullets(tuple(self.t(x) for x in texts)),) if texts else ()

    @property
    def is_measured(self) -> bool:
        return self.advice.measured and self.report.evaluation is not None

    @cached_property
    def winning_row(self) -> Row | None:
        return next((r for r in self.advice.rows if r.spec == self.advice.winner), None)

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """Of the decision, and of whatever else was looked at."""
        report, found = self.report, self.advice.evidence
        looked = (report.slices, report.contexts, report.probes, report.robustness, report.gains, report.costs)
        for looked_at in (*looked, report.deployment):
            found += looked_at.evidence if looked_at else ()
        return found

    @staticmethod
    def cite(row: Row, column: str) -> str | None:
        return row.cites.get(column)

    def cited(self, *of: str) -> str | None:
        """The evidence of what stands in no row (see `Recommendation.cites`)."""
        return self.advice.cites.get("/".join(of))

    def cite_quality(self, row: Row) -> str | None:
        return row.cites.get("quality") or row.cites.get(self.advice.primary)

    def level(self, row: Row) -> str:
        return figures.share(row.quality.level)

    @property
    def costs(self) -> tuple[tuple[str, Text, Callable[[float | None], str], Text], ...]:
        """The costs in the order in which they are shown: field of `Row`, title, how it is written, what it means."""
        return (
            ("query_p95_ms", say("p95 latency"), figures.milliseconds, say("95 of 100 queries take less")),
            ("documents_per_second", say("Documents per second"), figures.rate, say("encoding, best batch size")),
            ("peak_memory_mb", say("Peak memory"), figures.megabytes, say("of the process")),
            ("bytes_per_vector", say("Bytes per vector"), figures.size, say("storage per document")),
            ("usd_per_million_tokens", say("Price per million tokens"), figures.money, say("as published")),
        )

    def sentence(self, texts: Sequence[Text]) -> str:
        """Several remarks in one cell."""
        return ("；" if self.language == "zh" else "; ").join(self.t(x).rstrip(".。") for x in texts)

    def fact_table(self, title: Text, facts: Iterable[tuple[Text, str] | tuple[Text, str, str | None]]) -> Table:
        """What, the finding, and the evidence of it where it is a figure."""
        heads = self.heads(say("What"), say("Finding"))
        rows = (
            (Cell(self.t(what)), Cell(plain(value), cite=cite[0] if cite else None)) for what, value, *cite in facts
        )
        return self.table(title, heads, rows, compact=True)
