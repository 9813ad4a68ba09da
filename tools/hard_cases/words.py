"""What hard cases showed, in sentences: the report and the chat say the same."""

from __future__ import annotations

from collections.abc import Iterator

from knowledge.quantities import points
from knowledge.results import ProbeKind, Probes, Robustness
from knowledge.wording import Text, join, say
from tools.statistics import ALPHA

_AND = Text(template=", ")

#: why there are no probes
TOO_FEW_FACTS = say(
    "Your texts give too few altered facts to tell anything: they are made by rule, in English and Chinese, and may "
    "not add much to what is encoded. Cases of your own can be asked: “advisor probes --contrast FILE”."
)


def all_kinds(found: Probes) -> tuple[ProbeKind, ...]:
    """The kinds, and last those of all kinds that are asked in other words."""
    return (*found.kinds, *((found.reworded,) if found.reworded else ()))


def verdict(spec: str | None, found: Probes) -> Text:
    """Whether a candidate tells true from false, by kind of fact, and what to do where it does not."""
    asked = {score.spec for kind in found.kinds for score in kind.scores}
    if spec is None or spec not in asked:
        return say("The probes were not asked of it.")
    weak = found.weak(spec)
    if not weak:
        return say(
            "{spec} is right in more than {threshold:.0%} of the probes of every kind that was tried ({kinds}).",
            spec=spec,
            threshold=found.threshold,
            kinds=join([kind.name for kind in all_kinds(found)], _AND),
        )
    shares = [
        say("{kind} {share:.0%}", kind=kind.name, share=score.accuracy.mean)
        for kind in weak
        for score in kind.scores
        if score.spec == spec
    ]
    return say(
        "{spec} finds the topic, not the truth: it is right in no more than {threshold:.0%} of the probes, where "
        "chance is 50 %, for {kinds}. Where a wrong answer costs you something, add a reranker or a check by an NLI "
        "model behind it, and measure it: rerank({spec}, ce:MODEL).",
        spec=spec,
        threshold=found.threshold,
        kinds=join(shares, _AND),
    )


def gains_told(found: Probes) -> Iterator[Text]:
    """What each reranker that was measured adds on the probes."""
    for gain in found.gains:
        yield say(
            "{spec} is right in {points} points more of the probes than {base} (95 % interval {low} to {high}).",
            spec=gain.spec,
            base=gain.base,
            points=points(gain.gain.mean),
            low=points(gain.gain.low),
            high=points(gain.gain.high),
        )


def worst(spec: str | None, found: Robustness) -> Text:
    """What costs a candidate most, of what is shown to cost it anything."""
    mine = [(kind, change) for kind in found.kinds for change in kind.changes if change.spec == spec]
    if not mine:
        return say("Perturbed queries were not asked of it.")
    shown = sorted(
        ((kind, c) for kind, c in mine if c.p < ALPHA and c.change.mean < 0), key=lambda one: one[1].change.mean
    )
    if not shown:
        return say(
            "Nothing that was tried is shown to cost {spec} anything, by tests corrected for the number of kinds; on "
            "average over the kinds it changes by {points} points of {metric}.",
            spec=str(spec),
            points=points(found.change(str(spec)) or 0.0),
            metric=found.metric,
        )
    costs = [
        say(
            "{kind} {points} ({low} to {high})",
            kind=kind.name,
            points=points(c.change.mean),
            low=points(c.change.low),
            high=points(c.change.high),
        )
        for kind, c in shown
    ]
    return say(
        "{spec} loses, in points of {metric} with 95 % intervals: {kinds}.",
        spec=str(spec),
        metric=found.metric,
        kinds=join(costs, _AND),
    )
