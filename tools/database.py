"""An open database: a SQLite file, or any by URL. With the stores built on it, all that knows SQLAlchemy."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, MetaData, Table, create_engine, event, insert, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, IntegrityError
from sqlalchemy.schema import CreateIndex, CreateTable

from knowledge.errors import ResourceError
from knowledge.wording import say
from tools.sqlite_file import write_ahead


class Database:
    """Tables in an open database; they are made where they are missing.

    Raises:
        ResourceError: from every method, when the database cannot be opened, read or written.
    """

    def __init__(self, where: Path | str, tables: MetaData) -> None:
        self.name = str(where) if isinstance(where, Path) else where.split("://")[0]
        try:
            if isinstance(where, Path):
                where.parent.mkdir(parents=True, exist_ok=True)
                url = URL.create("sqlite", database=str(where))
            else:
                url = make_url(where)
                self.name = url.render_as_string(hide_password=True)
            local = url.get_backend_name() == "sqlite"
            self._engine = create_engine(url)
            if local:
                event.listen(self._engine, "connect", lambda connection, record: write_ahead(connection))
            _create(self._engine, tables)
        except (OSError, DatabaseError, ArgumentError, ImportError) as error:
            raise self._failed(error) from error

    def close(self) -> None:
        """Let go of the file."""
        self._engine.dispose()

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        """A transaction: all of it, or nothing. IntegrityError passes through: something is there already."""
        try:
            with self._engine.begin() as connection:
                yield connection
        except IntegrityError:
            raise
        except DatabaseError as error:
            raise self._failed(error) from error

    def _all(self, query: Any) -> list[Any]:
        try:
            with self._engine.connect() as connection:
                return list(connection.execute(query))
        except DatabaseError as error:
            raise self._failed(error) from error

    def _one(self, query: Any) -> Any:
        try:
            with self._engine.connect() as connection:
                return connection.execute(query).scalar_one_or_none()
        except DatabaseError as error:
            raise self._failed(error) from error

    def _insert(self, table: Table, **values: Any) -> bool:
        """Add a row; False where it is there already."""
        try:
            with self._writing() as connection:
                connection.execute(insert(table).values(**values))
        except IntegrityError:
            return False
        return True

    def _failed(self, error: Exception) -> ResourceError:
        return ResourceError(
            say("The run store {name} failed: {why}.", name=self.name, why=str(error).splitlines()[0][:200]),
            say("Check that its disk has room and may be written; ADVISOR_HOME names its folder."),
        )


def _create(engine: Engine, tables: MetaData) -> None:
    # not create_all(), which looks first and creates then: two processes at once would both find nothing
    with engine.begin() as connection:
        for table in tables.sorted_tables:
            connection.execute(CreateTable(table, if_not_exists=True))
            for index in table.indexes:
                connection.execute(CreateIndex(index, if_not_exists=True))
