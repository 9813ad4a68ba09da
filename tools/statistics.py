"""Is a difference real? Paired tests and intervals over queries.

How often each of these is wrong on real scores is measured in ``benchmarks/statistics``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from knowledge.results import Comparison, Interval

Scores = NDArray[np.float64]
RESAMPLES = 9_999
LEVEL = 0.95
ALPHA = 0.05
POWER = 0.8
#: more queries than this nobody judges
MOST_QUERIES = 10_000
#: sign patterns held in memory at once
_BATCH = 500
#: sums of the same scores in another order differ by less than this, relative to their size
EQUAL_SCORES = 1e-9


# ---------------------------------------------------------------- intervals


def bootstrap_interval(values: Scores, *, level: float = LEVEL, seed: int = 0) -> Interval:
    """The mean with its bootstrap interval, resampling queries.

    Bias-corrected and accelerated (Efron 1987), with two changes, without which it is too short where queries are few
    and most differences are zero: the largest deviation from the mean is added once on either side, for what few
    queries have not shown yet, and the tails are those of Student's t instead of the normal distribution (as Hesterberg
    2015, The American Statistician 69, does for percentiles). Equal values give a point: they say nothing of their
    spread.
    """
    from scipy import stats

    mean, n = float(values.mean()), len(values)
    if n < 2 or np.ptp(values) <= EQUAL_SCORES:  # rounding is no spread
        return Interval(mean=mean, low=mean, high=mean, level=level)
    farthest = float(np.abs(values - mean).max())
    padded = np.append(values, [mean - farthest, mean + farthest])
    t = float(stats.t.ppf((1 + level) / 2, n - 1)) * np.sqrt(len(padded) / (n - 1))
    found = stats.bootstrap(
        (padded,),
        np.mean,
        n_resamples=RESAMPLES,
        confidence_level=min(1 - 2 * float(stats.norm.sf(t)), 1 - 2 / RESAMPLES),
        method="BCa",
        batch=_BATCH,
        rng=np.random.default_rng(seed),
    ).confidence_interval
    low, high = (float(x) if np.isfinite(x) else mean for x in (found.low, found.high))
    if values.min() >= 0:  # scores, not differences: no mean can leave their scale
        low, high = max(low, 0.0), min(high, max(1.0, float(values.max())))
    return Interval(mean=mean, low=min(low, mean), high=max(high, mean), level=level)


def wilson_interval(right: float, count: int, *, level: float = LEVEL) -> Interval:
    """A share with its score interval (Wilson 1927, Journal of the American Statistical Association 22).

    Args:
        right: how many of them; half ones where a tie counts half.
        count: of independent trials.
        level: of the interval.
    """
    from scipy import stats

    if not count:
        return Interval(mean=0.0, low=0.0, high=1.0, level=level)
    share, z = right / count, float(stats.norm.ppf((1 + level) / 2))
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * float(np.sqrt(share * (1 - share) / count + z * z / (4 * count * count)))
    low, high = max(0.0, middle - half), min(1.0, middle + half)
    return Interval(mean=share, low=min(low, share), high=max(high, share), level=level)


# ---------------------------------------------------------------- tests


def randomisation_test(differences: Scores, alternative: str = "two-sided", *, seed: int = 0) -> float:
    """Probability of such a mean difference by chance alone, found by randomly swapping the two systems per query.

    The paired randomisation test that Smucker, Allan & Carterette (CIKM 2007) recommend for retrieval; exact where
    there are few enough queries to try every swap.

    Args:
        differences: one a query.
        alternative: "two-sided", or "greater" for a mean above zero.
        seed: of the swaps.
    """
    if len(differences) < 2 or not np.any(differences):
        return 1.0  # one query can show nothing
    larger = float(_as_large(differences[:, None], seed)[0])
    if alternative == "greater":
        return larger
    smaller = float(_as_large(-differences[:, None], seed)[0])
    return min(1.0, 2 * min(larger, smaller))


def worse_by_more(differences: Scores, margin: float, *, seed: int = 0) -> float:
    """One-sided p-value of "worse by more than the margin"; a mean beyond the margin needs no test.

    A randomisation test with one query more, on which the candidate loses as much as the two differ anywhere: the test
    alone takes differences to be symmetric, but a rare large loss is just what few queries do not show, and without
    that query it is wrong up to twice as often as it says (``benchmarks/statistics``).

    Where the two score alike on every query, nothing is there to swap, and the largest loss is not known: it may be all
    of a score, 1. Worse by more than the margin is then a share of queries larger than the margin, none of which was
    met: (1 - margin) ** queries. Where anything differs, a loss larger than the largest difference seen is not allowed
    for.
    """
    return float(_worse_by_more(differences[:, None], margin, seed)[0])


def _worse_by_more(differences: Scores, margin: float, seed: int) -> Scores:
    """`worse_by_more` of each column, shape (queries, pairs)."""
    loss = -np.abs(differences).max(axis=0, keepdims=True)
    p = _as_large(np.vstack([differences, loss]) + margin, seed)
    p = np.where(_alike(differences), (1 - min(margin, 1.0)) ** len(differences), p)
    return np.where(differences.mean(axis=0) <= -margin, 1.0, p)


def _alike(differences: Scores) -> NDArray[np.bool_]:
    """Whether nothing differs but by rounding; of each column, where there are several."""
    found: NDArray[np.bool_] = np.abs(differences).max(axis=0) <= EQUAL_SCORES
    return found


def _as_large(values: Scores, seed: int) -> Scores:
    """For each column, the share of sign changes whose sum is at least as large as it is; shape (queries, pairs)."""
    n = len(values)
    observed = values.sum(axis=0) - EQUAL_SCORES * np.abs(values).sum(axis=0)
    exact = 2**n <= RESAMPLES if n < 64 else False
    if exact:
        patterns: Iterable[NDArray[np.floating]] = [1.0 - 2.0 * ((np.arange(2**n)[:, None] >> np.arange(n)) & 1)]
    else:
        rng = np.random.default_rng(seed)
        sizes = [min(_BATCH, RESAMPLES - start) for start in range(0, RESAMPLES, _BATCH)]
        patterns = (rng.integers(0, 2, (size, n), dtype=np.int8) * 2.0 - 1.0 for size in sizes)
    as_large = sum(((signs @ values) >= observed).sum(axis=0) for signs in patterns)
    found: Scores = as_large / 2**n if exact else (as_large + 1) / (RESAMPLES + 1)
    return found


def holm(p_values: Sequence[float], most_true: int | None = None) -> list[float]:
    """p-values corrected for their number (Holm 1979, Scandinavian Journal of Statistics 6).

    Args:
        p_values: one a hypothesis.
        most_true: how many of the hypotheses can be true at once, where not all can (Shaffer 1986, Journal of the
            American Statistical Association 81).
    """
    corrected = [0.0] * len(p_values)
    highest = 0.0
    for rank, i in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        left = len(p_values) - rank
        highest = max(highest, min(1.0, min(left, most_true or left) * p_values[i]))
        corrected[i] = highest
    return corrected


# ---------------------------------------------------------------- how many queries


def smallest_shown(differences: Scores, comparisons: int = 1) -> float | None:
    """The smallest true difference that as many queries as these would call different in 80 % of samples.

    Args:
        differences: of two candidates, one a query.
        comparisons: for how many the test is corrected; the first step of Holm's correction counts.

    Returns:
        in the metric; None where one query, or no difference at all, says nothing of the spread.
    """
    from scipy import stats

    n = len(differences)
    if n < 2 or np.ptp(differences) == 0:
        return None
    t = stats.t(n - 1)
    needed = t.ppf(1 - ALPHA / (2 * comparisons)) + t.ppf(POWER)
    return float(needed * differences.std(ddof=1) / np.sqrt(n))


def queries_needed(differences: Scores, margin: float, comparisons: int = 1, pairs: int = 1) -> int | None:
    """Queries that would settle it with 80 % power: show that it is tied, or that it is worse, whichever takes fewer.

    Normal approximation of `compare`'s two tests, the observed difference taken as the true one. Where nothing differs:
    as many as show that it is tied, if nothing differs in them either. None where more than `MOST_QUERIES` would be
    needed.

    Args:
        differences: candidate minus best, one a query.
        margin: accepted loss.
        comparisons: for how many the test of the margin is corrected.
        pairs: for how many the test of no difference is corrected.
    """
    from scipy import stats

    if _alike(differences):
        return _queries_without_a_loss(margin, ALPHA / comparisons)
    mean, deviation = float(differences.mean()), float(differences.std(ddof=1))
    fewest = int(np.ceil(np.log2(2 * pairs / ALPHA)))  # with fewer, no number of wins is rare enough
    n = np.arange(fewest, MOST_QUERIES + 1)
    spread = deviation * np.sqrt(n)
    worse = abs(mean) * n - (stats.norm.isf(ALPHA / (2 * pairs)) * spread)
    loss = float(np.abs(differences).max()) - margin
    tied = (mean + margin) * n - loss - stats.norm.isf(ALPHA / comparisons) * np.hypot(spread, loss)
    shown = np.flatnonzero(np.maximum(worse, tied) >= stats.norm.ppf(POWER) * spread)
    return int(n[shown[0]]) if len(shown) else None


def _queries_without_a_loss(margin: float, level: float) -> int | None:
    """Queries without a difference after which "a larger share than the margin differs" is rejected at this level."""
    if margin <= 0:
        return None
    needed = 2 if margin >= 1 else max(2, int(np.ceil(np.log(level) / np.log1p(-margin))))
    return needed if needed <= MOST_QUERIES else None


# ---------------------------------------------------------------- candidates


@dataclass(frozen=True)
class _Field:
    """All candidates against each other; rows and columns of the matrices in `order`, best first.

    Attributes:
        different: p of "row and column do not differ", corrected for all pairs.
        tied: p of "worse than the best by more than the margin", corrected for the others.
        within: p of "worse than another by more than the margin", the worst over all others, corrected.
    """

    order: tuple[str, ...]
    different: tuple[float, ...]
    tied: tuple[float, ...]
    within: tuple[float, ...]


def by_text(scores: Mapping[str, float], groups: Sequence[Sequence[str]]) -> dict[str, float]:
    """Scores of independent queries: those of the same text are one, weighing as much as they all did.

    The mean over what is returned is the mean over `scores`; tests and intervals over it do not take a query that is
    asked five times for five queries.

    Args:
        scores: query id -> score.
        groups: ids of queries that have the same text.
    """
    same = {query: group[0] for group in groups for query in group if query in scores}
    total: dict[str, float] = {}
    for query, score in scores.items():
        total[same.get(query, query)] = total.get(same.get(query, query), 0.0) + score
    if len(total) == len(scores):
        return dict(scores)
    return {query: value * len(total) / len(scores) for query, value in total.items()}


def non_inferior(scores: Mapping[str, Scores], margin: float, *, others: int = 0, seed: int = 0) -> tuple[str, ...]:
    """The best and those tied with it, best first: what `compare` calls so, without the rest."""
    order = _order(scores)
    tied = _against_best(scores, order, margin, others, seed)
    return tuple(spec for spec, p in zip(order, tied, strict=True) if p < ALPHA)


def compare(scores: Mapping[str, Scores], margin: float, *, others: int = 0, seed: int = 0) -> tuple[Comparison, ...]:
    """Each candidate against the best, best first.

    A candidate is *tied* when "worse than the best by more than the margin" is rejected (one-sided, Holm-corrected,
    5 %); *worse* when it is not, and "no difference" is; else the sample cannot tell: *undecided*. Equal scores on few
    queries are no tie: what would tell the two apart may be rare.

    The best is picked by the same queries. So "no difference" is corrected for all pairs of candidates, not only for
    those with the one that happened to be ahead; and whether a candidate is within the margin of whichever is truly the
    best is a claim of its own, `Comparison.p_within` (multiple comparisons with the best; Hsu 1984, Annals of
    Statistics 12): it needs every other candidate to be shown no better by more than the margin.

    Args:
        scores: candidate -> per-query scores from 0 to 1 in the same query order, shape (queries,); of equal means
            the first counts as the best.
        margin: accepted loss in the metric.
        others: candidates that took part and were left out on the way as behind: they count in the corrections, since
            whoever is compared here was chosen from among them too.
        seed: of the resampling.
    """
    field = _field(scores, margin, seed, others)
    best, count = field.order[0], len(field.order) + others
    pairs = count * (count - 1) // 2
    found = []
    for i, spec in enumerate(field.order):
        d = scores[spec] - scores[best]
        if i == 0:
            verdict = "best"
        else:
            verdict = "tied" if field.tied[i] < ALPHA else ("worse" if field.different[i] < ALPHA else "undecided")
        found.append(
            Comparison(
                spec=spec,
                best=best,
                difference=bootstrap_interval(d, seed=seed),
                p_different=field.different[i],
                p_worse=field.tied[i],
                p_within=field.within[i],
                wins=int((d > EQUAL_SCORES).sum()),
                losses=int((d < -EQUAL_SCORES).sum()),
                draws=int((np.abs(d) <= EQUAL_SCORES).sum()),
                verdict=verdict,
                queries_needed=(
                    queries_needed(d, margin, count - 1, pairs) if verdict == "undecided" and len(d) > 1 else None
                ),
                smallest_shown=smallest_shown(d, pairs) if i else None,
            )
        )
    return tuple(found)


def _order(scores: Mapping[str, Scores]) -> tuple[str, ...]:
    """Best mean first, however the arithmetic rounds; equal ones as they come."""
    return tuple(sorted(scores, key=lambda spec: -round(float(scores[spec].mean()), 12)))


def _against_best(
    scores: Mapping[str, Scores], order: Sequence[str], margin: float, others: int, seed: int
) -> tuple[float, ...]:
    """Corrected p of "worse than the best by more than the margin", in order; 0 for the best itself."""
    if len(order) == 1:
        return (0.0,)
    d = np.column_stack([scores[spec] - scores[order[0]] for spec in order[1:]])
    return (0.0, *_holm_among(_enough(_worse_by_more(d, margin, seed), len(d)), others))


def _holm_among(p_values: Scores, others: int, most_true: int | None = None) -> list[float]:
    """Corrected for these and for so many others, about which nothing is claimed."""
    return holm([*p_values.tolist(), *[1.0] * others], most_true)[: len(p_values)]


def _field(scores: Mapping[str, Scores], margin: float, seed: int, others: int = 0) -> _Field:
    order = _order(scores)
    count = len(order)
    everyone = count + others
    values = np.column_stack([scores[spec] for spec in order])
    queries = len(values)
    rows, columns = np.triu_indices(count, 1)
    d = values[:, rows] - values[:, columns]
    different, within = np.ones((count, count)), np.zeros((count, count))
    if len(rows):
        higher, lower = _as_large(d, seed), _as_large(-d, seed)
        p = _enough(np.minimum(1.0, 2 * np.minimum(higher, lower)), queries)
        unseen_pairs = everyone * (everyone - 1) // 2 - len(rows)
        different[rows, columns] = _holm_among(np.where(_alike(d), 1.0, p), unseen_pairs)
        for sign, i, j in ((1, rows, columns), (-1, columns, rows)):
            within[i, j] = _enough(_worse_by_more(sign * d, margin, seed), queries)
    # at least one candidate is the best in truth, so at most the others can be beyond the margin of it
    all_within = _holm_among(within.max(axis=1), others, most_true=max(everyone - 1, 1))
    tied = _against_best(scores, order, margin, others, seed)
    return _Field(order, tuple(different[0].tolist()), tied, tuple(all_within))


def _enough(p_values: Scores, queries: int) -> Scores:
    """The p-values where there are queries enough; a single query can show nothing."""
    return p_values if queries > 1 else np.ones_like(p_values)
