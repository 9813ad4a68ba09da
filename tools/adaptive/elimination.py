"""Who may go: paired tests over the queries asked so far, their errors together kept under one level.

The scores of a candidate that has not read the whole corpus come from a pool that holds every relevant document of the
queries asked. Fewer documents compete there, so its scores can only be too high. A candidate that is behind
even so is behind; one that is not is not yet ahead. That is why nothing here needs a correction for the pool.

Whether to go on reading for a candidate is a question about the queries at hand: would it be the answer once everybody
has read everything? So there the queries not asked yet are all that is uncertain (they are drawn from the finite set
without replacement). What holds for queries like them is the business of the tests on those who have read everything.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
        setup: the same for two that are screened with the same vectors, cut and fused alike; None if that is not known.
    """

    spec: str
    scores: Scores
    exact: bool
    cost: tuple[float, ...]
    slack: float = 0.0
    setup: str | None = None

    def cheaper_than(self, other: Standing) -> bool:
        """Whether it is known to cost less; what one of them costs may be unknown."""
        return all(map(math.isfinite, (*self.cost, *other.cost))) and self.cost < other.cost


@dataclass(frozen=True)
class Verdict:
    """A candidate that may go, and on what evidence.

    Attributes:
        kind: "worse" than `against` by more than the margin, or "dearer" than `against` without being better by more.
        difference: mean of its scores minus those of `against`.
        bound: one-sided confidence bound of that difference, the slack of stand-ins included.
        level: the level of that bound.
        queries: how many it rests on.
        among: of how many queries the bound speaks; None for all like them.
    """

    spec: str
    kind: Literal["worse", "dearer"]
    against: str
    difference: float
    bound: float
    level: float
    queries: int
    among: int | None = None


def level_of(check: int, candidates: int, alpha: float = ALPHA) -> float:
    """The level of one comparison in the check of this number (from 1): the answer is lost with at most `alpha`.

    It can be lost in three ways: the winner, or the best, is taken for worse than one of the others; or one of the
    others is taken for as good as the best. That is three times as many comparisons as there are others. The shares
    4/((i+3)(i+4)) of an endless sequence of checks add up to 1, so nobody needs to know how many there will be; they
    fall slowly, since the first checks, on few queries, can exclude little anyway.
    """
    return alpha * 4 / ((check + 3) * (check + 4)) / (3 * max(candidates - 1, 1))


def upper_bound(differences: Scores, level: float, most: float = 1.0, among: int | None = None) -> float:
    """One-sided upper confidence bound of a mean difference; no better than what few queries can show.

    Student's t alone says nothing of gains that are rare and large: while none has been seen, the spread is too small.
    So one query with the largest gain is added (as `tools.statistics.worse_by_more` does); and a share of such queries
    that would have gone unseen with a probability of `level` or more is never excluded, whatever the spread.

    Args:
        differences: one a query.
        level: of the bound.
        most: the largest gain on one query.
        among: bound the mean over this many queries, of which these are a random part; None for all like them. The
            variance of a mean drawn without replacement shrinks by (among - n) / (among - 1) (Cochran 1977, 2.6).
    """
    from scipy import stats

    n = len(differences)
    if n < FEWEST:
        return math.inf
    left = 1.0 if among is None else (among - n) / max(among - 1, 1)
    padded = np.append(differences, most)
    spread = float(stats.t.ppf(1 - level, n) * padded.std(ddof=1) * math.sqrt(left / (n + 1)))
    centre = float(differences.mean() + left * (padded.mean() - differences.mean()))
    mean = float(differences.mean())
    return max(centre + spread, mean + (most - mean) * _unseen(n, level, among))


def _unseen(n: int, level: float, among: int | None) -> float:
    """The largest share of queries of which n drawn show none with a probability of `level` or more."""
    if among is None:
        return 1 - float(level ** (1 / n))
    chance, rare = 1.0, 0
    while rare < among - n:
        chance *= (among - n - rare) / (among - rare)
        if chance < level:
            break
        rare += 1
    return rare / among


def interval(scores: Scores) -> Interval:
    """The mean with its 95 % interval (Student's t): quick, for what is only shown."""
    from scipy import stats

    mean, n = float(scores.mean()), len(scores)
    half = float(stats.t.ppf(0.975, n - 1) * scores.std(ddof=1) / math.sqrt(n)) if n > 1 else 0.0
    return Interval(mean=mean, low=mean - half, high=mean + half)


