"""The two loops: open (requests come when they come) and closed (so many at a time, each waits for its answer).

Time is the event loop's: a test gives them a loop whose clock it owns.
"""

from __future__ import annotations

import asyncio
import select
import selectors
from collections.abc import Iterable

from knowledge.errors import AdvisorError
from tools.load.arrivals import TextOrder
from tools.load.recorder import Recorder
from tools.load.target import Target


def precise_loop() -> asyncio.AbstractEventLoop:
    """An event loop that wakes to the microsecond where the system can.

    epoll counts in milliseconds, and asyncio rounds up: each request would be up to 1 ms late. ``select`` counts in
    microseconds, and an epoll is itself something that select can wait for.
    """
    epoll = getattr(selectors, "EpollSelector", None)
    if epoll is None:
        return asyncio.new_event_loop()

    class PreciseSelector(epoll):  # type: ignore[misc,valid-type] # which class it is depends on the system
        def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
            if timeout and timeout > 0 and self.fileno() < 1024:  # select knows no higher numbers
                if not select.select([self.fileno()], [], [], timeout)[0]:
                    return []
                timeout = 0
            found: list[tuple[selectors.SelectorKey, int]] = super().select(timeout)
            return found

    return asyncio.SelectorEventLoop(PreciseSelector())


async def open_loop(
    target: Target, texts: TextOrder, schedule: Iterable[float], record: Recorder, *, in_flight: int, timeout_s: float
) -> None:
    """Send each request when it is due, whatever has become of those before; then wait for the last answers.

    Args:
        target: who is asked.
        texts: what.
        schedule: seconds from now, ascending.
        record: where it is counted.
        in_flight: requests at once; one that is due while so many wait is dropped and counted so.
        timeout_s: after which a request is given up.

    Raises:
        ExceptionGroup: a bug of the target; its failures are counted.
    """
    loop = asyncio.get_running_loop()
    start = loop.time()
    async with asyncio.TaskGroup() as waiting:
        for offset in schedule:
            due = start + offset
            await asyncio.sleep(max(0.0, due - loop.time()))
            if record.hopeless:
                return
            record.due(due)
            if record.waiting >= in_flight:
                record.dropped += 1
                continue
            record.waiting += 1
            waiting.create_task(_request(target, texts.next(), due, record, timeout_s))


async def closed_loop(
    target: Target,
    texts: TextOrder,
    record: Recorder,
    *,
    concurrency: int,
    seconds: float,
    requests: int,
    timeout_s: float,
) -> None:
    """Keep so many requests on their way, each sent when one before it is answered.

    Args:
        target: who is asked.
        texts: what.
        record: where it is counted.
        concurrency: requests at once.
        seconds: after which no more are sent.
        requests: no more than these are sent.
        timeout_s: after which a request is given up.

    Raises:
        ExceptionGroup: a bug of the target; its failures are counted.
    """
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds

    async def worker() -> None:
        while (now := loop.time()) < end and record.requests < requests and not record.hopeless:
            record.due(now)
            record.waiting += 1
            await _request(target, texts.next(), now, record, timeout_s)

    async with asyncio.TaskGroup() as workers:
        for _ in range(concurrency):
            workers.create_task(worker())


async def _request(target: Target, text: str, due: float, record: Recorder, timeout_s: float) -> None:
    loop = asyncio.get_running_loop()
    record.began(loop.time() - due)
    try:
        async with asyncio.timeout(timeout_s):
            parts = await target.ask(text)
    except TimeoutError:
        record.timeouts += 1
    except AdvisorError as error:
        record.failed(getattr(error, "kind", type(error).__name__), error)
    else:
        record.done(due, loop.time(), parts)
    finally:
        record.waiting -= 1
