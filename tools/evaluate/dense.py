"""Search by one vector a text, in Milvus."""

from __future__ import annotations

import time

from knowledge.candidate import Leg
from knowledge.wording import say
from tools import encoders, retrieval
from tools.encoding import stream, vectors
from tools.evaluate.session import Search, Searched, Session
from tools.vector_store import VectorStore
from tools.workers import stoppably


def search(leg: Leg, what: Search, session: Session, store: VectorStore | None) -> Searched:
    """Rankings of all queries by inner product."""
    assert store
    resolved = session.resolved[leg]
    asked = encoders.finish(vectors(resolved, what.queries, "query", session.workspace), leg, resolved)
    size, dimension = len(what.documents), asked.shape[1]
    parts = (
        encoders.finish(part, leg, resolved)
        for part in stoppably(stream(resolved, what.documents, "document", session.workspace))
    )
    begun = indexed = time.perf_counter()
    note = None
    if store.holds(size, dimension):
        with store.streamed(parts, size, dimension) as collection:
            indexed = time.perf_counter()
            rankings = retrieval.Rankings(*collection.search(asked, what.depth))
            done = time.perf_counter()
    else:
        note = say(
            "{rows} vectors of {dimension} numbers are more than Milvus Lite can hold in little memory: they were "
            "searched exactly without it, block by block. A Milvus server (MILVUS_URI) takes them all.",
            rows=size,
            dimension=dimension,
        )
        rankings = retrieval.exact(parts, asked, what.depth)
        done = time.perf_counter()
    return Searched(
        rankings,
        dimension=dimension,
        cost=session.costs[resolved.identity],
        index_seconds=indexed - begun,
        search_seconds=done - indexed,
        note=note,
    )
