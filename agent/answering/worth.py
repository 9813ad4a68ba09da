"""“Is the 2 % worth it?”: the measured difference, what it means in queries, and what it costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.answering.brief import LINES
from agent.answering.costs import costs_in
from agent.answering.measured import THOUSAND, Pair, difference, pair_of, row_of, verdict
from knowledge.quantities import digits, memory, milliseconds, points, rate, storage
from knowledge.results import Recommendation, Row
from knowledge.wording import Text, join, say
from tools.cost import Stated
from tools.cost.point_words import each_points
from tools.cost.words import index_size
from tools.recommend.contest import EQUAL, cost, dearer

if TYPE_CHECKING:
    from agent.context import Context
    from agent.state import State

COMMA = Text(template=", ")


def worth(state: State, context: Context) -> Text | None:
    """The recommendation against the best measured, or against the runner-up where it is the best itself.

    None where nothing is recommended, or nothing was measured that it could be set against.
    """
    recommendation = state.get("recommendation")
    if recommendation is not None and not recommendation.measured:
        return say(
            "I do not know what it is worth on your data: nothing was measured here. What I know of it in general:"
        )
    if recommendation is None or recommendation.winner is None:
        return None
    winner = row_of(recommendation.winner, recommendation)
    is_best = recommendation.best == recommendation.winner
    other = row_of((recommendation.runner_up if is_best else recommendation.best) or "", recommendation)
    if winner is None or other is None or other.spec == winner.spec:
        return None
    pair = pair_of(winner.spec, other.spec, state, context)
    parts = [
        say(
            "On your data (run {run}) {a} reaches {metric} of {at:.3f} and {b} {bt:.3f}; your margin is {margin:g}.",
            run=recommendation.run_id,
            a=winner.spec,
            at=winner.quality.mean,
            b=other.spec,
            bt=other.quality.mean,
            metric=recommendation.primary,
            margin=recommendation.margin,
        )
    ]
    if pair:
        parts += [
            join([difference(pair, recommendation.primary), verdict(pair, recommendation.margin)]),
            _of_a_thousand(pair),
        ]
    more = dearer(cost(winner), cost(other))
    one, two = (winner, other) if more is not False else (other, winner)
    parts += _costs(one, two)
    parts += _in_money(winner, other, recommendation, state, context)
    if pair and None not in (winner.query_p95_ms, other.query_p95_ms):
        parts.insert(0, _conclusion(pair, winner, other, more, recommendation))
    return join(parts, LINES)


def _of_a_thousand(pair: Pair) -> Text:
    """The wins and losses as they would be of a thousand queries like these."""
    c = pair.comparison
    if not c.wins + c.losses:
        return say("No query shows a difference, so there is no gain to pay for that these queries could show.")
    return say(
        "Of 1,000 such queries {model} would rank about {better:,.0f} better and {worse:,.0f} worse.",
        model=c.best,
        better=THOUSAND * c.losses / pair.queries,
        worse=THOUSAND * c.wins / pair.queries,
    )


def _costs(dearer: Row, cheaper: Row) -> list[Text]:
    """What the dearer one costs more, in all that was measured of both; what differs within the noise is no cost."""
    if dearer.query_p95_ms is None or cheaper.query_p95_ms is None:
        return [say("What the two cost was not measured.")]
    of = zip(_figures(dearer), _figures(cheaper), cost(dearer), cost(cheaper), EQUAL, strict=True)
    parts = [
        say("{more} against {less}", more=more, less=less)
        for more, less, a, b, equal in of
        if more is not None and less is not None and (a > equal(b) or b > equal(a))
    ]
    if not parts:
        return [say("The two cost the same: what differs differs by no more than timing and memory repeat.")]
    return [say("{a} costs, against {b}: {costs}.", a=dearer.spec, b=cheaper.spec, costs=join(parts, COMMA))]


def _in_money(winner: Row, other: Row, recommendation: Recommendation, state: State, context: Context) -> list[Text]:
    """How large each index is, and what a point of quality costs a month, at the volume that is stated or assumed."""
    benchmark = state.get("benchmark")
    if benchmark is None or not {winner.spec, other.spec} <= {one.spec for one in benchmark.candidates}:
        return []
    found = costs_in(recommendation, state, context, stated=Stated(), models=(winner.spec, other.spec))
    if found is None:
        return []
    sizes = {index_size(one.at): one.spec for one in found.candidates[:2]}
    if state["requirements"].documents is None or len(sizes) < 2:
        return each_points(found.uncited())
    of = [say("{size} of {spec}", size=size, spec=spec) for size, spec in sizes.items()]
    told = say(
        "For your {count:,} documents the index takes {sizes}.", count=found.volume.documents, sizes=join(of, COMMA)
    )
    return [told, *each_points(found.uncited())]


def _figures(row: Row) -> tuple[Text | None, ...]:
    """The costs in words, in the order of `cost`."""
    usd, size = row.usd_per_million_tokens, row.bytes_per_vector
    encoded = row.documents_per_second
    return (
        say("{usd} USD per million tokens", usd=digits(usd or 0.0)),
        say("p95 {time}", time=milliseconds(row.query_p95_ms)) if row.query_p95_ms is not None else None,
        say("{count} documents per second", count=rate(encoded)) if encoded is not None else None,
        say("{size} of memory", size=memory(row.peak_memory_mb)) if row.peak_memory_mb is not None else None,
        say("{size} per document in the index", size=storage(size)) if size is not None else None,
    )


def _conclusion(pair: Pair, winner: Row, other: Row, more: bool | None, recommendation: Recommendation) -> Text:
    """What follows by the rule of the decision; `more` is whether the winner clearly costs more than the other."""
    c = pair.comparison
    if more is None:
        return say(
            "There is no cost to weigh: what {a} and {b} cost differs by no more than it repeats.",
            a=winner.spec,
            b=other.spec,
        )
    dearer, cheaper = (winner.spec, other.spec) if more else (other.spec, winner.spec)
    if c.best == cheaper or not c.wins + c.losses:
        return say("{model} is not worth it: it costs more and measured no better.", model=dearer)
    if c.verdict == "tied":
        return say("By your margin {dearer} is not worth its cost: take {model}.", dearer=dearer, model=cheaper)
    if c.verdict == "worse":
        return say(
            "The gain of {model} is real; it is worth it where {points} points of {metric} are worth that cost to you.",
            model=dearer,
            points=points(-c.difference.mean, signed=False),
            metric=recommendation.primary,
        )
    return say(
        "Whether there is a gain to pay for is open; {model} is recommended until more queries tell.",
        model=winner.spec,
    )
