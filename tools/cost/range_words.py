"""Over which volumes one's own machines or an API are cheaper, in words."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from knowledge.quantities import many
from knowledge.results.cost import BreakEven, Crossing, Hosting
from knowledge.wording import Text, join, say

COMMA = Text(template=", ")
#: a range whose ends are nearer to each other than this is the step of one machine: nobody plans by it
_NARROW = 1.05
#: who may be cheaper
_NAMES: dict[Hosting, Text] = {"own": say("your own machines"), "api": say("the API")}
_OTHER: dict[Hosting, Hosting] = {"own": "api", "api": "own"}
#: more ranges than these are not told one by one
_TOLD = 5


def plain_crossings(curve: BreakEven) -> tuple[Crossing, ...]:
    """Where the cheaper one changes, without there and back within a narrow range."""
    kept: list[Crossing] = []
    for crossing in curve.crossings:
        if kept and crossing.x < kept[-1].x * _NARROW:
            kept.pop()  # it is as before again
        else:
            kept.append(crossing)
    return tuple(kept)


def crossings(curve: BreakEven) -> Text:
    """Where the lines cross, in a sentence, each range with who is cheaper in it."""
    over = say("queries a month") if curve.over == "queries_per_month" else say("documents")
    kept = plain_crossings(curve)
    told = _nowhere(curve, over) if not kept else _ranges(kept, over) if len(kept) < _TOLD else _often(kept, over)
    left = len(curve.crossings) - len(kept)
    if not left:
        return told
    return join([told, say("In ranges narrower than 5 %, where a machine is added, it is the other way round.")])


def _nowhere(curve: BreakEven, over: Text) -> Text:
    cheaper = say("your own machines are") if _at_first(curve) == "own" else say("the API is")
    low, high = (many(point.x) for point in (curve.points[0], curve.points[-1]))
    return say("From {low} to {high} {over} {cheaper} cheaper.", low=low, high=high, over=over, cheaper=cheaper)


def _at_first(curve: BreakEven) -> Hosting:
    return _OTHER[curve.crossings[0].cheaper_beyond] if curve.crossings else curve.cheaper_now


def _ranges(kept: Sequence[Crossing], over: Text) -> Text:
    first, last = kept[0], kept[-1]
    before, after = _NAMES[_OTHER[first.cheaper_beyond]], _NAMES[last.cheaper_beyond]
    if len(kept) == 1:
        return say(
            "Up to {x} {over} {before} would be cheaper, beyond that {after}.",
            x=rounded(first.x),
            over=over,
            before=before,
            after=after,
        )
    if len(kept) == 2:  # so what is cheaper at first is cheaper again at last
        return say(
            "Up to {x} {over} {before} would be cheaper, from there to {y} {between}, beyond that {before} again.",
            x=rounded(first.x),
            y=rounded(last.x),
            over=over,
            before=before,
            between=_NAMES[first.cheaper_beyond],
        )
    between = [
        say("from there to {y} {who}", y=rounded(end.x), who=_NAMES[start.cheaper_beyond])
        for start, end in pairwise(kept)
    ]
    return say(
        "Up to {x} {over} {before} would be cheaper, {between}, beyond that {after}.",
        x=rounded(first.x),
        over=over,
        before=before,
        between=join(between, COMMA),
        after=after,
    )


def _often(kept: Sequence[Crossing], over: Text) -> Text:
    """Of many ranges: how much of all of them who has."""
    first, last = kept[0], kept[-1]
    own = sum(end.x - start.x for start, end in pairwise(kept) if start.cheaper_beyond == "own")
    share = own / (last.x - first.x)
    return say(
        "Between {x} and {y} {over} the cheaper one changes with each machine that is added ({n} times): over "
        "{share:.0%} of that range it is {most}. Below it is {before}, beyond it {after}.",
        x=rounded(first.x),
        y=rounded(last.x),
        over=over,
        n=len(kept),
        share=max(share, 1 - share),
        most=_NAMES["own" if share >= 0.5 else "api"],
        before=_NAMES[_OTHER[first.cheaper_beyond]],
        after=_NAMES[last.cheaper_beyond],
    )


def rounded(value: float) -> Text:
    """A volume to two digits."""
    return many(float(f"{value:.1e}"))
