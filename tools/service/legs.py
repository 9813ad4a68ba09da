"""Legs as a service holds them: a batch of queries is encoded, then searched, in Milvus wherever it can be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, cast

from knowledge.candidate import Leg
from knowledge.wording import Text, say
from tools import chunking, encoders, milvus_search, part_scores, retrieval
from tools.bm25 import BM25Index
from tools.encoders import Encoder, Resolved, Vectors
from tools.encoders.base import Tokenises
from tools.representation_cache import RepresentationCache
from tools.representations import Representation
from tools.retrieval import Rankings
from tools.service.stages import Stages
from tools.setups import setup_of
from tools.setups.staged import beginnings, second_stage, to_fetch
from tools.vector_cache import VectorCache
from tools.vector_store import VectorStore

#: vectors handed over to Milvus at a time
BLOCK = 8192


class ServedLeg(Protocol):
    """A leg that answers.

    Attributes:
        notes: what the user should know of how it searches.
    """

    notes: tuple[Text, ...]

    def encode(self, queries: Sequence[str], stages: Stages) -> Any:
        """What it searches by, of each query."""
        ...

    def search(self, asked: Any, depth: int, stages: Stages) -> Rankings:
        """The best `depth` documents of each query."""
        ...


@dataclass(frozen=True)
class Opened:
    """What legs are opened with.

    Attributes:
        store: Milvus; None: every document is compared in memory.
        cache: folder of the vector cache, where the documents' vectors are.
        until: closes collections at its end.
    """

    store: VectorStore | None
    cache: Path
    until: ExitStack


def opened(
    leg: Leg, resolved: Resolved | None, encoder: Encoder | None, documents: Sequence[str], with_: Opened
) -> ServedLeg:
    """A leg over these documents, or over the chunks it cuts them into; their vectors are in the cache already."""
    rules = chunking.rules_of(leg)
    if rules is None:
        return _whole(leg, resolved, encoder, documents, with_)
    chunks = chunking.cut(documents, rules)
    return _Chunked(_whole(leg, resolved, encoder, chunks.texts, with_), chunks)


def _whole(
    leg: Leg, resolved: Resolved | None, encoder: Encoder | None, documents: Sequence[str], with_: Opened
) -> ServedLeg:
    if resolved is None or encoder is None:
        return _Lexical(leg, documents)
    return (_Parts if resolved.parts else _Dense)(leg, resolved, encoder, documents, with_)


def _encoded(encoder: Encoder, queries: Sequence[str], stages: Stages) -> Any:
    """What an encoder makes of queries; tokenising and forward pass apart where the encoder tells them apart."""
    part = Stages()
    before = encoder.tokenise_seconds if isinstance(encoder, Tokenises) else 0.0
    with part.stage("encode"):
        made = encoder.embed(list(queries), kind="query")
    seconds = part.ms["encode"] / 1000
    if isinstance(encoder, Tokenises):
        tokenising = encoder.tokenise_seconds - before
        stages.add("tokenise", tokenising)
        stages.add("forward", max(seconds - tokenising, 0.0))
    else:
        stages.add("encode", seconds)
    return made


class _Dense:
    """One vector a text."""

    def __init__(self, leg: Leg, resolved: Resolved, encoder: Encoder, documents: Sequence[str], with_: Opened) -> None:
        self._leg, self._resolved, self._encoder, self._setup = leg, resolved, encoder, setup_of(leg)
        cache, normalise = VectorCache(with_.cache, resolved.key("document")), resolved.normalise
        finished = encoders.finish(cache.get(documents), leg, resolved)

        def parts() -> Iterator[Vectors]:
            for start in range(0, len(finished), BLOCK):
                yield finished[start : start + BLOCK]

        self._parts = parts
        short = beginnings(self._setup, parts, normalise=normalise)
        dimension, store = self._setup.first or finished.shape[1], with_.store
        self._where = "scan"
        self.notes: tuple[Text, ...] = (COMPARED,) if store is None else (SCANNED,)
        if store is not None and store.native(self._setup.store) and store.holds(len(documents), dimension):
            self._where = "milvus"
            opening = milvus_search.dense(store, self._setup, short, len(documents), dimension, settled=True)
            self._search = with_.until.enter_context(opening)
            self.notes = (LITE,) if store.is_lite else ()
        else:
            self._search = milvus_search.in_memory(self._setup, short)

    def encode(self, queries: Sequence[str], stages: Stages) -> Vectors:
        return encoders.finish(_encoded(self._encoder, queries, stages), self._leg, self._resolved)

    def search(self, asked: Vectors, depth: int, stages: Stages) -> Rankings:
        setup = self._setup
        with stages.stage(self._where):
            first = encoders.cut(asked, setup.first, normalise=self._resolved.normalise) if setup.first else asked
            found = self._search(first, to_fetch(setup, depth))
        if not setup.rescore:
            return Rankings(found.rows[:, :depth], found.scores[:, :depth])
        with stages.stage("scan"):
            return second_stage(setup, found, self._parts, asked, depth)


class _Parts:
    """Weights of vocabulary entries, searched in Milvus; or several vectors a text, each pair compared in memory."""

    def __init__(self, leg: Leg, resolved: Resolved, encoder: Encoder, documents: Sequence[str], with_: Opened) -> None:
        self._encoder = cast(Any, encoder)  # it gives representations, which `Encoder.embed` does not name
        self._parts = resolved.parts
        self._documents: list[Representation] = RepresentationCache(with_.cache, resolved.key("document")).get(
            documents
        )
        size = sum(of.nbytes(["sparse"]) for of in self._documents)
        self._collection = None
        store = with_.store
        self.notes: tuple[Text, ...] = (COMPARED,) if store is None else (SCANNED,)
        if store is not None and set(self._parts) == {"sparse"} and store.holds(1, size // 4):
            blocks = [milvus_search.weights_of(self._documents)]
            filled = with_.until.enter_context(store.sparse(blocks, size))
            speaking = next(([of] for of in blocks[0] if of), None)  # Milvus is not asked for nothing
            self._collection = filled.settled(speaking) if speaking else filled
            self.notes = (LITE,) if store.is_lite else ()

    def encode(self, queries: Sequence[str], stages: Stages) -> list[Representation]:
        made: list[Representation] = _encoded(self._encoder, queries, stages)
        return made

    def search(self, asked: list[Representation], depth: int, stages: Stages) -> Rankings:
        if self._collection is not None:
            with stages.stage("milvus"):
                return milvus_search.sparse(self._collection, asked, depth)
        with stages.stage("scan"):
            compared = part_scores.scores(part_scores.Asked.of(asked), self._documents, self._parts)
            return retrieval.best_of([compared], len(asked), depth)


class _Lexical:
    """BM25 over the documents."""

    notes: tuple[Text, ...] = ()

    def __init__(self, leg: Leg, documents: Sequence[str]) -> None:
        self._index = BM25Index(documents, leg)

    def encode(self, queries: Sequence[str], stages: Stages) -> Sequence[str]:
        return queries

    def search(self, asked: Sequence[str], depth: int, stages: Stages) -> Rankings:
        with stages.stage("words"):
            return Rankings(*self._index.search(list(asked), depth))


class _Chunked:
    """A leg over chunks, whose documents are found by their best ones."""

    def __init__(self, leg: ServedLeg, chunks: chunking.Chunks) -> None:
        self._leg, self._chunks, self.notes = leg, chunks, leg.notes

    def encode(self, queries: Sequence[str], stages: Stages) -> Any:
        return self._leg.encode(queries, stages)

    def search(self, asked: Any, depth: int, stages: Stages) -> Rankings:
        found = self._leg.search(asked, self._chunks.enough(depth), stages)
        with stages.stage("fusion"):
            return Rankings(*self._chunks.fold(found.rows, found.scores, depth))


LITE = say(
    "Milvus Lite was searched: it is Python in the service's own process, so its part says nothing of a Milvus "
    "server's. Set MILVUS_URI to measure with yours."
)
COMPARED = say(
    "Every document was compared in memory, as in the timing of single queries: without a Milvus server the search of "
    "Milvus Lite would be most of the time, and says nothing of a server's. Set MILVUS_URI to measure with yours."
)
SCANNED = say(
    "What this Milvus does not hold in this form was compared in memory, every document: an index would be faster."
)
