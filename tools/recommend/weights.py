"""Robustness and correctness in the decision: quality counts 1, these as much as the user says, and nothing unless so.

What they add is in the unit of the quality: robustness the mean change of the metric over all kinds of perturbed
queries (a loss is negative), correctness the mean share of probes right over all kinds of facts. Each candidate's score
on every query is moved by weight times value, and the same rule decides on what comes out. The tests then allow for the
noise of the queries, and not for that of the value that was added: a weight is the user's judgment, no finding.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from knowledge.quantities import points
from knowledge.requirements import Requirements
from knowledge.results import Probes, Robustness
from knowledge.wording import Text, say
from tools.recommend.contest import Contest, decide

Scores = Mapping[str, Mapping[str, float]]
#: {what: {spec: value}}
Values = Mapping[str, Mapping[str, float]]
#: what can count beside quality; fields of `Requirements`
NAMES: dict[str, Text] = {"robustness": say("robustness"), "correctness": say("correctness")}
#: weights at which the decision is made again
TRIED = (0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0)


@dataclass(frozen=True)
class Beside:
    """What can count beside quality: what was found of it, and the weight that the user gave it."""

    values: Values = field(default_factory=dict)
    weights: Mapping[str, float] = field(default_factory=dict)

    def weighed(self, scores: Scores) -> Scores:
        """Per-query scores with it; a candidate that was not looked at gets the lowest value that any has."""
        moved: dict[str, Mapping[str, float]] = {}
        for spec, of in scores.items():
            by = sum(
                weight * self.values[name].get(spec, min(self.values[name].values()))
                for name, weight in self.weights.items()
                if self.values.get(name)
            )
            moved[spec] = {query: score + by for query, score in of.items()} if by else of
        return moved

    def told(self) -> Iterator[Text]:
        """That something counts beside quality, and what of it is not known."""
        for name, weight in self.weights.items():
            if self.values.get(name):
                yield say(
                    "Quality counts 1 and {what} {weight:g}, as you said it matters: differences, ties and the winner "
                    "are of the two together.",
                    what=NAMES[name],
                    weight=weight,
                )
            else:
                yield say(
                    "You said that {what} matters; it could not be measured on this data, so quality alone decides.",
                    what=NAMES[name],
                )


NOTHING = Beside()


def beside_quality(requirements: Requirements, probes: Probes | None, robustness: Robustness | None) -> Beside:
    """What can count beside quality in a decision, and how much of it does."""
    return Beside(_values(probes, robustness), weights_of(requirements))


def weights_of(requirements: Requirements) -> dict[str, float]:
    """The weights above nothing that the user gave."""
    found = {name: getattr(requirements, name) for name in NAMES}
    return {name: slot.value for name, slot in found.items() if slot is not None and slot.value > 0}


def _values(probes: Probes | None, robustness: Robustness | None) -> dict[str, dict[str, float]]:
    """What each candidate that was looked at adds, by what it is."""
    found: dict[str, dict[str, float]] = {}
    if robustness is not None:
        specs = dict.fromkeys(change.spec for kind in robustness.kinds for change in kind.changes)
        found["robustness"] = {spec: of for spec in specs if (of := robustness.change(spec)) is not None}
    if probes is not None:
        specs = dict.fromkeys(score.spec for kind in probes.kinds for score in kind.scores)
        found["correctness"] = {spec: of for spec in specs if (of := probes.accuracy(spec)) is not None}
    return {name: of for name, of in found.items() if of}


def flips(winner: str, contest: Contest, scores: Scores, margin: float, beside: Beside) -> Iterator[Text]:
    """At which weight another candidate would win, among those that were looked at."""
    for name, of in beside.values.items():
        looked_at = [spec for spec in contest.comparisons if spec in of]
        if winner not in looked_at or len(looked_at) < 2:
            continue
        now = beside.weights.get(name, 0.0)
        for weight in (0.0, *TRIED) if now else TRIED:
            if weight == now:
                continue
            tried = Beside(beside.values, {**beside.weights, name: weight})
            spec = decide(looked_at, contest, tried.weighed(scores), margin)
            if spec != winner:
                yield _flip(name, weight, spec, winner, of)
                break


def _flip(name: str, weight: float, spec: str, winner: str, of: Mapping[str, float]) -> Text:
    if name == "robustness":
        return say(
            "With robustness at {weight:g} beside quality at 1 it would be {spec}: perturbed queries change it by "
            "{other} points, {winner} by {own}.",
            weight=weight,
            spec=spec,
            winner=winner,
            other=points(of[spec]),
            own=points(of[winner]),
        )
    return say(
        "With correctness at {weight:g} beside quality at 1 it would be {spec}: it is right in {other:.0%} of the "
        "probes, {winner} in {own:.0%}.",
        weight=weight,
        spec=spec,
        winner=winner,
        other=of[spec],
        own=of[winner],
    )
