"""Candidates as a service on this machine: how one was set up, which settings serve it best, who bears the load."""

from __future__ import annotations

import datetime as dt
import math
from typing import Literal

from knowledge.results.base import Record
from knowledge.results.evaluation import FailedCandidate
from knowledge.wording import Text, say

#: stages of a query's way through a service, in the order of the way; a candidate has those that it needs
STAGES: dict[str, Text] = {
    "transport": say("transport (loopback)"),
    "queue": say("queue"),
    "tokenise": say("tokenise"),
    "forward": say("forward"),
    "encode": say("encode (tokenising included)"),
    "handover": say("wait for the search"),
    "words": say("word search (in memory)"),
    "milvus": say("Milvus"),
    "scan": say("scan in memory"),
    "fusion": say("fusion and order"),
    "rerank": say("rerank"),
}


class ServiceSettings(Record):
    """Settings of a service, as `tools.service.Settings` describes them."""

    threads: int | None = None
    max_batch: int
    max_wait_ms: float
    searches: int
    lite: bool = True


class Served(Record):
    """How a candidate was served while it was under load.

    Attributes:
        documents: in its index.
        load_seconds: to load its models, until they first answer: a cold start.
        index_seconds: to put the documents' vectors into the index.
        first_query_ms: the first query of all, before anything was warm.
    """

    settings: ServiceSettings
    documents: int
    load_seconds: float
    index_seconds: float
    first_query_ms: float


Factor = Literal["start", "way", "threads", "max_batch", "max_wait_ms"]


class TuningStep(Record):
    """One setting tried.

    Attributes:
        factor: what was changed against the best so far.
        spec: the candidate, in the backend and precision tried.
        holds_qps: queries a second at p95 under the goal; None: none did.
        p95_ms: at that rate, or at the lowest that was tried.
        failed: why it could not be tried.
    """

    factor: Factor
    spec: str
    settings: ServiceSettings
    holds_qps: float | None = None
    p95_ms: float | None = None
    failed: Text | None = None


class Tuning(Record):
    """The settings of one candidate, one factor after another, each from the best so far: no full grid.

    Attributes:
        best: place in `steps` of the one that holds most; of those within the noise the first.
        not_tried: factors for which no time was left.
        ended: whether the user ended it before all was tried (Ctrl-C).
    """

    version: Literal[1] = 1
    run_id: str
    started: dt.datetime
    target: str
    goal_p95_ms: float
    seconds: float
    steps: tuple[TuningStep, ...]
    best: int
    not_tried: tuple[Factor, ...] = ()
    ended: bool = False
    notes: tuple[Text, ...] = ()


class RateHeld(Record):
    """What one candidate holds on this machine, in short.

    Attributes:
        run_id: of its load test.
        holds_qps: queries a second at p95 under the goal; None: not even the lowest rate tried.
        at_least: whether it was not brought to break.
        p95_ms: at the rate that is held, or at the lowest tried.
        spread: of p95 over repeats, as a share of the median.
        curve: (queries a second offered, p95 in ms) of all steps, ascending.
        parts: stage -> (p50, p95, p99) in ms, at the rate that is held.
    """

    spec: str
    run_id: str
    holds_qps: float | None
    at_least: bool = False
    p95_ms: float | None = None
    spread: float | None = None
    curve: tuple[tuple[float, float], ...] = ()
    parts: dict[str, tuple[float, float, float]] = {}
    notes: tuple[Text, ...] = ()

    def machines(self, rate: float) -> float:
        """So many machines like this one for a rate; infinite where one holds nothing."""
        return math.ceil(rate / self.holds_qps - 1e-9) if self.holds_qps else math.inf


class UnderLoad(Record):
    """The contenders under load, on this machine, one after the other.

    Attributes:
        data: hash of the dataset.
        rate: queries a second that the user stated.
        tested_rate: that were stated when it was tested, where others are by now.
        goal_p95_ms: what counts as held.
        stated: whether the user stated that limit; else it is assumed.
        documents: searched.
    """

    run_id: str
    started: dt.datetime
    data: str
    rate: float
    tested_rate: float | None = None
    goal_p95_ms: float
    stated: bool
    documents: int
    candidates: tuple[RateHeld, ...]
    failed: tuple[FailedCandidate, ...] = ()

    def at(self, rate: float) -> UnderLoad:
        """The same test as an answer to another rate."""
        if rate == self.rate:
            return self
        return self.model_copy(update={"rate": rate, "tested_rate": self.tested_rate or self.rate})

    def of(self, spec: str | None) -> RateHeld | None:
        """What is known of a candidate."""
        return next((one for one in self.candidates if one.spec == spec), None)
