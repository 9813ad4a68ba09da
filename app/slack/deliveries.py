"""Deliveries from Slack on their way into conversations, and how much of each conversation Slack has been told.

A delivery is on disk before Slack is told that it arrived: whatever dies after that, it is dealt with; whatever dies
before, Slack sends it again. What Slack sends again is known by its keys and is not kept twice. Several processes may
work from one file: each marks what it deals with, and holds a lock as long as it lives, which the system takes from it
however it dies; what a dead one left is taken over at once.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from filelock import FileLock, Timeout
from pydantic import Field, TypeAdapter, ValidationError

from agent.inbox import storing
from app.slack.records import Delivery, Place, Said
from tools.sqlite_file import SqliteFile

#: seconds for which keys are known; Slack tries again for some minutes, and after an outage for hours
KEYS_KEPT = 7 * 24 * 3600.0

_TABLES = """
CREATE TABLE IF NOT EXISTS keys (key TEXT PRIMARY KEY, at REAL NOT NULL, holder INTEGER);
CREATE TABLE IF NOT EXISTS deliveries (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    line TEXT NOT NULL,
    content TEXT,
    owner TEXT,
    done REAL
);
CREATE INDEX IF NOT EXISTS deliveries_waiting ON deliveries (line, number) WHERE done IS NULL;
CREATE TABLE IF NOT EXISTS places (
    thread TEXT PRIMARY KEY,
    place TEXT NOT NULL,
    read INTEGER NOT NULL DEFAULT 0,
    told INTEGER NOT NULL DEFAULT 0,
    job TEXT
);
CREATE TABLE IF NOT EXISTS file (id TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS speakers (thread TEXT, number INTEGER, user TEXT, PRIMARY KEY (thread, number));
"""
_DELIVERY: TypeAdapter[Delivery] = TypeAdapter(Annotated[Delivery, Field(discriminator="kind")])


@dataclass(frozen=True)
class Taken:
    """A delivery that this process deals with; `line` is the queue it stands in."""

    number: int
    line: str
    delivery: Delivery


@dataclass(frozen=True)
class Told:
    """How much of a transcript was told: all up to the byte `read`, and so many events after it."""

    read: int
    told: int


class Deliveries:
    """The file. One object a process."""

    def __init__(self, file: Path, clock: Callable[[], float] = time.time) -> None:
        self.owner = secrets.token_hex(8)
        self._clock = clock
        self._processes = file.parent / "processes"
        self._life = FileLock(self._processes / f"{self.owner}.lock", thread_local=False)
        with storing():
            self._processes.mkdir(parents=True, exist_ok=True)
            self._life.acquire(blocking=False)
        self._file = SqliteFile(file, _TABLES, storing)
        with self._file.writing() as connection:
            connection.execute("INSERT INTO file SELECT ? WHERE NOT EXISTS (SELECT 1 FROM file)", (self.owner,))
        #: names this file; numbers of deliveries mean something only together with it
        self.id = str(self._file.ask("SELECT id FROM file")[0][0])

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()
        self._life.release()
        (self._processes / f"{self.owner}.lock").unlink(missing_ok=True)

    # ---- what arrives

    def accept(self, delivery: Delivery, line: str, event: str) -> bool:
        """Keep a delivery, unless it came before; whether it is new.

        Slack has two events for a message that names the app, and only one may have its files: so the words and the
        files of a message are known apart, and what is new of it is kept.

        Args:
            delivery: what arrived.
            line: the queue; those in one are dealt with one after the other.
            event: what Slack calls the event.
        """
        with self._file.writing() as connection:
            if not self._is_new(connection, event):
                return False
            if isinstance(delivery, Said):
                where = f"{delivery.place.channel}:{delivery.ts}"
                speaks = bool(delivery.text or not delivery.files) and self._is_new(connection, f"text:{where}")
                brings = bool(delivery.files) and self._is_new(connection, f"files:{where}")
                if not speaks and not brings:
                    return False
                text, files = delivery.text if speaks else "", delivery.files if brings else ()
                delivery = delivery.model_copy(update={"text": text, "files": files})
            content = delivery.model_dump_json()
            connection.execute("INSERT INTO deliveries (line, content) VALUES (?, ?)", (line, content))
            connection.execute("DELETE FROM keys WHERE at < ?", (self._clock() - KEYS_KEPT,))
            connection.execute("DELETE FROM deliveries WHERE done < ?", (self._clock() - KEYS_KEPT,))
        return True

    def claim(self, key: str, number: int) -> bool:
        """Whether it is this delivery that does something which is done once, such as answering a question."""
        with self._file.writing() as connection:
            self._is_new(connection, key, number)
            found = connection.execute("SELECT holder FROM keys WHERE key = ?", (key,)).fetchone()
            return bool(found[0] == number)

    def _is_new(self, connection: sqlite3.Connection, key: str, holder: int | None = None) -> bool:
        values = (key, self._clock(), holder)
        return connection.execute("INSERT OR IGNORE INTO keys VALUES (?, ?, ?)", values).rowcount > 0

    # ---- what is dealt with

    def take(self, line: str) -> Taken | None:
        """The first delivery of a line, unless there is none or another living process has it."""
        with self._file.writing() as connection:
            while True:
                found = connection.execute(
                    "SELECT number, content, owner FROM deliveries WHERE done IS NULL AND line = ? ORDER BY number",
                    (line,),
                ).fetchone()
                if found is None:
                    return None
                number, content, owner = found
                if owner not in (None, self.owner) and self._lives(owner):
                    return None
                try:
                    delivery = _DELIVERY.validate_json(content)
                except ValidationError:  # damaged, or of another version: nobody can deal with it
                    connection.execute("UPDATE deliveries SET done = ? WHERE number = ?", (self._clock(), number))
                    continue
                connection.execute("UPDATE deliveries SET owner = ? WHERE number = ?", (self.owner, number))
                return Taken(number, line, delivery)

    def change(self, number: int, delivery: Delivery) -> None:
        """Keep how far a delivery was dealt with."""
        with self._file.writing() as connection:
            content = delivery.model_dump_json()
            connection.execute("UPDATE deliveries SET content = ? WHERE number = ?", (content, number))

    def done(self, number: int) -> None:
        """A delivery was dealt with; what was in it is kept no longer."""
        with self._file.writing() as connection:
            connection.execute(
                "UPDATE deliveries SET done = ?, content = NULL WHERE number = ?", (self._clock(), number)
            )

    def left(self) -> list[str]:
        """The lines in which something waits that no other living process has taken."""
        query = "SELECT DISTINCT line, owner FROM deliveries WHERE done IS NULL"
        found = self._file.ask(query)
        others = {owner for _, owner in found if owner not in (None, self.owner) and self._lives(owner)}
        return list(dict.fromkeys(line for line, owner in found if owner not in others))

    def bury(self) -> bool:
        """Whether a process has died since somebody last looked."""
        others = [file.stem for file in self._processes.glob("*.lock") if file.stem != self.owner]
        dead = [owner for owner in others if not self._lives(owner)]
        for owner in dead:
            (self._processes / f"{owner}.lock").unlink(missing_ok=True)
        return bool(dead)

    def _lives(self, owner: str) -> bool:
        """Whether a process still holds its lock."""
        file = self._processes / f"{owner}.lock"
        if not file.exists():
            return False
        try:
            with FileLock(file, thread_local=False).acquire(blocking=False):
                return False
        except Timeout:
            return True

    # ---- what is told

    def know(self, place: Place) -> None:
        """A conversation happens here."""
        with self._file.writing() as connection:
            connection.execute(
                "INSERT OR IGNORE INTO places (thread, place) VALUES (?, ?)", (place.thread, place.model_dump_json())
            )

    def place(self, thread: str) -> Place | None:
        """Where a conversation happens."""
        found = self._file.ask("SELECT place FROM places WHERE thread = ?", (thread,))
        return Place.model_validate_json(found[0][0]) if found else None

    def threads(self) -> list[str]:
        """All conversations."""
        return [thread for (thread,) in self._file.ask("SELECT thread FROM places")]

    def told(self, thread: str) -> Told:
        """How much of a conversation Slack was told."""
        found = self._file.ask("SELECT read, told FROM places WHERE thread = ?", (thread,))
        return Told(*found[0]) if found else Told(0, 0)

    def tell(self, thread: str, told: Told) -> None:
        """Keep how much Slack was told."""
        with self._file.writing() as connection:
            connection.execute("UPDATE places SET read = ?, told = ? WHERE thread = ?", (told.read, told.told, thread))

    def job(self, thread: str) -> dict[str, Any] | None:
        """The message that shows how far a long job has come, as `keep_job` got it."""
        found = self._file.ask("SELECT job FROM places WHERE thread = ?", (thread,))
        return json.loads(found[0][0]) if found and found[0][0] else None

    def keep_job(self, thread: str, job: dict[str, Any] | None) -> None:
        """Keep which message shows how far a long job has come; None: there is none any more."""
        with self._file.writing() as connection:
            written = None if job is None else json.dumps(job)
            connection.execute("UPDATE places SET job = ? WHERE thread = ?", (written, thread))

    def spoke(self, thread: str, number: int, user: str) -> None:
        """Who said a message."""
        with self._file.writing() as connection:
            connection.execute("INSERT OR IGNORE INTO speakers VALUES (?, ?, ?)", (thread, number, user))

    def speakers(self, thread: str) -> dict[int, str]:
        """Who said what, by the messages' numbers."""
        return dict(self._file.ask("SELECT number, user FROM speakers WHERE thread = ? ORDER BY number", (thread,)))
