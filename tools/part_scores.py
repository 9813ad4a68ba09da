"""Similarities of representations: weights of entries, vectors of tokens (MaxSim), texts' vectors, and their sums."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tools import retrieval
from tools.representations import Representation

#: figures of one product of tokens with tokens (64 MB)
FIGURES = 2**24


def exact(
    queries: Sequence[Representation],
    blocks: Iterable[Sequence[Representation]],
    depth: int,
    parts: Mapping[str, float],
) -> retrieval.Rankings:
    """Rankings by the parts' similarities, each times its weight, added.

    By weights of entries alone, a document that shares none with the query is not found: rows of -1 follow.
    """
    asked = Asked.of(queries)
    found = retrieval.best_of((scores(asked, block, parts) for block in blocks), len(queries), depth)
    if set(parts) != {"sparse"}:
        return found
    return retrieval.Rankings(np.where(found.scores > 0, found.rows, -1), np.maximum(found.scores, 0.0))


@dataclass(frozen=True)
class Asked:
    """The queries, put together once.

    Attributes:
        dense: shape (queries, dimension).
        entries: weights of entries, a sparse matrix of a row for each.
        tokens: of all queries, one after the other's, shape (tokens, dimension).
        counts: how many of them each query has.
    """

    queries: Sequence[Representation]
    dense: NDArray[np.float32]
    entries: Any
    tokens: NDArray[np.float32]
    counts: NDArray[np.int64]

    @classmethod
    def of(cls, queries: Sequence[Representation]) -> Asked:
        """From what the encoder made of them."""
        return cls(queries, _stacked(queries), as_rows(queries), *_joined(queries))


def scores(asked: Asked, documents: Sequence[Representation], parts: Mapping[str, float]) -> NDArray[np.float32]:
    """Of each query (row) and document (column)."""
    found = np.zeros((len(asked.queries), len(documents)), np.float32)
    if parts.get("dense"):
        found += np.float32(parts["dense"]) * (asked.dense @ _stacked(documents).T)
    if parts.get("sparse"):
        shared = (asked.entries @ as_rows(documents, asked.entries.shape[1]).T).toarray()
        found += np.float32(parts["sparse"]) * shared
    if parts.get("multi"):
        found += np.float32(parts["multi"]) * max_sim(asked.tokens, asked.counts, *_joined(documents))
    return found


def max_sim(
    asked: NDArray[np.float32],
    asked_counts: NDArray[np.int64],
    stored: NDArray[np.float32],
    stored_counts: NDArray[np.int64],
) -> NDArray[np.float32]:
    """For each query and document: the largest similarity of each query token to a document's token, their mean.

    Khattab & Zaharia (SIGIR 2020) take the sum, which orders a query's documents alike. Without tokens on either side
    it is 0.

    Args:
        asked: tokens of all queries, shape (tokens, dimension).
        asked_counts: how many each query has.
        stored: tokens of all documents.
        stored_counts: how many each document has.
    """
    found = np.zeros((len(asked_counts), len(stored_counts)), np.float32)
    full, asking = np.flatnonzero(stored_counts), np.flatnonzero(asked_counts)
    if not len(full) or not len(asking):
        return found
    starts = np.cumsum(stored_counts)[full] - stored_counts[full]
    largest = np.empty((len(asked), len(full)), np.float32)
    step = max(FIGURES // max(len(stored), 1), 1)
    for start in range(0, len(asked), step):
        similar = asked[start : start + step] @ stored.T
        largest[start : start + step] = np.maximum.reduceat(similar, starts, axis=1)
    begins = np.cumsum(asked_counts)[asking] - asked_counts[asking]
    sums = np.add.reduceat(largest, begins, axis=0)
    found[np.ix_(asking, full)] = sums / asked_counts[asking][:, None]
    return found


def _stacked(of: Sequence[Representation]) -> NDArray[np.float32]:
    return np.stack([one.dense for one in of]) if len(of) else np.zeros((0, 0), np.float32)


def _joined(of: Sequence[Representation]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Tokens of all, and how many each has."""
    counts = np.array([len(one.tokens) for one in of], np.int64)
    some = [one.tokens for one in of if len(one.tokens)]
    return (np.concatenate(some).astype(np.float32) if some else np.zeros((0, 0), np.float32)), counts


def as_rows(of: Sequence[Representation], width: int | None = None) -> Any:
    """Weights as a sparse matrix, one row each; entries from `width` on, which no query has, are left out."""
    from scipy.sparse import csr_array

    ids = np.concatenate([np.zeros(0, np.int32), *(one.ids for one in of)])
    weights = np.concatenate([np.zeros(0, np.float32), *(one.weights for one in of)])
    rows = np.repeat(np.arange(len(of)), [len(one.ids) for one in of])
    if width is None:
        width = int(ids.max()) + 1 if len(ids) else 1
    kept = ids < width
    return csr_array((weights[kept], (rows[kept], ids[kept])), shape=(len(of), width))
