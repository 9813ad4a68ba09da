"""The advisor: one method to talk to it, and every door uses it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from filelock import FileLock
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.types import Command

from agent import events
from agent.graph import build_graph, make_context
from agent.settings import Settings
from agent.state import ALLOWED, State, cleared, with_data
from agent.transcript import Transcript
from agent.understanding.language import reply_language
from knowledge.errors import ResourceError, UserError
from knowledge.requirements import Requirements
from knowledge.results import Consent, Report
from knowledge.wording import Language, say
from tools.data_source import DataSource

#: nodes that one message may run through; a conversation that needs more is going round in circles
RECURSION_LIMIT = 60


def names_thread(name: str) -> bool:
    """Whether a conversation may have this name, which names files too."""
    fits = 0 < len(name) <= 100 and len(name.encode("utf-8", "replace")) <= 200  # a file name has 255 bytes
    return fits and all(c.isalnum() or c in "-_." for c in name) and name[0] != "."


@contextmanager
def _storing() -> Iterator[None]:
    """A full disk or a damaged file of conversations is a foreseen failure."""
    try:
        yield
    except (sqlite3.DatabaseError, OSError) as error:
        raise ResourceError(
            say("The conversation cannot be kept: {why}.", why=str(error)),
            say("Free some disk space or set ADVISOR_HOME to another folder, and run the same command again."),
        ) from error


class Advisor:
    """Conversations by thread name, kept on disk.

    LangGraph does not serialise the messages of one thread, so a lock file does: a second message waits, whichever
    process it comes from.
    """

    def __init__(self, settings: Settings, *, report_folder: Path | None = None) -> None:
        home = settings.home.expanduser()
        try:
            (home / "locks").mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(home / "conversations.sqlite", check_same_thread=False, timeout=30)
            self._connection.execute("PRAGMA journal_mode=WAL")
        except (OSError, sqlite3.Error) as error:
            raise ResourceError(
                say("{folder} cannot be written: {why}.", folder=str(home), why=str(error)),
                say("Free some disk space or set ADVISOR_HOME to another folder, and run the same command again."),
            ) from error
        self._locks = home / "locks"
        self.transcript = Transcript(home / "threads")
        self._language = settings.language
        self.context = make_context(settings, report_folder=report_folder)
        self._saver = SqliteSaver(self._connection, serde=JsonPlusSerializer(allowed_msgpack_modules=ALLOWED))
        self._graph = build_graph(self.context).compile(checkpointer=self._saver)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the conversations' file and the notes' index."""
        self.context.guidance.close()
        # after a failure LangGraph may still be writing in a thread, and SQLite crashes when closed under it
        with self._saver.lock:
            self._connection.close()

    def reply(
        self,
        thread: str,
        text: str,
        *,
        data: DataSource | None = None,
        language: Language | None = None,
        specs: list[str] | None = None,
    ) -> Iterator[events.Event]:
        """Say something in a conversation and hear what comes of it.

        Args:
            thread: name of the conversation; a new name begins a new one.
            text: what the user says; may be empty when only `data` is handed over.
            data: a dataset handed over with it.
            language: of the report; None: the settings', else the one the user writes in.
            specs: the candidates to measure, from now on; None: as before, and at first those that the plan chooses.

        Work that a killed process left unfinished is finished first.
        """
        with self._lock(thread):
            yield from self._finish(thread)
            text = _storable(text)
            heard = events.Heard(text=text, data=data)
            self.transcript.add(thread, heard)
            yield heard
            update = State(message=text, language=language or self._language_of(thread, text), interactive=True)
            if data is not None:
                update |= with_data(self.state(thread) | update, data)
            if specs is not None:
                update |= State(specs=specs)
            if self._waiting(thread):
                yield from self._run(thread, Command(resume=text, update=update))
            else:
                yield from self._run(thread, update)

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
        with self._lock(thread):
            text = _storable(text)
            known = self.state(thread)
            update = cleared(known) if data == known.get("data") else with_data(known, data)
            update |= State(
                message=text,
                language=self._language_of(thread, text),
                interactive=False,
                asked=None,
                specs=specs or [],
                consent=consent or Consent(),
            )
            if requirements is not None:
                update |= State(requirements=requirements)
            yield from self._run(thread, update)

    def resume(self, thread: str) -> Iterator[events.Event]:
        """Finish what a killed process left unfinished, then ask the open question again."""
        with self._lock(thread):
            yield from self._finish(thread)
            asked = self.state(thread).get("asked")
            if asked is not None:
                yield events.question(asked)

    def state(self, thread: str) -> State:
        """What is known in a conversation; empty for a new one."""
        values: Any = self._snapshot(thread).values
        found: State = values
        return found

    def report(self, thread: str) -> Report | None:
        """The finished report of a conversation."""
        from agent.nodes import report_of

        state = self.state(thread)
        found = state.get("recommendation")
        return report_of(state, self.context.report_folder_of(found.run_id)) if found else None

    def unfinished(self, thread: str) -> bool:
        """Whether there is work that a killed process left behind, or that another process is doing."""
        snapshot = self._snapshot(thread)
        return bool(snapshot.tasks) and not any(task.interrupts for task in snapshot.tasks)

    def _run(self, thread: str, what: Any) -> Iterator[events.Event]:
        stream: Any = self._graph.stream(what, self._config(thread), stream_mode="custom", durability="sync")
        with _storing():
            for event in stream:
                self.transcript.add(thread, event)
                yield event

    def _snapshot(self, thread: str) -> Any:
        with _storing():
            return self._graph.get_state(self._config(thread))

    def _finish(self, thread: str) -> Iterator[events.Event]:
        """Run what was interrupted by a kill: tasks that are there, but not waiting for an answer."""
        if self.unfinished(thread):
            yield from self._run(thread, None)

    def _waiting(self, thread: str) -> bool:
        return any(task.interrupts for task in self._snapshot(thread).tasks)

    def _config(self, thread: str) -> Any:
        return {"configurable": {"thread_id": thread}, "recursion_limit": RECURSION_LIMIT}

    def _language_of(self, thread: str, text: str) -> Language:
        known = self.state(thread).get("language")
        return self._language or reply_language(text, known)

    def _lock(self, thread: str) -> FileLock:
        if not names_thread(thread):
            raise UserError(
                say("“{name}” cannot name a conversation.", name=thread[:100]),
                say("Use at most 100 letters, digits, “-”, “_” and “.”."),
            )
        return FileLock(self._locks / f"{thread}.lock", timeout=3600, thread_local=False)


def _storable(text: str) -> str:
    """The text without halves of surrogate pairs, which terminals pass on and no file can hold."""
    return text.encode("utf-8", "replace").decode()
