"""One target, asked at one level after the other, within what the user allowed."""

from __future__ import annotations

import asyncio
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from knowledge.progress import OnProgress, Progress, ignore
from knowledge.quantities import rate as a_second
from knowledge.results.load import Arrivals, Goal, Latency, Limits, LoadPoint, Loop
from knowledge.wording import Text, say
from tools.load.arrivals import TextOrder, arrivals
from tools.load.goal import why_broken
from tools.load.gpu import GpuWatch
from tools.load.loops import closed_loop, open_loop
from tools.load.recorder import Recorder, Timings
from tools.load.resources import Sampler
from tools.load.search import LimitReached
from tools.load.target import Target

#: requests one at a time before the first step, and seconds they may take together
WARM_REQUESTS, WARM_SECONDS = 20, 5.0
#: how often what was found is measured again
REPEATS = 3
#: a step is made longer until so many requests are due in it, but not longer than so many times
FEW_REQUESTS, LONGER = 60, 4.0


@dataclass(frozen=True)
class Course:
    """How a load test goes.

    Attributes:
        goal: what counts as held.
        limits: what it may take.
        loop: open: the rate is searched for, or `rate`; closed: the concurrency, or `concurrency`.
        arrivals: of an open loop.
        rate: only this one, a second, repeated.
        concurrency: only this one, repeated.
        repeats: of what was found.
        seed: of the order of the texts and of the arrivals.
    """

    goal: Goal = field(default_factory=Goal)
    limits: Limits = field(default_factory=Limits)
    loop: Loop = "open"
    arrivals: Arrivals = "poisson"
    rate: float | None = None
    concurrency: int | None = None
    repeats: int = REPEATS
    seed: int = 0

    @property
    def level(self) -> float | None:
        """The only one that is measured; None: one is searched for."""
        return self.rate if self.loop == "open" else self.concurrency


#: a search for the highest rate
USUAL = Course()


class Steps:
    """Measures levels: requests a second of an open loop, requests at a time of a closed one.

    Make and use it within the event loop that the target is asked in.

    Args:
        target: whom to ask.
        texts: what.
        course: how.
        pids: the target's processes, where they run here.
        gpus: who looks at the GPUs.
        on_progress: told before and after each step.

    Attributes:
        order: what was sent so far.
        reserve: seconds that no step of a search may use, because the repeats want them.
        failure: the words of the first failure of all.
    """

    def __init__(
        self,
        target: Target,
        texts: Sequence[str],
        course: Course,
        *,
        pids: Sequence[int] = (),
        gpus: GpuWatch | None = None,
        on_progress: OnProgress = ignore,
    ) -> None:
        self.order = TextOrder(texts, course.seed)
        self.reserve = 0.0
        self.failure: Exception | None = None
        self._target, self._course, self._pids, self._gpus = target, course, tuple(pids), gpus
        self._clock = asyncio.get_running_loop().time
        self._began = self._clock()
        self._numbers, self._on_progress = itertools.count(1), on_progress

    async def warm_up(self) -> tuple[float, Latency]:
        """Ask once, then a few times more, one request at a time.

        Returns:
            milliseconds of the first request, and the latency of the others.

        Raises:
            AdvisorError, TimeoutError: what the first request met.
        """
        began = self._clock()
        async with asyncio.timeout(self._course.limits.timeout_s):
            await self._target.ask(self.order.next())
        cold = self._clock() - began
        record = Recorder()
        await self._closed(record, 1, min(WARM_REQUESTS, self._course.limits.requests - self.order.sent), WARM_SECONDS)
        first = Timings()
        first.add(cold)
        warm = record.latency() or first.latency()  # it may have answered once and never again
        assert warm
        return 1000 * cold, warm

    async def measure(self, level: float) -> LoadPoint:
        """One step.

        Raises:
            LimitReached: time or requests are used up.
        """
        open_ = self._course.loop == "open"
        seconds = self._seconds(level) if open_ else self._course.limits.step_seconds
        left = self._left(seconds, level * seconds if open_ else 1)
        self._tell(level, 0.0, seconds)
        record = Recorder()
        with Sampler(self._pids, self._gpus) as sampler:
            began = self._clock()
            if open_:
                await self._open(record, level, left, seconds)
            else:
                await self._closed(record, round(level), left, seconds)
            took = self._clock() - began
        self._tell(level, seconds, seconds)
        if record.example and self.failure is None:
            self.failure = record.example[1]
        point = LoadPoint(
            loop=self._course.loop,
            rate=level if open_ else None,
            offered=record.offered if open_ else None,
            concurrency=None if open_ else round(level),
            seconds=took,
            requests=record.requests,
            answered=record.answered,
            errors=dict(record.errors),
            timeouts=record.timeouts,
            dropped=record.dropped,
            achieved=record.answered_a_second,
            latency=record.latency(),
            histogram=record.histogram(),
            lateness=record.lateness() if open_ else None,
            parts=record.parts(),
            resources=sampler.found(),
        )
        return point.model_copy(update={"broke": why_broken(point, self._course.goal)})

    async def _open(self, record: Recorder, rate: float, most: int, seconds: float) -> None:
        course, number = self._course, next(self._numbers)
        schedule = arrivals(course.arrivals, rate, seconds, seed=hash((course.seed, number)))
        limits = course.limits
        await open_loop(
            self._target,
            self.order,
            itertools.islice(schedule, most),
            record,
            in_flight=limits.in_flight,
            timeout_s=limits.timeout_s,
        )

    async def _closed(self, record: Recorder, concurrency: int, most: int, seconds: float) -> None:
        await closed_loop(
            self._target,
            self.order,
            record,
            concurrency=concurrency,
            seconds=seconds,
            requests=most,
            timeout_s=self._course.limits.timeout_s,
        )

    def _seconds(self, rate: float) -> float:
        """How long a step at this rate goes on."""
        step = self._course.limits.step_seconds
        return min(max(step, FEW_REQUESTS / rate), LONGER * step)

    def _left(self, seconds: float, requests: float) -> int:
        """Requests that may still be sent, if a step of this size may still be made."""
        limits = self._course.limits
        if self._clock() - self._began + seconds + self.reserve > limits.seconds:
            raise LimitReached(say("the limit of {seconds:g} seconds was reached", seconds=limits.seconds))
        left = limits.requests - self.order.sent
        if left < requests:
            raise LimitReached(say("the limit of {requests:,} requests was reached", requests=limits.requests))
        return left

    def _tell(self, level: float, done: float, seconds: float) -> None:
        self._on_progress(
            Progress(
                stage="load",
                label=_label(self._course.loop, level),
                done=math.ceil(done),
                total=math.ceil(seconds),
                elapsed_seconds=done,
                eta_seconds=seconds - done,
            )
        )


def _label(loop: Loop, level: float) -> Text:
    if loop == "open":
        return say("Load: {rate} requests a second", rate=a_second(level))
    return say("Load: {count} requests at a time", count=round(level))
