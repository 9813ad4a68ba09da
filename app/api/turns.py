"""Messages being answered: each in a thread of its own, whether its sender listens or not."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from threading import Lock, Semaphore, Thread

from agent import events
from agent.advisor import Advisor
from app.bug_log import write_bug_log
from app.jobs import bug
from knowledge.errors import AdvisorError, UserError
from knowledge.wording import say

LOG = logging.getLogger(__name__)
#: messages that may be in the works at once, over all conversations
MOST = 200
#: of these, how many are thought about at the same time: Python runs one thread at a time, and with a hundred that
#: take turns everybody waits for everybody, the server's own loop too. Whoever measures or waits does not count
AT_ONCE = 4


class TooManyTurnsError(UserError):
    """As many messages are being answered as may be."""


class Turn:
    """One message: its events so far, for whoever wants to follow."""

    def __init__(self) -> None:
        self._told: list[events.Event] = []
        self._ended = False
        self._wakers: list[Callable[[], None]] = []
        self._lock = Lock()

    def tell(self, event: events.Event | None) -> None:
        """Add an event; None: that was the last."""
        with self._lock:
            if event is None:
                self._ended = True
            else:
                self._told.append(event)
            wakers = list(self._wakers)
        for wake in wakers:
            wake()

    async def follow(self, every: float = 15.0) -> AsyncIterator[events.Event | None]:
        """The events as they come; None each time that nothing has come for `every` seconds."""
        loop, news = asyncio.get_running_loop(), asyncio.Event()

        def wake() -> None:
            with contextlib.suppress(RuntimeError):  # the server stops
                loop.call_soon_threadsafe(news.set)

        with self._lock:
            self._wakers.append(wake)
        try:
            place = 0
            while True:
                news.clear()
                with self._lock:
                    new, ended = self._told[place:], self._ended
                for event in new:
                    yield event
                place += len(new)
                if ended:
                    return
                try:
                    await asyncio.wait_for(news.wait(), every)
                except TimeoutError:
                    yield None
        finally:
            with self._lock:
                self._wakers.remove(wake)


class _Place:
    """One of the places of those who think, taken or not."""

    def __init__(self, places: Semaphore) -> None:
        self._places, self._taken = places, False

    def take(self) -> None:
        if not self._taken:
            self._places.acquire()
            self._taken = True

    def leave(self) -> None:
        if self._taken:
            self._taken = False
            self._places.release()

    def after(self, event: events.Event) -> None:
        """Leave it while children measure or another message is answered first; take one again after that."""
        if isinstance(event, events.Queued) or (
            isinstance(event, events.StageStarted) and event.stage in ("evaluate", "benchmark")
        ):
            self.leave()
        elif not isinstance(event, events.Progressed):
            self.take()


class Turns:
    """All messages in the works."""

    def __init__(self, advisor: Advisor, home: Path, watch: Callable[[int], None] = lambda running: None) -> None:
        self._advisor, self._home, self._watch = advisor, home, watch
        self._running = 0
        self._woken: set[str] = set()
        self._lock = Lock()
        self._places = Semaphore(AT_ONCE)

    def begin(self, thread: str, events_of: Callable[[], Iterator[events.Event]]) -> Turn:
        """Answer in the background.

        Args:
            thread: name of the conversation.
            events_of: makes the events, such as a call of `Advisor.answer`.

        Raises:
            TooManyTurnsError: too many are being answered.
        """
        self.check()
        with self._lock:
            self._running += 1
            self._watch(self._running)
        turn = Turn()
        # a daemon, so that a stopped server ends at once; what was begun is finished when the conversation is next seen
        Thread(target=self._work, args=(thread, turn, events_of), name=f"turn {thread}", daemon=True).start()
        return turn

    def check(self) -> None:
        """Raise TooManyTurnsError where no message can be taken now."""
        if self._running >= MOST:
            raise TooManyTurnsError(
                say("{count} messages are being answered.", count=MOST), say("Try again in a few seconds.")
            )

    def wake(self, thread: str, events_of: Callable[[], Iterator[events.Event]]) -> None:
        """Go on with what a killed server left behind in a conversation; looked for once."""
        with self._lock:
            if thread in self._woken:
                return
            self._woken.add(thread)
        if self._advisor.unfinished(thread):
            self.begin(thread, events_of)

    def seen(self, thread: str) -> None:
        """This conversation is worked on here: there is nothing left behind in it."""
        with self._lock:
            self._woken.add(thread)

    def _work(self, thread: str, turn: Turn, events_of: Callable[[], Iterator[events.Event]]) -> None:
        place = _Place(self._places)
        try:
            place.take()
            for event in events_of():
                turn.tell(event)
                place.after(event)
        except AdvisorError as error:
            turn.tell(self._failed(thread, error))
        except Exception as error:  # noqa: BLE001 - the last resort: a bug gets a log file, and its caller an end
            log = write_bug_log(error, self._home)
            LOG.error("bug in a conversation: %r (see %s)", error, log)
            turn.tell(self._failed(thread, bug(error, log)))
        finally:
            place.leave()
            with self._lock:
                self._running -= 1
                self._watch(self._running)
            turn.tell(None)

    def _failed(self, thread: str, error: AdvisorError) -> events.Failed:
        failed = events.Failed(
            error=type(error).__name__, cause=error.cause, next_step=error.next_step, exit_code=error.exit_code
        )
        try:
            self._advisor.transcript.add(thread, failed)
        except AdvisorError as second:  # the disk is full: whoever listens is told all the same
            LOG.error("%s", second)
        return failed
