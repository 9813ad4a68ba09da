"""Whether the weights stay as they are, or fine-tuning is worth trying."""

from __future__ import annotations

from knowledge import quantities
from knowledge.results.deployment import Decision, FineTuning
from knowledge.wording import Text, say
from tools.deployment.grounds import Grounds


def weights(grounds: Grounds, tuning: FineTuning) -> Decision:
    """The decision, with what fine-tuning would gain and cost."""
    quality = say(
        "the best candidate has {metric} {mean:.3f} ({low:.3f} to {high:.3f})",
        metric=grounds.primary,
        mean=tuning.quality.mean,
        low=tuning.quality.low,
        high=tuning.quality.high,
    )
    cites = grounds.cites(grounds.primary)
    if tuning.verdict == "impossible":
        return Decision(
            about="weights",
            choice=say("As they are."),
            reason=say("Nothing in this set-up can be trained here: words, a table or a service."),
            cites=cites,
        )
    if tuning.verdict == "no":
        return Decision(
            about="weights",
            choice=say("As they are."),
            reason=say(
                "Fine-tuning has little room: {quality}, and from {limit:g} on what is left is of the size of what "
                "labels miss (a rule of this program).",
                quality=quality,
                limit=tuning.room_below,
            ),
            cites=cites,
        )
    gain, cost = _gain(grounds, tuning), _cost(grounds, tuning)
    if tuning.verdict == "later":
        return Decision(
            about="weights",
            choice=say("As they are, for now."),
            reason=say(
                "There is room ({quality}), but too few pairs to train with: {count:,} documents make as many "
                "queries, and fewer than {needed:,} pairs are not tried (a rule of this program). {gain}",
                quality=quality,
                count=tuning.documents,
                needed=tuning.pairs_needed,
                gain=gain,
            ),
            cites=cites,
        )
    return Decision(
        about="weights",
        choice=say("As they are first; then try fine-tuning with finetune.py, and keep it only if it is better."),
        reason=say(
            "There is room: {quality}; your {count:,} documents make enough pairs (advisor silver), and "
            "{needed:,} are needed. {gain} {cost}",
            quality=quality,
            count=tuning.documents,
            needed=tuning.pairs_needed,
            gain=gain,
            cost=cost,
        ),
        cites=(*cites, *grounds.cites("documents_per_second")),
    )


def _gain(grounds: Grounds, tuning: FineTuning) -> Text:
    if tuning.points_high is None:
        return say("What it would gain is unknown.")
    return say(
        "What it gains here is unknown until it is tried; published: up to {high:g} points, and no lower end "
        "({source}).",
        high=tuning.points_high,
        source=tuning.gain_source,
    )


def _cost(grounds: Grounds, tuning: FineTuning) -> Text:
    if tuning.hours is None or tuning.hours_basis is None:
        return say("How long it takes is unknown: no speed was measured.")
    time = quantities.duration(tuning.hours * 3600)
    return say("It takes about {time} on this machine: {basis}.", time=time, basis=tuning.hours_basis)
