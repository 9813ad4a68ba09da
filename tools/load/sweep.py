"""A load test from the first request to the last repeat."""

from __future__ import annotations

import asyncio
import datetime as dt
import gc
import statistics
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from knowledge.errors import DatasetError
from knowledge.progress import OnProgress, ignore
from knowledge.results.load import Latency, LoadPoint, LoadTest, LoadTexts, Origin
from knowledge.wording import say
from tools.hardware import this_machine
from tools.load.gpu import GpuWatch
from tools.load.loops import precise_loop
from tools.load.search import Found, LimitReached, search
from tools.load.steps import USUAL, Course, Steps
from tools.load.target import Target
from tools.profile import estimated_tokens, lengths
from tools.run_store import new_run_id
from tools.stopping import LOOK_EVERY, stop_point

#: where the first level breaks, so many halvings are tried
HALVINGS = 3
#: the first rate that is tried, as a share of what one request at a time comes to
FIRST = 0.5

T = TypeVar("T")


def run_load(
    target: Target,
    texts: Sequence[str],
    course: Course = USUAL,
    *,
    origin: Origin = "queries",
    pids: Sequence[int] = (),
    on_progress: OnProgress = ignore,
    loop_factory: Callable[[], asyncio.AbstractEventLoop] = precise_loop,
) -> LoadTest:
    """Put a target under load, and close it. Saves nothing: that is the caller's.

    Args:
        target: whom to ask.
        texts: what; each is sent once before one is sent again.
        course: how.
        origin: what the texts are.
        pids: the target's processes, where they run here (this one's own id too, for a candidate within it).
        on_progress: told before and after each step.
        loop_factory: makes the event loop, whose clock is the test's.

    Raises:
        DatasetError: no texts.
        AdvisorError, TimeoutError: what the very first request met.
        Stopped: the user wants it to end (see `tools.stopping`).
        KeyboardInterrupt: before the first step was measured; after it what was measured comes back as an `ended` test,
            and whoever called it ends.
    """
    if not texts:
        raise DatasetError(
            say("There is no text to send."), say("See “Your data” in the README for the forms that are read.")
        )
    gpus = GpuWatch.here()

    started, run = dt.datetime.now(dt.UTC), _Run()

    async def measure() -> None:
        run.steps = Steps(target, texts, course, pids=pids, gpus=gpus, on_progress=on_progress)
        try:
            run.cold_ms, run.warm = await run.steps.warm_up()
            await _measured(run, course, run.warm)
        finally:
            await target.close()

    gc.freeze()  # a collection among a large program's objects stops the generator for tens of milliseconds
    try:
        with asyncio.Runner(loop_factory=loop_factory) as runner:
            runner.run(_unless_stopped(measure()))
    except KeyboardInterrupt:
        if not run.measured:
            raise
        run.found.stopped, run.ended = say("you ended it"), True
    except BaseExceptionGroup as bugs:
        raise bugs.exceptions[0] from None
    finally:
        gc.unfreeze()
        if gpus:
            gpus.close()
    assert run.steps
    assert run.warm
    return LoadTest(
        run_id=new_run_id("load", started),
        started=started,
        target=target.name,
        machine=this_machine(),
        loop=course.loop,
        arrivals=course.arrivals,
        seed=course.seed,
        swept=course.level is None,
        goal=course.goal,
        limits=course.limits,
        texts=LoadTexts(
            origin=origin,
            count=len(texts),
            tokens=lengths([estimated_tokens(text) for text in texts]),
            sent=run.steps.order.sent,
            most_sent=run.steps.order.most_sent,
        ),
        cold_ms=run.cold_ms,
        warm=run.warm,
        points=tuple(run.found.points),
        repeats=tuple(run.again),
        stopped=run.found.stopped,
        ended=run.ended,
        failure=str(run.steps.failure) if run.steps.failure else None,
        **_held(run.found, run.again),
    )


@dataclass
class _Run:
    """What was measured so far: all of it counts, however the test ends.

    Attributes:
        again: repeats of what was found, or of the level that was given.
        ended: whether the user ended it.
    """

    steps: Steps | None = None
    cold_ms: float = 0.0
    warm: Latency | None = None
    found: Found = field(default_factory=Found)
    again: list[LoadPoint] = field(default_factory=list)
    ended: bool = False

    @property
    def measured(self) -> bool:
        """Whether there is a step at all."""
        return bool(self.found.points or self.again)


async def _measured(run: _Run, course: Course, warm: Latency) -> None:
    """The steps of the search, and the repeats of what it found, or of the level that was given."""
    steps, found, again, repeats = run.steps, run.found, run.again, max(1, course.repeats)
    assert steps
    if course.level is not None:
        await _repeated(steps, course.level, repeats, found, again)
        return
    limits, whole = course.limits, course.loop == "closed"
    start: float = 1 if whole else min(FIRST * 1000 / warm.p50_ms, limits.rate)
    # where one request alone takes too long, fewer of them will not be faster
    lowest = start if whole or warm.p50_ms > course.goal.p95_ms else start / 2**HALVINGS
    highest: float = limits.in_flight if whole else limits.rate
    while True:
        steps.reserve = repeats * limits.step_seconds
        await search(steps.measure, start, lowest=lowest, highest=highest, whole=whole, found=found)
        if found.holds is None:
            return
        steps.reserve = 0.0
        while found.holds is not None:
            await _repeated(steps, found.holds.level, repeats, found, again)
            if not again or not _middle(again).broke:
                return
            found.points.append(_middle(again))  # it does not hold after all: the next lower level that did is left
            again.clear()


async def _repeated(steps: Steps, level: float, repeats: int, found: Found, again: list[LoadPoint]) -> None:
    try:
        while len(again) < repeats:
            again.append(await steps.measure(level))
    except LimitReached as reached:
        found.stopped = found.stopped or reached.limit


def _held(found: Found, again: Sequence[LoadPoint]) -> dict[str, float | int | None]:
    """What held and what broke, of the search and the repeats."""
    held = _middle(again) if again else found.holds
    broke = found.breaks
    if held is not None and held.broke:
        held, broke = None, held
    p95s = [point.latency.p95_ms for point in again if point.latency]
    return {
        "holds_qps": (held.rate or held.achieved) if held else None,
        "holds_concurrency": held.concurrency if held else None,
        "breaks_qps": (broke.rate or broke.achieved) if broke else None,
        "spread": (max(p95s) - min(p95s)) / statistics.median(p95s) if len(p95s) > 1 else None,
    }


def _middle(points: Sequence[LoadPoint]) -> LoadPoint:
    """The one in the middle, of those in the order of how well they went: more than half did as well or better."""
    in_order = sorted(points, key=lambda p: (p.broke is not None, p.latency.p95_ms if p.latency else float("inf")))
    return in_order[len(in_order) // 2]


async def _unless_stopped(work: Coroutine[None, None, T]) -> T:
    """The result, unless the user wants it to end."""
    task = asyncio.ensure_future(work)
    try:
        while not task.done():
            await asyncio.wait({task}, timeout=LOOK_EVERY)
            stop_point()
        return task.result()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
