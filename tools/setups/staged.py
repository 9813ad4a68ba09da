"""Exact search of a set-up: by its first numbers, in the form they are stored, then once more by the whole vectors.

An index's losses are not in it: those are of Milvus (``tools.evaluate.dense``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from tools.encoders.base import Vectors, cut
from tools.pipeline.forms import Stored
from tools.pipeline.ranking import ranked_again
from tools.retrieval import Rankings, exact
from tools.setups.options import K, Setup

#: pairs of query and document whose vectors are held at once
PAIRS = 16_384

#: the whole vectors, part by part, from the start again at each call
Parts = Callable[[], Iterable[Vectors]]


def search(setup: Setup, parts: Parts, queries: Vectors, depth: int, *, normalise: bool = True) -> Rankings:
    """Rankings by the set-up, as exact as its stored form allows.

    Args:
        setup: what is asked for.
        parts: finished vectors of the documents (cut to `setup.dim`).
        queries: finished vectors of the queries, shape (queries, dimension).
        depth: documents a query.
        normalise: whether the first numbers are brought to unit length again.
    """
    short = beginnings(setup, parts, normalise=normalise)
    form = Stored.fit(setup.store, short())
    asked, factors = form.queries(cut(queries, setup.first, normalise=normalise) if setup.first else queries)
    found = exact(map(form.documents, short()), asked, to_fetch(setup, depth))
    return second_stage(setup, scaled(found, factors), parts, queries, depth)


def beginnings(setup: Setup, parts: Parts, *, normalise: bool) -> Parts:
    """The vectors that the first stage searches."""
    if setup.first is None:
        return parts
    first = setup.first

    def short() -> Iterator[Vectors]:
        for part in parts():
            yield cut(part, first, normalise=normalise)

    return short


def to_fetch(setup: Setup, depth: int) -> int:
    """Documents that the first stage finds for each query."""
    return max(depth, setup.rescore * K)


def scaled(found: Rankings, factors: NDArray[np.float64]) -> Rankings:
    """The rankings with each query's scores times its factor."""
    return Rankings(found.rows, found.scores * factors[:, None])


def second_stage(setup: Setup, found: Rankings, parts: Parts, queries: Vectors, depth: int) -> Rankings:
    """What the first stage found, its best ranked again where the set-up does so, `depth` documents a query."""
    if setup.rescore:
        found = rescored(found, parts(), queries, setup.rescore * K)
    return Rankings(found.rows[:, :depth], found.scores[:, :depth])


def rescored(found: Rankings, parts: Iterable[Vectors], queries: Vectors, count: int) -> Rankings:
    """The first `count` of each query ranked again by inner product; those below keep their order, below.

    Args:
        found: rows count through the parts; -1 where a query found fewer.
        parts: the whole vectors.
        queries: shape (queries, dimension).
        count: how many.
    """
    rows = found.rows[:, :count]
    again = np.full(rows.shape, -np.inf)
    start = 0
    for part in parts:
        of, place = np.nonzero((rows >= start) & (rows < start + len(part)))
        for begin in range(0, len(of), PAIRS):
            q, c = of[begin : begin + PAIRS], place[begin : begin + PAIRS]
            again[q, c] = np.einsum("ij,ij->i", part[rows[q, c] - start], queries[q])
        start += len(part)
    return Rankings(*ranked_again(found.rows, found.scores, again))
