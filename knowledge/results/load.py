"""What a target holds under load: each step of the test, and the highest rate that met the goal.

Times are in milliseconds, rates per second. Latency of an open loop is counted from the moment a request was
*scheduled*, so that a stall of the target is in the figures of all who had to wait for it (Tene, "How NOT to measure
latency", 2013; Schroeder, Wierman & Harchol-Balter, "Open versus closed", NSDI 2006).
"""

from __future__ import annotations

import datetime as dt
from typing import Literal

from pydantic import Field

from knowledge.results.base import Record
from knowledge.results.data import Lengths
from knowledge.results.service import Served
from knowledge.results.speed import Hardware
from knowledge.wording import Text

#: open: requests come when they come, as users do; closed: so many at a time, each waits for its answer
Loop = Literal["open", "closed"]
Arrivals = Literal["poisson", "constant"]
#: what is sent: the user's queries, or beginnings of documents where there are none
Origin = Literal["queries", "document beginnings"]


class Goal(Record):
    """When a step counts as held.

    Attributes:
        p95_ms: 95 of 100 requests are answered within so many milliseconds.
        error_share: errors, time-outs and requests that could not be sent, at most.
        achieved_share: of the offered rate, that must be answered.
    """

    p95_ms: float = Field(50.0, gt=0)
    error_share: float = Field(0.01, ge=0, lt=1)
    achieved_share: float = Field(0.95, gt=0, le=1)


class Limits(Record):
    """What a load test may take; it ends when one of them is reached.

    Attributes:
        seconds: for all of it.
        step_seconds: for one step; up to four times as long where few requests would fall into it.
        requests: all that are sent.
        in_flight: at once; what is due while so many wait is counted as dropped.
        timeout_s: after which a request counts as timed out.
        rate: no step offers more.
    """

    seconds: float = Field(180.0, gt=0)
    step_seconds: float = Field(5.0, gt=0)
    requests: int = Field(100_000, ge=1)
    in_flight: int = Field(512, ge=1)
    timeout_s: float = Field(10.0, gt=0)
    rate: float = Field(10_000.0, gt=0)


class Latency(Record):
    """Percentiles of an HdrHistogram with three significant digits, in milliseconds; of `count` values."""

    count: int
    p50_ms: float
    p95_ms: float
    p99_ms: float
    p999_ms: float
    max_ms: float


class GpuUse(Record):
    """What one GPU did meanwhile; utilisation in percent of time (None: not told), memory at its peak in MB (2**20)."""

    name: str
    utilisation_mean: float | None = None
    utilisation_max: float | None = None
    memory_mb: float


class Resources(Record):
    """What was used while a step ran. CPU in percent of one core, memory in MB (2**20 bytes).

    Attributes:
        machine_cpu: all processes of this machine, mean.
        target_cpu, target_rss_mb: of the target's processes where they run here; mean, and peak.
        generator_cpu: of what sends the requests, and no part of `target_cpu`.
        samples: looks at it.
    """

    machine_cpu: float
    target_cpu: float | None = None
    target_rss_mb: float | None = None
    generator_cpu: float
    gpus: tuple[GpuUse, ...] = ()
    samples: int


class LoadPoint(Record):
    """One step: a rate offered, or so many requests at a time.

    Attributes:
        offered: requests scheduled a second (as they fell, not as was asked); None of a closed loop.
        rate: what was asked for; None of a closed loop.
        concurrency: requests at a time; None of an open loop.
        seconds: from the first request to the last answer.
        requests: that were due, dropped ones included.
        answered: of these, in time and without error.
        errors: kind -> how many.
        timeouts: no answer within the limit.
        dropped: never sent, because too many waited already.
        achieved: answers a second.
        latency: of answered requests; None where there was none.
        histogram: of the same, in microseconds, as HdrHistogram writes itself (V2, compressed, base64): any percentile
            can be computed from it again, also of several steps together; empty where an earlier version measured.
        lateness: of the generator itself, between the scheduled moment and sending; it is part of `latency`.
        parts: of a target that knows them (tokenise, forward, search, ...).
        broke: why the step does not meet the goal; None where it does.
    """

    loop: Loop
    rate: float | None = None
    offered: float | None = None
    concurrency: int | None = None
    seconds: float
    requests: int
    answered: int
    errors: dict[str, int] = {}
    timeouts: int = 0
    dropped: int = 0
    achieved: float
    latency: Latency | None = None
    histogram: str = ""
    lateness: Latency | None = None
    parts: dict[str, Latency] = {}
    resources: Resources | None = None
    broke: Text | None = None

    @property
    def failed(self) -> int:
        """All that were not answered."""
        return sum(self.errors.values()) + self.timeouts + self.dropped

    @property
    def level(self) -> float:
        """The rate or concurrency that was asked for."""
        return self.rate if self.rate is not None else float(self.concurrency or 0)


