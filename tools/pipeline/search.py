"""Search: the legs are asked, and what they find is put together, as it was when the set-up was measured.

``combine`` in config.yaml is a tree of these: ``{leg: NAME}``, ``{rrf: [tree, ...], k: 60}``,
``{weighted: [tree, ...], weights: [0.3, 0.7]}``, ``{rerank: tree, by: NAME, top: 50}``.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from . import encoders, ranking
from .chunks import DEEPER, cutter
from .collection import Collections, Hit, short
from .errors import PipelineError
from .forms import Stored
from .ledger import Ledger
from .settings import Settings, encoding_of, identity_of, rules_of
from .words import WordIndex

#: `rescore: 4` ranks so many times 4 documents again
K = 10
Search = Callable[[str, int], list[Hit]]


@dataclass(frozen=True)
class Result:
    """A document that was found: its id, its score (comparable within one answer only), its text where it is known."""

    id: str
    score: float
    text: str | None = None


@dataclass
class Answer:
    """What was found, best first, and the milliseconds that the parts took."""

    results: list[Result]
    milliseconds: dict[str, float] = field(default_factory=dict)


class Pipeline:
    """The set-up, ready to be asked; by one thread at a time, as models and Milvus Lite want it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._ledger = Ledger(settings.state)
        legs = settings.legs.values()
        vectors = any(leg["kind"] in ("dense", "sparse") for leg in legs)
        self._collections = Collections(settings) if vectors else None
        self._lock = threading.Lock()
        self._took: dict[str, float] = {}
        try:
            makers = {"words": self._by_words, "dense": self._by_vector, "sparse": self._by_weights}
            self._legs: dict[str, Search] = {
                leg["name"]: makers[leg["kind"]](leg) for leg in legs if leg["kind"] != "reranker"
            }
            self._rerankers = {
                leg["name"]: (leg, encoders.Reranker(leg), cutter(rules_of(leg)))
                for leg in legs
                if leg["kind"] == "reranker"
            }
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close what is open."""
        if self._collections:
            self._collections.close()
        self._ledger.close()

    def ask(self, query: str, results: int | None = None) -> Answer:
        """The best documents for a query."""
        wanted = results or self._settings.results
        with self._lock:
            self._took = {}
            begun = time.perf_counter()
            found = self._found(self._settings.combine, query, max(wanted, self._settings.depth))
            if "leg" in self._settings.combine:
                found = ranking.with_ties_broken(found)  # a fusion has an order for equal scores
            answer = [Result(document, score, self._ledger.text_of(document)) for document, score in found[:wanted]]
            return Answer(answer, self._took | {"all": (time.perf_counter() - begun) * 1000})

    @contextmanager
    def _timed(self, part: str) -> Iterator[None]:
        begun = time.perf_counter()
        yield
        self._took[part] = self._took.get(part, 0.0) + (time.perf_counter() - begun) * 1000

    def _found(self, tree: dict[str, Any], query: str, depth: int) -> list[Hit]:
        if "leg" in tree:
            return self._legs[tree["leg"]](query, depth)[:depth]
        if "rrf" in tree:
            lists = [[found for found, _ in self._found(part, query, depth)] for part in tree["rrf"]]
            return ranking.fused(lists, tree["k"], depth)
        if "weighted" in tree:
            parts = [self._found(part, query, depth) for part in tree["weighted"]]
            scored = [([found for found, _ in part], np.array([score for _, score in part])) for part in parts]
            return ranking.weighted(scored, tree["weights"], depth)
        if "rerank" in tree:
            found = self._found(tree["rerank"], query, max(depth, tree["top"]))
            return self._reranked(found, query, tree["by"], tree["top"])[:depth]
        raise PipelineError(f"config.yaml combines by something unknown: {sorted(tree)}")

    def _reranked(self, found: list[Hit], query: str, by: str, top: int) -> list[Hit]:
        leg, reranker, cut = self._rerankers[by]
        read = [cut(self._ledger.text_of(document) or "") for document, _ in found[:top]]
        if not read:
            return []
        with self._timed(leg["name"]):
            scores = reranker.scores(query, [part for parts in read for part in parts])
        ends = np.cumsum([0, *map(len, read)])
        given = np.maximum.reduceat(scores, ends[:-1])
        rows, again = ranking.reranked(np.arange(len(found))[None], given[None])
        return [(found[row][0], score) for row, score in zip(rows[0].tolist(), again[0].tolist(), strict=True)]

    # ------------------------------------------------------------ legs

    def _by_words(self, leg: dict[str, Any]) -> Search:
        cut, owners, texts = cutter(rules_of(leg)), [], []
        for document, text in self._ledger.texts():
            parts = cut(text)
            owners += [document] * len(parts)
            texts += parts
        index = WordIndex(texts, stemmer=leg["stemmer"], k1=leg["k1"], b=leg["b"])
        enough = DEEPER if rules_of(leg) else 1

        def search(query: str, depth: int) -> list[Hit]:
            with self._timed(leg["name"]):
                rows, scores = index.search([query], depth * enough)
            there = rows[0] >= 0
            return _best(
                (owners[row], score) for row, score in zip(rows[0][there], scores[0][there].tolist(), strict=True)
            )

        return search

    def _by_weights(self, leg: dict[str, Any]) -> Search:
        assert self._collections
        collections, encoder, enough = self._collections, encoders.Sparse(leg), DEEPER if rules_of(leg) else 1
        collections.opened(leg)

        def search(query: str, depth: int) -> list[Hit]:
            with self._timed(f"{leg['name']}: encode"):
                (asked,) = encoder.weights([query], "query")
            if not asked:
                return []
            with self._timed(f"{leg['name']}: milvus"):
                found = collections.search(leg, asked, depth * enough)
            return _best((document, score) for document, _, _, score in found)

        return search

    def _by_vector(self, leg: dict[str, Any]) -> Search:
        assert self._collections
        collections, enough = self._collections, DEEPER if rules_of(leg) else 1
        encoder = encoders.dense(leg, self._settings.state)
        form = form_of(leg, self._ledger)
        collections.opened(leg)
        again = leg["rescore"] * K

        def search(query: str, depth: int) -> list[Hit]:
            with self._timed(f"{leg['name']}: encode"):
                vector = encoders.finished(encoder.embed([query], "query"), leg)
            with self._timed(f"{leg['name']}: milvus"):
                asked, factor, plus = collections.asked(leg, vector, form)
                found = collections.search(leg, asked, max(depth * enough, again))
            scores = [score * factor + plus for *_, score in found]
            hits = [(document, score) for (document, *_), score in zip(found, scores, strict=True)]
            if again and found:
                whole = [self._ledger.vector(encoding_of(leg), key, part) for _, key, part, _ in found[:again]]
                hits = _ranked_again(hits, whole, vector[0])
            return _best(hits)

        return search


def form_of(leg: dict[str, Any], ledger: Ledger) -> Stored:
    """How a leg's vectors are stored; int8 with the scales that were found at the first ingest."""
    if leg["store"] != "int8":
        return Stored(leg["store"])
    name = f"scales:{identity_of(leg)}"
    kept = ledger.kept(name)
    if kept is None:
        if not ledger.size:
            raise PipelineError("there is no document yet: run python -m pipeline.ingest first")
        vectors = (short(np.frombuffer(vector, np.float32)[None], leg) for vector in ledger.vectors(encoding_of(leg)))
        scales = Stored.fit("int8", vectors).scales
        assert scales is not None
        ledger.keep(name, scales.tobytes())
        return Stored("int8", scales)
    return Stored("int8", np.frombuffer(kept, np.float32))


def _ranked_again(hits: list[Hit], whole: list[bytes | None], query: Any) -> list[Hit]:
    """The first hits by their whole vectors."""
    again = np.array([-np.inf if v is None else float(np.frombuffer(v, np.float32) @ query) for v in whole])
    before = np.array([score for _, score in hits])
    rows, scores = ranking.ranked_again(np.arange(len(hits))[None], before[None], again[None])
    return [(hits[row][0], score) for row, score in zip(rows[0].tolist(), scores[0].tolist(), strict=True)]


def _best(parts: Any) -> list[Hit]:
    """A document has its best part's place and score."""
    found: dict[str, float] = {}
    for document, score in parts:
        found.setdefault(document, float(score))
    return list(found.items())
