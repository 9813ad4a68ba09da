"""What the decision means for its user: may it be sold, what does it cost, is a cheaper one still good."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Literal

from agent.answering.brief import LINES, background, cite
from agent.answering.cards import card_of
from agent.answering.measured import row_of
from knowledge import quantities
from knowledge.candidate import parse_candidate
from knowledge.constraints.license import LicenseConstraint
from knowledge.errors import SpecError, UnknownModelError
from knowledge.model_card import ModelCard
from knowledge.results import Recommendation, Row
from knowledge.wording import Text, join, say

if TYPE_CHECKING:
    from agent.context import Context
    from agent.state import State

COMMA = Text(template=", ")
BM25 = "bm25"
#: latencies that differ by less are taken for equal, as the decision does
ALIKE = 1.5
#: so many candidates are named at most
MOST = 3

Measure = Literal["query_p95_ms", "peak_memory_mb"]


def parts_of(spec: str) -> tuple[str, ...]:
    """The candidates that a set-up is made of, by their specs; a model that goes by its name is its own."""
    try:
        named = ":" in spec or "(" in spec or spec.partition("?")[0] == BM25
        return tuple(leg.spec for leg in parse_candidate(spec).legs) if named else (spec,)
    except SpecError:
        return (spec,)


# ---------------------------------------------------------------- may it be used


def licence(models: Sequence[str], recommendation: Recommendation, state: State, context: Context) -> Text | None:
    """Whether the models named, or what is recommended, may be used commercially, and by which licence."""
    winner = recommendation.winner or ""
    lines: list[Text] = []
    for name in dict.fromkeys(models or parts_of(winner)):
        lines += _licence_of(name, context)
    return join([*lines, background("licences", state)], LINES) if lines else None


def _licence_of(name: str, context: Context) -> Iterator[Text]:
    if name.partition("?")[0].casefold() == BM25:
        yield say("{spec} counts words: it has no weights whose licence could bind you.", spec=BM25)
        return
    try:
        card = card_of(name, context.catalog)
    except UnknownModelError:
        yield say("I do not know the licence of {model}: the catalog does not have it. Read its card.", model=name)
        return
    judged = LicenseConstraint().check(card)
    if judged.outcome == "met":
        yield say("Yes: {model} may be used commercially: {why}.", model=card.model, why=judged.reason)
    elif judged.outcome == "violated":
        yield say("No: {model} may not be used commercially: {why}.", model=card.model, why=judged.reason)
    else:
        yield say("That is not clear for {model}: {why}.", model=card.model, why=judged.reason)
    yield from _said_by(card, context)


def _said_by(card: ModelCard, context: Context) -> Iterator[Text]:
    source = context.catalog.sources.get(card.sources.get("license") or card.sources.get("*") or "")
    if source is not None:
        yield say(
            "By {source}, {date}; read the model's own page before you ship. This is no legal advice.",
            source=Text.model_validate(source.title),
            date=source.date.isoformat(),
        )


# ---------------------------------------------------------------- the cheapest that is still good


def cheapest(words: str, recommendation: Recommendation) -> Text | None:
    """The cheapest, fastest or smallest of those that are good enough; by the decision's rule, the cheapest wins."""
    winner = row_of(recommendation.winner or "", recommendation)
    if winner is None:
        return None
    others = [row for row in recommendation.rows if row.spec != winner.spec and row.standing != "excluded"]
    metric = recommendation.primary
    if not others:
        return say("Only {spec} was measured here: there was nothing that could be cheaper.", spec=winner.spec)
    measure, wish = _wanted(words)
    good = [row for row in others if row.standing == "tied"]
    least = min([winner, *good], key=lambda row: getattr(row, measure) or float("inf"))
    if wish == "cheap":
        first = say(
            "{spec}: the cheapest of those measured here that are not worse than the best by more than your margin of "
            "{margin:g}. {figures}",
            spec=winner.spec,
            margin=recommendation.margin,
            figures=_figures(winner, metric),
        )
    else:
        figures = _figures(least, metric)
        first = say("{spec}, of those shown to be good enough. {figures}", spec=least.spec, figures=figures)
    lines = [first]
    below = [row for row in others if _is_less(row, least, measure)]
    is_less = say("is faster") if measure == "query_p95_ms" else say("takes less memory")
    open_ones = [row for row in below if row.standing == "undecided"]
    for row in sorted(open_ones, key=lambda row: -row.quality.mean)[:MOST]:
        lines.append(
            say(
                "{spec} {is_less}; whether it is good enough, your queries are too few to tell. {figures}",
                spec=row.spec,
                is_less=is_less,
                figures=_figures(row, metric),
            )
        )
    lost = [row for row in below if row.standing == "worse"]
    if lost:
        row = max(lost, key=lambda row: row.quality.mean)
        lines.append(
            say(
                "{spec} {is_less}, and is measurably worse. {figures}",
                spec=row.spec,
                is_less=is_less,
                figures=_figures(row, metric),
            )
        )
    if not below:
        lines.append(say("Nothing else that was measured is lower by more than such figures repeat."))
    return join(lines, LINES)


def _wanted(words: str) -> tuple[Measure, str]:
    """By which figure, and whether any cost will do."""
    if re.search(r"small|light|lean|memory|小|轻|内存", words, re.I):
        return "peak_memory_mb", "small"
    return "query_p95_ms", "fast" if re.search(r"fast|quick|快", words, re.I) else "cheap"


def _is_less(row: Row, than: Row, measure: Measure) -> bool:
    a, b = getattr(row, measure), getattr(than, measure)
    return a is not None and b is not None and a * ALIKE < b


def _figures(row: Row, metric: str) -> Text:
    """Quality and costs of a candidate, each with its evidence."""
    parts = [
        say("{metric} {value:.3f}{cite}", metric=metric, value=row.quality.mean, cite=cite(row, "quality")),
    ]
    if row.query_p95_ms is not None:
        parts.append(_p95(row, row.query_p95_ms))
    if row.peak_memory_mb is not None:
        parts.append(_memory(row, row.peak_memory_mb))
    if row.usd_per_million_tokens:
        parts.append(
            say(
                "${usd:,.2f} per million tokens{cite}",
                usd=row.usd_per_million_tokens,
                cite=cite(row, "usd_per_million_tokens"),
            )
        )
    return say("Measured: {figures}.", figures=join(parts, COMMA))


def _p95(row: Row, milliseconds: float) -> Text:
    time = quantities.milliseconds(milliseconds)
    return say("p95 {time} a query{cite}", time=time, cite=cite(row, "query_p95_ms"))


def _memory(row: Row, megabytes: float) -> Text:
    size = quantities.memory(megabytes)
    return say("{size} of memory{cite}", size=size, cite=cite(row, "peak_memory_mb"))
