"""Documents that were found, scored anew by what reads them together with the query."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from knowledge.candidate import Leg
from knowledge.progress import Meter
from knowledge.wording import Text, say
from tools.encoding import Cost, ensure, vectors
from tools.evaluate.session import Session
from tools.pairs import as_text


@dataclass(frozen=True)
class Scored:
    """What one reranking cost.

    Attributes:
        pairs: of a query and a document (or chunk), whether scored now or found in the cache.
        notes: what the user should know about it.
    """

    pairs: int
    cost: Cost
    seconds: float
    notes: tuple[Text, ...] = ()


class Reranker:
    """`tools.retrieval.Rescore` of one candidate; `scored` tells what it cost."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.scored: list[Scored] = []

    def __call__(self, leg: Leg, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Scores of these documents, shape of `rows`; of a document that the leg cuts, its best chunk's."""
        session, resolved = self._session, self._session.resolved[leg]
        begun = time.perf_counter()
        found = np.full(rows.shape, -np.inf)
        places = np.argwhere(rows >= 0)
        read = self._read(leg)
        queries = session.texts("query")
        pairs, owners = [], []
        for at, (q, place) in enumerate(places.tolist()):
            for text in read[rows[q, place]]:
                pairs.append(as_text(queries[q], text))
                owners.append(at)
        if not pairs:
            return found
        distinct = list(dict.fromkeys(pairs))
        meter = Meter("evaluate", say("Re-ranking"), sum(map(len, distinct)), session.on_progress)
        cost = ensure(resolved, {"document": distinct}, session.workspace, meter.advance)
        scores, was_cut = vectors(resolved, pairs, "document", session.workspace).T
        best = np.full(len(places), -np.inf)
        np.maximum.at(best, owners, scores)
        found[tuple(places.T)] = best
        cut = float(was_cut.mean())
        notes = [say("{spec} scored {pairs} pairs of a query and a document.", spec=leg.spec, pairs=len(distinct))]
        if cut:
            notes.append(
                say(
                    "{share:.1%} of these pairs are longer than {spec} reads: it saw their beginnings only.",
                    share=cut,
                    spec=leg.spec,
                )
            )
        self.scored.append(Scored(len(distinct), cost, time.perf_counter() - begun, tuple(notes)))
        return found

    def _read(self, leg: Leg) -> list[list[str]]:
        """What there is to read of each document."""
        documents, chunks = self._session.texts("document"), self._session.chunks(leg)
        if chunks is None:
            return [[text] for text in documents]
        read: list[list[str]] = [[] for _ in documents]
        for owner, text in zip(chunks.owners.tolist(), chunks.texts, strict=True):
            read[owner].append(text)
        return read
