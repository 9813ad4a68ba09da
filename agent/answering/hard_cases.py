"""Answers about hard cases: does it tell true from false, and what of typing mistakes; from what was measured only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.answering.brief import LINES
from knowledge.measured_task import NAMES
from knowledge.quantities import points
from knowledge.results import Recommendation
from knowledge.wording import Text, join, say
from tools.hard_cases.words import TOO_FEW_FACTS, all_kinds, gains_told, verdict, worst

if TYPE_CHECKING:
    from agent.state import State

_COMMA = Text(template=", ")
#: why there may be nothing to tell
_UNTRIED = say(
    "I did not try that here: probes and perturbed queries are made of your own texts (facts in English and Chinese), "
    "and little data, or data without queries and judgments, gives too few to tell anything."
)
#: why perturbed queries are missing where probes were tried
_TOO_FEW_QUERIES = say("Too few of your queries change when they are mistyped or cut short to tell anything.")


def _untried(state: State) -> Text:
    evaluation = state.get("evaluation")
    if evaluation is not None and evaluation.task != "ranking":
        return say("That is tried of searches only, and this was measured as {task}.", task=NAMES[evaluation.task])
    return _UNTRIED


def on_truth(recommendation: Recommendation, state: State) -> Text:
    """Whether the recommendation tells true passages from altered ones, kind by kind, and how its rivals do."""
    found, winner = state.get("probes"), recommendation.winner
    if found is None or winner is None or not found.kinds:
        return _untried(state) if state.get("robustness") is None else TOO_FEW_FACTS
    lines = [verdict(winner, found)]
    for spec in dict.fromkeys(score.spec for kind in found.kinds for score in kind.scores):
        shares = [
            say(
                "{kind} {share:.0%} ({low:.0%} to {high:.0%})",
                kind=kind.name,
                share=score.accuracy.mean,
                low=score.accuracy.low,
                high=score.accuracy.high,
            )
            for kind in all_kinds(found)
            for score in kind.scores
            if score.spec == spec
        ]
        lines.append(say("{spec}, share of probes right: {kinds}.", spec=spec, kinds=join(shares, _COMMA)))
    return join([*lines, *gains_told(found)], LINES)


def on_mistakes(recommendation: Recommendation, state: State) -> Text:
    """What perturbed queries cost the recommendation, kind by kind, and its rivals on average."""
    found, winner = state.get("robustness"), recommendation.winner
    if found is None or winner is None or not found.kinds:
        return _untried(state) if state.get("probes") is None else _TOO_FEW_QUERIES
    lines = [worst(winner, found)]
    for spec in dict.fromkeys(change.spec for kind in found.kinds for change in kind.changes):
        changes = [
            say("{kind} {points}", kind=kind.name, points=points(change.change.mean))
            for kind in found.kinds
            for change in kind.changes
            if change.spec == spec
        ]
        lines.append(
            say(
                "{spec}, points of {metric}: {kinds}; {points} on average.",
                spec=spec,
                metric=found.metric,
                kinds=join(changes, _COMMA),
                points=points(found.change(spec) or 0.0),
            )
        )
    return join(lines, LINES)
