"""The shortlist under other demands against the one there is: who comes, who goes and why, what is open."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from agent.answering.decided_again import alike
from agent.answering.supposing import Supposed
from knowledge.candidate import parse_candidate
from knowledge.results import Evaluation, Shortlist
from knowledge.wording import Text, join, say

if TYPE_CHECKING:
    from agent.context import Context

COMMA = Text(template=", ")


def lists_again(
    supposed: Supposed,
    before: Shortlist | None,
    after: Shortlist | None,
    evaluation: Evaluation | None,
    context: Context,
) -> Iterator[Text]:
    """The shortlist as it would be, against the one there is: who comes, who goes and why."""
    if after is None:
        return
    now = [pick.model for pick in before.kept] if before else []
    then = [pick.model for pick in after.kept]
    added, gone = [m for m in then if m not in now], [m for m in now if m not in then]
    if not added and not gone:
        yield say("The shortlist would stay the same.")
        yield from _meets(supposed, after, context)
        yield from _unmeasured(then, evaluation)
        return
    picks = {pick.model: pick for pick in after.kept}
    named = [say("{model} (predicted {mean:.3f})", model=model, mean=picks[model].predicted.mean) for model in added]
    if len(added) < len(then):
        yield say("The shortlist would be: {models}.", models=", ".join(then))
    if added:
        yield say("New, and to be measured: {models}.", models=join(named, COMMA))
    reasons = {rejection.model: rejection.reason for rejection in after.rejected}
    for models, reason in alike({model: reasons[model] for model in gone if model in reasons}):
        if len(models) == 1:
            yield say("Gone: {model}: {reason}.", model=models[0], reason=reason)
        else:
            yield say("Gone: {models}; the first of them: {reason}.", models=", ".join(models), reason=reason)
    beside = [model for model in gone if model not in reasons]
    if beside:
        yield say("Gone: {models}.", models=", ".join(beside))
    yield from _meets(supposed, after, context, told_if_all=False)


def _unmeasured(models: Sequence[str], evaluation: Evaluation | None) -> Iterator[Text]:
    """Which of the list an evaluation has not measured."""
    if evaluation is not None:
        legs = {leg.name for c in evaluation.candidates for leg in parse_candidate(c.spec).legs}
        measured = legs | {c.model for c in evaluation.candidates}
        left = [model for model in models if model not in measured]
        if left:
            yield say("Not measured of it: {models}.", models=", ".join(left))


def _meets(supposed: Supposed, listed: Shortlist, context: Context, *, told_if_all: bool = True) -> Iterator[Text]:
    """Whether those on the list meet what is supposed, or what about that is open."""
    cards = [context.catalog.card(pick.model) for pick in listed.kept]
    for constraint in supposed.after.constraints:
        if constraint.kind not in supposed.slots:
            continue
        verdicts = [(card.model, constraint.check(card)) for card in cards]
        still_open = [
            say("{model}: {why}", model=", ".join(models), why=reason)
            for models, reason in alike({model: v.reason for model, v in verdicts if v.outcome == "unknown"})
        ]
        if still_open:
            yield say("Open until it is measured: {reasons}.", reasons=join(still_open, Text(template="; ")))
        elif told_if_all and all(v.outcome == "met" for _, v in verdicts):
            yield say("All of its models keep to “{demand}”.", demand=constraint.describe())