class LoadTexts(Record):
    """What was sent.

    Attributes:
        count: different texts.
        tokens: their lengths, as `tools.profile` estimates them.
        sent: requests of all steps.
        most_sent: how often the same text was sent at most.
    """

    origin: Origin
    count: int
    tokens: Lengths | None
    sent: int = 0
    most_sent: int = 0


class LoadTest(Record):
    """A load test of one target.

    Attributes:
        target: what was asked: an address without credentials, or a candidate's spec.
        protocol, model: of an endpoint.
        data: name of the dataset that the texts are from.
        cold_ms: the very first request.
        warm: requests one at a time before the first step, which count in no step.
        points: the steps of the search in the order they ran; none where the rate or concurrency was given.
        repeats: the step at what was found, or given, again and again.
        holds_qps: the highest rate that met the goal, in most of the repeats too (closed loop: answers a second); None:
            none did.
        breaks_qps: the lowest rate that did not (closed loop: answers a second); None: none broke.
        holds_concurrency: the same step's concurrency, of a closed loop.
        spread: of p95 over the repeats: largest minus smallest, as a share of the median.
        swept: whether rate or concurrency was searched for, or given.
        stopped: what ended the test before all was measured.
        ended: whether it was the user who ended it (Ctrl-C).
        failure: what the first failed request met, in its own words.
        service: how a candidate was served; None of an endpoint.
        usd: price of what was sent, where one is known.
    """

    version: Literal[1] = 1
    run_id: str
    started: dt.datetime
    target: str
    protocol: str | None = None
    model: str | None = None
    data: str = ""
    machine: Hardware
    loop: Loop
    arrivals: Arrivals = "poisson"
    seed: int = 0
    swept: bool = True
    goal: Goal
    limits: Limits
    texts: LoadTexts
    cold_ms: float
    warm: Latency
    points: tuple[LoadPoint, ...]
    repeats: tuple[LoadPoint, ...] = ()
    holds_qps: float | None = None
    breaks_qps: float | None = None
    holds_concurrency: int | None = None
    spread: float | None = None
    stopped: Text | None = None
    ended: bool = False
    failure: str | None = None
    usd: float | None = None
    service: Served | None = None
    notes: tuple[Text, ...] = ()


class LoadPlan(Record):
    """What a load test would do and cost, to be agreed to before any text is sent.

    Attributes:
        sends_text_to: the host that would get the texts; None where none leaves this machine.
        requests, seconds: at most.
        tokens: of the texts, as this program estimates them; all requests together, at most.
        usd: of that many tokens; None where no price is known, 0 where nobody asks for one.
        price: what a million tokens cost, on which day, by which source.
        settings: of a search for the best ones: how many are tried, at most; `seconds`: after which none is begun.
    """

    target: str
    protocol: str | None = None
    model: str | None = None
    sends_text_to: str | None = None
    origin: Origin
    texts: int
    requests: int
    seconds: float
    tokens: int
    usd: float | None = None
    price: Text | None = None
    settings: int | None = None


class LoadRow(Record):
    """One load test beside others.

    Attributes:
        low, high: what it holds lies between these: the rate that held and the one that broke; of a closed loop, of a
            given rate and where nothing broke, the smallest and largest of the repeats (None: not known how much).
        verdict: best; less: holds less than the best, surely; unranked: what both hold overlaps.
    """

    run_id: str
    target: str
    low: float | None
    high: float | None
    p95_ms: float | None
    verdict: Literal["best", "less", "unranked"]


class LoadsCompared(Record):
    """Load tests beside each other, what holds most first."""

    goal: Goal
    loop: Loop
    rows: tuple[LoadRow, ...]
    notes: tuple[Text, ...] = ()
