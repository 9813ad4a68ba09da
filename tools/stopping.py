"""A way to end what runs, where nothing is lost by it: asked in the thread that is to be stopped."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TypeVar, cast

#: seconds between two looks at whether the user wants what runs to end
LOOK_EVERY = 0.1
T = TypeVar("T")


class Stopped(BaseException):
    """The user wants what runs to end; raised where nothing is lost by it."""


#: asked by whatever waits, in the thread that set it
_should_stop: ContextVar[Callable[[], bool] | None] = ContextVar("should_stop", default=None)


@contextmanager
def stoppable(should_stop: Callable[[], bool]) -> Iterator[None]:
    """Within this block, whoever waits ends that and raises `Stopped` soon after `should_stop` says so."""
    token = _should_stop.set(should_stop)
    try:
        yield
    finally:
        _should_stop.reset(token)


def asked_by() -> Callable[[], bool] | None:
    """What says whether to stop in this thread, for another one that looks in its place; None: nothing does."""
    return _should_stop.get()


def stop_point() -> None:
    """A place where to stop loses nothing.

    Raises:
        Stopped: the user wants what runs to end.
    """
    should_stop = _should_stop.get()
    if should_stop is not None and should_stop():
        raise Stopped


def stoppably(parts: Iterable[T]) -> Iterator[T]:
    """The same parts, with a `stop_point` before each."""
    for part in parts:
        stop_point()
        yield part


def unless_stopped(
    call: Callable[[], T], *, seconds: float | None = None, abandon: Callable[[], None] = lambda: None
) -> T:
    """The result of a call that nothing can interrupt, such as one that waits for a network.

    Where the user wants what runs to end, or the time is over, nobody waits for it any more: it is left to end by
    itself, after `abandon` has done what makes that soon.

    Raises:
        Stopped: the user wants what runs to end.
        TimeoutError: it took longer than `seconds`.
    """
    if seconds is None and _should_stop.get() is None:
        return call()
    done: SimpleQueue[tuple[T | None, BaseException | None]] = SimpleQueue()

    def work() -> None:
        try:
            done.put((call(), None))
        except BaseException as error:  # noqa: BLE001 - handed to whoever waits
            done.put((None, error))

    Thread(target=work, daemon=True, name="may-be-left").start()
    until = None if seconds is None else time.monotonic() + seconds
    while True:
        with contextlib.suppress(Empty):
            left = LOOK_EVERY if until is None else max(min(LOOK_EVERY, until - time.monotonic()), 0.001)
            found, error = done.get(timeout=left)
            if error is not None:
                raise error
            return cast(T, found)
        try:
            stop_point()
        except Stopped:
            abandon()
            raise
        if until is not None and time.monotonic() >= until:
            abandon()
            raise TimeoutError
