"""Scores of candidates on part of a corpus, from the vectors of those documents alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from knowledge.candidate import Candidate, Leg
from tools import encoders, retrieval
from tools.adaptive.pools import Rows
from tools.bm25 import BM25Index
from tools.encoders import Resolved, Vectors
from tools.metrics import judgments as labels
from tools.metrics import scoring
from tools.retrieval import Rankings
from tools.statistics import Scores

#: documents ranked by words per query; what a pool holds of them is left when the rest is dropped
WORDS_DEPTH = 2_000
#: numbers held at once while searching
_BLOCK = 20_000_000


@dataclass
class Known:
    """An encoder's vectors so far: of the first queries, and of some documents."""

    resolved: Resolved
    rows: Rows
    documents: Vectors
    queries: Vectors


@dataclass
class Bench:
    """Searches and scores; keeps the word searches, which cost nothing to speak of."""

    ids: list[str]
    texts: list[str]
    queries: list[str]
    query_texts: list[str]
    judgments: Mapping[str, Mapping[str, int]]
    own: Mapping[str, frozenset[str]]
    metric: str
    depth: int
    _words: dict[Leg, NDArray[np.int64]] = field(default_factory=dict)

    def scores(
        self, candidate: Candidate, known: Mapping[Leg, Known], asked: int, rows: Rows, *, only_these: bool = False
    ) -> Scores:
        """Per-query scores in the primary metric of the first `asked` queries, among these rows only.

        With `only_these`, relevant documents elsewhere do not count as missed.
        """
        rankings = self.rank(candidate, known, asked, rows)
        ties = isinstance(candidate, Leg)
        names = self.queries[:asked]
        deep = scoring.depth_of([self.metric]) or self.depth  # what stands below a metric's cut-off changes nothing
        by_query = {
            query: labels.settled(
                [(self.ids[row], score) for row, score in zip(found, of, strict=True) if row >= 0],
                self.own.get(query, frozenset()),
                break_ties=ties,
            )[:deep]
            for query, found, of in zip(names, rankings.rows.tolist(), rankings.scores.tolist(), strict=True)
        }
        judged = {query: self.judgments[query] for query in names}
        if only_these:
            here = {self.ids[row] for row in rows.tolist()}
            judged = {query: {d: grade for d, grade in of.items() if d in here} for query, of in judged.items()}
        scores = scoring.score(by_query, judged, [self.metric])[self.metric]
        return np.array([scores[q] for q in names])

    def rank(self, candidate: Candidate, known: Mapping[Leg, Known], asked: int, rows: Rows) -> Rankings:
        """The rankings themselves; rows are those of the whole corpus."""
        of_leg = {
            leg: self._by_words(leg, asked, rows)
            if leg.backend == "bm25"
            else self._dense(leg, known[leg], asked, rows)
            for leg in candidate.legs
        }
        return retrieval.rank(candidate, of_leg, self.depth)

    def _by_words(self, leg: Leg, asked: int, rows: Rows) -> Rankings:
        if leg not in self._words:
            index = BM25Index(self.texts, leg)
            self._words[leg] = index.search(self.query_texts, max(WORDS_DEPTH, self.depth))[0]
        inside = np.zeros(len(self.ids) + 1, bool)  # the last place is that of row -1: nothing found
        inside[rows] = True
        found = np.full((asked, self.depth), -1, np.int64)
        for query, ranked in enumerate(self._words[leg][:asked]):
            kept = ranked[inside[ranked]][: self.depth]
            found[query, : len(kept)] = kept
        return Rankings(found, np.where(found >= 0, -np.arange(self.depth, dtype=np.float64), 0.0))

    def _dense(self, leg: Leg, known: Known, asked: int, rows: Rows) -> Rankings:
        where = np.searchsorted(known.rows, rows)
        stored = encoders.finish(known.documents[where], leg, known.resolved)
        queries = encoders.finish(known.queries[:asked], leg, known.resolved)
        depth = min(self.depth, len(rows))
        found, best = np.empty((asked, depth), np.int64), np.empty((asked, depth))
        step = max(_BLOCK // max(len(rows), 1), 1)
        for start in range(0, asked, step):
            likeness = queries[start : start + step] @ stored.T
            top = np.argpartition(-likeness, depth - 1, axis=1)[:, :depth]
            scores = np.take_along_axis(likeness, top, axis=1)
            order = np.argsort(-scores, axis=1, kind="stable")
            found[start : start + step] = rows[np.take_along_axis(top, order, axis=1)]
            best[start : start + step] = np.take_along_axis(scores, order, axis=1)
        return Rankings(found, best)
