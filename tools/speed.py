"""How fast one candidate is on this machine: the job that a benchmark runs in a process of its own."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from knowledge.candidate import Candidate, Leg, parse_candidate
from tools import encoders, retrieval
from tools.bm25 import BM25Index
from tools.encoders import Encoder, Resolved, Vectors
from tools.setups import K, setup_of
from tools.setups.stored import Stored
from tools.workspace import Workspace

WARM_UP = 3
BATCH_SIZES = (8, 32)
DEPTH = 10


class _DenseLeg:
    """An encoder with its documents in memory, searched by an exact scan of what its set-up searches."""

    def __init__(
        self, leg: Leg, resolved: Resolved, encoder: Encoder, documents: Sequence[str], clock: Callable[[], float]
    ) -> None:
        self._leg, self._resolved, self._encoder, self._clock = leg, resolved, encoder, clock
        self._setup = setup_of(leg)
        self._vectors = self._finished(encoder.embed(list(documents), kind="document"))
        short = self._short(self._vectors)
        self._form = Stored.fit(self._setup.store, [short])
        self._searched = self._form.documents(short)
        self.encode_ms: list[float] = []

    def _finished(self, vectors: Vectors) -> Vectors:
        return encoders.finish(vectors, self._leg, self._resolved)

    def _short(self, vectors: Vectors) -> Vectors:
        first = self._setup.first
        return encoders.cut(vectors, first, normalise=self._resolved.normalise) if first else vectors

    def search(self, query: str) -> retrieval.Rankings:
        begun = self._clock()
        vectors = self._finished(self._encoder.embed([query], kind="query"))
        self.encode_ms.append((self._clock() - begun) * 1000)
        asked, _ = self._form.queries(self._short(vectors))
        scores = self._searched @ asked[0]
        k = min(max(DEPTH, self._setup.rescore * K), len(scores))
        best = np.argpartition(-scores, k - 1)[:k]
        if self._setup.rescore:
            scores = scores.copy()
            scores[best] = self._vectors[best] @ vectors[0]
        best = best[np.argsort(-scores[best])][:DEPTH]
        return retrieval.Rankings(best[None, :].astype(np.int64), scores[best][None, :].astype(np.float64))

    @property
    def bytes_per_vector(self) -> float:
        return self._setup.bytes(self._vectors.shape[1])

    @property
    def bytes_rescored(self) -> float:
        return self._setup.rescored_bytes(self._vectors.shape[1])

    def embed(self, texts: Sequence[str], batch_size: int) -> None:
        self._encoder.embed(texts, kind="document", batch_size=batch_size)


class _LexicalLeg:
    """BM25 over the documents."""

    def __init__(self, leg: Leg, documents: Sequence[str]) -> None:
        self._leg = leg
        self._index = BM25Index(documents, leg)
        self.encode_ms: list[float] = []

    def search(self, query: str) -> retrieval.Rankings:
        return retrieval.Rankings(*self._index.search([query], DEPTH))

    @property
    def bytes_per_vector(self) -> float:
        return self._index.bytes_per_document

    @property
    def bytes_rescored(self) -> float:
        return 0.0

    def embed(self, texts: Sequence[str], batch_size: int) -> None:
        BM25Index(texts, self._leg)


def work(payload: dict[str, Any], tell: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    """The child's side: load, warm up, time."""
    resolved = {spec: Resolved.model_validate(r) for spec, r in payload["resolved"].items()}
    return measure(
        parse_candidate(payload["spec"]),
        resolved,
        payload["documents"],
        payload["queries"],
        payload["repeats"],
        seconds=payload["seconds"],
    )


