"""The conversations of a server: what is said in one is worked on in the background, whoever is looking."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Lock, Thread
from time import monotonic

from agent import events
from agent.advisor import Advisor
from agent.at_once import answers_at_once
from app.bug_log import write_bug_log
from knowledge.errors import AdvisorError
from knowledge.progress import Progress
from knowledge.wording import Language, say
from tools.data_source import DataSource
from tools.datasets import Preview

LOG = logging.getLogger(__name__)
#: the exit code of a bug, on the command line and in a transcript
BUG = 1


@dataclass(frozen=True)
class Message:
    """What a user said, with its number in the advisor's inbox; without one: go on with what was interrupted."""

    text: str = ""
    data: DataSource | None = None
    number: int | None = None
    about: str | None = None


@dataclass(frozen=True)
class Offer:
    """Uploaded data, and what it looks like."""

    source: DataSource
    preview: Preview


@dataclass
class Live:
    """What is going on in one conversation; `version` changes whenever anything does.

    Attributes:
        waiting: messages that nobody has begun to deal with.
        busy: whether something is being worked on.
        progress: of the long step that runs.
        since: when that step began, by the monotonic clock.
        job: number of the message that the step is for.
        offer: data that was uploaded and not handed to the advisor yet.
    """

    waiting: deque[Message] = field(default_factory=deque)
    busy: bool = False
    progress: Progress | None = None
    since: float | None = None
    job: int | None = None
    offer: Offer | None = None
    version: int = 0

    @property
    def elapsed(self) -> float | None:
        """Seconds that the long step has taken so far; None where none runs."""
        return None if self.since is None else monotonic() - self.since


