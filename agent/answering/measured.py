"""What this conversation measured, as answers need it: a candidate's row, two candidates against each other, costs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from knowledge.quantities import memory, milliseconds, points, rate, storage
from knowledge.results import Comparison, Evaluation, Recommendation, Row, Screening
from knowledge.wording import Text, join, say
from tools.evaluate import query_scores
from tools.recommend import p_text
from tools.recommend.contest import compare_all, independent

if TYPE_CHECKING:
    from agent.context import Context
    from agent.state import State

COMMA = Text(template=", ")
#: what a share of queries is told of
THOUSAND = 1000


@dataclass(frozen=True)
class Pair:
    """Two measured candidates, by query.

    Attributes:
        comparison: the lower one against the higher one (``best``).
        corrected: its tests count all pairs of the decision; else these two alone were compared.
        queries: compared, those of the same text taken for one.
    """

    comparison: Comparison
    corrected: bool
    queries: int


def corpus_rate(row: Row, state: State) -> float | None:
    """Documents a second of a whole corpus, which costs count too; of a run that did not time one, of a batch."""
    benchmark = state.get("benchmark")
    timed = benchmark.candidates if benchmark else ()
    speed = next((one for one in timed if one.spec == row.spec), None)
    return (speed.corpus_per_second if speed else None) or row.documents_per_second


def row_of(name: str, recommendation: Recommendation | None) -> Row | None:
    """The row of a candidate by its spec, or by the model in it: the plainest set-up with it."""
    rows = recommendation.rows if recommendation else ()
    wanted = name.lower()
    exact = [row for row in rows if row.spec.lower() == wanted]
    # of several set-ups with this model, the plainest: the model alone before its fusions and variants
    return next(iter(exact), None) or min(
        (row for row in rows if wanted in row.spec.lower()), key=lambda row: len(row.spec), default=None
    )


def named(words: str, models: Sequence[str], recommendation: Recommendation | None) -> tuple[str, ...]:
    """The models that a question names, with each measured set-up that it spells out in place of the models in it."""
    left = words.casefold()
    found: dict[str, int] = {}
    for spec in sorted((row.spec for row in (recommendation.rows if recommendation else ())), key=len, reverse=True):
        at = left.find(spec.casefold())
        if at >= 0 and spec != "bm25":  # a plain word: where it is meant, it is among the models
            found[spec] = at
            left = left[:at] + " " * len(spec) + left[at + len(spec) :]
    whole = dict(found)
    for model in models:
        at = left.find(model.casefold())
        if at >= 0 or not whole:  # else it is named only as a part of a set-up
            found.setdefault(model, at)
    return tuple(sorted(found, key=lambda name: found[name]))


def scores_of(evaluation: Evaluation, context: Context) -> Mapping[str, Mapping[str, float]] | None:
    """Per-query scores, as the run store kept them; None where it has lost some."""
    found = query_scores(evaluation, context.workspace)
    return found if all(found.values()) else None


def pair_of(first: str, second: str, state: State, context: Context) -> Pair | None:
    """Two candidates against each other: as the decision compared them, else anew from their stored scores."""
    evaluation, recommendation = state.get("evaluation"), state.get("recommendation")
    if evaluation is None or recommendation is None or first == second:
        return None
    stored = state.get("comparisons")
    for found in stored.found if stored else ():
        if {found.spec, found.best} == {first, second}:
            return Pair(found, corrected=True, queries=found.wins + found.losses + found.draws)
    scores = scores_of(evaluation, context)
    if scores is None or first not in scores or second not in scores:
        return None
    of_texts = independent({s: scores[s] for s in (first, second)}, evaluation.same_queries)
    lower = compare_all([first, second], of_texts, recommendation.margin)[1]
    return Pair(lower, corrected=False, queries=len(of_texts[first]))


def difference(pair: Pair, metric: str) -> Text:
    """By how much the lower of the two is lower, with its interval, and on which queries."""
    c = pair.comparison
    if not c.wins + c.losses:
        return say(
            "{spec} and {best} score the same in {metric} on every one of {queries} queries.",
            spec=c.spec,
            best=c.best,
            metric=metric,
            queries=pair.queries,
        )
    below = points(-c.difference.mean, signed=False)
    if below == "0.0":
        gap = say(
            "{spec} and {best} differ by less than 0.1 points of {metric}", spec=c.spec, best=c.best, metric=metric
        )
    else:
        gap = say(
            "{spec} is {points} points of {metric} below {best}", spec=c.spec, points=below, metric=metric, best=c.best
        )
    return say(
        "{gap} (95 % interval {low} to {high}); of {queries} queries {spec} is better on {wins}, worse on {losses} and "
        "level on {draws}.",
        gap=gap,
        spec=c.spec,
        low=points(c.difference.low),
        high=points(c.difference.high),
        queries=pair.queries,
        wins=c.wins,
        losses=c.losses,
        draws=c.draws,
    )


def verdict(pair: Pair, margin: float) -> Text:
    """What the tests make of the difference."""
    c = pair.comparison
    if c.same_weights:
        return say("They are the same model in other arithmetic, and alike on every query: that counts as a tie.")
    if c.verdict == "tied":
        found = say(
            "That is a tie by your margin of {margin:g}: worse by more is rejected (p {p}).",
            margin=margin,
            p=p_text(c.p_worse),
        )
    elif c.verdict == "worse":
        found = say("The difference is real (p {p}) and not shown to be within your margin.", p=p_text(c.p_different))
    elif c.queries_needed is not None and c.queries_needed > pair.queries:
        found = say(
            "The sample is too small to tell the two apart; about {count:,} queries would.", count=c.queries_needed
        )
    else:
        found = say("The sample does not tell the two apart.")
    if pair.corrected and c.verdict == "undecided" and (c.difference.high < 0 or c.difference.low > 0):
        told = say(
            "The interval is of these two alone; the verdict is corrected for all candidates compared, and asks about "
            "your margin of {margin:g} too.",
            margin=margin,
        )
        found = join([found, told])
    return found if pair.corrected else join([found, say("These two alone were compared, without correction.")])


def costs_of(row: Row) -> Text | None:
    """Measured speed and size of a candidate, and its price; None where nothing was timed."""
    parts: list[Text] = []
    if row.query_p95_ms is not None:
        parts.append(say("p95 {time}", time=milliseconds(row.query_p95_ms)))
    if row.documents_per_second is not None:
        parts.append(say("{count} documents per second", count=rate(row.documents_per_second)))
    if row.peak_memory_mb is not None:
        parts.append(say("{size} of memory", size=memory(row.peak_memory_mb)))
    if row.bytes_per_vector is not None:
        parts.append(say("{size} per document in the index", size=storage(row.bytes_per_vector)))
    if row.usd_per_million_tokens:
        parts.append(say("${usd:,.2f} per million tokens", usd=row.usd_per_million_tokens))
    return say("{spec}: {reason}.", spec=row.spec, reason=join(parts, COMMA)) if parts else None


def left_out(name: str, screening: Screening | None) -> Iterator[Text]:
    """How a candidate left the rounds of screening, for all set-ups with this model."""
    wanted = name.lower()
    for gone in screening.eliminated if screening else ():
        if wanted in gone.spec.lower():
            yield say(
                "{spec} was left out in round {round}, before it had read everything: {why}.",
                spec=gone.spec,
                round=gone.round,
                why=gone.reason,
            )
