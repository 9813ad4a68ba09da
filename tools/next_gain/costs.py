"""What a changed candidate costs: milliseconds a query over the whole corpus, and bytes a document."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from knowledge.candidate import Candidate, Leg
from knowledge.dataset import Dataset
from knowledge.errors import AdvisorError
from knowledge.progress import OnProgress
from knowledge.results import SpeedOfCandidate
from tools import encoders
from tools.benchmark import benchmark
from tools.bm25 import BM25Index
from tools.chunking import cut, rules_of
from tools.encoders import Vectors
from tools.encoding import vectors
from tools.next_gain.changes import Planned, dense_legs
from tools.setups import Setup, setup_of
from tools.setups.in_memory import TIMED, scan_ms
from tools.workspace import Workspace

#: more vectors than this are not taken into memory to be timed
LARGEST_BYTES = 512 * 2**20
#: results of a query
DEPTH = 10


class Cost(NamedTuple):
    """Milliseconds of one query and bytes of one document; None where it is not known."""

    query_ms: float | None = None
    bytes: float | None = None


def costs(
    base: Candidate, changes: Sequence[Planned], dataset: Dataset, workspace: Workspace, on_progress: OnProgress
) -> dict[str, Cost]:
    """The costs of a candidate and of its changes, by spec.

    What differs in the encoder is timed by a benchmark, each in a process of its own; what differs in the search alone
    here, one query after the other over all documents in memory. An index's time is a server's, and not measured.

    Args:
        base: what was changed; all encoders have read the documents.
        changes: those measured.
        dataset: the documents and queries.
        workspace: the vectors.
        on_progress: told how far the benchmark has come.
    """
    timed = [base, *(one.candidate for one in changes if one.kind in ("precision", "named"))]
    speed = _benchmarked(timed, dataset, workspace, on_progress)
    legs: dict[Leg, Cost] = {}
    found: dict[str, Cost] = {}
    for kind, candidate in [("base", base), *((one.kind, one.candidate) for one in changes)]:
        own = speed.get(candidate.spec)
        if kind == "named" or not _known_here(candidate):
            found[candidate.spec] = Cost(own.query_p50_ms, own.bytes_per_vector) if own else Cost()
            continue
        for leg in candidate.searched:
            if leg not in legs:
                legs[leg] = _search_cost(leg, dataset, workspace)
        measured = own or speed.get(base.spec)
        parts = [legs[leg] for leg in candidate.searched]
        encoding = (measured.encode_p50_ms or 0.0) if measured else None
        found[candidate.spec] = Cost(
            _sum([encoding if dense_legs(candidate) else 0.0, *(part.query_ms for part in parts)]),
            _sum([part.bytes for part in parts]),
        )
    return found


def texts_of(leg: Leg, dataset: Dataset) -> list[str]:
    """What a leg reads: the documents, or their chunks."""
    documents, rules = list(dataset.documents.values()), rules_of(leg)
    return documents if rules is None else list(cut(documents, rules).texts)


def _known_here(candidate: Candidate) -> bool:
    """Whether its search is by words and single vectors alone."""
    known = {leg for leg in candidate.searched if leg.backend == "bm25"} | set(dense_legs(candidate))
    return set(candidate.legs) == known


def _sum(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if len(known) == len(values) else None


def _benchmarked(
    candidates: Sequence[Candidate], dataset: Dataset, workspace: Workspace, on_progress: OnProgress
) -> dict[str, SpeedOfCandidate]:
    try:
        found = benchmark(dataset, [c.spec for c in candidates], workspace, on_progress=on_progress)
    except AdvisorError:  # quality is known all the same
        return {}
    return {one.spec: one for one in found.candidates}


def _search_cost(leg: Leg, dataset: Dataset, workspace: Workspace) -> Cost:
    queries = list(dataset.queries.values())[:TIMED]
    documents = texts_of(leg, dataset)
    each = len(documents) / len(dataset.documents)
    if leg.backend == "bm25":
        index = BM25Index(documents, leg)
        times = []
        for query in queries:
            begun = time.perf_counter()
            index.search([query], DEPTH)
            times.append((time.perf_counter() - begun) * 1000)
        return Cost(float(np.median(times)), index.bytes_per_document * each)
    resolved, setup = encoders.resolve(leg, workspace), setup_of(leg)
    asked = encoders.finish(vectors(resolved, queries, "query", workspace), leg, resolved)
    size = setup.bytes(asked.shape[1]) * each
    if setup.index or asked.shape[1] * 4 * len(documents) > LARGEST_BYTES:
        return Cost(None, size)

    def of(setup: Setup) -> tuple[Vectors, Vectors]:
        return encoders.finish(vectors(resolved, documents, "document", workspace), leg, resolved), asked

    return Cost(scan_ms([setup], of, normalise=resolved.normalise)[0], size)
