"""“Is it still the best?”, “anything new since then?”: from the catalog and the last recheck; nothing is measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.answering.brief import LINES
from knowledge.requirements import Requirements
from knowledge.results import Recommendation
from knowledge.wording import Text, how_to, join, say
from tools.recheck import glance, last_recheck
from tools.recheck.words import headline, on_models

if TYPE_CHECKING:
    from agent.context import Context
    from agent.state import State


def on_still_best(recommendation: Recommendation, state: State, context: Context) -> Text:
    """What the last recheck said, what came since the decision, and how to look again."""
    winner = recommendation.winner
    assert winner
    evaluation = state.get("evaluation")
    decided = evaluation.started.date() if evaluation else recommendation.created.date()
    run = evaluation.run_id if evaluation else recommendation.run_id
    last = last_recheck(run, context.workspace)
    if last is None and evaluation is None:
        told = [
            say(
                "Nothing was measured, neither when {spec} was named ({decided}) nor since.",
                spec=winner,
                decided=decided.isoformat(),
            )
        ]
    elif last is None:
        told = [say("I have not measured {spec} again since {decided}.", spec=winner, decided=decided.isoformat())]
    else:
        day = last.created.date().isoformat()
        told = [say("On {day} I checked: {told}", day=day, told=headline(last)), *last.alert]
    seen = glance(
        run,
        decided,
        winner,
        context.workspace,
        requirements=state.get("requirements") or Requirements(),
        margin=recommendation.margin,
        metric=recommendation.primary,
    )
    told.append(on_models(seen))
    if evaluation is not None:
        told.append(how_to("measure_again", run=run))
    return join(told, LINES)
