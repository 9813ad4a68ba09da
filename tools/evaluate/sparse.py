"""Search by weights of vocabulary entries, in Milvus."""

from __future__ import annotations

import time
from itertools import chain

import numpy as np

from knowledge.candidate import Leg
from knowledge.wording import Text, say
from tools import milvus_search, part_scores
from tools.encoding import representations
from tools.evaluate.session import Search, Searched, Session
from tools.milvus_search import weights_of
from tools.stopping import stoppably
from tools.vector_store import VectorStore

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
        with store.sparse(map(weights_of, chain([first], blocks)), round(each * len(what.documents))) as collection:
            indexed = time.perf_counter()
            rankings = milvus_search.sparse(collection, asked, what.depth)
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