def measure(
    candidate: Candidate,
    resolved: dict[str, Resolved],
    documents: Sequence[str],
    queries: Sequence[str],
    repeats: int,
    *,
    seconds: float,
    workspace: Workspace | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, Any]:
    """Time one candidate: load time, single queries (text to ids), documents per second at the best batch size.

    Single queries are timed in rounds, before, between and after the batches, and the quietest round counts: what other
    programs take meanwhile is not the candidate's cost. `noise` tells how much slower the slowest round was.

    Args:
        candidate: what to time.
        resolved: its encoders, by leg spec.
        documents: texts to index; the throughput is measured on as many of them as fit the time.
        queries: texts to ask, in turn.
        repeats: single queries to time in each round, after `WARM_UP` that are thrown away.
        seconds: time for each batch size.
        workspace: for endpoints only.
        clock: seconds, monotonic.
    """
    begun = clock()
    loaded = {leg: encoders.load(resolved[leg.spec], workspace) for leg in candidate.legs if leg.backend != "bm25"}
    for encoder in loaded.values():
        encoder.embed(["warm"], kind="query")
    load_seconds = clock() - begun
    legs = {
        leg: _DenseLeg(leg, resolved[leg.spec], loaded[leg], documents, clock)
        if leg in loaded
        else _LexicalLeg(leg, documents)
        for leg in candidate.legs
    }
    sizes = BATCH_SIZES if loaded else (len(documents),)
    rounds = [_single_queries(candidate, legs, queries, repeats, clock)]
    rates: dict[int, float] = {}
    for size in sizes:
        rates[size] = _documents_per_second(legs, documents, size, seconds, clock)
        rounds.append(_single_queries(candidate, legs, queries, repeats, clock))
    best = max(rates, key=lambda size: (rates[size], size))
    quiet, busy = (pick(rounds, key=lambda r: float(np.median(r.query_ms))) for pick in (min, max))
    return {
        "load_seconds": round(load_seconds, 3),
        "query_p50_ms": _percentile(quiet.query_ms, 50),
        "query_p95_ms": _percentile(quiet.query_ms, 95),
        "query_p99_ms": _percentile(quiet.query_ms, 99),
        "encode_p50_ms": _percentile(quiet.encode_ms, 50) if quiet.encode_ms else None,
        "encode_p95_ms": _percentile(quiet.encode_ms, 95) if quiet.encode_ms else None,
        "documents_per_second": round(rates[best], 2),
        "best_batch": best if loaded else None,
        "peak_memory_mb": round(peak_memory_mb(), 1),
        "bytes_per_vector": round(sum(leg.bytes_per_vector for leg in legs.values()), 1),
        "bytes_rescored": round(sum(leg.bytes_rescored for leg in legs.values()), 1),
        "repeats": len(quiet.query_ms),
        "noise": round(float(np.median(busy.query_ms) / max(float(np.median(quiet.query_ms)), 1e-9)), 2),
    }


@dataclass(frozen=True)
class _Round:
    """Single queries timed one after the other, in milliseconds; `encode_ms` is empty without an encoder."""

    query_ms: list[float]
    encode_ms: list[float]


def _single_queries(
    candidate: Candidate,
    legs: dict[Leg, _DenseLeg | _LexicalLeg],
    queries: Sequence[str],
    repeats: int,
    clock: Callable[[], float],
) -> _Round:
    for leg in legs.values():
        leg.encode_ms.clear()
    times = []
    for i in range(WARM_UP + repeats):
        query = queries[i % len(queries)]
        begun = clock()
        retrieval.rank(candidate, {leg: found.search(query) for leg, found in legs.items()}, DEPTH)
        times.append((clock() - begun) * 1000)
    encoders_ms = [leg.encode_ms for leg in legs.values() if leg.encode_ms]
    return _Round(times[WARM_UP:], [sum(parts) for parts in zip(*encoders_ms, strict=True)][WARM_UP:])


def _documents_per_second(
    legs: dict[Leg, _DenseLeg | _LexicalLeg],
    documents: Sequence[str],
    size: int,
    seconds: float,
    clock: Callable[[], float],
) -> float:
    """Documents per second through all legs in batches of this size."""
    done, begun = 0, clock()
    while True:
        start = done % len(documents)
        batch = documents[start : start + size]
        for leg in legs.values():
            leg.embed(batch, size)
        done += len(batch)
        elapsed = clock() - begun
        if elapsed >= seconds or done >= 20 * len(documents):
            return done / max(elapsed, 1e-9)


def _percentile(values: Sequence[float], q: float) -> float:
    return round(float(np.percentile(values, q)), 3)


def peak_memory_mb() -> float:
    """The largest resident size this process has had, in MB.

    On Linux read from the kernel's own mark, since getrusage's figure starts at what the parent had when it forked.
    """
    status = Path("/proc/self/status")
    if status.is_file():
        peak = next(line for line in status.read_text("ascii", "replace").splitlines() if line.startswith("VmHWM:"))
        return int(peak.split()[1]) / 2**10
    import resource

    peak_bytes_or_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak_bytes_or_kb / (2**20 if sys.platform == "darwin" else 2**10)
