"""Encoding by look-up: vectors made once for a hundred runs, each of which pays for what it reads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from knowledge.candidate import Leg
from tools.bm25 import BM25Index
from tools.encoders import Kind, Resolved, Vectors
from tools.encoding import Cost, Texts


@dataclass
class Library:
    """All vectors of one data set, and what each encoder takes for a character."""

    texts: dict[str, int] = field(default_factory=dict)
    vectors: dict[str, Vectors] = field(default_factory=dict)
    seconds_per_character: dict[str, float] = field(default_factory=dict)

    def add(self, resolved: Resolved, vectors: Vectors, seconds_per_character: float) -> None:
        """Vectors in the order of `texts`; documents and queries have the same prompt here."""
        for kind in ("document", "query"):
            self.vectors[resolved.key(kind)] = vectors  # type: ignore[arg-type]
        self.seconds_per_character[resolved.fingerprint] = seconds_per_character


@dataclass
class TableEncoding:
    """One run's encoding: a text is paid for the first time it is read by an encoder, and never again."""

    library: Library
    paid: set[tuple[str, str]] = field(default_factory=set)
    seconds: float = 0.0

    def ensure(self, resolved: Resolved, texts: Texts, on_characters: Callable[[int], None]) -> Cost:
        missing = []
        total = 0
        for kind, of in texts.items():
            for text in dict.fromkeys(of):
                total += len(text)
                if (resolved.key(kind), text) not in self.paid:
                    self.paid.add((resolved.key(kind), text))
                    missing.append(text)
        new = sum(map(len, missing))
        on_characters(total - new)
        on_characters(new)
        seconds = new * self.library.seconds_per_character[resolved.fingerprint]
        self.seconds += seconds
        return Cost(
            seconds=seconds,
            encoded=len(missing),
            cached=sum(map(len, texts.values())) - len(missing),
        )

    def vectors(self, resolved: Resolved, texts: list[str], kind: Kind) -> Vectors:
        rows = np.array([self.library.texts[text] for text in texts], np.int64)
        return self.library.vectors[resolved.key(kind)][rows]


class SharedIndex:
    """BM25 over the same documents, built once and asked each query once."""

    _made: ClassVar[dict[tuple[str, int, str], tuple[BM25Index, dict[str, tuple[np.ndarray, np.ndarray]]]]] = {}

    def __init__(self, documents: list[str], leg: Leg) -> None:
        key = (leg.spec, len(documents), documents[0])
        if key not in self._made:
            self._made[key] = (BM25Index(documents, leg), {})
        self._index, self._found = self._made[key]

    def search(self, queries: list[str], k: int) -> tuple[np.ndarray, np.ndarray]:
        """Rows and scores, as `BM25Index.search`."""
        new = [query for query in dict.fromkeys(queries) if query not in self._found]
        if new:
            for query, rows, scores in zip(new, *self._index.search(new, k), strict=True):
                self._found[query] = (rows, scores)
        return (
            np.stack([self._found[query][0] for query in queries]),
            np.stack([self._found[query][1] for query in queries]),
        )