class Conversations:
    """All conversations, by thread name. One background thread works on each that has something to do.

    Args:
        advisor: who answers.
        home: folder in which logs of bugs are kept.
        changed: told the conversation's name after anything changed in it; it must return at once.
    """

    def __init__(self, advisor: Advisor, home: Path, changed: Callable[[str], None] = lambda thread: None) -> None:
        self.advisor = advisor
        self._home = home
        self._tell_of_change = changed
        self._lock = Lock()
        self._live: dict[str, Live] = {}

    def live(self, thread: str) -> Live:
        """What is going on in a conversation."""
        with self._lock:
            return self._live.setdefault(thread, Live())

    def now(self, thread: str) -> Live:
        """What is going on in a conversation at this moment: a copy, which does not change while it is shown."""
        live = self.live(thread)
        with self._lock:
            return replace(live, waiting=deque(live.waiting))

    def say(
        self,
        thread: str,
        text: str,
        data: DataSource | None = None,
        language: Language | None = None,
        about: str | None = None,
        briefly: bool = False,
        key: str | None = None,
    ) -> int | None:
        """Say something; the answer comes in the transcript. From here on a stopped server does not lose it.

        Arguments as `Advisor.put`. Returns the message's number; None where it was dealt with at once
        (`Advisor.at_once`), or not taken.
        """
        number: int | None = None
        with self._telling(thread):
            # what runs may run in another process
            if data is None and answers_at_once(text) and list(self.advisor.at_once(thread, text)):
                self._changed(thread)
                return number
            number = self.advisor.put(thread, text, data=data, language=language, about=about, briefly=briefly, key=key)
            self._put(thread, Message(text, data, number, about))
        return number

    def say_instead(self, thread: str, turn: int, text: str, language: Language | None = None) -> None:
        """Say something in place of an earlier message, as `Advisor.edit` does; what runs is ended first."""
        with self._telling(thread):
            self._put(thread, Message(text, number=self.advisor.put_instead(thread, turn, text, language=language)))

    def stop(self, thread: str) -> None:
        """End what runs, at the next place where nothing is lost."""
        with self._telling(thread):
            self.advisor.cancel(thread)

    def offer(self, thread: str, source: DataSource | None) -> None:
        """Show what uploaded data looks like, before it is handed over; None takes the offer away."""
        live = self.live(thread)
        with self._telling(thread):
            live.offer = Offer(source, source.preview()) if source else None
            self._changed(thread)

    def busy(self) -> frozenset[str]:
        """The conversations in which something runs."""
        with self._lock:
            return frozenset(thread for thread, live in self._live.items() if live.busy)

    def wake(self, thread: str) -> None:
        """Go on with work that a stopped server left behind, unless it ended in a bug and would again."""
        try:
            if self.live(thread).busy or not self.advisor.unfinished(thread):
                return
        except AdvisorError as error:  # whoever says something here is told
            LOG.warning("%s", error)
            return
        last = next(reversed(self.advisor.transcript.read(thread)[0]), None)
        if not (isinstance(last, events.Failed) and last.exit_code == BUG):
            self._put(thread, Message())

    def fail(self, thread: str, error: AdvisorError) -> None:
        """Show an error in a conversation."""
        failed = events.Failed(
            error=type(error).__name__, cause=error.cause, next_step=error.next_step, exit_code=error.exit_code
        )
        self.advisor.transcript.add(thread, failed)

    @contextmanager
    def _telling(self, thread: str) -> Iterator[None]:
        """Shows a foreseen error in the conversation."""
        try:
            yield
        except AdvisorError as error:
            self._tell(thread, error)
            self._changed(thread)

    def _put(self, thread: str, message: Message) -> None:
        live = self.live(thread)
        with self._lock:
            live.waiting.append(message)
            idle = not live.busy
            live.busy = True
        self._changed(thread)
        if not idle:
            return
        # a daemon, so that a stopped server ends at once; what was begun is finished after the next start
        Thread(target=self._work, args=(thread, live), name=f"conversation {thread}", daemon=True).start()

    def _work(self, thread: str, live: Live) -> None:
        while True:
            with self._lock:
                message = live.waiting[0] if live.waiting else None
                live.busy = message is not None
            self._changed(thread)
            if message is None:
                return
            try:
                for event in self._events(thread, message):
                    self._note(thread, live, event)
            except AdvisorError as error:
                self._tell(thread, error)
            except Exception as error:  # noqa: BLE001 - the last resort: a bug gets a log file and one line in the chat
                self._tell(thread, self._bug(error))
            finally:
                self._done(live, message)

    def _events(self, thread: str, message: Message) -> Iterator[events.Event]:
        return self.advisor.resume(thread) if message.number is None else self.advisor.answer(thread, message.number)

    def _changed(self, thread: str) -> None:
        live = self.live(thread)
        with self._lock:
            live.version += 1
        self._tell_of_change(thread)

    def _note(self, thread: str, live: Live, event: events.Event) -> None:
        if isinstance(event, events.StageStarted):
            live.job = next((turn.number for turn in reversed(self.advisor.turns(thread))), None)
        with self._lock:
            if isinstance(event, events.Heard) and event.number is not None:
                live.waiting = deque(m for m in live.waiting if m.number != event.number)
            if isinstance(event, events.Progressed):
                live.progress = event.progress
            elif isinstance(event, events.StageStarted | events.StageDone):
                live.progress = None
                live.since = monotonic() if isinstance(event, events.StageStarted) else None
        self._changed(thread)

    def _done(self, live: Live, message: Message) -> None:
        with self._lock:
            if live.waiting and live.waiting[0] is message:
                live.waiting.popleft()
            live.progress = live.since = live.job = None

    def _tell(self, thread: str, error: AdvisorError) -> None:
        try:
            self.fail(thread, error)
        except AdvisorError as second:  # the disk is full: nobody can be told but the log
            LOG.error("%s; %s", error, second)

    def _bug(self, error: Exception) -> AdvisorError:
        log = write_bug_log(error, self._home)
        LOG.error("bug in a conversation: %r (see %s)", error, log)
        return AdvisorError(
            say("This is a bug in the advisor: {error}.", error=type(error).__name__),
            say("Please report it with the log file {name}.", name=log.name if log else "-"),
        )
