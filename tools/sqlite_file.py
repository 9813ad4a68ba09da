"""SQLite files that several processes open at once."""

from __future__ import annotations

import sqlite3
import time

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
