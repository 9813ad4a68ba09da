"""What was measured, kept: runs, measurements by content, per-query scores.

A measurement's key is a hash of all that decides it, and the key is unique: doing it again changes nothing, and
finding it again costs nothing.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from sqlalchemy import JSON, Boolean, Column, DateTime, MetaData, String, Table, delete, insert, select
from sqlalchemy.exc import DatabaseError, IntegrityError

from tools.database import Database

_METADATA = MetaData()
_RUNS = Table(
    "runs",
    _METADATA,
    Column("run_id", String, primary_key=True),
    Column("kind", String, nullable=False),
    Column("finished", DateTime(timezone=True), nullable=False),
    Column("payload", JSON, nullable=False),
)
_MEASUREMENTS = Table(
    "measurements",
    _METADATA,
    Column("key", String, primary_key=True),
    Column("kind", String, nullable=False),
    Column("spec", String, nullable=False),
    Column("run_id", String, nullable=False),
    Column("payload", JSON, nullable=False),
)
_QUERY_SCORES = Table(
    "query_scores",
    _METADATA,
    Column("key", String, primary_key=True),
    Column("metric", String, primary_key=True),
    Column("scores", JSON, nullable=False),
)
_RANKINGS = Table(
    "rankings",
    _METADATA,
    Column("key", String, primary_key=True),
    Column("query", String, primary_key=True),
    Column("documents", JSON, nullable=False),
)
_FEEDBACK = Table(
    "feedback",
    _METADATA,
    Column("key", String, primary_key=True),
    Column("thread", String, nullable=False, index=True),
    Column("run_id", String),
    Column("answer", String, nullable=False),
    Column("liked", Boolean, nullable=False),
    Column("given", DateTime(timezone=True), nullable=False),
)


@dataclass(frozen=True)
class Run:
    """A finished run as it was kept."""

    run_id: str
    kind: str
    finished: dt.datetime
    payload: dict[str, Any]


@dataclass(frozen=True)
class Feedback:
    """What a user thought of an answer.

    Attributes:
        answer: its first words, as they were shown.
        run_id: the run whose decision stood when it was given; None before there was one.
    """

    thread: str
    answer: str
    liked: bool
    run_id: str | None = None


def new_run_id(kind: str, now: dt.datetime) -> str:
    """A name that sorts by time and never repeats."""
    return f"{kind}-{now:%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"


def content_key(**parts: Any) -> str:
    """A hash over everything that decides a measurement."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


