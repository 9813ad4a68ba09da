"""Between which figures a difference lies, whatever the unjudged documents turn out to be.

Not an estimate: each query's difference is taken to both ends that any completion of its labels can reach, with every
missing document relevant (grade 1) or not.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tools.active_labels.gain import Metric
from tools.active_labels.pool import Pool

Array = NDArray[np.float64]


def bounds(metric: Metric, pool: Pool, first: int, second: int) -> tuple[float, float]:
    """The least and the most that the mean of candidate `first` can be above that of `second`.

    Queries without a relevant document count in no mean; they may come to have one.
    """
    none = np.zeros(pool.unknown.shape, np.bool_)
    scores, counting = metric.scores(none)
    now = scores[first] - scores[second]
    low, high = _ends(metric, pool, first, second)
    return -_highest(-np.minimum(low, now), -low, counting), _highest(np.maximum(high, now), high, counting)


def _highest(sure: Array, possible: Array, counting: NDArray[np.bool_]) -> float:
    """The highest mean over the queries that count, and any of the others that may."""
    total, count = float(sure[counting].sum()), int(counting.sum())
    for value in sorted(possible[~counting & np.isfinite(possible)], reverse=True):
        if count and value <= total / count:
            break
        total, count = total + float(value), count + 1
    return total / count if count else 0.0


def _ends(metric: Metric, pool: Pool, first: int, second: int) -> tuple[Array, Array]:
    """The lowest and highest difference of each query once anything more is found relevant; infinite where nothing is.

    Two kinds of completions are enough. For a sum over what is found, divided by what there is to find (nDCG, P, R): of
    so many more relevant documents, those with the largest difference in weight. For the best of what is found (RR,
    Success): a single document, since whoever profits from several profits from the best of them alone.
    """
    weight = metric.pull(first) - metric.pull(second)
    width = weight.shape[1]
    ends = []
    for sign in (1, -1):
        order = np.argsort(np.where(pool.unknown, -sign * weight, np.inf), axis=1, kind="stable")
        rank = np.argsort(order, axis=1, kind="stable")
        best = np.full(len(pool.queries), -np.inf)
        for more in range(1, width + 1):
            filled = (rank < more) & pool.unknown
            enough = filled.sum(axis=1) == more
            if not enough.any():
                break
            best = np.where(enough, np.maximum(best, sign * _difference(metric, filled, first, second)), best)
        for column in range(width):
            filled = np.zeros_like(pool.unknown)
            filled[:, column] = pool.unknown[:, column]
            best = np.where(
                filled[:, column], np.maximum(best, sign * _difference(metric, filled, first, second)), best
            )
        ends.append(sign * best)
    return ends[1], ends[0]


def _difference(metric: Metric, relevant: NDArray[np.bool_], first: int, second: int) -> Array:
    scores, _ = metric.scores(relevant)
    found: Array = scores[first] - scores[second]
    return found
