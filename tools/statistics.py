"""Is a difference real? Paired tests and intervals over queries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from knowledge.results import Comparison, Interval

Scores = NDArray[np.float64]
RESAMPLES = 9_999
LEVEL = 0.95
ALPHA = 0.05
#: more queries than this nobody judges
MOST_QUERIES = 10_000


def bootstrap_interval(values: Scores, *, seed: int = 0) -> Interval:
    """The mean with its 95 % bootstrap interval (bias-corrected and accelerated; Efron 1987), resampling queries."""
    from scipy import stats

    mean = float(values.mean())
    if len(values) < 2 or np.ptp(values) == 0:
        return Interval(mean=mean, low=mean, high=mean, level=LEVEL)
    found = stats.bootstrap(
        (values,),
        np.mean,
        n_resamples=RESAMPLES,
        confidence_level=LEVEL,
        method="BCa",
        batch=500,
        rng=np.random.default_rng(seed),
    ).confidence_interval
    low, high = (float(x) if np.isfinite(x) else mean for x in (found.low, found.high))
    return Interval(mean=mean, low=low, high=high, level=LEVEL)


def randomisation_test(differences: Scores, alternative: str = "two-sided", *, seed: int = 0) -> float:
    """Probability of such a mean difference by chance alone, found by randomly swapping the two systems per query.

    The paired randomisation test that Smucker, Allan & Carterette (CIKM 2007) recommend for retrieval.
    """
    from scipy import stats

    if len(differences) < 2 or not np.any(differences):
        return 1.0  # one query can show nothing
    result = stats.permutation_test(
        (differences,),
        np.mean,
        permutation_type="samples",
        n_resamples=RESAMPLES,
        alternative=alternative,
        vectorized=True,
        axis=-1,
        batch=500,
        rng=np.random.default_rng(seed),
    )
    return float(result.pvalue)


def holm(p_values: Sequence[float]) -> list[float]:
    """p-values corrected for their number (Holm 1979, Scandinavian Journal of Statistics 6)."""
    corrected = [0.0] * len(p_values)
    highest = 0.0
    for rank, i in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[i]))
        corrected[i] = highest
    return corrected


def queries_needed(differences: Scores, margin: float) -> int | None:
    """Queries that would show, with 80 % power at the 5 % level, that the true difference is above -margin.

    Normal approximation of a one-sided paired non-inferiority test, the observed difference taken as the true one;
    None where more than `MOST_QUERIES` would be needed: the difference lies on the edge of the margin.
    """
    from scipy import stats

    deviation = float(differences.std(ddof=1))
    distance = max(abs(float(differences.mean()) + margin), 1e-6)
    z = float(stats.norm.ppf(1 - ALPHA) + stats.norm.ppf(0.8))
    needed = int(np.ceil((z * deviation / distance) ** 2))
    return needed if needed <= MOST_QUERIES else None


def non_inferior(scores: Mapping[str, Scores], margin: float, *, seed: int = 0) -> tuple[str, ...]:
    """The best and those tied with it, best first: what `compare` calls so, without the intervals."""
    order = sorted(scores, key=lambda spec: (-float(scores[spec].mean()), spec))
    differences = {spec: scores[spec] - scores[order[0]] for spec in order[1:]}
    p_values = holm([_p_worse(d, margin, seed) for d in differences.values()])
    tied = {spec for (spec, d), p in zip(differences.items(), p_values, strict=True) if p < ALPHA or not np.any(d)}
    return (order[0], *(spec for spec in order if spec in tied))


def _p_worse(differences: Scores, margin: float, seed: int) -> float:
    """One-sided p-value of "worse by more than the margin"; a mean beyond the margin needs no test."""
    if differences.mean() <= -margin:
        return 1.0
    return randomisation_test(differences + margin, "greater", seed=seed)


def compare(scores: Mapping[str, Scores], margin: float, *, seed: int = 0) -> tuple[Comparison, ...]:
    """Each candidate against the best, best first.

    A candidate is *tied* when "worse than the best by more than the margin" is rejected (one-sided, Holm-corrected,
    5 %); *worse* when it is not, and "no difference" is; else the sample cannot tell: *undecided*.

    Args:
        scores: candidate -> per-query scores in the same query order, shape (queries,).
        margin: accepted loss in the metric.
        seed: of the resampling.
    """
    means = {spec: float(values.mean()) for spec, values in scores.items()}
    order = sorted(scores, key=lambda spec: (-means[spec], spec))
    best, others = order[0], order[1:]
    differences = {spec: scores[spec] - scores[best] for spec in others}
    different = holm([randomisation_test(d, seed=seed) for d in differences.values()])
    worse = holm([_p_worse(d, margin, seed) for d in differences.values()])
    found = [_of_best(best, len(scores[best]))]
    for (spec, d), p_different, p_worse in zip(differences.items(), different, worse, strict=True):
        identical = not np.any(d)
        tied = identical or p_worse < ALPHA
        verdict = "tied" if tied else ("worse" if p_different < ALPHA else "undecided")
        found.append(
            Comparison(
                spec=spec,
                best=best,
                difference=bootstrap_interval(d, seed=seed),
                p_different=p_different,
                p_worse=0.0 if identical else p_worse,
                wins=int((d > 1e-9).sum()),
                losses=int((d < -1e-9).sum()),
                draws=int((np.abs(d) <= 1e-9).sum()),
                verdict=verdict,
                queries_needed=queries_needed(d, margin) if verdict == "undecided" and len(d) > 1 else None,
            )
        )
    return tuple(found)


def _of_best(spec: str, queries: int) -> Comparison:
    zero = Interval(mean=0.0, low=0.0, high=0.0, level=LEVEL)
    return Comparison(
        spec=spec,
        best=spec,
        difference=zero,
        p_different=1.0,
        p_worse=0.0,
        wins=0,
        losses=0,
        draws=queries,
        verdict="best",
    )
