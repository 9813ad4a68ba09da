"""The decision."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from knowledge.results.base import Record
from knowledge.results.evidence import Evidence, Interval
from knowledge.wording import Text


class Row(Record):
    """One candidate in the recommendation's table; `cites` maps a column to its evidence id.

    Attributes:
        standing: "alone" is the only candidate that was measured: it has won against nobody.
        holds_qps: queries a second that one machine like this holds, where the candidate was put under load; 0: none.
        machines: like this one, for the rate that the user stated; None: no number of them holds the latency.
    """

    spec: str
    standing: Literal["winner", "alone", "tied", "undecided", "worse", "excluded"]
    quality: Interval
    difference: Interval | None = None
    p_different: float | None = None
    metrics: dict[str, float] = {}
    query_p95_ms: float | None = None
    documents_per_second: float | None = None
    peak_memory_mb: float | None = None
    bytes_per_vector: float | None = None
    usd_per_million_tokens: float | None = None
    holds_qps: float | None = None
    machines: int | None = None
    on_pareto_front: bool = False
    excluded_by: Text | None = None
    cites: dict[str, str] = {}


class Recommendation(Record):
    """The decision, with every figure traceable through `evidence`.

    Attributes:
        winner: the cheapest candidate not measurably worse than the best by more than the margin.
        best: the candidate with the highest measured quality.
        tied: the other candidates shown to be no worse than the best by more than the margin.
        undecided: candidates the sample is too small to tell apart.
        confidence: how sure, in words that follow from the tests.
        cites: evidence ids of what stands in no row: ``predicted/MODEL``, ``data/FIELD``, ``plan/FIELD/SPEC``, and
            ``screening/FIELD/SPEC``.
        weights: what counted beside quality, which counts 1.
    """

    version: Literal[1] = 1
    run_id: str
    created: dt.datetime
    measured: bool
    winner: str | None
    best: str | None
    tied: tuple[str, ...] = ()
    undecided: tuple[str, ...] = ()
    runner_up: str | None = None
    headline: Text
    reasons: tuple[Text, ...]
    confidence: Text
    rows: tuple[Row, ...]
    evidence: tuple[Evidence, ...]
    not_measured: tuple[Text, ...]
    what_would_change_it: tuple[Text, ...]
    next_steps: tuple[Text, ...] = ()
    primary: str = "nDCG@10"
    margin: float
    cites: dict[str, str] = {}
    weights: dict[str, float] = {}
