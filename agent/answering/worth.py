"""“Is the 2 % worth it?”: the measured difference, what it means in queries, and what it costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.answering.brief import LINES
from agent.answering.measured import THOUSAND, Pair, difference, index_size, pair_of, row_of, verdict
from knowledge.results import Recommendation, Row
from knowledge.wording import Text, join, say

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
    dearer, cheaper = (winner, other) if _dearer(winner, other) else (other, winner)
    parts += _costs(dearer, cheaper, state)
    if pair:
        parts.insert(0, _conclusion(pair, winner, dearer, cheaper, recommendation))
    return join(parts, LINES)


def _of_a_thousand(pair: Pair) -> Text:
    """The wins and losses as they would be of a thousand queries like these."""
    c = pair.comparison
    return say(
        "Of 1,000 such queries {model} would rank about {better:,.0f} better and {worse:,.0f} worse.",
        model=c.best,
        better=THOUSAND * c.losses / pair.queries,
        worse=THOUSAND * c.wins / pair.queries,
    )


def _dearer(a: Row, b: Row) -> bool:
    """Whether the first costs more, by money, then latency, memory, size."""

    def cost(row: Row) -> tuple[float, ...]:
        figures = (row.usd_per_million_tokens, row.query_p95_ms, row.peak_memory_mb, row.bytes_per_vector)
        return tuple(figure or 0.0 for figure in figures)

    return cost(a) > cost(b)


def _costs(dearer: Row, cheaper: Row, state: State) -> list[Text]:
    """What the dearer one costs more, in all that was measured of both."""
    parts: list[Text] = []
    for more, less, named in (
        (dearer.query_p95_ms, cheaper.query_p95_ms, say("ms of p95 latency")),
        (dearer.peak_memory_mb, cheaper.peak_memory_mb, say("MB of memory")),
        (dearer.bytes_per_vector, cheaper.bytes_per_vector, say("bytes per document in the index")),
        (dearer.usd_per_million_tokens, cheaper.usd_per_million_tokens, say("USD per million tokens")),
    ):
        if more is not None and less is not None and more != less:
            parts.append(say("{more:,.4g} against {less:,.4g} {what}", more=more, less=less, what=named))
    if dearer.query_p95_ms is None or cheaper.query_p95_ms is None:
        return [say("What the two cost was not measured.")]
    if not parts:
        return [say("The two cost the same in all that was measured.")]
    told = [say("{a} costs, against {b}: {costs}.", a=dearer.spec, b=cheaper.spec, costs=join(parts, COMMA))]
    documents = state["requirements"].documents
    sizes = dearer.bytes_per_vector, cheaper.bytes_per_vector
    if documents and dearer.bytes_per_vector and cheaper.bytes_per_vector and sizes[0] != sizes[1]:
        told.append(
            say(
                "For your {count:,} documents the index takes {more} against {less}.",
                count=documents.value,
                more=index_size(documents.value, dearer.bytes_per_vector),
                less=index_size(documents.value, cheaper.bytes_per_vector),
            )
        )
    return told


def _conclusion(pair: Pair, winner: Row, dearer: Row, cheaper: Row, recommendation: Recommendation) -> Text:
    """What follows by the rule of the decision."""
    c = pair.comparison
    if c.best == cheaper.spec:
        return say("{model} is not worth it: it costs more and measured no better.", model=dearer.spec)
    if c.verdict == "tied":
        return say(
            "By your margin {dearer} is not worth its cost: take {model}.", dearer=dearer.spec, model=cheaper.spec
        )
    if c.verdict == "worse":
        return say(
            "The gain of {model} is real; it is worth it where {points:.1f} points of {metric} are worth that cost "
            "to you.",
            model=dearer.spec,
            points=-100 * c.difference.mean,
            metric=recommendation.primary,
        )
    return say(
        "Whether there is a gain to pay for is open; {model} is recommended until more queries tell.",
        model=winner.spec,
    )
