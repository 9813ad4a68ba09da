"""“What if …?”: the decision made again under other demands, from what is stored; nothing is measured and nothing kept.

What was measured holds for the data and the machine it was measured on. So where texts of another kind are supposed,
only the shortlist is made again, and where another machine is, the decision goes by quality alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from agent.answering.brief import LINES
from agent.answering.decided_again import decided_again
from agent.answering.lists_again import lists_again
from agent.answering.relative import read_relative
from agent.answering.supposing import Supposed, list_for, what_is_supposed
from agent.understanding.base import Understood
from knowledge.errors import NothingLeftError
from knowledge.requirements import Requirements
from knowledge.results import Evaluation, Recommendation, Shortlist
from knowledge.wording import Text, join, say
from tools.shortlist import shortlist

if TYPE_CHECKING:
    from agent.context import Context
    from agent.state import State

COMMA = Text(template=", ")
#: other texts than those that were measured
OTHER_TEXTS = frozenset(("languages", "task", "domain", "modality"))


def what_if(understood: Understood, state: State, context: Context) -> Text:
    """What would be different, why, and what of it would have to be measured."""
    words = understood.question.words if understood.question else ""
    supposed = what_is_supposed(understood, read_relative(words), state, context)
    if supposed is None:
        return say("I did not understand what would be different. Say it like “what if 50 ms were enough?”.")
    if isinstance(supposed, Text):
        return supposed
    before = state.get("shortlist") or list_for(supposed.before, context)
    after = list_for(supposed.after, context)
    evaluation, recommendation = state.get("evaluation"), state.get("recommendation")
    parts: list[Text] = []
    if evaluation and recommendation:
        if supposed.slots & OTHER_TEXTS:
            parts.append(_other_texts(evaluation))
        else:
            # nothing on the catalog's list keeps the demands, yet something measured may
            parts += decided_again(supposed, after or before, evaluation, recommendation, state, context)
    elif after is not None:
        parts.append(_by_published_figures(before, after))
    if after is None:
        parts += _nothing_left(supposed.after, context)
    outcome, *evidence = [*parts, *lists_again(supposed, before, after, evaluation, context)]
    evidence += [supposed.smaller] if supposed.smaller else []
    evidence += [c for d in supposed.after.constraints if d.kind in supposed.slots and (c := d.caution())]
    opening = say("Supposing: {demands}. {outcome}", demands=join(list(supposed.demands), COMMA), outcome=outcome)
    return join([opening, _how_to_have_it(supposed, recommendation), *evidence], LINES)


def _how_to_have_it(supposed: Supposed, recommendation: Recommendation | None) -> Text:
    """That nothing was changed, and what to say to have it so."""
    demand = next((c.describe() for c in supposed.after.constraints if c.kind in supposed.slots), None)
    told = say("Say it without “what if” and I work with it.")
    if supposed.relative and demand:
        told = say("Say “{demand}” and I work with it.", demand=demand)
    if recommendation is None or recommendation.winner is None:
        return told
    stays = say("Nothing was changed: the recommendation stays {model}.", model=recommendation.winner)
    return join([stays, told])


def _by_published_figures(before: Shortlist | None, after: Shortlist) -> Text:
    """Who would head the list, against who does, where nothing was measured."""
    old, new = before.kept[0].model if before else None, after.kept[0]
    if old is None:
        return say(
            "By published figures {model} would head the list; now no model meets your demands.", model=new.model
        )
    if old == new.model:
        return say("By published figures {model} would still head the list.", model=old)
    return say(
        "By published figures {model} (predicted {mean:.3f}) would head the list instead of {old}.",
        model=new.model,
        mean=new.predicted.mean,
        old=old,
    )


def _nothing_left(requirements: Requirements, context: Context) -> Iterator[Text]:
    try:
        shortlist(requirements, context.catalog, context.scores)
    except NothingLeftError as error:
        yield join([error.cause, error.next_step])


def _other_texts(evaluation: Evaluation) -> Text:
    return say(
        "What run {run} measured was measured on {data}; on other texts it would have to be measured again.",
        run=evaluation.run_id,
        data=evaluation.dataset.name,
    )