def leavers(
    alive: Sequence[Standing],
    margin: float,
    check: int,
    candidates: int,
    most: float = 1.0,
    queries: int | None = None,
) -> list[Verdict]:
    """Those of `alive` that cannot be the answer: the cheapest that is not worse than the best by more than the margin.

    Args:
        alive: who is still in it; one of them is never left out, whatever happens.
        margin: accepted loss in the metric.
        check: number of this check, from 1.
        candidates: how many there were at the beginning.
        most: the largest difference that two can have on one query.
        queries: how many there are in all; None for no end of them.
    """
    level = level_of(check, candidates)

    def compare(kind: Literal["worse", "dearer"], one: Standing, other: Standing) -> Verdict:
        # for one that has read everything nothing is saved: there only what holds beyond these queries counts
        among = queries if kind == "worse" and not one.exact else None
        return _compare(kind, one, other, level, most, among)

    exact = sorted((s for s in alive if s.exact), key=lambda s: (-s.scores.mean(), s.cost, s.spec))
    found: dict[str, Verdict] = {}
    for standing in alive:
        for other in exact:
            if other.spec == standing.spec or other.spec in found:
                continue
            verdict = compare("worse", standing, other)
            if verdict.bound < -margin:
                found[standing.spec] = verdict
                break
    for standing in (s for s in alive if s.spec not in found):
        twins = (s for s in exact if s.spec not in found and s.cheaper_than(standing) and _alike(standing, s))
        verdicts = (compare("dearer", standing, twin) for twin in twins)
        within = next((v for v in verdicts if v.bound < margin), None)
        if within is not None:
            found[standing.spec] = within
    left = [s for s in alive if s.spec not in found]

    def unbeaten(one: Standing) -> bool:
        """Whether none of those left is better than this one by more than the margin."""
        others = (other for other in left if other.spec != one.spec)
        return all(compare("dearer", other, one).bound < margin for other in others)

    # whoever is dearer than the cheapest that could be the answer, and not better by more, need not be read; were
    # there somebody cheaper still, it would be wanted as the bar that this one has to reach
    cheap = min((s for s in left if not _is_behind(s, exact, margin)), key=lambda s: (s.cost, s.spec), default=None)
    if cheap is None or not cheap.exact or not unbeaten(cheap):
        return list(found.values())
    dearer = [s for s in left if not s.exact and cheap.cheaper_than(s)]
    return [*found.values(), *(compare("dearer", s, cheap) for s in dearer)]


def _is_behind(one: Standing, exact: Sequence[Standing], margin: float) -> bool:
    """Whether its mean, over all queries, is too far below the best one's for it to be the answer."""
    best = max((s for s in exact if s.spec != one.spec), key=lambda s: float(s.scores.mean()), default=None)
    if best is None or not one.exact:
        return False
    return float(one.scores.mean() - best.scores.mean()) + one.slack + best.slack < -margin


def _same(one: Standing, other: Standing) -> bool:
    """Screened with the same vectors in the same way: no query can tell them apart."""
    return one.setup is not None and one.setup == other.setup


def _alike(one: Standing, other: Standing) -> bool:
    """The same scores to the last query."""
    both = min(len(one.scores), len(other.scores))
    return both >= FEWEST and bool(np.array_equal(one.scores[:both], other.scores[:both]))


def _compare(
    kind: Literal["worse", "dearer"], one: Standing, other: Standing, level: float, most: float, among: int | None
) -> Verdict:
    """A candidate against another on the queries that both were asked (each asked its first ones)."""
    both = min(len(one.scores), len(other.scores))
    differences = one.scores[:both] - other.scores[:both]
    bound = 0.0 if _same(one, other) and _alike(one, other) else upper_bound(differences, level, most, among)
    return Verdict(
        spec=one.spec,
        kind=kind,
        against=other.spec,
        difference=float(differences.mean()) if both else 0.0,
        bound=bound + one.slack + other.slack,
        level=level,
        queries=both,
        among=among,
    )


def answer(alive: Sequence[Standing], margin: float, left_out: int = 0) -> tuple[str, str]:
    """The winner and the best so far: among those that read everything, where there are any, by the decision rule.

    The winner is the cheapest whose mean lies within the margin of the best one's, and for whom "worse by more than the
    margin" is rejected at the 5 % level (Holm-corrected, the `left_out` counted too); the best where no other is.
    """
    pool = [s for s in alive if s.exact] or list(alive)
    both = min(len(s.scores) for s in pool)
    # cheapest first: of several with the best mean the cheapest is the best, and no other need be measured for that
    pool.sort(key=lambda s: (s.cost, s.spec))
    scores: Mapping[str, Scores] = {s.spec: np.asarray(s.scores[:both]) for s in pool}
    best = min(scores, key=lambda spec: -round(float(scores[spec].mean()), 12))
    among = {best, *non_inferior(scores, margin, others=left_out)}
    return next(spec for spec in scores if spec in among), best
