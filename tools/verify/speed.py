"""How fast it answers, one bounded step of a load test, against the limits that the user has."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

from knowledge.constraints.latency import LatencyConstraint
from knowledge.errors import AdvisorError
from knowledge.quantities import milliseconds, rate
from knowledge.requirements import Requirements
from knowledge.results.load import Goal, Limits, LoadPoint
from knowledge.results.verification import Check
from knowledge.wording import say
from tools.load.steps import WARM_REQUESTS, Course
from tools.load.sweep import run_load
from tools.verify.pipeline import Pipeline
from tools.verify.subject import Deployed, failed, passed, skipped

SECONDS = 5.0
MOST_REQUESTS = 3_000
#: for what comes before the step
MORE_SECONDS = 10.0
#: documents that a user is shown
RESULTS = 10
#: at once, where no rate is demanded
CONCURRENCY = 4
#: of a demanded rate, that has to be answered
ENOUGH = 0.95


class Asking:
    """A pipeline as a target of a load test: each request in a thread of its own."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline, self.name = pipeline, pipeline.name
        self._threads = ThreadPoolExecutor(64, thread_name_prefix="verify")

    async def ask(self, text: str) -> Mapping[str, float]:
        await asyncio.get_running_loop().run_in_executor(self._threads, self._pipeline.search, text, RESULTS)
        return {}

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


def demanded_rate(wanted: Requirements) -> float | None:
    """Queries a second that it has to answer; None where none are demanded."""
    return wanted.queries_per_second.value if wanted.queries_per_second else None


def limits_of(wanted: Requirements, seconds: float) -> Limits:
    """What the load step is kept to.

    Args:
        wanted: of a demanded rate, no more is asked than warming up and twice the step take.
        seconds: of the step.
    """
    demanded = demanded_rate(wanted)
    requests = MOST_REQUESTS if demanded is None else WARM_REQUESTS + 2 * math.ceil(demanded * seconds)
    # some on top: users who come when they like are more than on average at times
    most = min(MOST_REQUESTS, requests + WARM_REQUESTS)
    return Limits(seconds=4 * seconds + MORE_SECONDS, step_seconds=seconds, requests=most)


def speed(deployed: Deployed, seconds: float = SECONDS) -> Iterator[Check]:
    """Latency and throughput under the demanded rate, or with a few requests at once where none is demanded."""
    if not deployed.pipeline.timed:
        why = say("A model on this machine makes the vectors of queries: its time is not that of the deployment.")
        yield skipped("speed", "latency", why)
        return
    wanted = deployed.handover.requirements
    demanded = demanded_rate(wanted)
    limit = wanted.constraint(LatencyConstraint)
    goal = Goal(p95_ms=limit.p95_ms if limit else 1_000.0)
    limits = limits_of(wanted, seconds)
    texts = [query.text for query in deployed.queries]
    course = (
        Course(goal=goal, limits=limits, loop="closed", concurrency=CONCURRENCY, repeats=1)
        if demanded is None
        else Course(goal=goal, limits=limits, rate=demanded, repeats=1)
    )
    try:
        found = run_load(Asking(deployed.pipeline), texts, course)
    except (AdvisorError, TimeoutError) as error:
        why = error.cause if isinstance(error, AdvisorError) else say("it did not answer in time")
        yield failed("speed", "latency", "crash", say("It could not be timed: {why}", why=why))
        return
    if found.ended:
        raise KeyboardInterrupt
    points = (*found.points, *found.repeats)
    if not points:
        yield skipped("speed", "latency", found.stopped or say("Not one step of the load test came to its end."))
        return
    point = points[-1]
    deployed.asked += point.requests
    yield _latency(point, limit)
    yield _rate(point, demanded)


def _latency(point: LoadPoint, limit: LatencyConstraint | None) -> Check:
    if point.latency is None:
        return failed("speed", "latency", "speed", say("Nothing was answered in time."))
    took = point.latency
    figures = {"p50_ms": took.p50_ms, "p95_ms": took.p95_ms, "p99_ms": took.p99_ms, "requests": float(point.requests)}
    told = say(
        "p50 {p50}, p95 {p95}, p99 {p99} over {requests} requests.",
        p50=milliseconds(took.p50_ms),
        p95=milliseconds(took.p95_ms),
        p99=milliseconds(took.p99_ms),
        requests=point.requests,
    )
    if limit is None:
        return skipped("speed", "latency", say("{told} No limit is demanded.", told=told), figures)
    told = say("{told} The limit is {limit} at p95.", told=told, limit=milliseconds(limit.p95_ms))
    if took.p95_ms > limit.p95_ms:
        remedy = say("advisor load says which rate it holds; a smaller dimension, an index or more machines help.")
        return failed("speed", "latency", "speed", told, remedy, figures)
    return passed("speed", "latency", told, figures)


def _rate(point: LoadPoint, demanded: float | None) -> Check:
    figures = {"answered_per_second": point.achieved, "failed": float(point.failed)}
    told = say("It answers {achieved} a second; {failed} failed.", achieved=rate(point.achieved), failed=point.failed)
    if demanded is None:
        return skipped("speed", "throughput", say("{told} No rate is demanded.", told=told), figures)
    told = say("{told} {demanded} a second are demanded.", told=told, demanded=rate(demanded))
    if point.achieved < ENOUGH * min(demanded, point.offered or demanded) or point.failed > 0.01 * point.requests:
        return failed("speed", "throughput", "speed", told, say("See what it holds: advisor load."), figures)
    return passed("speed", "throughput", told, figures)
