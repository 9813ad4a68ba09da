"""What each item adds to a figure that is no mean over items, so that tests and intervals for means hold for it too.

Spearman's correlation, V-measure, macro F1 and average precision are functions of all items together. The jackknife
turns each into one value an item (Tukey 1958; Efron & Tibshirani 1993, An Introduction to the Bootstrap, chapter 11):
the item's *contribution*, the figure plus n - 1 times what it loses without the item, set so that their mean is the
figure itself. Contributions behave like independent observations of which the figure is the mean; resampling them is
the bootstrap over items to first order, and the difference of two candidates is paired by item as that of any scores.
``benchmarks/tasks/intervals.py`` compares the intervals with those of a bootstrap that computes the figure anew.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
Counts = NDArray[np.float64]
#: items compared with all others at a time: blocks of some 40 MB
_CELLS = 5_000_000


def contributions(figure: float, without: Values) -> Values:
    """Each item's contribution, shape (items,); their mean is the figure.

    Args:
        figure: over all items.
        without: the figure over all items but one, for each item.
    """
    found: Values = figure + (len(without) - 1) * (without.mean() - without)
    return found


def pearson(x: Values, y: Values) -> Values:
    """Contributions to Pearson's correlation; all 0 where one side is constant, of which nothing can be said."""
    n = len(x)
    x, y = x - x.mean(), y - y.mean()
    sums = np.stack([x, y, x * x, y * y, x * y])
    whole = _correlation(sums.sum(axis=1, keepdims=True), n)[0]
    return contributions(float(whole), _correlation(sums.sum(axis=1, keepdims=True) - sums, n - 1))


def _correlation(sums: Values, n: int) -> Values:
    """From the sums of x, y, x squared, y squared and x times y."""
    of_x, of_y, xx, yy, xy = sums
    spread = np.sqrt(np.maximum(xx - of_x**2 / n, 0) * np.maximum(yy - of_y**2 / n, 0))
    found: Values = np.divide(xy - of_x * of_y / n, spread, out=np.zeros_like(spread), where=spread > 1e-12)
    return found


