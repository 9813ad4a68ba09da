"""One leg of a candidate searched, by what its encoder makes of a text: its rankings and what they cost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext

from knowledge.candidate import Candidate, Leg
from tools.evaluate import dense, words
from tools.evaluate.session import Search, Searched, Session
from tools.vector_store import VectorStore

#: how a leg is searched: `words` for those without an encoder, else by the form of what the encoder makes of a text
WAYS: dict[str, Callable[[Leg, Search, Session, VectorStore | None], Searched]] = {
    "words": words.search,
    "dense": dense.search,
}


def store_for(candidates: Sequence[Candidate], session: Session) -> AbstractContextManager[VectorStore | None]:
    """Milvus, where a candidate has vectors to search."""
    encoded = any(leg in session.resolved for candidate in candidates for leg in candidate.legs)
    return VectorStore(session.workspace) if encoded else nullcontext()


def search(leg: Leg, session: Session, store: VectorStore | None) -> Searched:
    """Rankings of all queries over all documents."""
    way = session.resolved[leg].form if leg in session.resolved else "words"
    what = Search(session.texts("document"), session.texts("query"), session.depth)
    return WAYS[way](leg, what, session, store)
