"""Measured speed, memory and size. Times are in seconds unless the name says otherwise."""

from __future__ import annotations

import datetime as dt

from knowledge.results.base import Record
from knowledge.results.evaluation import FailedCandidate


class Hardware(Record):
    """The machine a benchmark ran on."""

    cpu: str
    cores: int
    memory_gb: float
    gpus: tuple[str, ...] = ()
    platform: str = ""


class SpeedOfCandidate(Record):
    """What one candidate costs on this hardware, measured in a process of its own.

    Attributes:
        query_p50_ms, query_p95_ms, query_p99_ms: one query at a time, from text to ranked ids, the search being an
            exact scan in memory (so the encoder and the number of vectors count, not an index; vectors stored in
            fewer bits are scanned as float32).
        encode_p50_ms, encode_p95_ms: the encoding part of it.
        documents_per_second: at `best_batch`, on a sample of the user's documents.
        corpus_per_second: documents per second of a whole corpus, as it is encoded: longest first, in the encoder's own
            batches, on runs of documents of a like length from all over the lengths there are. Hours of embedding
            follow from it; None for endpoints, and where an earlier version measured.
        peak_memory_mb: of the process, model and libraries included.
        bytes_per_vector: of a document, as its set-up stores it (float32 unless it says otherwise), index and what is
            kept to rank again included; for a sparse leg, index bytes per document.
        bytes_rescored: of these, what is read only for the few documents that are ranked again: it may lie on disk.
        noise: median of the slowest round of queries over that of the quietest, which is the one reported; about 1 on
            an idle machine.
    """

    spec: str
    load_seconds: float
    query_p50_ms: float
    query_p95_ms: float
    query_p99_ms: float
    encode_p50_ms: float | None = None
    encode_p95_ms: float | None = None
    documents_per_second: float
    best_batch: int | None = None
    corpus_per_second: float | None = None
    peak_memory_mb: float
    bytes_per_vector: float
    bytes_rescored: float = 0.0
    repeats: int
    noise: float = 1.0
    usd_per_million_tokens: float | None = None


class Benchmark(Record):
    """Measured speed, memory and size of candidates on this machine."""

    run_id: str
    started: dt.datetime
    hardware: Hardware
    candidates: tuple[SpeedOfCandidate, ...]
    failed: tuple[FailedCandidate, ...] = ()
    documents: int
    queries: int
