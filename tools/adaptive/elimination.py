"""Who may go: paired tests over the queries asked so far, their errors together kept under one level.

The scores of a candidate that has not read the whole corpus come from a pool that holds every relevant document of the
queries asked. Fewer documents compete there, so its scores can only be too high. A candidate that is behind
even so is behind; one that is not is not yet ahead. That is why nothing here needs a correction for the pool.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from knowledge.results import Interval
from tools.statistics import ALPHA, Scores, non_inferior

#: with fewer queries nobody is left out: the normal approximation of a mean of scores would be too rough
FEWEST = 20


@dataclass(frozen=True)
class Standing:
    """What is known of a candidate at one time.

    Attributes:
        scores: of the queries asked, in their order, shape (queries,).
        exact: whether it has read the whole corpus; else the scores are upper bounds.
        cost: what it costs, to be compared in this order.
        slack: how far the mean may be off because a faster precision stands in for the one asked for.
    """

    spec: str
    scores: Scores
    exact: bool
    cost: tuple[float, ...]
    slack: float = 0.0


@dataclass(frozen=True)
class Verdict:
    """A candidate that may go, and on what evidence.

    Attributes:
        kind: "worse" than `against` by more than the margin, or "dearer" than `against` without being better by more.
        difference: mean of its scores minus those of `against`.
        bound: one-sided confidence bound of that difference.
        level: the level of that bound.
        queries: how many it rests on.
    """

    spec: str
    kind: Literal["worse", "dearer"]
    against: str
    difference: float
    bound: float
    level: float
    queries: int


def level_of(check: int, candidates: int, alpha: float = ALPHA) -> float:
    """The level of one comparison in the check of this number (from 1): the answer is lost with at most `alpha`.

    It can be lost in three ways: the winner, or the best, is taken for worse than one of the others; or one of the
    others is taken for as good as the best. That is three times as many comparisons as there are others. The shares
    1/(i(i+1)) of an endless sequence of checks add up to 1, so nobody needs to know how many there will be.
    """
    return alpha / (check * (check + 1)) / (3 * max(candidates - 1, 1))


def upper_bound(differences: Scores, level: float) -> float:
    """One-sided upper confidence bound of a mean difference (Student's t)."""
    from scipy import stats

    n = len(differences)
    if n < FEWEST:
        return math.inf
    return float(differences.mean() + stats.t.ppf(1 - level, n - 1) * differences.std(ddof=1) / math.sqrt(n))


def interval(scores: Scores) -> Interval:
    """The mean with its 95 % interval (Student's t): quick, for what is only shown."""
    from scipy import stats

    mean, n = float(scores.mean()), len(scores)
    half = float(stats.t.ppf(0.975, n - 1) * scores.std(ddof=1) / math.sqrt(n)) if n > 1 else 0.0
    return Interval(mean=mean, low=mean - half, high=mean + half)


def leavers(alive: Sequence[Standing], margin: float, check: int, candidates: int) -> list[Verdict]:
    """Those of `alive` that cannot be the answer: the cheapest that is not worse than the best by more than the margin.

    Args:
        alive: who is still in it; one of them is never left out, whatever happens.
        margin: accepted loss in the metric.
        check: number of this check, from 1.
        candidates: how many there were at the beginning.
    """
    level = level_of(check, candidates)
    exact = sorted((s for s in alive if s.exact), key=lambda s: (-s.scores.mean(), s.cost, s.spec))
    found: dict[str, Verdict] = {}
    for standing in alive:
        for other in exact:
            if other.spec == standing.spec or other.spec in found:
                continue
            verdict = _compare("worse", standing, other, level)
            if verdict.bound + standing.slack + other.slack < -margin:
                found[standing.spec] = verdict
                break
    for standing in (s for s in alive if s.spec not in found):
        twin = next((s for s in exact if s.cost < standing.cost and _alike(standing, s) and s.spec not in found), None)
        if twin is not None and standing.slack + twin.slack < margin:
            found[standing.spec] = replace(_compare("dearer", standing, twin, level), bound=standing.slack + twin.slack)
    left = [s for s in alive if s.spec not in found]
    cheap = next((s for s in sorted(exact, key=lambda s: (s.cost, s.spec)) if _unbeaten(s, left, margin, level)), None)
    if cheap is not None:
        for standing in left:
            if standing.cost > cheap.cost:
                found[standing.spec] = _compare("dearer", standing, cheap, level)
    return list(found.values())


def _alike(one: Standing, other: Standing) -> bool:
    """The same scores to the last query: the same set-up, but for a precision that ranked a sample alike."""
    both = min(len(one.scores), len(other.scores))
    return both >= FEWEST and bool(np.array_equal(one.scores[:both], other.scores[:both]))


def _unbeaten(one: Standing, left: Sequence[Standing], margin: float, level: float) -> bool:
    """Whether none of those left is better than this one by more than the margin."""
    if one not in left:
        return False
    bounds = (
        _compare("dearer", other, one, level).bound + other.slack + one.slack for other in left if other is not one
    )
    return all(bound < margin for bound in bounds)


def _compare(kind: Literal["worse", "dearer"], one: Standing, other: Standing, level: float) -> Verdict:
    """A candidate against another on the queries that both were asked (each asked its first ones)."""
    both = min(len(one.scores), len(other.scores))
    differences = one.scores[:both] - other.scores[:both]
    return Verdict(
        spec=one.spec,
        kind=kind,
        against=other.spec,
        difference=float(differences.mean()) if both else 0.0,
        bound=upper_bound(differences, level),
        level=level,
        queries=both,
    )


def answer(alive: Sequence[Standing], margin: float) -> tuple[str, str]:
    """The winner and the best so far: among those that read everything, where there are any, by the decision rule.

    The winner is the cheapest whose mean lies within the margin of the best one's, and for whom "worse by more than the
    margin" is rejected at the 5 % level (Holm-corrected); the best where no other is.
    """
    pool = [s for s in alive if s.exact] or list(alive)
    both = min(len(s.scores) for s in pool)
    scores: Mapping[str, Scores] = {s.spec: np.asarray(s.scores[:both]) for s in pool}
    tied = non_inferior(scores, margin)
    costs = {s.spec: s.cost for s in pool}
    return min(tied, key=lambda spec: (costs[spec], spec)), tied[0]
