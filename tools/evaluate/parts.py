"""Search by a vector for each token (MaxSim), alone or added to a text's vector and its weights of entries."""

from __future__ import annotations

import time

from knowledge.candidate import Leg
from tools import part_scores
from tools.encoding import representations
from tools.evaluate.session import Search, Searched, Session
from tools.stopping import stoppably
from tools.vector_store import VectorStore

#: documents compared at a time
BLOCK = 256


def search(leg: Leg, what: Search, session: Session, store: VectorStore | None) -> Searched:
    """Rankings of all queries over all documents, each pair compared, block by block."""
    resolved = session.resolved[leg]
    asked = [of for block in representations(resolved, what.queries, "query", session.workspace) for of in block]
    stored = representations(resolved, what.documents, "document", session.workspace, BLOCK)
    begun = time.perf_counter()
    found = part_scores.exact(asked, stoppably(stored), what.depth, resolved.parts)
    lengths = {
        "dense": max((len(of.dense) for of in asked), default=0),
        "multi": max((of.tokens.shape[1] for of in asked), default=0),
    }
    return Searched(
        found,
        dimension=max((lengths.get(part, 0) for part in resolved.parts), default=0) or None,
        cost=session.costs[resolved.identity],
        search_seconds=time.perf_counter() - begun,
    )
