"""Search by one vector a text, in Milvus: as the leg's set-up has it, or as near to that as this Milvus comes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace

from knowledge.candidate import Leg
from knowledge.errors import ResourceError
from knowledge.wording import Text, say
from tools import encoders, milvus_search
from tools.encoders import Vectors
from tools.encoding import stream, vectors
from tools.evaluate.session import Search, Searched, Session
from tools.milvus_search import DenseSearch
from tools.setups import K, Setup, setup_of
from tools.setups.matryoshka import card_of, not_trained_for
from tools.setups.staged import Parts, beginnings, second_stage, to_fetch
from tools.stopping import stoppably
from tools.vector_store import VectorStore


def search(leg: Leg, what: Search, session: Session, store: VectorStore | None) -> Searched:
    """Rankings of all queries by inner product; without a store exactly, whatever index is asked for.

    Raises:
        SpecError: the first stage is no shorter than the vectors.
        ResourceError: an index is asked for over more vectors than Milvus Lite holds.
    """
    setup, resolved = setup_of(leg), session.resolved[leg]
    asked = encoders.finish(vectors(resolved, what.queries, "query", session.workspace), leg, resolved)
    dimension = asked.shape[1]

    def parts() -> Iterator[Vectors]:
        for part in stoppably(stream(resolved, what.documents, "document", session.workspace)):
            yield encoders.finish(part, leg, resolved)

    short = beginnings(setup, parts, normalise=resolved.normalise)
    first = encoders.cut(asked, setup.first, normalise=resolved.normalise) if setup.first else asked
    stage = _FirstStage(store, setup, short, first, len(what.documents), to_fetch(setup, what.depth))
    found = stage.approximate(leg, store) if setup.index and store else stage.compare_all()
    begun = time.perf_counter()
    rankings = second_stage(setup, found.rankings, parts, asked, what.depth)
    again = time.perf_counter() - begun if setup.rescore else 0.0
    exact = found.exact and second_stage(setup, found.exact, parts, asked, what.depth)
    return replace(
        found,
        rankings=rankings,
        exact=exact,
        dimension=dimension,
        cost=session.costs[resolved.identity],
        search_seconds=found.search_seconds + again,
        notes=(*found.notes, *_notes(leg, setup, session)),
    )


def _notes(leg: Leg, setup: Setup, session: Session) -> Iterator[Text]:
    yield from not_trained_for(leg, card_of(leg, session.workspace))
    if setup.rescore:
        yield say(
            "The best {count} documents of each query were ranked again by the whole vectors, as for {k} results.",
            count=setup.rescore * K,
            k=K,
        )


@dataclass(frozen=True)
class _FirstStage:
    """What is searched before anything is ranked again: vectors of documents and queries, so many documents deep."""

    store: VectorStore | None
    setup: Setup
    parts: Parts
    queries: Vectors
    size: int
    depth: int

    def compare_all(self) -> Searched:
        """Every document compared: in Milvus where it has the form of vectors, and room; else here."""
        setup, store, dimension = self.setup, self.store, self.queries.shape[1]
        if store is None:
            return self._here()
        if not store.native(setup.store):
            note = say(
                "store={store} was simulated: {milvus} has no such vectors. They were rounded to it and every one "
                "compared, as a store that has them does.",
                store=setup.store,
                milvus="Milvus Lite" if store.is_lite else "this Milvus",
            )
            return replace(self._here(), notes=(note,))
        if store.holds(self.size, dimension):
            return self._in_milvus(store)
        note = say(
            "{rows} vectors of {dimension} numbers are more than Milvus Lite can hold in little memory: they were "
            "searched exactly without it, block by block. A Milvus server (MILVUS_URI) takes them all.",
            rows=self.size,
            dimension=dimension,
        )
        return replace(self._here(), notes=(note,))

    def approximate(self, leg: Leg, store: VectorStore) -> Searched:
        """By an index in Milvus; beside it exactly, so that what the index loses is not taken for the model's error.

        Raises:
            ResourceError: Milvus Lite cannot hold the vectors.
        """
        if not store.holds(self.size, self.queries.shape[1]):
            raise ResourceError(
                say(
                    "{spec} asks for an index over {rows} vectors of {dimension} numbers, more than Milvus Lite holds.",
                    spec=leg.spec,
                    rows=self.size,
                    dimension=self.queries.shape[1],
                ),
                say("Set MILVUS_URI to a Milvus server, or leave the index out: its loss grows slowly."),
            )
        return replace(self._in_milvus(store), exact=self._here().rankings)

    def _in_milvus(self, store: VectorStore) -> Searched:
        dimension = self.queries.shape[1]
        with _timed(milvus_search.dense(store, self.setup, self.parts, self.size, dimension)) as opened:
            found = Searched(opened.search(self.queries, self.depth))
            return replace(found, index_seconds=opened.seconds, search_seconds=opened.since())

    def _here(self) -> Searched:
        begun = time.perf_counter()
        found = milvus_search.in_memory(self.setup, self.parts)(self.queries, self.depth)
        return Searched(found, search_seconds=time.perf_counter() - begun)


@dataclass
class _Opened:
    """A filled collection, how long it took to fill, and the time since."""

    search: DenseSearch
    seconds: float
    since: Callable[[], float]


@contextmanager
def _timed(opening: AbstractContextManager[DenseSearch]) -> Iterator[_Opened]:
    begun = time.perf_counter()
    with opening as search:
        filled = time.perf_counter()
        yield _Opened(search, filled - begun, lambda: time.perf_counter() - filled)
