"""Why a candidate was left out, in words."""

from __future__ import annotations

from knowledge.results import Elimination
from knowledge.wording import Text, say
from tools.adaptive.elimination import Verdict


def eliminated(verdict: Verdict, number: int, exact: bool, margin: float) -> Elimination:
    """The record of a candidate that was left out in a round, with the reason in words."""
    return Elimination(
        spec=verdict.spec,
        round=number,
        kind=verdict.kind,
        against=verdict.against,
        difference=verdict.difference,
        bound=verdict.bound,
        level=verdict.level,
        queries=verdict.queries,
        reason=_reason(verdict, exact, margin),
    )


def _reason(verdict: Verdict, exact: bool, margin: float) -> Text:
    if verdict.kind == "worse" and verdict.among is not None:
        return say(
            "worse than {against} by {difference:.3f} on {queries} queries ({how}), by {bound:.3f} at least on all "
            "{among} of them: more than the margin of {margin}",
            against=verdict.against,
            difference=-verdict.difference,
            bound=-verdict.bound,
            queries=verdict.queries,
            among=verdict.among,
            how=_how(exact),
            margin=margin,
        )
    if verdict.kind == "worse":
        return say(
            "worse than {against} by {difference:.3f} on {queries} queries ({how}), by {bound:.3f} at least: more than "
            "the margin of {margin}",
            against=verdict.against,
            difference=-verdict.difference,
            bound=-verdict.bound,
            queries=verdict.queries,
            how=_how(exact),
            margin=margin,
        )
    return say(
        "dearer than {against} and at most {bound:.3f} better on {queries} queries ({how}): within the margin of "
        "{margin}",
        against=verdict.against,
        bound=max(verdict.bound, 0.0),
        queries=verdict.queries,
        how=_how(exact),
        margin=margin,
    )


def _how(exact: bool) -> Text:
    return say("whole corpus") if exact else say("part of the corpus, which flatters it")
