"""Opening one SQLite file from several processes in the same moment."""

import multiprocessing
import sqlite3
from contextlib import contextmanager

import pytest

from tools import sqlite_file
from tools.sqlite_file import SqliteFile, write_ahead

PROCESSES, FILES = 6, 60


def _open(barrier, folder, refused):
    for i in range(FILES):
        barrier.wait()
        connection = sqlite3.connect(folder / f"{i}.sqlite")
        try:
            write_ahead(connection)
            connection.execute("CREATE TABLE IF NOT EXISTS t (x)")
        except sqlite3.Error as error:
            refused.put(f"{error}")
        connection.close()
    refused.put(None)


def test_many_open_a_new_file_in_the_same_moment(tmp_path):
    context = multiprocessing.get_context("spawn")
    barrier, refused = context.Barrier(PROCESSES), context.Queue()
    processes = [context.Process(target=_open, args=(barrier, tmp_path, refused)) for _ in range(PROCESSES)]
    for process in processes:
        process.start()
    said, ended = [], 0
    while ended < PROCESSES:
        answer = refused.get(timeout=60)
        ended += answer is None
        said += [answer] if answer else []
    for process in processes:
        process.join()
    assert not said


def test_a_file_that_stays_locked_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(sqlite_file, "PATIENCE", 0.1)
    holder, late = sqlite3.connect(tmp_path / "f"), sqlite3.connect(tmp_path / "f")
    holder.execute("BEGIN EXCLUSIVE")
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        write_ahead(late)
    holder.close()
    late.close()


def test_a_transaction_that_fails_leaves_nothing_and_lets_go_of_the_file(tmp_path):
    @contextmanager
    def guard():
        try:
            yield
        except sqlite3.Error as error:
            raise KeyError(str(error)) from error

    opened = SqliteFile(tmp_path / "f", "CREATE TABLE IF NOT EXISTS t (x UNIQUE)", guard)
    with opened.writing() as connection:
        connection.execute("INSERT INTO t VALUES (1)")
    with pytest.raises(KeyError, match="UNIQUE"), opened.writing() as connection:  # noqa: PT012 - the first is undone
        connection.execute("INSERT INTO t VALUES (2)")
        connection.execute("INSERT INTO t VALUES (1)")
    other = SqliteFile(tmp_path / "f", "CREATE TABLE IF NOT EXISTS t (x UNIQUE)", guard)
    assert other.ask("SELECT x FROM t") == [(1,)]
    with pytest.raises(KeyError, match="no such table"):
        other.ask("SELECT x FROM u WHERE x = ?", (1,))
    opened.close()
    other.close()
