"""Messages on their way into conversations: kept until they are answered, in the order in which they came.

They lie in a table beside the checkpoints. A folder of files would need an order, a limit and a way to tell what is
half written; SQLite has all three. A message is on disk before anybody is told so. Whoever holds the conversation's
lock takes the first message, and notes the checkpoint that it found (`before`). As long as that is the newest one,
nothing of the message has been taken in; once there is a newer one, the graph has it, and a killed process's work only
needs to be finished. So a message is neither lost nor answered twice. Answered ones stay a while: their checkpoint is
where an edited message goes back to.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from knowledge.errors import ResourceError, UserError, make_room
from knowledge.wording import Language, say
from tools.data_source import DataSource
from tools.sqlite_file import SqliteFile

#: messages that may wait in one conversation
MOST_WAITING = 20
#: so many of the last messages can be edited; of those before, no checkpoint is kept
EDITABLE = 50
#: the keys of so many of the last messages are known: a delivery comes again within hours
KEYS = 100_000

_TABLE = """
CREATE TABLE IF NOT EXISTS messages (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    thread TEXT NOT NULL,
    content TEXT NOT NULL,
    before TEXT,
    answered INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS messages_of_thread ON messages (thread, number);
CREATE TABLE IF NOT EXISTS accepted (key TEXT PRIMARY KEY, number INTEGER NOT NULL);
"""


class Message(BaseModel):
    """What a user said.

    Attributes:
        data: a dataset handed over with it.
        language: that the door wants the report in.
        specs: the candidates to measure from now on.
        about: the field or demand that it is about, where the door has a place for each; None: the open question.
        instead_of: number of an earlier message that it takes the place of.
        briefly: whether a short question is answered at once, without an interview.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    text: str
    data: DataSource | None = None
    language: Language | None = None
    specs: tuple[str, ...] | None = None
    about: str | None = None
    instead_of: int | None = None
    briefly: bool = False


@contextmanager
def storing() -> Iterator[None]:
    """A full disk or a damaged file of conversations is a foreseen failure."""
    try:
        yield
    except (sqlite3.DatabaseError, OSError) as error:
        raise ResourceError(
            say("The conversation cannot be kept: {why}.", why=str(error)),
            make_room(error),
        ) from error


@dataclass(frozen=True)
class Received:
    """A message with its number; `before`: the newest checkpoint when somebody began to answer it."""

    number: int
    message: Message
    before: str | None


class Inbox:
    """The messages of all conversations."""

    def __init__(self, file: Path) -> None:
        self._file = SqliteFile(file, _TABLE, storing)

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def add(self, thread: str, message: Message, key: str | None = None) -> int:
        """Keep a message; returns its number. One whose `key` came before is that message, and is not kept again.

        Raises:
            UserError: too many wait already.
        """
        with self._file.writing() as connection:
            known = connection.execute("SELECT number FROM accepted WHERE key = ?", (key,)).fetchone()
            if known:
                return int(known[0])
            waiting = connection.execute(
                "SELECT count(*) FROM messages WHERE thread = ? AND NOT answered", (thread,)
            ).fetchone()[0]
            if waiting >= MOST_WAITING:
                raise UserError(
                    say("{count} messages wait for an answer in this conversation already.", count=waiting),
                    say("Wait until they are answered, or say “stop” to end what is being done."),
                )
            found = connection.execute(
                "INSERT INTO messages (thread, content) VALUES (?, ?)", (thread, message.model_dump_json())
            )
            number = int(found.lastrowid or 0)
            if key is not None:
                connection.execute("INSERT INTO accepted VALUES (?, ?)", (key, number))
                connection.execute("DELETE FROM accepted WHERE number <= ?", (number - KEYS,))
            return number

    def first(self, thread: str) -> Received | None:
        """The first message not answered yet."""
        return next(iter(self.waiting(thread)), None)

    def waiting(self, thread: str) -> list[Received]:
        """All messages not answered yet, in order; the first may be being answered."""
        query = "SELECT number, content, before FROM messages WHERE thread = ? AND NOT answered ORDER BY number"
        found = []
        for number, content, before in self._file.ask(query, (thread,)):
            try:
                found.append(Received(number, Message.model_validate_json(content), before))
            except ValidationError:  # damaged: nobody can answer it
                self.done(thread, number)
        return found

    def waits(self, number: int) -> bool:
        """Whether a message has not been answered yet."""
        return bool(self._file.ask("SELECT 1 FROM messages WHERE number = ? AND NOT answered", (number,)))

    def begin(self, number: int, before: str) -> None:
        """Note the checkpoint found by who begins to answer it."""
        with self._file.writing() as connection:
            connection.execute("UPDATE messages SET before = ? WHERE number = ?", (before, number))

    def done(self, thread: str, number: int) -> None:
        """It is answered; the oldest answered ones are forgotten."""
        with self._file.writing() as connection:
            connection.execute("UPDATE messages SET answered = 1 WHERE number = ?", (number,))
            connection.execute(
                "DELETE FROM messages WHERE thread = ? AND answered AND number NOT IN "
                "(SELECT number FROM messages WHERE thread = ? AND answered ORDER BY number DESC LIMIT ?)",
                (thread, thread, EDITABLE),
            )

    def withdraw(self, number: int) -> bool:
        """Forget a message that nobody has begun to answer; whether it was one."""
        with self._file.writing() as connection:
            found = connection.execute(
                "DELETE FROM messages WHERE number = ? AND before IS NULL AND NOT answered", (number,)
            )
            return found.rowcount > 0

    def set_aside(self, thread: str, since: int) -> None:
        """Forget the answered messages from this one on: another takes its place."""
        with self._file.writing() as connection:
            connection.execute("DELETE FROM messages WHERE thread = ? AND answered AND number >= ?", (thread, since))

    def checkpoint(self, thread: str, number: int) -> str | None:
        """The checkpoint before a message; None where none is kept."""
        query = "SELECT before FROM messages WHERE thread = ? AND number = ?"
        return next((before for (before,) in self._file.ask(query, (thread, number))), None)

    def checkpoints(self, thread: str) -> set[str]:
        """The checkpoints that an edited message could go back to."""
        query = "SELECT before FROM messages WHERE thread = ? AND before IS NOT NULL"
        return {before for (before,) in self._file.ask(query, (thread,))}
