"""The course of each conversation: the graph, run from one checkpoint to the next, and put back to an earlier one."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Any

from agent import events
from agent.checkpoints import Checkpoints, Records
from agent.context import Context
from agent.graph import build_graph
from agent.inbox import storing
from agent.state import State

#: nodes that one message may run through; a conversation that needs more is going round in circles
RECURSION_LIMIT = 60


class Course:
    """The graph over the checkpoints of all conversations; whoever runs one holds its lock."""

    def __init__(self, connection: sqlite3.Connection, context: Context) -> None:
        self._connection = connection
        self._saver = Checkpoints(connection, serde=Records())
        self._graph = build_graph(context).compile(checkpointer=self._saver)

    def close(self) -> None:
        """Let go of the conversations' file."""
        # after a failure LangGraph may still be writing in a thread, and SQLite crashes when closed under it
        with self._saver.lock:
            self._connection.close()

    def state(self, thread: str) -> State:
        """What is known in a conversation; empty for a new one."""
        values: Any = self._snapshot(thread).values
        found: State = values
        return found

    def run(self, thread: str, what: Any) -> Iterator[events.Event]:
        """Run the graph with an update, a command, or (None) where it was left, to its next question or its end."""
        stream: Any = self._graph.stream(what, self._config(thread), stream_mode="custom", durability="sync")
        with storing():
            yield from stream

    def asks(self, thread: str) -> bool:
        """Whether it waits for an answer."""
        return any(task.interrupts for task in self._snapshot(thread).tasks)

    def is_under_way(self, thread: str) -> bool:
        """Whether the graph is in the middle of something, and not waiting for an answer."""
        snapshot = self._snapshot(thread)
        return bool(snapshot.tasks) and not any(task.interrupts for task in snapshot.tasks)

    def newest(self, thread: str) -> str | None:
        """Name of the newest checkpoint; None for a new conversation."""
        with storing():
            return self._saver.newest(thread)

    def begin(self, thread: str) -> str:
        """A checkpoint in which nothing was said, for the first message to go back to."""
        with storing():
            self._graph.update_state(self._config(thread), None, as_node="__end__")
        return self.newest(thread) or ""

    def go_back(self, thread: str, checkpoint: str) -> str:
        """Make a copy of an earlier checkpoint the newest one."""
        earlier = self._config(thread)
        earlier["configurable"] |= {"checkpoint_ns": "", "checkpoint_id": checkpoint}
        with storing():
            self._graph.update_state(earlier, None, as_node="__copy__")
        if self.is_under_way(thread):  # a copy has no interrupt yet: put the question that was open again
            for _ in self._graph.stream(None, self._config(thread), stream_mode="custom", durability="sync"):
                pass
        return self.newest(thread) or ""

    def keep(self, thread: str, checkpoints: set[str]) -> None:
        """Drop all checkpoints but the newest and these."""
        with storing():
            self._saver.keep(thread, checkpoints)

    def _snapshot(self, thread: str) -> Any:
        with storing():
            return self._graph.get_state(self._config(thread))

    def _config(self, thread: str) -> Any:
        return {"configurable": {"thread_id": thread}, "recursion_limit": RECURSION_LIMIT}
