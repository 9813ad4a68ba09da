"""Scores of candidates on part of a corpus, from the vectors of those documents alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
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
from tools.setups import setup_of, staged
from tools.statistics import Scores

#: documents ranked by words per query; what a pool holds of them is left when the rest is dropped
WORDS_DEPTH = 2_000
#: documents whose vectors are held at once while searching
BLOCK = 8_192


@dataclass
class Known:
    """What an encoder has read so far: the first queries, and some documents.

    Attributes:
        rows: of these documents.
        read: their vectors, fetched when they are needed: memory need not hold those of all encoders at once.
    """

    resolved: Resolved
    rows: Rows
    read: Callable[[Rows], Vectors]
    queries: Vectors


@dataclass
class Bench:
    """Searches and scores; keeps the word searches, which cost nothing to speak of.

    Attributes:
        queries: one of each text.
        same: of these, the ids of all queries with its text (itself among them), where there are others.
    """

    ids: list[str]
    texts: list[str]
    queries: list[str]
    query_texts: list[str]
    judgments: Mapping[str, Mapping[str, int]]
    own: Mapping[str, frozenset[str]]
    metric: str
    depth: int
    same: Mapping[str, Sequence[str]] = field(default_factory=dict)
    _words: dict[Leg, tuple[NDArray[np.int64], NDArray[np.float64]]] = field(default_factory=dict)

    @property
    def most(self) -> float:
        """The largest score of a query."""
        return self._scale * max((len(self.same.get(q, (q,))) for q in self.queries), default=1)

    @property
    def _scale(self) -> float:
        """Texts per query: with it, the mean over texts is that over all queries (as `tools.statistics.by_text`)."""
        return len(self.queries) / max(sum(len(self.same.get(q, (q,))) for q in self.queries), 1)

    def scores(
        self, candidate: Candidate, known: Mapping[Leg, Known], asked: int, rows: Rows, *, only_these: bool = False
    ) -> Scores:
        """Per-query scores in the primary metric of the first `asked` queries, among these rows only.

        Queries of the same text are scored by their own judgments and weigh as much together as they all do.
        With `only_these`, relevant documents elsewhere do not count as missed.
        """
        rankings = self.rank(candidate, known, asked, rows)
        return self.scores_of(rankings, candidate, asked, rows if only_these else None)

    def scores_of(self, rankings: Rankings, candidate: Candidate, asked: int, only: Rows | None = None) -> Scores:
        """`scores` of rankings that are there already; `only` these rows' documents count as relevant."""
        ties = isinstance(candidate, Leg)
        names = self.queries[:asked]
        deep = scoring.depth_of([self.metric]) or self.depth  # what stands below a metric's cut-off changes nothing
        by_query = {
            query: labels.settled(
                [(self.ids[row], score) for row, score in zip(found, of, strict=True) if row >= 0],
                self.own.get(query, frozenset()),
                break_ties=ties,
            )[:deep]
            for name, found, of in zip(names, rankings.rows.tolist(), rankings.scores.tolist(), strict=True)
            for query in self.same.get(name, (name,))
        }
        judged = {query: self.judgments[query] for query in by_query}
        if only is not None:
            here = {self.ids[row] for row in only.tolist()}
            judged = {query: {d: grade for d, grade in of.items() if d in here} for query, of in judged.items()}
        scores = scoring.score(by_query, judged, [self.metric])[self.metric]
        return np.array([self._scale * sum(scores[q] for q in self.same.get(name, (name,))) for name in names])

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
            self._words[leg] = index.search(self.query_texts, max(WORDS_DEPTH, self.depth))
        inside = np.zeros(len(self.ids) + 1, bool)  # the last place is that of row -1: nothing found
        inside[rows] = True
        found, best = np.full((asked, self.depth), -1, np.int64), np.zeros((asked, self.depth))
        ranked, scores = self._words[leg]
        for query in range(asked):
            kept = np.flatnonzero(inside[ranked[query]])[: self.depth]
            found[query, : len(kept)] = ranked[query, kept]
            best[query, : len(kept)] = scores[query, kept]
        return Rankings(found, best)

    def _dense(self, leg: Leg, known: Known, asked: int, rows: Rows) -> Rankings:
        def parts() -> Iterator[Vectors]:
            for start in range(0, len(rows), BLOCK):
                yield encoders.finish(known.read(rows[start : start + BLOCK]), leg, known.resolved)

        queries = encoders.finish(known.queries[:asked], leg, known.resolved)
        # what an index loses is for the survivors' evaluation to find
        found = staged.search(setup_of(leg), parts, queries, self.depth, normalise=known.resolved.normalise)
        return Rankings(rows[found.rows], found.scores)
