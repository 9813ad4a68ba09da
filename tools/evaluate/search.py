"""One leg of a candidate searched, by what its encoder makes of a text: its rankings and what they cost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace

from knowledge.candidate import Candidate, Leg
from tools import retrieval
from tools.evaluate import dense, parts, sparse, words
from tools.evaluate.session import Search, Searched, Session
from tools.vector_store import VectorStore

#: how a leg is searched: `words` for those without an encoder, else by the form of what the encoder makes of a text
WAYS: dict[str, Callable[[Leg, Search, Session, VectorStore | None], Searched]] = {
    "words": words.search,
    "dense": dense.search,
    "sparse": sparse.search,
    "multi": parts.search,
    "mixed": parts.search,
}


def store_for(candidates: Sequence[Candidate], session: Session) -> AbstractContextManager[VectorStore | None]:
    """Milvus, where a candidate has vectors that it can search."""
    legs = {leg for candidate in candidates for leg in candidate.searched if leg in session.resolved}
    held = any(session.resolved[leg].form in ("dense", "sparse") for leg in legs)
    return VectorStore(session.workspace) if held else nullcontext()


def search(leg: Leg, session: Session, store: VectorStore | None) -> Searched:
    """Rankings of all queries over all documents; of a leg that cuts them by their best chunks."""
    way = WAYS[session.resolved[leg].form if leg in session.resolved else "words"]
    chunks, queries = session.chunks(leg), session.texts("query")
    if chunks is None:
        return way(leg, Search(session.texts("document"), queries, session.depth), session, store)
    found = way(leg, Search(chunks.texts, queries, chunks.enough(session.depth)), session, store)

    def folded(of: retrieval.Rankings) -> retrieval.Rankings:
        return retrieval.Rankings(*chunks.fold(of.rows, of.scores, session.depth))

    return replace(found, rankings=folded(found.rankings), exact=folded(found.exact) if found.exact else None)
