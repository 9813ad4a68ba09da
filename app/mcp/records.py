"""What the tools take and return: short enough for a language model's context, every sentence finished."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from pydantic import Field

from knowledge.results import Record

JobState = Literal["needs_consent", "queued", "running", "succeeded", "failed", "cancelled"]


class InlineData(Record):
    """A small dataset, sent along."""

    documents: dict[str, str] = Field(min_length=1, description="id -> text")
    queries: dict[str, str] = Field(default={}, description="id -> text")
    judgments: dict[str, dict[str, int]] = Field(
        default={}, description="query id -> document id -> grade, 1 or more where it is right"
    )


class Card(Record):
    """Facts of one model; null is not known. `spec` is how a candidate of it is written; null: not run here."""

    model: str
    spec: str | None
    license: str | None
    commercial_use: str
    parameters: int | None
    dimension: int | None
    max_tokens: int | None
    languages: int
    is_api: bool
    usd_per_million_tokens: float | None
    note: str | None


class ModelsFound(Record):
    """Models whose names fit, best first."""

    models: tuple[Card, ...]


class Estimate(Record):
    """A figure with its interval."""

    mean: float
    low: float
    high: float
    level: float


class Listed(Record):
    """A model of the shortlist: predicted, not measured."""

    spec: str | None
    card: Card
    predicted: Estimate
    metric: str
    reasons: tuple[str, ...]
    unknown: tuple[str, ...]


class ShortlistFound(Record):
    """The models worth measuring for a need, from the catalog alone.

    `rejected` counts the models that each demand ruled out; `beside` are to be measured with the list, for comparison.
    """

    understood: tuple[str, ...]
    not_understood: str
    considered: int
    kept: tuple[Listed, ...]
    beside: tuple[Listed, ...]
    rejected: dict[str, int]
    notes: tuple[str, ...]


class Compared(Record):
    """Models against each other: by measurement where there is one, else by published scores and facts."""

    answer: str
    cards: tuple[Card, ...]


class Planned(Record):
    """One candidate of a plan; `obstacle` says why it cannot be measured here."""

    spec: str
    why: str
    minutes: float
    download_gb: float
    usd: float
    sends_text_to: str | None
    obstacle: str | None


class PlanShown(Record):
    """What measuring would do and cost."""

    documents: int
    queries: int
    minutes: float
    download_gb: float
    usd: float
    hosts: tuple[str, ...]
    candidates: tuple[Planned, ...]
    not_measured: tuple[Planned, ...]


class Scored(Record):
    """A measured candidate; `against_best` is its difference from the first, with a verdict of paired tests."""

    spec: str
    quality: Estimate
    metrics: dict[str, float]
    verdict: str
    against_best: Estimate | None


class NotMeasured(Record):
    """A candidate that failed, why, and what to do."""

    spec: str
    reason: str
    next_step: str


class EvaluationShown(Record):
    """Quality on the data, best first.

    `labels`: gold came with the data; silver were made from it by program and judged by nobody: the order is safer than
    the level, and the user is to be told. `label_origin` says how they were made.
    """

    run_id: str
    dataset: str
    documents: int
    queries: int
    labels: str
    label_origin: str | None
    metric: str
    candidates: tuple[Scored, ...]
    failed: tuple[NotMeasured, ...]
    warnings: tuple[str, ...]


class RowShown(Record):
    """A candidate in the decision: its quality and its cost."""

    spec: str
    standing: str
    quality: Estimate
    query_p95_ms: float | None
    peak_memory_mb: float | None
    bytes_per_vector: float | None
    usd_per_million_tokens: float | None
    excluded_by: str | None


class EvidenceShown(Record):
    """A figure that the answer cites, and where it comes from."""

    id: str
    kind: str
    about: str
    what: str
    value: float
    unit: str
    source: str
    date: dt.date | None
    run_id: str | None


class RecommendationShown(Record):
    """The decision, its reasons and limits. Figures in its sentences come from `evidence`."""

    run_id: str
    measured: bool
    winner: str | None
    tied: tuple[str, ...]
    runner_up: str | None
    headline: str
    reasons: tuple[str, ...]
    confidence: str
    rows: tuple[RowShown, ...]
    not_measured: tuple[str, ...]
    what_would_change_it: tuple[str, ...]
    next_steps: tuple[str, ...]
    evidence: tuple[EvidenceShown, ...]
    report: str | None


class Progress(Record):
    """How far a job has come: `share` from 0 to 1 of the step that it is at."""

    step: str
    share: float | None


class Problem(Record):
    """Why it failed, and what to do about it."""

    cause: str
    next_step: str


class Status(Record):
    """An evaluation or recommendation under its handle.

    `next_step` says what to do now: wait, agree, or read the result. `plan` is there where consent is missing.
    """

    handle: str | None
    kind: Literal["evaluation", "recommendation"]
    state: JobState
    next_step: str
    progress: Progress | None = None
    plan: PlanShown | None = None
    evaluation: EvaluationShown | None = None
    recommendation: RecommendationShown | None = None
    problem: Problem | None = None
