"""Jobs, and who owns what: work that somebody was promised, its events, and everything that a caller may name.

It lies in the run store's file. A job is a row before anybody is told of it. It is finished once: whoever finishes it
second changes nothing. Its last event, and what it owes by webhook, are written with the same commit.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Connection,
    Float,
    Integer,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from tools.database import Database

JobState = Literal["queued", "running", "succeeded", "failed", "cancelled"]
OPEN: tuple[JobState, ...] = ("queued", "running")
#: seconds that a request is known by its idempotency key
REMEMBERED = 7 * 86_400.0

_METADATA = MetaData()
_JOBS = Table(
    "jobs",
    _METADATA,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("id", String, nullable=False, unique=True),
    Column("owner", String, nullable=False, index=True),
    Column("kind", String, nullable=False),
    Column("thread", String, nullable=False),
    Column("request", JSON, nullable=False),
    Column("state", String, nullable=False, index=True),
    Column("cancelling", Boolean, nullable=False),
    Column("result", JSON(none_as_null=True)),
    Column("problem", JSON(none_as_null=True)),
    Column("created", Float, nullable=False),
    Column("started", Float),
    Column("finished", Float),
    Column("hook", JSON(none_as_null=True)),
    Column("hook_due", Float, index=True),
    Column("hook_tries", Integer, nullable=False),
    Column("hook_done", Boolean, nullable=False),
)
_EVENTS = Table(
    "job_events",
    _METADATA,
    Column("job", String, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("kind", String, nullable=False),
    Column("at", Float, nullable=False),
    Column("content", JSON, nullable=False),
)
_THINGS = Table(
    "belongings",
    _METADATA,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("kind", String, nullable=False),
    Column("id", String, nullable=False),
    Column("owner", String, nullable=False, index=True),
    Column("created", Float, nullable=False),
    Column("content", JSON, nullable=False),
    UniqueConstraint("kind", "id"),
)
_ONCE = Table(
    "idempotency",
    _METADATA,
    Column("owner", String, primary_key=True),
    Column("key", String, primary_key=True),
    Column("fingerprint", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("id", String, nullable=False),
    Column("created", Float, nullable=False),
)


@dataclass(frozen=True)
class Job:
    """One piece of work.

    Attributes:
        number: orders jobs by when they were accepted.
        owner: who may see it.
        thread: of the conversation it is done in.
        request: what is to be done, as its kind wants it.
        cancelling: its owner wants it to end.
        problem: why it failed.
        hook: where its end is told: ``url`` and ``secret``.
        hook_tries: how often that was tried; `hook_done`: no more tries, whether it was told or given up.
    """

    number: int
    id: str
    owner: str
    kind: str
    thread: str
    request: dict[str, Any]
    state: JobState
    cancelling: bool
    result: dict[str, Any] | None
    problem: dict[str, Any] | None
    created: float
    started: float | None
    finished: float | None
    hook: dict[str, str] | None
    hook_tries: int
    hook_done: bool

    @property
    def is_open(self) -> bool:
        """Whether it has not ended yet."""
        return self.state in OPEN


@dataclass(frozen=True)
class JobEvent:
    """Something that happened in a job; `number` counts from 1 in each."""

    number: int
    kind: str
    at: float
    content: dict[str, Any]


@dataclass(frozen=True)
class Thing:
    """Something that belongs to somebody: a conversation, a dataset, a report."""

    number: int
    kind: str
    id: str
    owner: str
    created: float
    content: dict[str, Any]


@dataclass(frozen=True)
class Once:
    """A request that its caller may repeat: the key he gave it, and a hash of what it asks for."""

    key: str
    fingerprint: str


@dataclass(frozen=True)
class Made:
    """What an earlier request of the same key made."""

    fingerprint: str
    kind: str
    id: str


class MadeAlreadyError(Exception):
    """A request of this idempotency key was taken meanwhile."""


_JOB_COLUMNS = [_JOBS.c[field.name] for field in fields(Job)]
_THING_COLUMNS = [_THINGS.c[field.name] for field in fields(Thing)]


class JobStore(Database):
    """Jobs and belongings, in an open database.

    Raises:
        ResourceError: from every method, when the database cannot be opened, read or written.
    """

    def __init__(self, where: Path | str) -> None:
        super().__init__(where, _METADATA)

    # ------------------------------------------------------------ jobs

    def add_job(
        self,
        job: str,
        owner: str,
        kind: str,
        thread: str,
        request: dict[str, Any],
        *,
        hook: dict[str, str] | None = None,
        once: Once | None = None,
    ) -> None:
        """Accept a job: from here on it is not lost.

        Raises:
            MadeAlreadyError: a request of this idempotency key was taken meanwhile.
        """
        now = time.time()
        try:
            with self._writing() as connection:
                self._remember(connection, owner, once, "job", job, now)
                connection.execute(
                    insert(_JOBS).values(
                        id=job,
                        owner=owner,
                        kind=kind,
                        thread=thread,
                        request=request,
                        state="queued",
                        cancelling=False,
                        created=now,
                        hook=hook,
                        hook_tries=0,
                        hook_done=False,
                    )
                )
                _note(connection, job, "queued", {}, now)
        except IntegrityError as error:
            raise MadeAlreadyError from error

    def job(self, job: str) -> Job | None:
        """A job by its id."""
        found = self._all(select(*_JOB_COLUMNS).where(_JOBS.c.id == job))
        return Job(**found[0]._mapping) if found else None

    def jobs(self, owner: str, most: int, before: int | None = None, kind: str | None = None) -> list[Job]:
        """Somebody's jobs, the latest first; `before` leaves out those from this number on."""
        query = select(*_JOB_COLUMNS).where(_JOBS.c.owner == owner)
        if before is not None:
            query = query.where(_JOBS.c.number < before)
        if kind is not None:
            query = query.where(_JOBS.c.kind == kind)
        return [Job(**row._mapping) for row in self._all(query.order_by(_JOBS.c.number.desc()).limit(most))]

    def open_jobs(self) -> list[tuple[str, JobState]]:
        """The ids of all jobs that have not ended, the oldest first, with their states."""
        query = select(_JOBS.c.id, _JOBS.c.state).where(_JOBS.c.state.in_(OPEN)).order_by(_JOBS.c.number)
        return [(row[0], row[1]) for row in self._all(query)]

    def counts(self) -> dict[str, int]:
        """How many jobs there are in each state."""
        query = select(_JOBS.c.state, func.count()).group_by(_JOBS.c.state)
        return {row[0]: row[1] for row in self._all(query)}

    def waiting(self, owner: str) -> int:
        """How many of somebody's jobs have not ended."""
        query = select(func.count()).where(_JOBS.c.owner == owner, _JOBS.c.state.in_(OPEN))
        return int(self._one(query) or 0)

    def begin(self, job: str) -> bool:
        """Note that it is being worked on, the first time or again; False where it has ended."""
        now = time.time()
        with self._writing() as connection:
            begun = connection.execute(
                update(_JOBS)
                .where(_JOBS.c.id == job, _JOBS.c.state.in_(OPEN))
                .values(state="running", started=func.coalesce(_JOBS.c.started, now))
            )
            if begun.rowcount:
                _note(connection, job, "running", {}, now)
        return begun.rowcount > 0

    def finish(
        self,
        job: str,
        state: Literal["succeeded", "failed", "cancelled"],
        *,
        result: dict[str, Any] | None = None,
        problem: dict[str, Any] | None = None,
        among: Sequence[JobState] = OPEN,
    ) -> bool:
        """Note how it ended; False where it had ended before, or is in none of the states `among`.

        What its progress was is forgotten, and what is owed by webhook is due.
        """
        now = time.time()
        with self._writing() as connection:
            ended = connection.execute(
                update(_JOBS)
                .where(_JOBS.c.id == job, _JOBS.c.state.in_(among))
                .values(state=state, result=result, problem=problem, finished=now, hook_due=now)
            )
            if ended.rowcount:
                _note(connection, job, state, {"problem": problem} if problem else {}, now)
                connection.execute(delete(_EVENTS).where(_EVENTS.c.job == job, _EVENTS.c.kind == "progressed"))
        return ended.rowcount > 0

    def cancel(self, job: str) -> bool:
        """Note that its owner wants it to end: at once where nobody works on it; False where it has ended."""
        with self._writing() as connection:
            wanted = connection.execute(
                update(_JOBS).where(_JOBS.c.id == job, _JOBS.c.state.in_(OPEN)).values(cancelling=True)
            )
        return wanted.rowcount > 0 and (self.finish(job, "cancelled", among=("queued",)) or True)

    def is_cancelling(self, job: str) -> bool:
        """Whether its owner wants it to end."""
        return bool(self._one(select(_JOBS.c.cancelling).where(_JOBS.c.id == job)))

    def note(self, job: str, kind: str, content: dict[str, Any]) -> None:
        """Add an event."""
        with self._writing() as connection:
            _note(connection, job, kind, content, time.time())

    def events(self, job: str, after: int = 0, most: int = 1000) -> list[JobEvent]:
        """What happened after an event, in order."""
        query = (
            select(_EVENTS.c.number, _EVENTS.c.kind, _EVENTS.c.at, _EVENTS.c.content)
            .where(_EVENTS.c.job == job, _EVENTS.c.number > after)
            .order_by(_EVENTS.c.number)
            .limit(most)
        )
        return [JobEvent(*row) for row in self._all(query)]

    # ------------------------------------------------------------ webhooks

    def owed(self, now: float, most: int = 20) -> list[Job]:
        """Ended jobs whose end is to be told now, the longest overdue first."""
        query = (
            select(*_JOB_COLUMNS)
            .where(_JOBS.c.hook_due <= now, _JOBS.c.hook_done.is_(False), _JOBS.c.hook.is_not(None))
            .order_by(_JOBS.c.hook_due)
            .limit(most)
        )
        return [Job(**row._mapping) for row in self._all(query)]

    def tried(self, job: str, *, due: float | None, outcome: str) -> None:
        """Note a try to tell a job's end; `due`: when to try again, None: not any more."""
        with self._writing() as connection:
            connection.execute(
                update(_JOBS)
                .where(_JOBS.c.id == job)
                .values(hook_tries=_JOBS.c.hook_tries + 1, hook_due=due, hook_done=due is None)
            )
            _note(connection, job, "webhook", {"outcome": outcome}, time.time())

    # ------------------------------------------------------------ belongings

    def keep(
        self, kind: str, name: str, owner: str, content: dict[str, Any] | None = None, *, once: Once | None = None
    ) -> bool:
        """Note that something belongs to somebody; False where it is noted already.

        Raises:
            MadeAlreadyError: a request of this idempotency key was taken meanwhile.
        """
        now = time.time()
        values = {"kind": kind, "id": name, "owner": owner, "created": now, "content": content or {}}
        try:
            with self._writing() as connection:
                self._remember(connection, owner, once, kind, name, now)
                connection.execute(insert(_THINGS).values(**values))
        except IntegrityError as error:
            if once is not None:
                raise MadeAlreadyError from error
            return False
        return True

    def thing(self, kind: str, name: str, owner: str) -> Thing | None:
        """Something of somebody's; None where there is none, or it is another's."""
        query = select(*_THING_COLUMNS).where(_THINGS.c.kind == kind, _THINGS.c.id == name, _THINGS.c.owner == owner)
        found = self._all(query)
        return Thing(**found[0]._mapping) if found else None

    def things(self, kind: str, owner: str, most: int, before: int | None = None) -> list[Thing]:
        """Somebody's things of a kind, the latest first; `before` leaves out those from this number on."""
        query = select(*_THING_COLUMNS).where(_THINGS.c.kind == kind, _THINGS.c.owner == owner)
        if before is not None:
            query = query.where(_THINGS.c.number < before)
        return [Thing(**row._mapping) for row in self._all(query.order_by(_THINGS.c.number.desc()).limit(most))]

    def change(self, thing: Thing, content: dict[str, Any]) -> bool:
        """Put other content in place of what it had; False where it is gone."""
        with self._writing() as connection:
            changed = connection.execute(
                update(_THINGS).where(_THINGS.c.number == thing.number).values(content=content)
            )
        return changed.rowcount > 0

    def remove(self, thing: Thing) -> bool:
        """Forget it, and the request that made it; False where somebody else just has."""
        with self._writing() as connection:
            gone = connection.execute(delete(_THINGS).where(_THINGS.c.number == thing.number))
            connection.execute(delete(_ONCE).where(_ONCE.c.kind == thing.kind, _ONCE.c.id == thing.id))
        return gone.rowcount > 0

    def made(self, owner: str, key: str) -> Made | None:
        """What an earlier request of an idempotency key made."""
        query = select(_ONCE.c.fingerprint, _ONCE.c.kind, _ONCE.c.id).where(
            _ONCE.c.owner == owner, _ONCE.c.key == key, _ONCE.c.created > time.time() - REMEMBERED
        )
        return next((Made(*row) for row in self._all(query)), None)

    def forget_once(self, owner: str, key: str) -> None:
        """A request of this idempotency key was not taken after all."""
        with self._writing() as connection:
            connection.execute(delete(_ONCE).where(_ONCE.c.owner == owner, _ONCE.c.key == key))

    @staticmethod
    def _remember(connection: Connection, owner: str, once: Once | None, kind: str, name: str, now: float) -> None:
        if once is None:
            return
        connection.execute(delete(_ONCE).where(_ONCE.c.created <= now - REMEMBERED))
        connection.execute(
            insert(_ONCE).values(
                owner=owner, key=once.key, fingerprint=once.fingerprint, kind=kind, id=name, created=now
            )
        )


def _note(connection: Connection, job: str, kind: str, content: dict[str, Any], at: float) -> None:
    last = select(func.coalesce(func.max(_EVENTS.c.number), 0) + 1).where(_EVENTS.c.job == job).scalar_subquery()
    connection.execute(insert(_EVENTS).values(job=job, number=last, kind=kind, at=at, content=content))
