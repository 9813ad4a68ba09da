"""The winner and its nearest rivals on parts of the queries: short ones, those sharing words with the answer.

An average hides where a candidate fails. Many parts mean many chances to see a difference that is none, so intervals of
differences are widened until all of them hold together (Bonferroni), and small parts are not shown at all. Where a
part is better answered by another candidate, and an application can tell which queries these are, that is advised
(`tools.slices.routing`).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from knowledge.candidate import parse_candidate
from knowledge.dataset import Dataset
from knowledge.errors import SpecError
from knowledge.results import Evaluation, Interval, Recommendation, Slice, Slices, SliceScore
from knowledge.wording import Text, say
from tools.evidence_list import EvidenceList
from tools.slices.routing import Router, most_gain_first
from tools.slices.traits import Part, Trait, traits
from tools.statistics import ALPHA, bootstrap_interval, by_text

__all__ = ["FEWEST", "rival", "rivals", "slices"]

#: parts with fewer independent queries say too little
FEWEST = 10
#: candidates beside the winner
RIVALS = 3


def slices(
    recommendation: Recommendation, evaluation: Evaluation, scores: Mapping[str, Mapping[str, float]], dataset: Dataset
) -> Slices | None:
    """Scores on parts of the queries; None where there is no winner or no trait divides the queries into two parts.

    Args:
        recommendation: its winner is what the others are compared with.
        evaluation: what was measured.
        scores: per-query scores in the primary metric, {spec: {query: score}}.
        dataset: that it was measured on.
    """
    winner = recommendation.winner
    if winner is None or winner not in scores:
        return None
    kept = {spec: by_text(scores[spec], evaluation.same_queries) for spec in (winner, *rivals(recommendation, scores))}
    limits = {spec: limit for spec in kept if (limit := _limit(spec, evaluation)) is not None}
    found = [trait for trait in traits(dataset, list(kept[winner]), limits) if trait.parts]
    shown = [_enough(trait) for trait in found]
    shown = [trait for trait in shown if len(trait.parts) > 1]
    count = sum(len(trait.parts) for trait in shown) * (len(kept) - 1)
    if not shown:
        return None
    level = 1 - ALPHA / max(1, count)
    made = _Maker({spec: scores[spec] for spec in kept}, level, evaluation)
    parts = [(trait, [made.slice(trait, part) for part in trait.parts]) for trait in shown]
    router = Router(kept, level, recommendation, evaluation, made.evidence)
    routing = [router.route(trait, of) for trait, of in parts if trait.at_query_time]
    return Slices(
        metric=evaluation.primary,
        level=level,
        fewest=FEWEST,
        left_out=sum(len(trait.parts) for trait in found) - sum(len(trait.parts) for trait in shown),
        slices=tuple(one for _, of in parts for one in of),
        margin=recommendation.margin,
        routing=most_gain_first(routing),
        evidence=tuple(made.evidence.found),
    )


def rival(recommendation: Recommendation) -> str | None:
    """Whom the winner is held against: the best, where that is another one, else the runner-up."""
    if recommendation.best != recommendation.winner:
        return recommendation.best
    return recommendation.runner_up


def rivals(recommendation: Recommendation, scores: Mapping[str, object]) -> tuple[str, ...]:
    """Who is shown beside the winner: its rival first, then by quality; only those with scores."""
    taking_part = [r.spec for r in recommendation.rows if r.standing != "excluded" and r.spec != recommendation.winner]
    first = rival(recommendation)
    order = dict.fromkeys([*([first] if first else []), *taking_part])
    return tuple(spec for spec in order if spec in scores)[:RIVALS]


def _enough(trait: Trait) -> Trait:
    """The trait with its parts that hold enough queries."""
    kept = tuple(part for part in trait.parts if len(part.queries) >= FEWEST)
    return Trait(trait.name, kept, trait.at_query_time)


class _Maker:
    """Makes slices and numbers their evidence.

    Args:
        scores: of all queries, also those of the same text, {spec: {query: score}}; the winner first.
        level: of the intervals of differences.
        evaluation: what the evidence names.
    """

    def __init__(self, scores: Mapping[str, Mapping[str, float]], level: float, evaluation: Evaluation) -> None:
        self._scores, self._level, self._evaluation = scores, level, evaluation
        self._same = {group[0]: group for group in evaluation.same_queries}
        self.evidence = EvidenceList("EQ")

    def slice(self, trait: Trait, part: Part) -> Slice:
        winner = next(iter(self._scores))
        first = self._values(winner, part)
        made: list[SliceScore] = []
        for spec in self._scores:
            values = self._values(spec, part)
            quality = bootstrap_interval(values)
            cites = {"quality": self._cite(trait, part, spec, quality, ())}
            difference = None
            if spec != winner:
                difference = bootstrap_interval(values - first, level=self._level)
                both = (cites["quality"], made[0].cites["quality"])
                cites["difference"] = self._cite(trait, part, spec, difference, both)
            made.append(SliceScore(spec=spec, quality=quality, difference=difference, cites=cites))
        return Slice(
            trait=trait.name,
            part=part.part,
            queries=len(part.queries),
            scores=tuple(made),
            at_query_time=trait.at_query_time,
        )

    def _values(self, spec: str, part: Part) -> NDArray[np.float64]:
        """Scores of the part's independent queries, whose mean is that of all its queries.

        They are weighed within the part: by what its queries weigh among all, a class whose texts are all right would
        have an accuracy of 0.99 or 1.02, for as much as it has fewer or more copies than the others.
        """
        of = self._scores[spec]
        members = (member for query in part.queries for member in self._same.get(query, (query,)))
        weighed = by_text({member: of[member] for member in members if member in of}, self._evaluation.same_queries)
        return np.array([weighed[query] for query in part.queries])

    def _cite(self, trait: Trait, part: Part, spec: str, value: Interval, computed_from: tuple[str, ...]) -> str:
        run = self._evaluation
        metric = say("difference in {metric} to the winner", metric=run.primary)
        return self.evidence.add(
            "computed" if computed_from else "measured",
            spec,
            say(
                "{metric}; {trait}: {part}",
                metric=metric if computed_from else Text.model_validate(run.primary),
                trait=trait.name,
                part=part.part,
            ),
            value.mean,
            source=say("{count} queries of {dataset}", count=len(part.queries), dataset=run.dataset.name),
            date=run.started.date(),
            run_id=run.run_id,
            computed_from=computed_from,
        )


def _limit(spec: str, evaluation: Evaluation) -> int | None:
    """How many tokens of a text a candidate reads; None where it reads all, or nobody knows."""
    try:
        legs = {leg.spec for leg in parse_candidate(spec).legs}
    except SpecError:
        return None
    checked = (p.truncation for p in evaluation.preflight if p.spec in legs)
    return min((t.effective_limit for t in checked if t and t.effective_limit), default=None)
