"""Measure what candidates cost on this hardware: latency, throughput, memory, size; each in a process of its own."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Sequence
from typing import Any

from knowledge.candidate import Candidate
from knowledge.dataset import Dataset
from knowledge.errors import AdvisorError, ConsentNeeded, DatasetError
from knowledge.progress import Meter, OnProgress, ignore
from knowledge.results import Benchmark, FailedCandidate, SpeedOfCandidate
from knowledge.wording import how_to, say
from tools import encoders, retrieval, speed, workers
from tools.encoders import Resolved
from tools.hardware import this_machine
from tools.run_store import keep_run, new_run_id
from tools.workspace import Workspace

#: documents in the benchmark's index: enough to warm everything, few enough for any encoder
DOCUMENTS = 64
QUERIES = 64
REPEATS = 100
SECONDS_PER_BATCH_SIZE = 1.0


def benchmark(
    dataset: Dataset,
    candidates: Sequence[str],
    workspace: Workspace,
    *,
    documents: int = DOCUMENTS,
    repeats: int = REPEATS,
    seconds: float = SECONDS_PER_BATCH_SIZE,
    on_progress: OnProgress = ignore,
) -> Benchmark:
    """Measure each candidate on a sample of the user's own texts (their lengths decide the speed).

    Args:
        dataset: where the texts come from; without queries, document beginnings are asked.
        candidates: specs; encoders must be on this disk, endpoints already agreed to.
        workspace: folders and keys.
        documents: how many documents to index.
        repeats: single queries to time.
        seconds: time for each batch size.
        on_progress: told after each candidate.

    Raises:
        SpecError, UserError: no candidate, or a spec that does not exist.
        DatasetError: no documents.
        AdvisorError: the failure of the first candidate, when every one failed.
    """
    if not dataset.documents:
        raise DatasetError(
            say("The dataset {name} has no documents.", name=dataset.summary.name),
            say("See “Your data” in the README for the forms that are read."),
        )
    parsed = retrieval.parse(candidates)
    started = dt.datetime.now(dt.UTC)
    sample = random.Random(0)
    texts = sample.sample(list(dataset.documents.values()), min(documents, len(dataset.documents)))
    asked = list(dataset.queries.values()) or [" ".join(text.split()[:12]) for text in texts]
    queries = sample.sample(asked, min(QUERIES, len(asked)))
    spread = speed.runs_by_length(list(dataset.documents.values()))
    meter = Meter("benchmark", say("Timing on this machine"), len(parsed), on_progress)
    measured: list[SpeedOfCandidate] = []
    failed: dict[str, AdvisorError] = {}
    for candidate in parsed:
        try:
            measured.append(_measure(candidate, texts, queries, spread, repeats, seconds, workspace))
        except AdvisorError as error:
            failed[candidate.spec] = error
        meter.advance()
    if not measured:
        raise next(iter(failed.values()))
    found = Benchmark(
        run_id=new_run_id("benchmark", started),
        started=started,
        hardware=this_machine(),
        candidates=tuple(measured),
        failed=tuple(FailedCandidate(spec=s, reason=e.cause, next_step=e.next_step) for s, e in failed.items()),
        documents=len(texts),
        queries=len(queries),
    )
    keep_run(workspace.store, "benchmark", found.run_id, found)
    return found


def _measure(
    candidate: Candidate,
    documents: Sequence[str],
    queries: Sequence[str],
    spread: Sequence[Sequence[str]],
    repeats: int,
    seconds: float,
    workspace: Workspace,
) -> SpeedOfCandidate:
    resolved: dict[str, Resolved] = {
        leg.spec: encoders.resolve(leg, workspace) for leg in candidate.legs if leg.backend != "bm25"
    }
    for found in resolved.values():
        if not found.on_disk:
            raise ConsentNeeded(
                say("{spec} is not on this machine yet.", spec=found.spec),
                how_to("fetch"),
            )
    if all(r.local for r in resolved.values()):
        payload: dict[str, Any] = {
            "spec": candidate.spec,
            "resolved": {spec: r.model_dump(mode="json") for spec, r in resolved.items()},
            "documents": list(documents),
            "queries": list(queries),
            "spread": [list(run) for run in spread],
            "repeats": repeats,
            "seconds": seconds,
        }
        costs = workers.run(
            "tools.speed",
            payload,
            about=candidate.spec,
            logs=workspace.home / "logs",
            memory_mb=workspace.child_memory_mb,
        )
    else:  # an endpoint runs no code here, and needs the key that children never get
        costs = speed.measure(candidate, resolved, documents, queries, repeats, seconds=seconds, workspace=workspace)
    return SpeedOfCandidate(spec=candidate.spec, **costs)
