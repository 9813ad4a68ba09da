"""The first documents of all candidates, query by query, and what is known of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: of each query so many documents of each candidate are looked at; the run store keeps as many
DEPTH = 10

Rankings = Mapping[str, Sequence[str]]
Judgments = Mapping[str, Mapping[str, int]]
Pair = tuple[str, str]


@dataclass(frozen=True)
class Pool:
    """What the candidates found, as arrays; padded where a query's documents are fewer than another's.

    Attributes:
        specs: the candidates.
        queries: ids.
        documents: of each query, the ids of what any candidate found among its first `DEPTH`.
        places: of each document in each candidate's ranking, from 1; 0: not among the first. Shape (candidates,
            queries, documents).
        gains: grades of what is judged, else 0. Shape (queries, documents).
        unknown: what nobody has judged, nor was asked about in vain.
        relevant: how many relevant documents are known of each query, found or not.
        grades: their grades.
    """

    specs: tuple[str, ...]
    queries: tuple[str, ...]
    documents: tuple[tuple[str, ...], ...]
    places: NDArray[np.int64]
    gains: NDArray[np.float64]
    unknown: NDArray[np.bool_]
    relevant: NDArray[np.int64]
    grades: tuple[tuple[int, ...], ...]

    def pair(self, row: int, column: int) -> Pair:
        """Ids of the query and the document there."""
        return self.queries[row], self.documents[row][column]

    @property
    def real(self) -> NDArray[np.bool_]:
        """Where there is a document at all."""
        counts = np.array([len(found) for found in self.documents])
        return np.arange(self.unknown.shape[1]) < counts[:, None]


def make_pool(found: Mapping[str, Rankings], judgments: Judgments, unsure: AbstractSet[Pair] = frozenset()) -> Pool:
    """The pool of these candidates.

    Args:
        found: spec -> query id -> document ids, best first.
        judgments: query id -> document id -> grade, of documents that exist.
        unsure: pairs that somebody was asked about and could not tell: they count as they did before, not relevant.
    """
    specs = tuple(found)
    queries = tuple(dict.fromkeys(query for rankings in found.values() for query in rankings))
    documents = tuple(
        tuple(dict.fromkeys(d for rankings in found.values() for d in rankings.get(query, ())[:DEPTH]))
        for query in queries
    )
    width = max(map(len, documents), default=0)
    shape = (len(queries), width)
    places = np.zeros((len(specs), *shape), np.int64)
    gains, unknown = np.zeros(shape), np.zeros(shape, np.bool_)
    grades = []
    for row, (query, pooled) in enumerate(zip(queries, documents, strict=True)):
        judged = judgments.get(query, {})
        grades.append(tuple(grade for grade in judged.values() if grade > 0))
        column = {document: i for i, document in enumerate(pooled)}
        for document, i in column.items():
            gains[row, i] = max(judged.get(document, 0), 0)
            unknown[row, i] = document not in judged and (query, document) not in unsure
        for c, spec in enumerate(specs):
            for place, document in enumerate(found[spec].get(query, ())[:DEPTH], start=1):
                places[c, row, column[document]] = place
    relevant = np.array([len(known) for known in grades], np.int64)
    return Pool(specs, queries, documents, places, gains, unknown, relevant, tuple(grades))
