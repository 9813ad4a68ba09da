"""The run store: keys are unique, doing it again changes nothing, and a broken file is a clear message."""

import datetime as dt
import multiprocessing
from pathlib import Path

import pytest
from sqlalchemy.exc import StatementError

from knowledge.errors import ResourceError
from tools.run_store import Feedback, RunStore, content_key, new_run_id

NOW = dt.datetime(2026, 11, 22, 12, 0, tzinfo=dt.UTC)


@pytest.fixture
def store(tmp_path):
    opened = RunStore(tmp_path / "home" / "runs.sqlite")
    yield opened
    opened.close()


def test_measurements_and_their_scores_come_back(store, tmp_path):
    scores = {"nDCG@10": {"问题": 0.5, "q2": 1.0}, "AP": {"问题": 0.1, "q2": 0.2}}
    store.save_measurement("key", "quality", "bm25", "run", {"figure": 0.75, "text": "中文"}, scores)
    again = RunStore(tmp_path / "home" / "runs.sqlite")
    assert again.measurement("key") == ("run", {"figure": 0.75, "text": "中文"})
    assert again.query_scores("key", "AP") == scores["AP"]
    assert again.query_scores("key", "RR") == {}
    assert again.measurement("other") is None
    again.close()


def test_the_first_measurement_stands(store):
    for run in ("first", "second"):
        store.save_measurement("key", "quality", "bm25", run, {"run": run}, {"AP": {"q": 0.1}})
        store.save_run("run", "evaluation", {"run": run}, NOW)
    assert store.measurement("key") == ("first", {"run": "first"})
    assert store.run("run") == {"run": "first"}
    assert store.run("other") is None


def test_a_measurement_is_kept_whole_or_not_at_all(store):
    with pytest.raises(StatementError):
        store.save_measurement("key", "quality", "bm25", "run", {}, {"AP": {"q": 0.1}, "RR": {"q": object()}})
    assert store.measurement("key") is None
    assert store.query_scores("key", "AP") == {}


def _write(path, name):
    store = RunStore(path)
    for i in range(15):
        store.save_measurement(f"shared {i}", "quality", "bm25", name, {"i": i}, {"AP": {"q": i / 15}})
        store.save_measurement(f"{name} {i}", "quality", "bm25", name, {"i": i})
    store.close()


def test_two_processes_write_at_once(tmp_path):
    context = multiprocessing.get_context("spawn")
    path = tmp_path / "home" / "runs.sqlite"
    writers = [context.Process(target=_write, args=(path, name)) for name in ("one", "two")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
        assert writer.exitcode == 0
    store = RunStore(path)
    for i in range(15):
        for name in ("shared", "one", "two"):
            found = store.measurement(f"{name} {i}")
            assert found
            assert found[1] == {"i": i}
        assert store.query_scores(f"shared {i}", "AP") == {"q": i / 15}
    store.close()


@pytest.mark.parametrize("content", [b"this is not a database, " * 50, b"\x00" * 5000, b"SQLite format 3\x00garbage"])
def test_a_broken_file_is_named_and_left_alone(tmp_path, content):
    file = tmp_path / "runs.sqlite"
    file.write_bytes(content)
    with pytest.raises(ResourceError) as failure:
        RunStore(file)
    assert str(file) in failure.value.cause.render()
    assert "ADVISOR_HOME" in failure.value.next_step.render()
    assert file.read_bytes() == content


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ResourceError, match=r"runs\.sqlite"):
        RunStore(tmp_path / "file" / "runs.sqlite")


def test_a_folder_in_the_files_place(tmp_path):
    (tmp_path / "runs.sqlite").mkdir()
    with pytest.raises(ResourceError, match=r"runs\.sqlite"):
        RunStore(tmp_path / "runs.sqlite")


def test_a_file_that_breaks_while_it_is_open(tmp_path):
    store = RunStore(tmp_path / "runs.sqlite")
    store.close()
    for file in tmp_path.iterdir():
        file.unlink()
    with pytest.raises(ResourceError, match="no such table"):
        store.measurement("key")
    with pytest.raises(ResourceError, match="no such table"):
        store.save_measurement("key", "quality", "bm25", "run", {})
    with pytest.raises(ResourceError, match="no such table"):
        store.save_run("run", "evaluation", {}, NOW)
    store.close()


@pytest.mark.parametrize("url", ["nonsense", "postgresql://me:secret@nowhere/db", "nodialect://me:secret@h/db", "://"])
def test_a_database_that_cannot_be_had_shows_no_password(url):
    with pytest.raises(ResourceError) as failure:
        RunStore(url)
    assert "secret" not in str(failure.value)


def test_any_folder_name_will_do_and_urls_work(tmp_path):
    odd = RunStore(tmp_path / "a?b#c %d 中" / "runs.sqlite")
    odd.save_run("run", "evaluation", {}, NOW)
    odd.close()
    assert Path(odd.name).is_file()
    url = RunStore(f"sqlite:///{tmp_path}/by-url.sqlite")
    url.save_run("run", "evaluation", {"a": 1}, NOW)
    assert url.run("run") == {"a": 1}
    url.close()


def test_ids_sort_by_time_and_keys_follow_content():
    first, later = new_run_id("evaluation", NOW), new_run_id("evaluation", NOW + dt.timedelta(seconds=1))
    assert first < later
    assert first != new_run_id("evaluation", NOW)
    assert content_key(a=1, b=[2]) == content_key(b=[2], a=1) != content_key(a=1, b=[3])
    assert len(content_key(spec="中文 \ud800")) == 64


def test_feedback_is_kept_replaced_and_taken_back(store, tmp_path):
    store.save_feedback(Feedback("t", "Use bm25.", liked=True, run_id="run"), NOW)
    store.save_feedback(Feedback("t", "Hello", liked=True), NOW)
    store.save_feedback(Feedback("other", "Hello", liked=False), NOW)
    store.save_feedback(Feedback("t", "Hello", liked=False), NOW + dt.timedelta(seconds=1))
    again = RunStore(tmp_path / "home" / "runs.sqlite")
    assert again.feedback("t") == [Feedback("t", "Use bm25.", True, "run"), Feedback("t", "Hello", False)]
    again.take_feedback_back("t", "Hello")
    assert again.feedback("t") == [Feedback("t", "Use bm25.", True, "run")]
    assert again.feedback("other") == [Feedback("other", "Hello", False)]
    again.close()
