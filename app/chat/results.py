"""The result as a table: pure functions of the recommendation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from agent import events
from app.chat.plot import AXES
from knowledge.results import Recommendation
from knowledge.wording import Language, Text, say
from tools.report import figures
from tools.report.comparison import STANDINGS
from tools.report.voice import short_names

#: head, digits after the point where it holds figures, and values
_Column = tuple[str, int | None, list[Any]]


@dataclass(frozen=True)
class Table:
    """Heads, the kind of each column (``str`` or ``number``), and rows."""

    heads: list[str]
    kinds: list[str]
    rows: list[list[Any]]
    digits: list[int | None]

    @property
    def widths(self) -> list[str]:
        """Of the columns: numbers need little room, names much, figures as much as their heads."""
        return ["50px", "180px", *["110px"] * (len(self.heads) - 2)]

    @property
    def shown(self) -> list[list[str]]:
        """The rows as they are shown: figures of a column with as many digits, thousands apart."""
        return [
            [
                "" if value is None else str(value) if digits is None else f"{value:,.{digits}f}"
                for value, digits in zip(row, self.digits, strict=True)
            ]
            for row in self.rows
        ]


def last_result(told: Sequence[events.Event]) -> Recommendation | None:
    """The decision that stands."""
    found = (event.recommendation for event in reversed(told) if isinstance(event, events.Recommended))
    return next(found, None)


def outdated(told: Sequence[events.Event], *, busy: bool) -> Text | None:
    """What is to be said of the last result where the question, or the data, has changed since."""
    after: list[events.Event] = []
    for event in reversed(told):
        if isinstance(event, events.Recommended):
            break
        after.append(event)
    else:
        return None
    if busy and any(isinstance(event, events.StageStarted) and event.stage != "profile" for event in after):
        return say("This result is of the earlier question; a new one is being measured.")
    if any(isinstance(event, events.Profiled | events.Shortlisted | events.Planned) for event in after):
        return say("This result is of the earlier question; the new one has not been decided yet.")
    return None


def result_table(found: Recommendation, language: Language) -> Table:
    """The candidates, best first; figures are numbers, so that the table sorts by them."""
    names = short_names(row.spec for row in found.rows)
    rows = found.rows

    def text(head: Text | str, values: list[str]) -> _Column:
        return (head if isinstance(head, str) else _t(head, language), None, list(values))

    def figure(head: Text | str, values: list[float | None], digits: int, unit: str = "") -> _Column:
        name = (head if isinstance(head, str) else _t(head, language)) + (f" ({unit})" if unit else "")
        return (name, digits, [_rounded(value, digits) for value in values])

    columns = [
        figure("#", list(range(1, len(rows) + 1)), 0),
        text(say("Candidate"), [names[row.spec] for row in rows]),
        text(say("Standing"), [_t(STANDINGS[row.standing], language) for row in rows]),
        figure(found.primary, [row.quality.mean for row in rows], 3),
        text(say("interval"), [figures.interval(row.quality) for row in rows]),
        figure(say("Difference to best"), [row.difference.mean if row.difference else None for row in rows], 3),
        figure("p", [row.p_different for row in rows], 3),
        figure(AXES[0][1], [row.query_p95_ms for row in rows], 2, "ms"),
        figure(say("Documents per second"), [row.documents_per_second for row in rows], 0),
        figure(AXES[1][1], [row.peak_memory_mb for row in rows], 0, "MB"),
        figure(AXES[2][1], [row.bytes_per_vector for row in rows], 0),
        figure(AXES[3][1], [row.usd_per_million_tokens for row in rows], 3, "USD"),
    ]
    kept = [column for column in columns if any(value not in (None, "") for value in column[2])]
    return Table(
        heads=[head for head, _, _ in kept],
        kinds=["str" if digits is None else "number" for _, digits, _ in kept],
        rows=[list(row) for row in zip(*(values for _, _, values in kept), strict=True)],
        digits=[digits for _, digits, _ in kept],
    )


def _rounded(value: float | None, digits: int = 3) -> float | int | None:
    if value is None:
        return None
    return round(value, digits) if digits else round(value)


def _t(text: Text, language: Language) -> str:
    return text.render(language)
