"""What all nodes have in common: errors and stops that a conversation goes on from, and what is told on the way."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from langgraph.config import get_config, get_stream_writer

from agent import events
from agent.context import Context
from agent.state import Failure, State
from agent.understanding.base import Asked
from knowledge.errors import AdvisorError
from knowledge.progress import Progress, Stage
from knowledge.wording import Text, say
from tools.stopping import Stopped, stop_point, stoppable

STOPPED = say(
    "Stopped. What is done so far is kept: say “go on” to continue, or “just decide” for an answer without measuring."
)


class WithContext:
    """The context that nodes share."""

    def __init__(self, context: Context) -> None:
        self._context = context


Node = TypeVar("Node", bound=WithContext)


def foreseen(node: Callable[[Node, State], State]) -> Callable[[Node, State], State]:
    """Turn a foreseen error, or a stop, into a state that the conversation can go on from; bugs pass through."""

    def guarded(self: Node, state: State) -> State:
        thread = get_config()["configurable"]["thread_id"]
        try:
            with stoppable(lambda: self._context.should_stop(thread)):
                return node(self, state)
        except AdvisorError as error:
            return failed(error)
        except Stopped:
            tell(events.Said(text=STOPPED))
            return State(status="stopped")

    guarded.__name__ = node.__name__
    guarded.__doc__ = node.__doc__
    return guarded


def failed(error: AdvisorError) -> State:
    """A failure, said and kept."""
    return State(failure=told(error), status="failed")


def told(error: AdvisorError) -> Failure:
    """A failure, said."""
    failure = Failure(
        error=type(error).__name__, cause=error.cause, next_step=error.next_step, exit_code=error.exit_code
    )
    tell(events.Failed(**dict(failure)))
    return failure


def put(asked: Asked, state: State) -> State:
    """Put a question; what waits for the answer is the node after."""
    tell(events.question(asked))
    return State(
        asked=asked,
        asked_before=[*(state.get("asked_before") or []), asked.about],
        status="asking_consent" if asked.about == "plan" else "interviewing",
    )


def tell(event: events.Event) -> None:
    """Tell whoever listens to the conversation."""
    get_stream_writer()(event)


@contextmanager
def stage(stage: Stage, text: Text) -> Iterator[Callable[[Progress], None]]:
    """Tells of a long step; it ends (`Stopped`) at its next progress when the user wants that."""
    tell(events.StageStarted(stage=stage, text=text))
    write = get_stream_writer()
    begun = time.monotonic()

    def listen(progress: Progress) -> None:
        stop_point()
        write(events.Progressed(progress=progress))

    stop_point()
    yield listen
    write(events.StageDone(stage=stage, seconds=round(time.monotonic() - begun, 1)))
