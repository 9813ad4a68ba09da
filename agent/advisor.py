"""The advisor: conversations by name, and the one way to talk to them that every door uses."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from filelock import Timeout
from langgraph.types import Command

from agent import events
from agent.answering.duration import while_running
from agent.at_once import answers_at_once, asks_to_stop
from agent.course import Course
from agent.graph import make_context
from agent.inbox import EDITABLE, Inbox, Message, Received
from agent.interview import asked_about, next_question
from agent.settings import Settings
from agent.state import State, cleared, with_data
from agent.thread_locks import ThreadLocks, check_name
from agent.transcript import Transcript, shown
from agent.understanding.language import reply_language
from knowledge.errors import AdvisorError, ResourceError, UserError, make_room
from knowledge.progress import Progress
from knowledge.requirements import Requirements
from knowledge.results import Consent, HeadToHead, Report
from knowledge.wording import Language, Text, say
from tools.data_source import DataSource
from tools.head_to_head import head_to_head
from tools.run_store import Feedback, RunStore
from tools.sqlite_file import write_ahead

#: seconds between two looks at whether it is a waiting message's turn
LOOK_EVERY = 0.2


@dataclass(frozen=True)
class Turn:
    """A message of the user's that can be edited; `number` is what the inbox calls it."""

    number: int
    text: str
    data: DataSource | None
    specs: tuple[str, ...] | None
    about: str | None = None


