"""One at a time in each conversation, whichever process it comes from; and a word to stop for whoever that is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from agent.inbox import storing
from knowledge.errors import ResourceError, UserError
from knowledge.wording import say

#: seconds that work without a message waits for its turn
PATIENCE = 3600.0


def names_thread(name: str) -> bool:
    """Whether a conversation may have this name, which names files too."""
    fits = 0 < len(name) <= 100 and len(name.encode("utf-8", "replace")) <= 200  # a file name has 255 bytes
    return fits and all(c.isalnum() or c in "-_." for c in name) and name[0] != "."


def check_name(thread: str) -> None:
    """See that a conversation may have this name.

    Raises:
        UserError: it may not.
    """
    if not names_thread(thread):
        raise UserError(
            say("“{name}” cannot name a conversation.", name=thread[:100]),
            say("Use at most 100 letters, digits, “-”, “_” and “.”."),
        )


class ThreadLocks:
    """A lock file for each conversation, and beside it the sign that what its holder does is to end."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def lock(self, thread: str) -> FileLock:
        """The conversation's lock, not taken yet."""
        check_name(thread)
        return FileLock(self._folder / f"{thread}.lock", thread_local=False)

    @contextmanager
    def alone(self, thread: str) -> Iterator[None]:
        """Hold the conversation's lock.

        Raises:
            ResourceError: somebody else has held it for long.
        """
        try:
            with self.lock(thread).acquire(timeout=PATIENCE):
                self.go_on(thread)  # to stop was meant for who held the lock before
                yield
        except Timeout as error:
            raise ResourceError(
                say("The conversation {name} is still busy elsewhere.", name=thread),
                say("Wait until it is done there, or say “stop” in it."),
            ) from error

    def is_held(self, thread: str) -> bool:
        """Whether somebody holds the conversation's lock."""
        lock = self.lock(thread)
        try:
            lock.acquire(blocking=False)
        except Timeout:
            return True
        lock.release()
        return False

    def stop(self, thread: str) -> None:
        """Whoever holds the lock is to end what it does."""
        with storing():
            self._sign(thread).touch()

    def should_stop(self, thread: str) -> bool:
        """Whether somebody wants that."""
        return self._sign(thread).exists()

    def go_on(self, thread: str) -> None:
        """Nobody wants that any more."""
        self._sign(thread).unlink(missing_ok=True)

    def _sign(self, thread: str) -> Path:
        return self._folder / f"{thread}.stop"