def spearman(x: Values, y: Values) -> Values:
    """Contributions to Spearman's rank correlation, equal values sharing their ranks.

    Without an item the ranks above its own fall by one, and those equal to it by a half.
    """
    from scipy.stats import rankdata

    n = len(x)
    centre = (n + 1) / 2
    r, q = rankdata(x) - centre, rankdata(y) - centre
    whole = _correlation(np.array([[0.0], [0.0], [r @ r], [q @ q], [r @ q]]), n)[0]
    without = np.empty(n)
    step = max(1, _CELLS // n)
    for start in range(0, n, step):
        rows = np.arange(start, min(n, start + step))
        s, t = _above(x, rows), _above(y, rows)
        of_r, of_q = s.sum(axis=1), t.sum(axis=1)
        sums = np.stack(
            [
                -r[rows] - of_r,
                -q[rows] - of_q,
                r @ r - r[rows] ** 2 - 2 * (s @ r) + (s * s).sum(axis=1),
                q @ q - q[rows] ** 2 - 2 * (t @ q) + (t * t).sum(axis=1),
                r @ q - r[rows] * q[rows] - s @ q - t @ r + (s * t).sum(axis=1),
            ]
        )
        without[rows] = _correlation(sums, n - 1)
    return contributions(float(whole), without)


def _above(values: Values, rows: NDArray[np.int64]) -> Values:
    """By how much each rank falls without an item of these rows, shape (rows, items); 0 for the item itself."""
    own = values[rows, None]
    falls: Values = (values > own) + 0.5 * (values == own)
    falls[np.arange(len(rows)), rows] = 0.0
    return falls


def of_counts(rows: NDArray[np.int64], columns: NDArray[np.int64], figure: Callable[[Counts], float]) -> Values:
    """Contributions to a figure that depends only on how many items have which row and which column.

    Args:
        rows: of each item, such as its class.
        columns: of each item, such as what it was taken for.
        figure: of the table of counts, which may hold zero rows and columns.
    """
    counts = np.zeros((int(rows.max()) + 1, int(columns.max()) + 1))
    np.add.at(counts, (rows, columns), 1.0)
    without = np.empty_like(counts)
    for row, column in np.argwhere(counts > 0):
        counts[row, column] -= 1
        without[row, column] = figure(counts)
        counts[row, column] += 1
    return contributions(figure(counts), without[rows, columns])


def of_classes(
    true: NDArray[np.int64], predicted: NDArray[np.int64], term: Callable[[Counts, Counts, Counts], Counts]
) -> Values:
    """Contributions to a mean over classes, those that are neither true nor predicted of any item left out.

    Args:
        true: class of each item.
        predicted: what it was taken for.
        term: of each class, from how many items are rightly of it, truly of it, and taken for it.
    """
    size = int(max(true.max(), predicted.max())) + 1
    right = true == predicted
    hits = np.bincount(true[right], minlength=size).astype(float)
    of_true, of_predicted = (np.bincount(of, minlength=size).astype(float) for of in (true, predicted))
    known = of_true + of_predicted > 0
    terms = term(hits, of_true, of_predicted)
    whole = float(terms[known].mean())
    missed = term(hits, of_true - 1, of_predicted)[true] + term(hits, of_true, of_predicted - 1)[predicted]
    change = np.where(
        right,
        term(hits - 1, of_true - 1, of_predicted - 1)[true] - terms[true],
        missed - terms[true] - terms[predicted],
    )
    return contributions(whole, whole + change / known.sum())


def of_entropies(
    rows: NDArray[np.int64], columns: NDArray[np.int64], figure: Callable[[Values, Values, Values], Values]
) -> Values:
    """Contributions to a figure made of the entropies of two divisions of the same items.

    Args:
        rows: of each item, such as its class.
        columns: of each item, such as its cluster.
        figure: from the entropy of the rows, that of the columns, and what the two have in common.
    """
    n = len(rows)
    whole, without = np.empty(3), np.empty((3, n))
    for place, of in enumerate((rows, columns, rows * (int(columns.max()) + 1) + columns)):
        _, member, counts = np.unique(of, return_inverse=True, return_counts=True)
        held = counts.astype(float)
        total = _weighed(held).sum()
        left = total + (_weighed(held - 1) - _weighed(held))[member]
        whole[place], without[place] = np.log(n) - total / n, np.log(n - 1) - left / (n - 1)

    def of_three(found: Values) -> Values:
        return figure(found[0], found[1], np.maximum(found[0] + found[1] - found[2], 0.0))

    return contributions(float(of_three(whole[:, None])[0]), of_three(without))


def _weighed(counts: Values) -> Values:
    """Each count times its logarithm."""
    found: Values = counts * np.log(np.maximum(counts, 1.0))
    return found


def average_precision(scores: Values, same: NDArray[np.bool_]) -> Values:
    """Contributions to average precision, equal scores counting as one threshold (as scikit-learn's does)."""
    _, group = np.unique(-scores, return_inverse=True)
    hits = np.bincount(group, weights=same).astype(float)
    found, taken = np.cumsum(hits), np.cumsum(np.bincount(group).astype(float))
    positives = found[-1]

    def terms(hits: Values, found: Values, taken: Values) -> Values:
        return hits * np.divide(found, taken, out=np.zeros_like(found), where=taken > 0)

    plain = terms(hits, found, taken)
    before = np.concatenate([[0.0], np.cumsum(plain)[:-1]])
    # below an item that is gone: one fewer taken, and one fewer found if it was one of the same
    lost_other, lost_same = terms(hits, found, taken - 1), terms(hits, found - 1, taken - 1)
    after_other = np.cumsum(lost_other[::-1])[::-1]
    after_same = np.cumsum(lost_same[::-1])[::-1] - terms(np.ones_like(hits), found - 1, taken - 1)
    without = np.where(
        same, (before + after_same)[group] / max(positives - 1, 1), (before + after_other)[group] / max(positives, 1)
    )
    return contributions(float(plain.sum() / max(positives, 1)), without)
