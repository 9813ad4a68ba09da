"""“How do I change to another model?”, “how long would that take?”: what it takes here, by what was measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.answering.brief import LINES
from agent.answering.measured import corpus_rate
from knowledge import quantities
from knowledge.candidate import parse_candidate
from knowledge.errors import SpecError
from knowledge.results import Row
from knowledge.wording import Text, how_to, join, say

if TYPE_CHECKING:
    from agent.context import Context
    from agent.state import State

#: candidates whose time is told, best first
MOST = 3


def on_migration(state: State, _context: Context) -> Text | None:
    """What embedding everything anew takes with those that were measured beside; None where nothing was."""
    recommendation, evaluation = state.get("recommendation"), state.get("evaluation")
    if evaluation is None or recommendation is None or recommendation.winner is None:
        return None
    wanted = state["requirements"].documents
    documents = wanted.value if wanted else evaluation.dataset.documents
    lines = [
        say(
            "Another model than {spec} means a second collection beside its own, and all {count:,} documents embedded "
            "anew; searches go on in the first until the alias is switched.",
            spec=recommendation.winner,
            count=documents,
        )
    ]
    old = _models(recommendation.winner)
    timed = [
        (row, rate)
        for row in recommendation.rows
        if _models(row.spec) - old and (rate := corpus_rate(row, state)) is not None
    ]
    lines += [_takes(row, rate, documents) for row, rate in timed[:MOST]]
    if not timed:
        lines.append(say("How long that takes is not known: no other model was timed here."))
    lines.append(
        say(
            "The files of a deployment have the switch and the way back in rollback.md; thresholds on "
            "scores are another model's then. Whether it is worth it, and where thresholds go, is measured first."
        )
    )
    lines.append(how_to("measure_again", run=evaluation.run_id))
    return join(lines, LINES)


def _models(spec: str) -> frozenset[str]:
    """The encoders of a set-up; word matching has no vectors to make anew."""
    try:
        return frozenset(leg.name for leg in parse_candidate(spec).searched if leg.name)
    except SpecError:
        return frozenset()


def _takes(row: Row, rate: float, documents: int) -> Text:
    size = row.bytes_per_vector
    return say(
        "To {spec}: {time}, at {rate} documents a second as measured{size}.",
        spec=row.spec,
        time=quantities.duration(documents / rate),
        rate=quantities.rate(rate),
        size=say(", and {size} in the index", size=quantities.storage(size * documents)) if size else "",
    )
