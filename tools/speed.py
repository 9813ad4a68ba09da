"""How fast one candidate is on this machine: the job that a benchmark runs in a process of its own."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from knowledge.candidate import Candidate, Leg, parse_candidate
from tools import encoders, retrieval
from tools.encoders import Resolved
from tools.pairs import as_text
from tools.timed_legs import TimedLeg, TimedReranker, timed
from tools.workspace import Workspace

WARM_UP = 3
BATCH_SIZES = (8, 32)
DEPTH = 10
#: the rate of a corpus is measured on so many runs of so many documents
RUNS, SHORTEST_RUN, LONGEST_RUN = 8, 4, 256
#: seconds, for each of a batch size, that a round of it takes at most, and after which there is no second one
ROUND, LONG = 1.0, 3.0


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
        spread=payload.get("spread", ()),
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
    spread: Sequence[Sequence[str]] = (),
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
        spread: runs of documents of a like length, from all over the lengths there are (`runs_by_length`), on which the
            rate of a whole corpus is measured; none: it is not.
    """
    begun = clock()
    loaded = {leg: encoders.load(resolved[leg.spec], workspace) for leg in candidate.legs if leg.backend != "bm25"}
    for leg, encoder in loaded.items():
        encoder.embed([as_text("warm", "warm") if retrieval.reranks(leg) else "warm"], kind="query")
    load_seconds = clock() - begun
    legs = {leg: timed(leg, resolved.get(leg.spec), loaded.get(leg), documents, clock) for leg in candidate.searched}
    rerankers = {leg: TimedReranker(leg, loaded[leg], documents) for leg in loaded if leg not in legs}
    encodes = any(leg in loaded for leg in legs)
    sizes = BATCH_SIZES if encodes else (len(documents),)
    rounds = [_single_queries(candidate, legs, rerankers, queries, repeats, clock)]
    rates: dict[int, float] = {}
    for size in sizes:
        rates[size] = _documents_per_second(legs, documents, size, seconds, clock)
        rounds.append(_single_queries(candidate, legs, rerankers, queries, repeats, clock))
    best = max(rates, key=lambda size: (rates[size], size))
    corpus = _corpus_per_second(legs, spread, rates[best], seconds, clock) if spread else None
    quiet, busy = (pick(rounds, key=lambda r: float(np.median(r.query_ms))) for pick in (min, max))
    return {
        "load_seconds": round(load_seconds, 3),
        "query_p50_ms": _percentile(quiet.query_ms, 50),
        "query_p95_ms": _percentile(quiet.query_ms, 95),
        "query_p99_ms": _percentile(quiet.query_ms, 99),
        "encode_p50_ms": _percentile(quiet.encode_ms, 50) if quiet.encode_ms else None,
        "encode_p95_ms": _percentile(quiet.encode_ms, 95) if quiet.encode_ms else None,
        "documents_per_second": round(rates[best], 2),
        "best_batch": best if encodes else None,
        "corpus_per_second": round(corpus, 2) if corpus else None,
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
    legs: dict[Leg, TimedLeg],
    rerankers: dict[Leg, TimedReranker],
    queries: Sequence[str],
    repeats: int,
    clock: Callable[[], float],
) -> _Round:
    for leg in legs.values():
        leg.encode_ms.clear()
    times = []
    depth = retrieval.reach(candidate, DEPTH)
    for i in range(WARM_UP + repeats):
        query = queries[i % len(queries)]

        def rescore(leg: Leg, rows: NDArray[np.int64], query: str = query) -> NDArray[np.float64]:
            return rerankers[leg].scores(query, rows)

        begun = clock()
        retrieval.rank(candidate, {leg: of.search(query, depth) for leg, of in legs.items()}, DEPTH, rescore)
        times.append((clock() - begun) * 1000)
    encoders_ms = [leg.encode_ms for leg in legs.values() if leg.encode_ms]
    return _Round(times[WARM_UP:], [sum(parts) for parts in zip(*encoders_ms, strict=True)][WARM_UP:])


def _documents_per_second(
    legs: dict[Leg, TimedLeg],
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


def runs_by_length(documents: Sequence[str]) -> list[list[str]]:
    """Runs of neighbours in the order of length, longest first, evenly spaced over all documents.

    A corpus is encoded in that order, so its batches are of texts of a like length, as each run is; and all runs
    together have the lengths that all documents have.
    """
    ordered = sorted(documents, key=len, reverse=True)
    if len(ordered) <= RUNS * LONGEST_RUN:
        bounds = [round(i * len(ordered) / RUNS) for i in range(RUNS + 1)]
        return [ordered[a:b] for a, b in pairwise(bounds) if a < b]
    middles = [round((i + 0.5) * len(ordered) / RUNS) for i in range(RUNS)]
    return [ordered[middle - LONGEST_RUN // 2 : middle + LONGEST_RUN // 2] for middle in middles]


def _corpus_per_second(
    legs: dict[Leg, TimedLeg],
    runs: Sequence[Sequence[str]],
    rate: float,
    seconds: float,
    clock: Callable[[], float],
) -> float:
    """Documents per second of a whole corpus; of two rounds, where they are short, the quieter one counts.

    Where the time allows all runs they are read as one, since that is how a corpus is; otherwise of each run the same
    number of documents, as many as the time allows at about this rate.
    """
    each = max(SHORTEST_RUN, round(rate * ROUND * seconds / len(runs)))
    if each >= max(map(len, runs)):
        runs = [[text for run in runs for text in run]]
    read = [run[(len(run) - each) // 2 :][:each] if len(run) > each and len(runs) > 1 else run for run in runs]
    share = [len(run) for run in runs]
    took: list[float] = []
    for _ in range(2):
        started, spent = clock(), []
        for run in read:
            begun = clock()
            for leg in legs.values():
                leg.embed(run, None)
            spent.append((clock() - begun) / len(run))
        took.append(sum(time * weight for time, weight in zip(spent, share, strict=True)) / sum(share))
        if clock() - started > LONG * seconds:
            break
    return 1 / max(min(took), 1e-9)


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
