"""SQLite files that several processes open at once."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

#: seconds that a process waits for another one's write
PATIENCE = 30.0
#: seconds between two tries
PAUSE = 0.02


def write_ahead(connection: sqlite3.Connection) -> None:
    """Readers and a writer at once, without `database is locked`, and without waiting for the disk at every commit.

    What a process committed outlives its death, whatever kills it. A power cut may take the last commits, and leaves
    the file whole (sqlite.org/wal.html, `synchronous=NORMAL`).

    The switch itself needs the file alone, and SQLite does not wait for that, whatever its time-out says: of two
    processes that open a new file in the same moment one is refused at once. So it is tried again.

    Raises:
        sqlite3.Error: the file cannot be used, or stayed locked.
    """
    connection.execute(f"PRAGMA busy_timeout={PATIENCE * 1000:.0f}")
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL").close()
            connection.execute("PRAGMA synchronous=NORMAL").close()
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(PAUSE)


class SqliteFile:
    """One open file of tables, for the threads of a process.

    Args:
        file: made where it is not there yet.
        tables: SQL that makes them, where they are not there yet.
        guard: around everything that may fail: turns SQLite's errors into the owner's own.

    Raises:
        sqlite3.Error, OSError: or what `guard` makes of them, from every method.
    """

    def __init__(self, file: Path, tables: str, guard: Callable[[], AbstractContextManager[None]]) -> None:
        self._guard, self._lock = guard, Lock()
        with guard():
            # no implicit transactions: each statement is one, but for those between BEGIN and COMMIT
            self._connection = sqlite3.connect(file, check_same_thread=False, isolation_level=None)
            write_ahead(self._connection)
            self._connection.executescript(tables)

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all of it is kept, or, where anything fails, nothing."""
        with self._guard(), self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def ask(self, query: str, values: Sequence[str | int] = ()) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        with self._guard(), self._lock:
            return self._connection.execute(query, values).fetchall()
