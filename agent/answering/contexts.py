"""“How good is the context?”: what a language model would get to read, from what was measured only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent import rating
from agent.answering.brief import LINES
from agent.reporting import contexts_of
from knowledge.measured_task import NAMES
from knowledge.results import Recommendation
from knowledge.wording import Text, join, say
from tools.rag_judge.words import against, answers, verdict

if TYPE_CHECKING:
    from agent.context import Context
    from agent.state import State


def on_contexts(recommendation: Recommendation, state: State, context: Context) -> Text:
    """Context precision and recall of the recommendation and its rivals, and judged answers where there are any."""
    evaluation = state.get("evaluation")
    if evaluation is None:
        return say("That takes a measurement: give me data with queries and judgments, and agree to measuring.")
    if evaluation.task != "ranking":
        return say("That is asked of searches only, and this was measured as {task}.", task=NAMES[evaluation.task])
    found = contexts_of(evaluation, recommendation, context)
    if found is None:
        return say("That is measured where the answers come from a language model: say that it is for RAG.")
    told = [verdict(found), *against(found), *answers(found)]
    if rating.may_rate(state, context):
        told.append(say("Say “{words}”, and your language model judges some.", words=rating.BEGIN))
    return join(told, LINES)
