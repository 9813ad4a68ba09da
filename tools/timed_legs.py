"""Legs as one process holds them to answer single queries: what a benchmark times, and how large their indexes are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from knowledge.candidate import Leg
from tools import encoders, part_scores, retrieval
from tools.bm25 import BM25Index
from tools.chunking import Chunks, cut, rules_of
from tools.encoders import Encoder, Resolved, Vectors
from tools.pairs import as_text
from tools.pipeline.chunks import Rules
from tools.representations import Representation
from tools.setups import setup_of
from tools.setups.in_memory import InMemory

Clock = Callable[[], float]


class TimedLeg(Protocol):
    """A leg with its documents in memory.

    Attributes:
        encode_ms: of each query searched, what its encoding took; stays empty without an encoder.
    """

    encode_ms: list[float]

    def search(self, query: str, depth: int) -> retrieval.Rankings:
        """The best `depth` of the documents that it holds, for one query."""
        ...

    @property
    def bytes_per_vector(self) -> float:
        """Of its index, for each of the texts that it holds."""
        ...

    @property
    def bytes_rescored(self) -> float:
        """Of these, what is read only for the few that are ranked again."""
        ...

    def embed(self, texts: Sequence[str], batch_size: int | None) -> None:
        """Do to these texts what putting them into the index takes; None: in the encoder's own batches."""
        ...


def timed(
    leg: Leg, resolved: Resolved | None, encoder: Encoder | None, documents: Sequence[str], clock: Clock
) -> TimedLeg:
    """A leg over these documents, or over the chunks it cuts them into."""
    rules = rules_of(leg)
    if rules is not None:
        chunks = cut(documents, rules)
        return _Chunked(_whole(leg, resolved, encoder, chunks.texts, clock), rules, chunks, len(documents))
    return _whole(leg, resolved, encoder, documents, clock)


def _whole(
    leg: Leg, resolved: Resolved | None, encoder: Encoder | None, documents: Sequence[str], clock: Clock
) -> TimedLeg:
    if resolved is None or encoder is None:
        return _Lexical(leg, documents)
    return (_Parts if resolved.parts else _Dense)(leg, resolved, encoder, documents, clock)


class _Dense:
    """An encoder with its documents in memory, searched by an exact scan of what its set-up searches."""

    def __init__(self, leg: Leg, resolved: Resolved, encoder: Encoder, documents: Sequence[str], clock: Clock) -> None:
        self._leg, self._resolved, self._encoder, self._clock = leg, resolved, encoder, clock
        self._setup = setup_of(leg)
        self._vectors = self._finished(encoder.embed(list(documents), kind="document"))
        self._searched = InMemory(self._setup, self._vectors, normalise=resolved.normalise)
        self.encode_ms: list[float] = []

    def _finished(self, vectors: Vectors) -> Vectors:
        return encoders.finish(vectors, self._leg, self._resolved)

    def search(self, query: str, depth: int) -> retrieval.Rankings:
        begun = self._clock()
        vectors = self._finished(self._encoder.embed([query], kind="query"))
        self.encode_ms.append((self._clock() - begun) * 1000)
        return self._searched.search(vectors, depth)

    @property
    def bytes_per_vector(self) -> float:
        return self._setup.bytes(self._vectors.shape[1])

    @property
    def bytes_rescored(self) -> float:
        return self._setup.rescored_bytes(self._vectors.shape[1])

    def embed(self, texts: Sequence[str], batch_size: int | None) -> None:
        self._encoder.embed(texts, kind="document", **({} if batch_size is None else {"batch_size": batch_size}))


class _Parts:
    """Weights of entries or vectors of tokens in memory, each pair compared."""

    def __init__(self, leg: Leg, resolved: Resolved, encoder: Encoder, documents: Sequence[str], clock: Clock) -> None:
        self._encoder = cast(Any, encoder)  # it gives representations, which `Encoder.embed` does not name
        self._parts, self._clock = resolved.parts, clock
        self._documents: list[Representation] = self._encoder.embed(list(documents), kind="document")
        self.encode_ms: list[float] = []

    def search(self, query: str, depth: int) -> retrieval.Rankings:
        begun = self._clock()
        asked = part_scores.Asked.of(self._encoder.embed([query], kind="query"))
        self.encode_ms.append((self._clock() - begun) * 1000)
        return retrieval.best_of([part_scores.scores(asked, self._documents, self._parts)], 1, depth)

    @property
    def bytes_per_vector(self) -> float:
        return float(np.mean([of.nbytes(tuple(self._parts)) for of in self._documents]))

    @property
    def bytes_rescored(self) -> float:
        return 0.0

    def embed(self, texts: Sequence[str], batch_size: int | None) -> None:
        self._encoder.embed(texts, kind="document", **({} if batch_size is None else {"batch_size": batch_size}))


class _Lexical:
    """BM25 over the documents."""

    def __init__(self, leg: Leg, documents: Sequence[str]) -> None:
        self._leg = leg
        self._index = BM25Index(documents, leg)
        self.encode_ms: list[float] = []

    def search(self, query: str, depth: int) -> retrieval.Rankings:
        return retrieval.Rankings(*self._index.search([query], depth))

    @property
    def bytes_per_vector(self) -> float:
        return self._index.bytes_per_document

    @property
    def bytes_rescored(self) -> float:
        return 0.0

    def embed(self, texts: Sequence[str], batch_size: int | None) -> None:
        BM25Index(texts, self._leg)


class _Chunked:
    """A leg over chunks, whose documents are found by their best ones."""

    def __init__(self, leg: TimedLeg, rules: Rules, chunks: Chunks, documents: int) -> None:
        self._leg, self._rules, self._chunks = leg, rules, chunks
        self._each = len(chunks.texts) / max(documents, 1)
        self.encode_ms = leg.encode_ms

    def search(self, query: str, depth: int) -> retrieval.Rankings:
        found = self._leg.search(query, self._chunks.enough(depth))
        return retrieval.Rankings(*self._chunks.fold(found.rows, found.scores, depth))

    @property
    def bytes_per_vector(self) -> float:
        return self._leg.bytes_per_vector * self._each

    @property
    def bytes_rescored(self) -> float:
        return self._leg.bytes_rescored * self._each

    def embed(self, texts: Sequence[str], batch_size: int | None) -> None:
        self._leg.embed(cut(texts, self._rules).texts, batch_size)


class TimedReranker:
    """A cross-encoder that reads what was found for one query."""

    def __init__(self, leg: Leg, encoder: Encoder, documents: Sequence[str]) -> None:
        rules = rules_of(leg)
        self._encoder = encoder
        self._read = [[text] if rules is None else cut([text], rules).texts for text in documents]

    def scores(self, query: str, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Of the documents in these rows, shape (1, documents) as `rows`; -inf where a row is -1."""
        found = np.full(rows.shape, -np.inf)
        there = [(place, text) for place, row in enumerate(rows[0].tolist()) if row >= 0 for text in self._read[row]]
        if there:
            scored = self._encoder.embed([as_text(query, text) for _, text in there], kind="document")[:, 0]
            np.maximum.at(found[0], [place for place, _ in there], scored)
        return found
