"""A conversation outlives its process, and processes and threads do not get into each other's way."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from agent.advisor import Advisor
from agent.settings import Settings
from tools.data_source import DataSource

ROOT = Path(__file__).parents[2]
CANDIDATES = ["bm25", "static:wordllama?dim=64"]

CHILD = """
import sys
from pathlib import Path
from agent.advisor import Advisor
from agent.settings import Settings
from tools.data_source import DataSource
home, data, thread, *messages = sys.argv[1:]
with Advisor(Settings(home=Path(home), offline=True)) as advisor:
    for number, message in enumerate(messages):
        source = DataSource(path=data) if number == 0 else None
        for event in advisor.reply(thread, message, data=source, specs={specs!r}):
            begun = event.kind == "progressed" and event.progress.done > 0
            print(event.kind, event.progress.stage if begun else getattr(event, "stage", ""), flush=True)
    print("waiting", flush=True)
    sys.stdin.read()
"""


def converse(home, data, thread, *messages):
    """A process of its own that has this conversation and then waits."""
    return subprocess.Popen(
        [sys.executable, "-c", CHILD.format(specs=CANDIDATES), str(home), str(data), thread, *messages],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def kill_at(child, line):
    """End it as a power cut would, when it has printed this."""
    seen = []
    for printed in child.stdout:
        seen.append(printed.strip())
        if printed.strip() == line:
            break
    else:
        raise AssertionError(f"never came to {line!r}: {seen} {child.stderr.read()[-2000:]}")
    os.killpg(child.pid, signal.SIGKILL)
    close(child)
    return seen


def close(child):
    child.wait()
    for pipe in (child.stdin, child.stdout, child.stderr):
        pipe.close()


def sound(home):
    """Whether the databases are whole."""
    for name in ("conversations.sqlite", "runs.sqlite"):
        connection = sqlite3.connect(home / name)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",), name
        connection.close()
    return True


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, data):
    """What the conversation comes to when nothing happens to it."""
    with Advisor(Settings(home=tmp_path_factory.mktemp("undisturbed"), offline=True)) as advisor:
        list(advisor.reply("t", "English, just decide", data=DataSource(path=str(data)), specs=CANDIDATES))
        list(advisor.reply("t", "yes"))
        return advisor.state("t")


def _score(recommendation, spec):
    return next(row.quality.mean for row in recommendation.rows if row.spec == spec)


def same_decision(state, other):
    """Quality repeats exactly, speed does not: the best score and who is as good must agree.

    Of equal scores the cheaper one counts as the best, so by name they need not.
    """
    one, two = state["recommendation"], other["recommendation"]
    assert one.measured
    assert _score(one, one.best) == _score(two, two.best)
    assert {one.winner, *one.tied, *one.undecided} == {two.winner, *two.tied, *two.undecided}
    assert {row.spec: row.metrics for row in one.rows} == {row.spec: row.metrics for row in two.rows}
    return True


def test_killed_while_it_waits_for_an_answer(tmp_path, data, undisturbed):
    kill_at(converse(tmp_path, data, "t", "English, just decide"), "waiting")
    with Advisor(Settings(home=tmp_path, offline=True)) as advisor:
        assert not advisor.unfinished("t")
        again = [event for event in advisor.resume("t") if event.kind == "question"]
        assert [event.about for event in again] == ["plan"]
        list(advisor.reply("t", "yes"))
        assert advisor.state("t")["status"] == "done"
        assert same_decision(advisor.state("t"), undisturbed)
    assert sound(tmp_path)


def test_killed_in_the_middle_of_measuring(tmp_path, data, undisturbed):
    kill_at(converse(tmp_path, data, "t", "English, just decide", "yes"), "progressed evaluate")
    with Advisor(Settings(home=tmp_path, offline=True)) as advisor:
        assert advisor.unfinished("t")
        found = list(advisor.resume("t"))
        assert found[-1].kind == "reported"
        state = advisor.state("t")
        assert state["status"] == "done"
        assert same_decision(state, undisturbed)
        (encoded,) = [c for c in state["evaluation"].candidates if c.spec != "bm25"]
        assert encoded.cached_texts > 0, "what was encoded before the kill is not encoded again"
        assert encoded.cached_texts + encoded.encoded_texts == 90
    assert sound(tmp_path)


def test_killed_while_it_times_the_candidates(tmp_path, data, undisturbed):
    """The next message finishes the work first; quality is not measured again, and nobody else's is either."""
    kill_at(converse(tmp_path, data, "t", "English, just decide", "yes"), "stage_started benchmark")
    with Advisor(Settings(home=tmp_path, offline=True)) as advisor:
        found = list(advisor.reply("t", "why?"))
        assert "recommended" in [event.kind for event in found]
        assert found[-1].kind == "said"
        assert not [event for event in found if getattr(event, "stage", "") == "evaluate"]
        assert same_decision(advisor.state("t"), undisturbed)
        list(advisor.reply("u", "English, just decide", data=DataSource(path=str(data)), specs=CANDIDATES))
        list(advisor.reply("u", "yes"))
        assert all(c.encoded_texts == 0 for c in advisor.state("u")["evaluation"].candidates)
    assert sound(tmp_path)


def test_a_second_process_on_the_same_thread_waits(tmp_path, data):
    first = converse(tmp_path, data, "t", "English, just decide", "yes")
    while (line := first.stdout.readline().strip()) != "stage_started evaluate":
        assert line, first.stderr.read()
    with Advisor(Settings(home=tmp_path, offline=True)) as advisor:
        found = list(advisor.reply("t", "why?"))
        assert [event.kind for event in found] == ["queued", "heard", "said"], "the first one's work was finished"
        assert advisor.state("t")["status"] == "done"
    rest, errors = first.communicate("")
    assert "reported" in rest
    assert "Traceback" not in errors
    assert sound(tmp_path)


def test_many_conversations_at_once(tmp_path, data):
    problems: list[BaseException] = []

    def talk(advisor, thread):
        try:
            list(advisor.reply(thread, "English", data=DataSource(path=str(data)), specs=["bm25"]))
            list(advisor.reply(thread, "just decide"))
            list(advisor.reply(thread, "yes"))
            assert advisor.state(thread)["status"] == "done"
            assert advisor.state(thread)["recommendation"].winner == "bm25"
        except BaseException as error:
            problems.append(error)
            raise

    with Advisor(Settings(home=tmp_path, offline=True)) as advisor:
        threads = [threading.Thread(target=talk, args=(advisor, f"t{i}")) for i in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert not problems
    assert sound(tmp_path)


def test_messages_to_one_thread_queue(tmp_path):
    """Five at once on one thread of conversation: none is lost, none interrupts another."""
    texts = ["German", "commercial", "no GPU", "at most 4 GB of memory", "for clustering"]
    with Advisor(Settings(home=tmp_path, offline=True)) as advisor:
        list(advisor.reply("t", "just decide"))
        threads = [threading.Thread(target=lambda t=t: list(advisor.reply("t", t))) for t in texts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        found = advisor.state("t")["requirements"]
    assert {c.kind for c in found.constraints} == {"languages", "license", "memory"}
    assert found.gpu.value is False
    assert found.task.value == "clustering"