class RunStore(Database):
    """What was measured, in an open database.

    Raises:
        ResourceError: from every method, when the database cannot be opened, read or written.
    """

    def __init__(self, where: Path | str) -> None:
        super().__init__(where, _METADATA)

    def save_run(self, run_id: str, kind: str, payload: dict[str, Any], finished: dt.datetime) -> None:
        """Keep a finished run."""
        self._insert(_RUNS, run_id=run_id, kind=kind, payload=payload, finished=finished)

    def run(self, run_id: str) -> dict[str, Any] | None:
        """A finished run's payload, or None."""
        found: dict[str, Any] | None = self._one(select(_RUNS.c.payload).where(_RUNS.c.run_id == run_id))
        return found

    def runs(self, kind: str | None = None, most: int | None = None) -> list[Run]:
        """Finished runs, the latest first.

        Args:
            kind: only these; None: all.
            most: so many at most; None: all.
        """
        query = select(_RUNS).order_by(_RUNS.c.finished.desc(), _RUNS.c.run_id.desc()).limit(most)
        if kind is not None:
            query = query.where(_RUNS.c.kind == kind)
        try:
            with self._engine.connect() as connection:
                return [Run(*row) for row in connection.execute(query)]
        except DatabaseError as error:
            raise self._failed(error) from error

    def run_ids(self, beginning: str = "") -> list[str]:
        """The names of finished runs that begin so, the latest first."""
        query = select(_RUNS.c.run_id).where(_RUNS.c.run_id.startswith(beginning, autoescape=True))
        try:
            with self._engine.connect() as connection:
                return list(connection.execute(query.order_by(_RUNS.c.finished.desc())).scalars())
        except DatabaseError as error:
            raise self._failed(error) from error

    def save_measurement(
        self,
        key: str,
        kind: str,
        spec: str,
        run_id: str,
        payload: dict[str, Any],
        scores: dict[str, dict[str, float]] | None = None,
        rankings: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        """Keep a measurement, its per-query scores ({metric: {query id: score}}) and first documents, all or nothing.

        Args:
            key: hash of all that decides it.
            kind: such as ``quality``.
            spec: what was measured.
            run_id: the run that measured it.
            payload: what it found.
            scores: per-query scores, {metric: {query id: score}}.
            rankings: the first documents of each query, {query id: [document id]}.
        """
        try:
            with self._engine.begin() as connection:
                connection.execute(
                    insert(_MEASUREMENTS).values(key=key, kind=kind, spec=spec, run_id=run_id, payload=payload)
                )
                if scores:
                    rows = [{"key": key, "metric": metric, "scores": values} for metric, values in scores.items()]
                    connection.execute(insert(_QUERY_SCORES), rows)
                if rankings:
                    found = [{"key": key, "query": query, "documents": list(ids)} for query, ids in rankings.items()]
                    connection.execute(insert(_RANKINGS), found)
        except IntegrityError:
            return  # somebody measured the same meanwhile: the same content gives the same result
        except DatabaseError as error:
            raise self._failed(error) from error

    def measurement(self, key: str) -> tuple[str, dict[str, Any]] | None:
        """The run that measured this and what it found, or None."""
        try:
            with self._engine.connect() as connection:
                row = connection.execute(
                    select(_MEASUREMENTS.c.run_id, _MEASUREMENTS.c.payload).where(_MEASUREMENTS.c.key == key)
                ).first()
        except DatabaseError as error:
            raise self._failed(error) from error
        return (row[0], row[1]) if row else None

    def query_scores(self, key: str, metric: str) -> dict[str, float]:
        """Per-query scores of a measurement; empty where there are none."""
        query = select(_QUERY_SCORES.c.scores).where(_QUERY_SCORES.c.key == key, _QUERY_SCORES.c.metric == metric)
        return self._one(query) or {}

    def rankings(self, key: str, queries: Sequence[str] | None = None) -> dict[str, list[str]]:
        """The first documents of these queries (None: all), best first; queries of which none were kept are missing."""
        query = select(_RANKINGS.c.query, _RANKINGS.c.documents).where(_RANKINGS.c.key == key)
        if queries is not None:
            query = query.where(_RANKINGS.c.query.in_(queries))
        try:
            with self._engine.connect() as connection:
                return {row[0]: row[1] for row in connection.execute(query)}
        except DatabaseError as error:
            raise self._failed(error) from error

    def save_feedback(self, feedback: Feedback, given: dt.datetime) -> None:
        """Keep what a user thought of an answer, in place of what he thought before."""
        key = _feedback_key(feedback.thread, feedback.answer)
        try:
            with self._engine.begin() as connection:
                connection.execute(delete(_FEEDBACK).where(_FEEDBACK.c.key == key))
                connection.execute(insert(_FEEDBACK).values(key=key, given=given, **asdict(feedback)))
        except IntegrityError:
            return  # given twice in the same moment
        except DatabaseError as error:
            raise self._failed(error) from error

    def take_feedback_back(self, thread: str, answer: str) -> None:
        """Forget what a user thought of an answer."""
        try:
            with self._engine.begin() as connection:
                connection.execute(delete(_FEEDBACK).where(_FEEDBACK.c.key == _feedback_key(thread, answer)))
        except DatabaseError as error:
            raise self._failed(error) from error

    def feedback(self, thread: str) -> list[Feedback]:
        """All feedback of a conversation, oldest first."""
        columns = [_FEEDBACK.c[field.name] for field in fields(Feedback)]
        query = select(*columns).where(_FEEDBACK.c.thread == thread).order_by(_FEEDBACK.c.given)
        try:
            with self._engine.connect() as connection:
                return [Feedback(**row._mapping) for row in connection.execute(query)]
        except DatabaseError as error:
            raise self._failed(error) from error


def _feedback_key(thread: str, answer: str) -> str:
    return content_key(thread=thread, answer=answer)


def keep_run(where: Path | str, kind: str, run_id: str, found: BaseModel) -> None:
    """Keep a run that has finished now where `advisor runs` finds it."""
    with closing(RunStore(where)) as runs:
        runs.save_run(run_id, kind, found.model_dump(mode="json"), dt.datetime.now(dt.UTC))
