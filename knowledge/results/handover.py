"""What a deployed pipeline is checked against: the recommendation's own queries, what they found, how good that was."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from knowledge.requirements import Requirements
from knowledge.results.base import Record
from knowledge.results.evidence import Evidence, Interval


class HandoverLeg(Record):
    """One encoder of the set-up, as its index was made.

    Attributes:
        spec: the leg, with its options.
        model: as its library or endpoint calls it.
        revision: what pins its weights; None of endpoints.
        dimension: of the vectors that are searched; None of legs that have none.
        metric: what Milvus compares by: IP (of unit vectors the cosine) or HAMMING; None of legs without vectors.
        normalised: whether vectors are of unit length.
    """

    spec: str
    model: str
    revision: str | None = None
    dimension: int | None = None
    metric: Literal["IP", "HAMMING"] | None = None
    normalised: bool = True


class HandoverQuery(Record):
    """One query of the evaluation.

    Attributes:
        expected: its first documents when it was measured, by id, best first; at most `Handover.depth`.
        relevant: judged document id -> grade; 0: judged not relevant.
        left_out: documents that are the query itself; they were taken out of its ranking before it was scored.
        score: in the primary metric, as measured.
    """

    id: str
    text: str
    expected: tuple[str, ...]
    relevant: dict[str, int] = {}
    left_out: tuple[str, ...] = ()
    score: float | None = None


class Handover(Record):
    """Everything a check of the deployed pipeline needs; kept as ``evaluation/verify.json`` of a deployment.

    Attributes:
        run_id: the evaluation that measured it.
        spec: the set-up.
        collection: name of the alias in Milvus that a deployment searches.
        dataset: name of the data; `corpus_hash` is of its content as `knowledge.dataset.content_hash` makes it.
        twins: documents with the text of another -> the one that stands for both in `expected` and `relevant`.
        quality: of the primary metric, over `judged_queries`.
        metrics: name as ir-measures prints it -> mean.
        query_p95_ms, documents_per_second: as benchmarked on the machine that measured; None where it was not.
        requirements: whose hard limits the deployment has to keep; those of nobody where a kept run was handed over.
        evidence: where the figures are from.
    """

    version: Literal[1] = 1
    run_id: str
    created: dt.datetime
    spec: str
    legs: tuple[HandoverLeg, ...]
    collection: str
    dataset: str
    corpus_hash: str
    documents: int
    twins: dict[str, str] = {}
    primary: str = "nDCG@10"
    depth: int = 10
    margin: float = 0.02
    quality: Interval
    metrics: dict[str, float] = {}
    judged_queries: int
    queries: tuple[HandoverQuery, ...]
    query_p95_ms: float | None = None
    documents_per_second: float | None = None
    requirements: Requirements = Requirements()
    evidence: tuple[Evidence, ...] = ()
