"""Opening one SQLite file from several processes in the same moment."""

import multiprocessing
import sqlite3

import pytest

from tools import sqlite_file
from tools.sqlite_file import write_ahead

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
