"""Candidates against each other in words: what a point of quality costs, and whether like is set against like."""

from __future__ import annotations

from collections.abc import Iterator

from knowledge.quantities import milliseconds
from knowledge.quantities import points as as_points
from knowledge.results.cost import CostOfCandidate, Costs, PerPoint, RateBasis
from knowledge.wording import Text, join, say
from tools.cost.range_words import COMMA
from tools.cost.words import cited, dollars

#: how machines for queries were counted
RATES: dict[RateBasis, Text] = {
    "load": say("by the load test"),
    "alone": say("by the time of one query alone"),
    "size": say("by the size of the model"),
}


def counted_by(one: CostOfCandidate) -> Text | None:
    """How a candidate's machines for queries were counted, or why there is no number of them; None of an API."""
    if one.missed_p95_ms is not None:
        return say("no rate kept p95 under {goal}", goal=milliseconds(one.missed_p95_ms))
    return RATES[one.rate_by] if one.rate_by else None


def each_points(found: Costs) -> list[Text]:
    """What points of quality cost, and on what the two sides rest where that differs."""
    return [*(_each_point(point, found.primary) for point in found.per_point), *unlike(found)]


def unlike(found: Costs) -> Iterator[Text]:
    """Where one candidate's machines are counted by a load test and another's are not: no like is set against like."""
    by = {one.spec: RATES[one.rate_by] for one in found.candidates if one.rate_by}
    if len({how.template for how in by.values()}) > 1:
        parts = [say("those of {spec} {how}", spec=spec, how=how) for spec, how in by.items()]
        yield say(
            "Machines for queries are counted in different ways: {parts}. A load test counts what queries do to each "
            "other, and often finds fewer queries a second.",
            parts=join(parts, COMMA),
        )
    for one in found.candidates[1:]:
        if one.missed_p95_ms is not None:
            goal = milliseconds(one.missed_p95_ms)
            yield say(
                "{spec} has no price for queries: in the load test no rate kept p95 under {goal}.",
                spec=one.spec,
                goal=goal,
            )


def _each_point(found: PerPoint, metric: str) -> Text:
    """What a point of quality costs."""
    figures = {"better": found.better, "other": found.other, "points": as_points(found.points / 100, signed=False)}
    if found.usd_per_point is None:
        return say(
            "{better} measured {points} points of {metric} better than {other} and costs no more a month here.",
            metric=metric,
            **figures,
        )
    return say(
        "{better} measured {points} points of {metric} better than {other} and costs {usd} more a month: {each} a "
        "month for each point{cite}.",
        metric=metric,
        usd=dollars(found.usd_per_month),
        each=dollars(found.usd_per_point),
        cite=cited(found.cites, "usd_per_point"),
        **figures,
    )
