"""Search by words."""

from __future__ import annotations

import time

from knowledge.candidate import Leg
from tools import retrieval
from tools.bm25 import BM25Index
from tools.evaluate.session import Search, Searched, Session
from tools.stopping import unless_stopped
from tools.vector_store import VectorStore


def search(leg: Leg, what: Search, session: Session, store: VectorStore | None) -> Searched:
    """Rankings of all queries by BM25."""
    begun = time.perf_counter()
    index = unless_stopped(lambda: BM25Index(what.documents, leg))
    indexed = time.perf_counter()
    rankings = retrieval.Rankings(*unless_stopped(lambda: index.search(what.queries, what.depth)))
    return Searched(rankings, index_seconds=indexed - begun, search_seconds=time.perf_counter() - indexed)
