"""Load in the decision: machines for the stated rate, with their evidence, and the rates at which it would flip."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

from knowledge.constraints.latency import LatencyConstraint
from knowledge.quantities import digits, milliseconds, rate
from knowledge.requirements import Requirements
from knowledge.results import Row
from knowledge.results.service import RateHeld, UnderLoad
from knowledge.wording import Text, say
from tools.recommend.contest import Contest, decide
from tools.recommend.naming import ids

#: rates that are looked at beyond the stated one, as a multiple of it, and machines counted
FURTHEST, MOST_MACHINES = 8.0, 16
#: from so many times the measured documents on, what a search takes has to be measured anew
MANY_MORE = 2


def machines(load: UnderLoad | None) -> dict[str, float]:
    """So many machines like this one for the stated rate, of each candidate that was put under load."""
    return {} if load is None else {one.spec: one.machines(load.rate) for one in load.candidates}


def load_told(winner: str, rows: tuple[Row, ...], requirements: Requirements, load: UnderLoad | None) -> list[Text]:
    """What the winner holds, what that takes, and where the limit to its latency breaks."""
    held = load.of(winner) if load else None
    if load is None or held is None:
        return []
    return [*_held(winner, rows, requirements, load, held), *_fewer_documents(requirements, load)]


def _fewer_documents(requirements: Requirements, load: UnderLoad) -> list[Text]:
    """That it was measured over far fewer documents than there will be: what it holds there is another figure."""
    there = requirements.documents
    if there is None or there.value < MANY_MORE * load.documents:
        return []
    return [
        say(
            "That load was over the {measured:,} documents of your data. You name {documents:,}: a search takes longer "
            "there, which these figures do not have. Measure it over as many before you rely on them.",
            measured=load.documents,
            documents=there.value,
        )
    ]


def _held(
    winner: str, rows: tuple[Row, ...], requirements: Requirements, load: UnderLoad, held: RateHeld
) -> list[Text]:
    cites = next(row.cites for row in rows if row.spec == winner)
    goal, asked = milliseconds(load.goal_p95_ms), rate(load.rate)
    if held.holds_qps is None:
        return [
            say(
                "Load: it does not hold p95 under {goal} on this machine, not even at the lowest rate tried "
                "({evidence}): more such machines do not help, a faster one may.",
                goal=goal,
                evidence=ids(cites, "holds_qps", "loaded_p95_ms"),
            )
        ]
    count = held.machines(load.rate)
    evidence = ids(cites, "holds_qps", "loaded_p95_ms", "machines")
    if count <= 1:
        least = say("at least {rate}", rate=rate(held.holds_qps)) if held.at_least else rate(held.holds_qps)
        told = say(
            "Load: one machine like this holds {held} queries a second at p95 under {goal}; you need {rate} "
            "({evidence}).",
            held=least,
            goal=goal,
            rate=asked,
            evidence=evidence,
        )
        return [told, *_others(winner, load)]
    limit = requirements.constraint(LatencyConstraint)
    what = (
        say("at {rate} queries a second one machine like this breaks your limit of {goal}", rate=asked, goal=goal)
        if load.stated and limit is not None and limit.hard
        else say(
            "one machine like this does not hold {rate} queries a second at p95 under {goal}",
            rate=asked,
            goal=goal,
        )
    )
    told = say(
        "Load: {what}: it holds {held}, so {count} of these machines are needed ({evidence}).",
        what=what,
        held=rate(held.holds_qps),
        count=int(count),
        evidence=evidence,
    )
    return [told, *_others(winner, load)]


def _others(winner: str, load: UnderLoad) -> list[Text]:
    """What the others that were put under load would take, where that is more."""
    own = load.of(winner)
    assert own
    more = [one for one in load.candidates if one.machines(load.rate) > own.machines(load.rate)]
    return [
        say("Load: {spec} would take {count}.", spec=one.spec, count=_machines(one, load.rate))
        for one in sorted(more, key=lambda one: one.machines(load.rate))
    ]


def _machines(one: RateHeld, at: float) -> Text:
    count = one.machines(at)
    if math.isinf(count):
        return say("a faster machine: it holds no rate at that latency here")
    return say("1 machine") if count == 1 else say("{count} machines", count=int(count))


def rate_flips(
    winner: str,
    field: Contest,
    scores: Mapping[str, Mapping[str, float]],
    margin: float,
    load: UnderLoad | None,
) -> list[Text]:
    """The lowest rate above the stated one from which another candidate would be the cheapest of the tied."""
    own = load.of(winner) if load else None
    if load is None or own is None:
        return []
    steps = {
        one.holds_qps * count
        for one in load.candidates
        if one.holds_qps and not one.at_least
        for count in range(1, MOST_MACHINES + 1)
    }
    compared = list(field.comparisons)
    for step in sorted(step for step in steps if load.rate <= step <= FURTHEST * load.rate):
        above = step * 1.001
        tried = replace(field, machines={one.spec: one.machines(above) for one in load.candidates})
        spec = decide(compared, tried, scores, margin)
        other = load.of(spec)
        if spec != winner and other is not None:
            return [
                say(
                    "Above {rate} queries a second it would be {spec}: {its} there, where {winner} takes {own}.",
                    rate=digits(step),
                    spec=spec,
                    its=_machines(other, above),
                    winner=winner,
                    own=_machines(own, above),
                )
            ]
    return []
