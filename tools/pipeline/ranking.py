"""Rankings put together: several fused into one, and the best of one ranked again.

Arrays have the shape (queries, places), best first; rows of -1 stand where a query found fewer. Scores of one ranking
are comparable with each other, and with nothing else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Iterable, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

#: by so much, relative to the last score that a reranker gave, the documents it did not read stand below it
BELOW = 1e-6

Key = TypeVar("Key", bound=Hashable)
Rows = NDArray[np.int64]
Scores = NDArray[np.float64]


def fused(rankings: Iterable[Iterable[Key]], k: int, depth: int) -> list[tuple[Key, float]]:
    """Reciprocal rank fusion of one query's rankings; equal scores keep the order of the first ranking."""
    scores: dict[Key, float] = {}
    for ranking in rankings:
        for position, found in enumerate(ranking, start=1):
            scores[found] = scores.get(found, 0.0) + 1.0 / (k + position)
    return sorted(scores.items(), key=lambda item: -item[1])[:depth]


def weighted(
    rankings: Iterable[tuple[Sequence[Key], Scores]], weights: Sequence[float], depth: int
) -> list[tuple[Key, float]]:
    """One query's rankings added by weight, each on the scale from 0 (its last document found) to 1 (its first).

    A document that a ranking does not have gets 0 from it. Where all found score alike, each gets 1. Equal sums keep
    the order of the first ranking.
    """
    sums: dict[Key, float] = {}
    for (ranking, scores), weight in zip(rankings, weights, strict=True):
        for found, score in zip(ranking, on_one_scale(scores).tolist(), strict=True):
            sums[found] = sums.get(found, 0.0) + weight * score
    return sorted(sums.items(), key=lambda item: -item[1])[:depth]


def on_one_scale(scores: Scores) -> Scores:
    """Scores of one query from 0 to 1 (min-max); 1 for each where they do not differ."""
    if not scores.size:
        return scores
    low, high = scores.min(), scores.max()
    return (scores - low) / (high - low) if high > low else np.ones_like(scores)


def reranked(rows: Rows, given: Scores) -> tuple[Rows, Scores]:
    """Rows with the first of them in a reranker's order, the others behind them as they were.

    Equal scores keep the order that was there before.

    Args:
        rows: what was found.
        given: the reranker's scores of the first columns, minus infinity where there is no row.
    """
    top = given.shape[1]
    order = np.argsort(-given, axis=1, kind="stable")
    again, scores = rows.copy(), np.zeros(rows.shape)
    again[:, :top] = np.take_along_axis(rows[:, :top], order, axis=1)
    scores[:, :top] = np.take_along_axis(given, order, axis=1)
    if rows.shape[1] > top > 0:
        last = scores[:, top - 1 : top]
        scores[:, top:] = last - BELOW * np.maximum(np.abs(last), 1.0) * np.arange(1, rows.shape[1] - top + 1)
    scores[again < 0] = 0.0
    return again, scores


def ranked_again(rows: Rows, scores: Scores, again: Scores) -> tuple[Rows, Scores]:
    """Rows with the first of them by other scores of the same documents; those below keep their order, below.

    Args:
        rows: what was found.
        scores: of these.
        again: the other scores of the first columns, minus infinity where there is no row.
    """
    count = again.shape[1]
    order = np.argsort(-again, axis=1, kind="stable")
    first = np.take_along_axis(rows[:, :count], order, axis=1)
    values = np.take_along_axis(again, order, axis=1)
    below = scores[:, count:]
    if below.shape[1]:
        # their scores are of another kind: moved so that the first of them comes just below the last ranked again
        lowest = np.where(first >= 0, values, np.inf).min(axis=1, keepdims=True)
        below = np.nextafter(lowest + (below - scores[:, count - 1 : count]), -np.inf)
    together = np.hstack([np.where(first >= 0, values, 0.0), np.where(rows[:, count:] >= 0, below, 0.0)])
    return np.hstack([first, rows[:, count:]]), together


def with_ties_broken(ranking: list[tuple[str, float]]) -> list[tuple[str, float]]:
    """Documents of exactly equal score in an order of their own, which comes from their ids but does not follow them.

    Nor does it follow the order in which they were read, in which right answers often stand first.
    """
    if len({score for _, score in ranking}) < len(ranking):
        return sorted(
            ranking, key=lambda item: (-item[1], hashlib.sha256(item[0].encode("utf-8", "surrogatepass")).digest())
        )
    return ranking
