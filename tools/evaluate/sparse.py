"""Search by weights of vocabulary entries, in Milvus."""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import chain

import numpy as np

from knowledge.candidate import Leg
from knowledge.wording import Text, say
from tools import part_scores, retrieval
from tools.encoding import representations
from tools.evaluate.session import Search, Searched, Session
from tools.milvus_collection import Collection, Weights
from tools.representations import Representation
from tools.vector_store import VectorStore
from tools.workers import stoppably

#: documents handed over at a time
BLOCK = 2048


def search(leg: Leg, what: Search, session: Session, store: VectorStore | None) -> Searched:
    """Rankings of all queries by inner product; a document that shares no entry with the query is not found."""
    assert store
    resolved = session.resolved[leg]
    asked = [of for block in representations(resolved, what.queries, "query", session.workspace) for of in block]
    blocks = stoppably(representations(resolved, what.documents, "document", session.workspace, BLOCK))
    first = next(blocks, [])
    each = float(np.mean([of.nbytes(["sparse"]) for of in first])) if first else 0.0
    begun = indexed = time.perf_counter()
    notes: tuple[Text, ...] = ()
    if store.holds(len(what.documents), round(each / 4)):
        with store.sparse(map(_weights, chain([first], blocks)), round(each * len(what.documents))) as collection:
            indexed = time.perf_counter()
            rankings = _found(collection, asked, what.depth)
            done = time.perf_counter()
    else:
        notes = (
            say(
                "{rows} texts with {entries:.0f} weights each are more than Milvus Lite can hold in little memory: "
                "they were searched exactly without it, block by block. A Milvus server (MILVUS_URI) takes them all.",
                rows=len(what.documents),
                entries=each / 8,
            ),
        )
        rankings = part_scores.exact(asked, chain([first], blocks), what.depth, resolved.parts)
        done = time.perf_counter()
    return Searched(
        rankings,
        cost=session.costs[resolved.identity],
        index_seconds=indexed - begun,
        search_seconds=done - indexed,
        notes=notes,
    )


def _weights(of: Sequence[Representation]) -> list[Weights]:
    return [dict(zip(one.ids.tolist(), one.weights.tolist(), strict=True)) for one in of]


def _found(collection: Collection, asked: Sequence[Representation], depth: int) -> retrieval.Rankings:
    """Rankings of all queries; those without any weight find nothing, and Milvus is not asked about them."""
    speaking = [row for row, of in enumerate(asked) if len(of.ids)]
    rows, scores = collection.search(_weights([asked[row] for row in speaking]), depth)
    found = retrieval.Rankings(
        np.full((len(asked), rows.shape[1]), -1, np.int64), np.zeros((len(asked), rows.shape[1]))
    )
    found.rows[speaking], found.scores[speaking] = rows, scores
    return found