class Advisor:
    """Conversations by thread name, kept on disk.

    LangGraph does not serialise the messages of one thread, so a lock file does, whichever process they come from. Each
    message goes into the `Inbox` first; whoever holds the lock answers them in the order in which they came.
    """

    def __init__(self, settings: Settings, *, report_folder: Path | None = None, reads_paths: bool = True) -> None:
        home = settings.home.expanduser()
        try:
            (home / "locks").mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(home / "conversations.sqlite", check_same_thread=False)
            write_ahead(connection)
            self._inbox = Inbox(home / "conversations.sqlite")
        except (OSError, sqlite3.Error) as error:
            raise ResourceError(
                say("{folder} cannot be written: {why}.", folder=str(home), why=str(error)),
                make_room(error),
            ) from error
        self._locks = ThreadLocks(home / "locks")
        self.transcript = Transcript(home / "threads")
        self._latest: dict[str, Progress] = {}
        self._language = settings.language
        self.context = make_context(settings, report_folder=report_folder)
        self.context.reads_paths = reads_paths
        self.context.should_stop = self._locks.should_stop
        self._course = Course(connection, self.context)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def warm(self) -> None:
        """Load what the first message would wait for: scores, forecasts, verdicts, the notes' index."""
        self.context.guidance.look_up("nDCG")
        next_question(Requirements(), (), False, self.context.catalog, self.context.scores)

    def close(self) -> None:
        """Let go of the conversations' file and the notes' index."""
        self.context.guidance.close()
        self._course.close()
        self._inbox.close()

    def reply(
        self,
        thread: str,
        text: str,
        *,
        data: DataSource | None = None,
        language: Language | None = None,
        specs: list[str] | None = None,
        about: str | None = None,
    ) -> Iterator[events.Event]:
        """Say something in a conversation and hear what comes of it.

        Args:
            thread: name of the conversation; a new name begins a new one.
            text: what the user says; may be empty when only `data` is handed over.
            data: a dataset handed over with it.
            language: of the report; None: the settings', else the one the user writes in.
            specs: the candidates to measure, from now on; None: as before, and at first those that the plan chooses.
            about: the field of `Requirements` or kind of demand that it changes, whatever question is open.

        Messages that came before it, and work that a killed process left unfinished, are dealt with first. One that has
        to wait is told so at once (`Queued`). A word such as “stop”, while something runs, ends that instead, and how
        long it will take is answered at once.

        Raises:
            UserError: too many messages wait already, or there is nothing that `about` names.
        """
        if data is None and answers_at_once(text):
            told = list(self.at_once(thread, text))
            if told:
                yield from told
                return
        yield from self.answer(thread, self.put(thread, text, data=data, language=language, specs=specs, about=about))

    def put(
        self,
        thread: str,
        text: str,
        *,
        data: DataSource | None = None,
        language: Language | None = None,
        specs: list[str] | None = None,
        about: str | None = None,
        briefly: bool = False,
        key: str | None = None,
    ) -> int:
        """Keep a message for `answer`, or whoever comes next, to deal with; returns its number. Arguments as `reply`.

        With `briefly`, a short question that opens the conversation is answered at once, without an interview. A `key`
        is what the door knows the message by: one that came before is kept once, with its first number.

        Raises:
            UserError: too many messages wait already, or there is nothing that `about` names.
        """
        check_name(thread)
        if about is not None:
            asked_about(about)
        named = None if specs is None else tuple(specs)
        message = Message(text=_storable(text), data=data, language=language, specs=named, about=about, briefly=briefly)
        return self._inbox.add(thread, message, key)

    def answer(self, thread: str, number: int) -> Iterator[events.Event]:
        """Answer the messages of a conversation up to this one, or hear what another process answered."""
        lock, waits = self._locks.lock(thread), False
        try:
            while self._inbox.waits(number):
                try:
                    lock.acquire(timeout=LOOK_EVERY if waits else 0, poll_interval=LOOK_EVERY / 4)
                except Timeout:
                    if not waits:
                        waits = True
                        ahead = [m.number for m in self._inbox.waiting(thread) if m.number < number]
                        yield events.Queued(number=number, ahead=max(len(ahead), 1))
                    continue
                try:
                    if self._inbox.waits(number):
                        yield from self._work_off(thread, number)
                        return
                finally:
                    lock.release()
        except (GeneratorExit, KeyboardInterrupt):
            self._inbox.withdraw(number)  # only where nobody has begun: the user would not wait
            raise
        yield from _about(number, self.transcript.read(thread)[0])

    def told(self, thread: str, number: int) -> tuple[list[events.Event], bool]:
        """What came of a message so far, and whether that is all; nothing where there is no such message."""
        answered = not self._inbox.waits(number)  # before reading, so that what is all is read
        return list(_about(number, self.transcript.read(thread)[0])), answered

    def stop(self, thread: str, text: str) -> Iterator[events.Event]:
        """Deal with a word that `asks_to_stop`, while something runs: `cancel`, with what was said and what it does.

        Where nothing runs, nothing is yielded.
        """
        if self.cancel(thread):
            said = events.Said(text=say("What runs here ends as soon as nothing is lost by it."))
            for event in (events.Heard(text=_storable(text)), said):
                self.transcript.add(thread, event)
                yield event

    def at_once(self, thread: str, text: str) -> Iterator[events.Event]:
        """Deal with a message that `answers_at_once`, while something runs: `stop`, or tell how far it has come.

        Where nothing runs, nothing is yielded.
        """
        if asks_to_stop(text):
            yield from self.stop(thread, text)
            return
        stage = self._stage_now(thread) if self._locks.is_held(thread) else None
        if stage is not None:
            said = events.Said(text=while_running(self.state(thread), stage, self._latest.get(thread)))
            for event in (events.Heard(text=_storable(text)), said):
                self.transcript.add(thread, event)
                yield event

    def _stage_now(self, thread: str) -> Text | None:
        """The step that was begun last and is not done, whichever process does it."""
        told = (e for e in reversed(self.transcript.read(thread)[0]) if e.kind in ("stage_started", "stage_done"))
        last = next(told, None)
        return last.text if isinstance(last, events.StageStarted) else None

    def cancel(self, thread: str) -> bool:
        """End what is being done in a conversation, whoever does it, at the next place where nothing is lost.

        What was encoded is kept, and the conversation says how to go on. Returns whether something ran; what has come
        to its last steps may still be finished.
        """
        busy = self._locks.is_held(thread)
        if busy:
            self._locks.stop(thread)
        return busy

    def turns(self, thread: str) -> list[Turn]:
        """The user's messages that are shown, oldest first; `edit` counts them from 1."""
        told = shown(self.transcript.read(thread)[0])
        return [
            Turn(e.number, e.text, e.data, e.specs, e.about)
            for e in told
            if isinstance(e, events.Heard) and e.number is not None
        ]

    def edit(self, thread: str, turn: int, text: str, *, language: Language | None = None) -> Iterator[events.Event]:
        """Go back to before a message, and answer this one in its place.

        What came after is set aside: the transcript keeps it and shows it no more. What was measured stays known. What
        runs is ended first. Data and candidates that came with the message come with this one too.

        Args:
            thread: name of the conversation.
            turn: which of `turns`, counted from 1.
            text: what the user says now.
            language: as for `reply`.

        Raises:
            UserError: there is no such message, or it was too long ago.
        """
        yield from self.answer(thread, self.put_instead(thread, turn, text, language=language))

    def put_instead(self, thread: str, turn: int, text: str, *, language: Language | None = None) -> int:
        """Keep an edited message, as `put` does, and end what runs. Arguments as `edit`."""
        check_name(thread)
        turns = self.turns(thread)
        if not 1 <= turn <= len(turns):
            raise UserError(
                say("There is no message {turn} to edit.", turn=turn),
                say("Your messages here are numbered from 1 to {last}.", last=len(turns))
                if turns
                else say("Say something first."),
            )
        old = turns[turn - 1]
        self._checkpoint_before(thread, old.number)
        message = Message(
            text=_storable(text),
            data=old.data,
            language=language,
            specs=old.specs,
            about=old.about,
            instead_of=old.number,
        )
        self.cancel(thread)
        return self._inbox.add(thread, message)

    def retry(self, thread: str, *, language: Language | None = None) -> Iterator[events.Event]:
        """Have the last message answered again."""
        turns = self.turns(thread)
        text = turns[-1].text if turns else ""
        return self.edit(thread, len(turns), text, language=language)

    def recommend(
        self,
        thread: str,
        *,
        requirements: Requirements | None = None,
        text: str = "",
        data: DataSource | None = None,
        specs: list[str] | None = None,
        consent: Consent | None = None,
    ) -> Iterator[events.Event]:
        """The same conversation without questions: what is not said is assumed, what is not agreed to is not done."""
        with self._locks.alone(thread):
            text = _storable(text)
            known = self.state(thread)
            update = cleared(known) if data == known.get("data") else with_data(known, None)
            if data is not None and data != known.get("data"):  # what there is stays until the new data was read
                update = State(reading=data) if requirements is None else cleared(known) | State(reading=data)
            update |= State(
                message=text,
                language=self._language_of(thread, text),
                interactive=False,
                briefly=False,
                asked=None,
                specs=specs or [],
                also=[],
                consent=consent or Consent(),
            )
            if requirements is not None:
                update |= State(requirements=requirements)
            yield from self._run(thread, update)
            self._forget_old(thread)

    def resume(self, thread: str) -> Iterator[events.Event]:
        """Finish what a killed process left unfinished or unanswered, then ask the open question again."""
        if self._locks.is_held(thread):
            yield events.Queued(number=0, ahead=max(len(self._inbox.waiting(thread)), 1))
        with self._locks.alone(thread):
            yield from self._work_off(thread)
            yield from self._finish(thread)
            asked = self.state(thread).get("asked")
            if asked is not None:
                yield events.question(asked)

    def state(self, thread: str) -> State:
        """What is known in a conversation; empty for a new one."""
        return self._course.state(thread)

    def report(self, thread: str) -> Report | None:
        """The finished report of a conversation, without the closer look that its files hold."""
        from agent.reporting import report_of

        state = self.state(thread)
        found = state.get("recommendation")
        return report_of(state, self.context.report_folder_of(found.run_id)) if found else None

    def rate(self, thread: str, answer: str, liked: bool | None) -> None:
        """Keep what the user thinks of an answer, by its words, with the run that stands; None takes it back."""
        check_name(thread)
        with closing(RunStore(self.context.workspace.store)) as runs:
            if liked is None:
                runs.take_feedback_back(thread, answer)
                return
            found = self.state(thread).get("recommendation")
            feedback = Feedback(thread, answer, liked, found.run_id if found else None)
            runs.save_feedback(feedback, self.context.now())

    def ratings(self, thread: str) -> dict[str, bool]:
        """What the user thinks of answers, by their words."""
        with closing(RunStore(self.context.workspace.store)) as runs:
            return {feedback.answer: feedback.liked for feedback in runs.feedback(thread)}

    def head_to_head(self, thread: str, first: str, second: str) -> HeadToHead:
        """Two candidates of a conversation's measurement, query by query.

        Raises:
            UserError: nothing was measured here, or not these.
        """
        state = self.state(thread)
        evaluation, source = state.get("evaluation"), state.get("data")
        if evaluation is None or source is None:
            raise UserError(
                say("Nothing was measured in this conversation."), say("Hand over data with queries and judgments.")
            )
        context = self.context
        return head_to_head(evaluation, context.dataset(source), context.workspace, first, second)

    def unfinished(self, thread: str) -> bool:
        """Whether there is work that a killed process left behind, or that another process is doing."""
        return self._inbox.first(thread) is not None or self._course.is_under_way(thread)

    def _work_off(self, thread: str, last: int | None = None) -> Iterator[events.Event]:
        """Answer what waits, up to the message with this number; the lock is held."""
        while (received := self._inbox.first(thread)) is not None and (last is None or received.number <= last):
            self._locks.go_on(thread)
            try:
                yield from self._deal_with(thread, received)
            except Exception as error:
                self._inbox.done(thread, received.number)  # not to be met again
                if received.number == last or not isinstance(error, AdvisorError):
                    raise
                yield self._failed(thread, error)
                continue
            self._inbox.done(thread, received.number)
            self._forget_old(thread)

    def _deal_with(self, thread: str, received: Received) -> Iterator[events.Event]:
        """Answer one message, or finish answering it after a kill."""
        newest, before, message = self._course.newest(thread), received.before, received.message
        timed = self.state(thread) if message.instead_of is not None else State()
        if before is not None and before != newest:
            yield from self._finish(thread)  # the graph has it
            return
        if before is None:
            if message.instead_of is None:
                yield from self._finish(thread)
                before = self._course.newest(thread) or self._course.begin(thread)
            else:
                before = self._course.go_back(thread, self._checkpoint_before(thread, message.instead_of))
            self._inbox.begin(received.number, before)
        yield from self._hear(thread, received)
        yield from self._take_in(thread, message, timed)

    def _hear(self, thread: str, received: Received) -> Iterator[events.Event]:
        """Put the message into the transcript, unless a killed process did."""
        message, number = received.message, received.number
        if received.before is not None and number in {turn.number for turn in self.turns(thread)}:
            return
        told: list[events.Event] = []
        if message.instead_of is not None:
            self._inbox.set_aside(thread, message.instead_of)
            told.append(events.SetAside(since=message.instead_of))
        told.append(
            events.Heard(text=message.text, data=message.data, specs=message.specs, about=message.about, number=number)
        )
        for event in told:
            self.transcript.add(thread, event)
            yield event

    def _take_in(self, thread: str, message: Message, timed: State) -> Iterator[events.Event]:
        """Hand the message to the graph, with what was `timed` on the same data before going back."""
        language = message.language or self._language_of(thread, message.text)
        update = State(message=message.text, about=message.about, language=language, interactive=True)
        update |= State(briefly=message.briefly)
        if message.specs is not None:
            update |= State(specs=list(message.specs), also=[])
        known = self.state(thread)
        same = bool(timed.get("benchmark")) and timed.get("data") == (message.data or known.get("data"))
        if message.data is not None:
            update |= with_data(known, message.data) if same else State(handed=message.data)
        if same:
            update |= State(benchmark=timed["benchmark"])
        asked = self._course.asks(thread)
        yield from self._run(thread, Command(resume=message.text, update=update) if asked else update)

    def _failed(self, thread: str, error: AdvisorError) -> events.Failed:
        """Tell of an error whose door is not this one."""
        failed = events.Failed(
            error=type(error).__name__, cause=error.cause, next_step=error.next_step, exit_code=error.exit_code
        )
        self.transcript.add(thread, failed)
        return failed

    def _checkpoint_before(self, thread: str, number: int) -> str:
        found = self._inbox.checkpoint(thread, number)
        if found is None:
            raise UserError(
                say("That message cannot be edited any more: only the last {count} can.", count=EDITABLE),
                say("Say it as a new message: what you say last counts."),
            )
        return found

    def _forget_old(self, thread: str) -> None:
        self._course.keep(thread, self._inbox.checkpoints(thread))

    def _run(self, thread: str, what: Any) -> Iterator[events.Event]:
        for event in self._course.run(thread, what):
            if isinstance(event, events.Progressed):
                self._latest[thread] = event.progress
            elif isinstance(event, events.StageStarted):
                self._latest.pop(thread, None)
            self.transcript.add(thread, event)
            yield event

    def _finish(self, thread: str) -> Iterator[events.Event]:
        """Run what was interrupted by a kill: tasks that are there, but not waiting for an answer."""
        if self._course.is_under_way(thread):
            yield from self._run(thread, None)

    def _language_of(self, thread: str, text: str) -> Language:
        known = self.state(thread).get("language")
        return self._language or reply_language(text, known)


def _about(number: int, told: list[events.Event]) -> Iterator[events.Event]:
    """Of what was told, what is about one message."""
    mine = False
    for event in told:
        if isinstance(event, events.Heard) and event.number is not None:
            mine = event.number == number
        if mine:
            yield event


def _storable(text: str) -> str:
    """The text without halves of surrogate pairs, which terminals pass on and no file can hold."""
    return text.encode("utf-8", "replace").decode()
