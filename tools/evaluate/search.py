"""One leg of a candidate searched: its rankings and what they cost."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext

from knowledge.candidate import Candidate, Leg
from knowledge.wording import say
from tools import encoders, retrieval
from tools.bm25 import BM25Index
from tools.encoding import stream, vectors
from tools.evaluate.session import Searched, Session
from tools.vector_store import VectorStore
from tools.workers import stoppably, unless_stopped


def store_for(candidates: Sequence[Candidate], session: Session) -> AbstractContextManager[VectorStore | None]:
    """Milvus, where a candidate has vectors to search."""
    dense = any(leg in session.resolved for candidate in candidates for leg in candidate.legs)
    return VectorStore(session.workspace) if dense else nullcontext()


def search(leg: Leg, session: Session, store: VectorStore | None) -> Searched:
    """Rankings of all queries, by words or by vectors."""
    return _search_words(leg, session) if leg.backend == "bm25" else _search_vectors(leg, session, store)


def _search_words(leg: Leg, session: Session) -> Searched:
    begun = time.perf_counter()
    index = unless_stopped(lambda: BM25Index(session.texts("document"), leg))
    indexed = time.perf_counter()
    rankings = retrieval.Rankings(*unless_stopped(lambda: index.search(session.texts("query"), session.depth)))
    return Searched(rankings, index_seconds=indexed - begun, search_seconds=time.perf_counter() - indexed)


def _search_vectors(leg: Leg, session: Session, store: VectorStore | None) -> Searched:
    assert store
    resolved = session.resolved[leg]
    documents = session.texts("document")
    asked = encoders.finish(vectors(resolved, session.texts("query"), "query", session.workspace), leg, resolved)
    size, dimension = len(documents), asked.shape[1]
    parts = (
        encoders.finish(part, leg, resolved)
        for part in stoppably(stream(resolved, documents, "document", session.workspace))
    )
    begun = indexed = time.perf_counter()
    note = None
    if store.holds(size, dimension):
        with store.streamed(parts, size, dimension) as collection:
            indexed = time.perf_counter()
            rankings = retrieval.Rankings(*collection.search(asked, session.depth))
            done = time.perf_counter()
    else:
        note = say(
            "{rows} vectors of {dimension} numbers are more than Milvus Lite can hold in little memory: they were "
            "searched exactly without it, block by block. A Milvus server (MILVUS_URI) takes them all.",
            rows=size,
            dimension=dimension,
        )
        rankings = retrieval.exact(parts, asked, session.depth)
        done = time.perf_counter()
    return Searched(
        rankings,
        dimension=dimension,
        cost=session.costs[resolved.identity],
        index_seconds=indexed - begun,
        search_seconds=done - indexed,
        note=note,
    )
