"""The decision in words: what, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from knowledge.candidate import parse_candidate
from knowledge.quantities import digits, memory, milliseconds, points, rate, storage
from knowledge.requirements import Requirements
from knowledge.results import (
    Preflight,
    Row,
    SpeedOfCandidate,
)
from knowledge.wording import Text, join, say
from tools.recommend.contest import Contest, cost, dearer, is_measurable
from tools.recommend.naming import alike_but_undecided, ids, names_of, p_text, so_many
from tools.recommend.table import COSTS


def headline(winner: str, best: str, field: Contest, metric: str, margin: float) -> Text:
    """The answer in one sentence."""
    value = field.quality[winner].primary_mean
    if len(field.quality) == 1 and field.left_out:
        return say(
            "{winner}, {metric} {value:.3f}: all others ({count}) were left out in the rounds of screening, on your "
            "queries worse by more than the margin or dearer without being better by more.",
            winner=winner,
            metric=metric,
            value=value,
            count=so_many(field.left_out),
        )
    if field.alone:
        return say(
            "{winner} was measured alone, {metric} {value:.3f}: nothing was compared with it, so nothing is decided "
            "against any other.",
            winner=winner,
            metric=metric,
            value=value,
        )
    higher = [spec for spec in field.excluded if field.quality[spec].primary_mean > value]
    if winner == best and higher:
        return say(
            "Use {winner}: {metric} {value:.3f}, the best of those that keep your limits ({count} measured higher and "
            "do not).",
            winner=winner,
            metric=metric,
            value=value,
            count=len(higher),
        )
    alike = alike_but_undecided(best, field) if winner == best else []
    if alike:
        return say(
            "Use {winner}: {metric} {value:.3f}; no other measured higher, but {names} scores alike on every query, "
            "and {queries} queries are too few to call that a tie.",
            winner=winner,
            metric=metric,
            value=value,
            names=names_of(alike),
            queries=field.comparisons[best].draws,
        )
    if winner == best:
        return say("Use {winner}: the best measured, {metric} {value:.3f}.", winner=winner, metric=metric, value=value)
    return say(
        "Use {winner}: {metric} {value:.3f}, not worse than the best ({best}, {best_value:.3f}) by more than "
        "{margin:.3f}, and {cheaper}.",
        winner=winner,
        metric=metric,
        value=value,
        best=best,
        best_value=field.quality[best].primary_mean,
        margin=margin,
        cheaper=say("cheaper")
        if dearer(cost(field.speed.get(best)), cost(field.speed.get(winner)))
        else say("the cheapest of those that are not"),
    )


def reasons(
    winner: str,
    best: str,
    field: Contest,
    rows: Sequence[Row],
    metric: str,
    requirements: Requirements,
    checked: Sequence[Preflight],
) -> tuple[Text, ...]:
    """Why the winner wins: quality, what warns of it, cost, what it saves, what is worse, the demands it meets.

    The rows bring the ids of the evidence that each figure cites.
    """
    cites = {row.spec: row.cites for row in rows}
    found = []
    tied = [c for c in field.comparisons.values() if c.verdict == "tied" and c.spec != winner]
    if winner != best:
        c = field.comparisons[winner]
        found.append(
            say(
                "Quality: {difference} points of {metric} against the best, 95 % interval {low} to {high}; it wins "
                "{wins} queries, loses {losses} and draws {draws} ({evidence}).",
                difference=points(c.difference.mean),
                metric=metric,
                low=points(c.difference.low),
                high=points(c.difference.high),
                wins=c.wins,
                losses=c.losses,
                draws=c.draws,
                evidence=ids(cites[winner], "difference", "difference_low", "difference_high"),
            )
            if c.wins + c.losses
            else say(
                "Quality: the same as the best on every query ({evidence}).", evidence=ids(cites[winner], "difference")
            )
        )
    elif tied:
        names = names_of([c.spec for c in tied])
        found.append(say("Others are no worse by more than the margin, but not cheaper: {names}.", names=names))
    found += caveats(winner, checked)
    if winner in field.speed:
        s = field.speed[winner]
        found.append(
            say(
                "Cost on this machine: p95 {p95} a query, {rate} documents a second, {memory} of memory, {size} a "
                "document in the index ({evidence}).",
                p95=milliseconds(s.query_p95_ms),
                rate=rate(s.documents_per_second),
                memory=memory(s.peak_memory_mb),
                size=storage(s.bytes_per_vector),
                evidence=ids(cites[winner], *COSTS),
            )
        )
    found += _read_by_a_model(field.quality[winner].metrics, cites[winner])
    if winner != best and best in field.speed and winner in field.speed:
        found.append(_saving(field.speed[winner], field.speed[best], best))
    worse = [c for c in field.comparisons.values() if c.verdict == "worse"]
    if worse:
        c = max(worse, key=lambda c: c.difference.mean)
        found.append(
            say(
                "Measurably worse: {count}; the nearest, {spec}, by {difference} points of "
                "{metric} (p {p}; {evidence}).",
                count=so_many(len(worse)),
                spec=c.spec,
                difference=points(-c.difference.mean, signed=False),
                metric=metric,
                p=p_text(c.p_different),
                evidence=ids(cites[c.spec], "difference", "p_different"),
            )
        )
    # a budget is for the whole month, which the constraint does not know (`tools.cost.budget` says it)
    told = (c for c in requirements.constraints if c.hard and c.kind != "cost")
    held = [c.describe() for c in told if field.speed or not is_measurable(c)]
    if held:
        demands = join(held, Text(template="; "))
        found.append(say("Nothing known of it speaks against what you demand: {demands}.", demands=demands))
    return tuple(found)


def _read_by_a_model(metrics: Mapping[str, float], cites: Mapping[str, str]) -> list[Text]:
    """What a language model would get to read, where that was measured."""
    names = ("ContextPrecision@5", "ContextRecall@5")
    if any(name not in metrics for name in names):
        return []
    return [
        say(
            "For the language model that answers from it: context precision {precision:.3f} and recall {recall:.3f} of "
            "the first 5 documents ({evidence}).",
            precision=metrics[names[0]],
            recall=metrics[names[1]],
            evidence=ids(cites, *names),
        )
    ]


def caveats(winner: str, checked: Sequence[Preflight]) -> list[Text]:
    """What was found of the winner's encoders before they were measured, and warns of relying on them."""
    legs = {leg.spec for leg in parse_candidate(winner).legs}
    warnings = [finding for of in checked if of.spec in legs for finding in of.findings if finding.severity == "warns"]
    none = Text(template="")
    told = (
        say("Before you rely on it: {finding} {remedy}", finding=w.finding, remedy=w.remedy or none) for w in warnings
    )
    return list(dict.fromkeys(told))


def _saving(winner: SpeedOfCandidate, best: SpeedOfCandidate, name: str) -> Text:
    return say(
        "Against {best} it needs {latency} times the latency, {work} times the time to encode documents, {memory} "
        "times the memory and {size} times the index.",
        best=name,
        latency=digits(winner.query_p95_ms / max(best.query_p95_ms, 1e-9), 2),
        work=digits(best.documents_per_second / max(winner.documents_per_second, 1e-9), 2),
        memory=digits(winner.peak_memory_mb / max(best.peak_memory_mb, 1e-9), 2),
        size=digits(winner.bytes_per_vector / max(best.bytes_per_vector, 1e-9), 2),
    )
