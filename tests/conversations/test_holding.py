"""A conversation holds together: messages queue, what runs can be ended, and a message can be taken back."""

import os
import queue
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import psutil
import pytest
from filelock import FileLock

from agent import inbox as inbox_module
from agent.advisor import Advisor
from agent.at_once import asks_to_stop
from agent.inbox import EDITABLE, MOST_WAITING, Inbox, Message
from agent.settings import Settings
from agent.transcript import shown
from app.conversations import Conversations
from knowledge.errors import UserError
from knowledge.wording import say
from tests.animals import CANDIDATES
from tools.data_source import DataSource
from tools.encoders import resolve
from tools.encoding import ensure
from tools.retrieval import parse
from tools.stopping import Stopped, stoppable
from tools.workspace import Workspace

ROOT = Path(__file__).parents[2]
OPENING = "Semantic search over English animal facts, on our own machines"


@pytest.fixture
def own(tmp_path):
    """An advisor with a home of its own."""
    with Advisor(Settings(home=tmp_path, offline=True)) as found:
        yield found


def busy(home: Path, thread: str = "t") -> FileLock:
    """What another process holds while it answers."""
    lock = FileLock(home / "locks" / f"{thread}.lock", thread_local=False)
    lock.acquire()
    return lock


def heard(advisor, thread="t"):
    return [event.text for event in shown(advisor.transcript.read(thread)[0]) if event.kind == "heard"]


def kinds(events):
    return [event.kind for event in events if event.kind != "progressed"]


def rows(home, query):
    connection = sqlite3.connect(home / "conversations.sqlite")
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


# ---------------------------------------------------------------- the queue


def test_messages_are_told_that_they_wait_and_are_answered_in_order(own, tmp_path):
    texts = ["for clustering", "German", "no GPU", "at most 4 GB of memory"]
    told: queue.Queue = queue.Queue()
    found: dict[str, list] = {}

    def talk(text):
        found[text] = []
        for event in own.reply("t", text):
            found[text].append(event)
            if event.kind == "queued":
                told.put((text, event.ahead))

    lock, threads = busy(tmp_path), []
    for place, text in enumerate(texts):
        threads.append(threading.Thread(target=talk, args=(text,)))
        threads[-1].start()
        assert told.get(timeout=20) == (text, max(place, 1)), "told at once, while it still waits"
    lock.release()
    for thread in threads:
        thread.join()
    assert heard(own) == texts
    for text in texts:
        mine = [event for event in found[text] if event.kind == "heard"]
        assert text in [event.text for event in mine], "each door hears its own answer"
    needs = own.state("t")["requirements"]
    assert needs.task.value == "clustering"
    assert needs.gpu.value is False
    assert {c.kind for c in needs.constraints} >= {"languages", "memory"}


def test_the_queue_is_bounded_and_says_so(own):
    for number in range(MOST_WAITING):
        own.put("t", f"message {number}")
    with pytest.raises(UserError, match=f"{MOST_WAITING} messages wait"):
        list(own.reply("t", "one more"))
    list(own.reply("other", "German"))
    assert own.unfinished("t"), "other conversations are not held up, and this one's messages stay"


def test_who_does_not_want_to_wait_takes_the_message_back(own, tmp_path):
    lock = busy(tmp_path)
    waiting = own.reply("t", "German")
    assert next(waiting).kind == "queued"
    waiting.close()
    lock.release()
    assert kinds(own.reply("t", "no GPU"))[0] == "heard"
    assert heard(own) == ["no GPU"]


def test_a_message_that_fails_does_not_keep_the_others_waiting(own):
    """Put by a process that is gone, it cannot be answered: the message to edit is not there any more."""
    list(own.reply("t", "German"))
    own._inbox.add("t", Message(text="French", instead_of=999))
    found = list(own.reply("t", "no GPU"))
    assert kinds(found)[:2] == ["failed", "heard"]
    assert heard(own) == ["German", "no GPU"]
    assert not own.unfinished("t")


def test_a_damaged_message_is_passed_over(tmp_path):
    inbox = Inbox(tmp_path / "x.sqlite")
    with closing(sqlite3.connect(tmp_path / "x.sqlite")) as connection:
        connection.execute("INSERT INTO messages (thread, content) VALUES ('t', '{\"text\": 5')")
        connection.commit()
    number = inbox.add("t", Message(text="German"))
    assert [received.number for received in inbox.waiting("t")] == [number]
    inbox.close()


def test_the_web_chat_keeps_its_queue_on_disk_and_takes_a_word_to_stop(own, tmp_path):
    chat = Conversations(own, tmp_path)
    lock = busy(tmp_path)
    chat.say("t", "German")
    chat.say("t", "no GPU")
    assert [message.text for message in chat.live("t").waiting] == ["German", "no GPU"]
    assert [received.message.text for received in own._inbox.waiting("t")] == ["German", "no GPU"]
    chat.say("t", "stop")
    assert own.context.should_stop("t"), "whoever holds the lock is told"
    for number in range(MOST_WAITING):
        chat.say("t", f"message {number}")
    assert [event.kind for event in own.transcript.read("t")[0]] == ["heard", "said", "failed", "failed"]
    for received in own._inbox.waiting("t")[2:]:
        assert own._inbox.withdraw(received.number)
    lock.release()
    while chat.live("t").busy:
        time.sleep(0.05)
    assert heard(own) == ["stop", "German", "no GPU"]
    assert not own.context.should_stop("t"), "it was for what ran then, not for what came after"
    assert own.state("t")["requirements"].gpu.value is False


KILLED = """
import os, signal, sys
from pathlib import Path
from agent.advisor import Advisor
from agent.inbox import Inbox
from agent.settings import Settings

home, *points = sys.argv[1:]
point = next((point for point in points if os.fork() == 0), None)
if point is None:
    for _ in points:
        assert os.waitstatus_to_exitcode(os.wait()[1]) == -signal.SIGKILL
    sys.exit()

def die(*ignored, **more):
    os.kill(os.getpid(), signal.SIGKILL)

with Advisor(Settings(home=Path(home), offline=True)) as advisor:
    if point == "editing":  # the earlier checkpoint is the newest again, and nobody knows why
        list(advisor.reply(point, "Semantic search over French law"))
        Inbox.begin = die
        list(advisor.edit(point, 1, "Semantic search over German law"))
    if point == "queued":
        advisor.put(point, "Semantic search over German law")
        die()
    if point == "begun":
        begin = Inbox.begin
        Inbox.begin = lambda *of: (begin(*of), die())
    if point == "answered":
        Inbox.done = die
    for event in advisor.reply(point, "Semantic search over German law"):
        if event.kind == point:
            die()
"""


def test_killed_anywhere_a_message_is_answered_once(tmp_path):
    points = ("queued", "begun", "heard", "question", "answered", "editing")
    script = tmp_path / "killed.py"
    script.write_text(KILLED, "utf-8")
    command = [sys.executable, str(script), str(tmp_path), *points]
    done = subprocess.run(command, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    with Advisor(Settings(home=tmp_path, offline=True)) as advisor:
        for point in points:
            assert advisor.unfinished(point), point
            found = list(advisor.resume(point))
            assert found[-1].kind == "question", f"{point}: {kinds(found)}"
            assert heard(advisor, point) == ["Semantic search over German law"], point
            state = advisor.state(point)
            assert [c.languages for c in state["requirements"].constraints] == [("de",)], point
            assert state["asked_before"] == [state["asked"].about], f"{point}: asked once"
            assert not advisor.unfinished(point), point
            assert kinds(advisor.reply(point, "no preference"))[0] == "heard", point


# ---------------------------------------------------------------- ending what runs


@pytest.mark.parametrize(
    ("text", "stops"),
    [
        ("stop", True),
        (" Stop! ", True),
        ("停", True),
        ("停止。", True),
        ("cancel", True),
        ("do not stop at German", False),
        ("stop words removed", False),
        ("", False),
        ("yes", False),
    ],
)
def test_words_that_stop(text, stops):
    assert asks_to_stop(text) is stops


def test_what_runs_is_ended_by_a_word_and_goes_on_by_a_word(talk, data):
    talk.say(OPENING, data=DataSource(path=str(data))).say("just decide")
    assert talk.question == "plan"
    assert not talk.advisor.cancel(talk.thread), "nothing runs yet"
    answer: list = []
    measuring = threading.Event()

    def measure():
        for event in talk.advisor.reply(talk.thread, "yes"):
            answer.append(event)
            if event.kind == "stage_started":
                measuring.set()

    runs = threading.Thread(target=measure)
    runs.start()
    assert measuring.wait(30)
    assert kinds(talk.advisor.reply(talk.thread, "停")) == ["heard", "said"]
    runs.join()
    assert answer[-1].kind == "said"
    assert "go on" in answer[-1].text.render()
    assert talk.state["status"] == "stopped"
    assert not talk.advisor.unfinished(talk.thread)
    assert not [c for c in psutil.Process().children(recursive=True) if "tools.workers" in " ".join(c.cmdline())]
    for text in ("hello", "why not bge-m3?"):
        talk.say(text)
        assert talk.kinds == ["said"], "nothing is measured until the user says so"
        assert talk.state["status"] == "stopped"
    talk.say("继续")
    assert talk.kinds[-1] == "reported"
    assert talk.state["status"] == "done"
    assert {c.spec for c in talk.state["evaluation"].candidates} == set(CANDIDATES)


def test_after_a_stop_an_answer_without_measuring_can_be_had(talk, data, monkeypatch):
    talk.say(OPENING, data=DataSource(path=str(data))).say("just decide")
    monkeypatch.setattr(talk.advisor.context, "should_stop", lambda thread: thread == talk.thread)
    talk.say("yes")
    assert talk.state["status"] == "stopped"
    monkeypatch.setattr(talk.advisor.context, "should_stop", lambda thread: False)
    talk.say("just decide")
    assert talk.state["status"] == "done"
    assert not talk.state["recommendation"].measured


def test_after_a_stop_other_demands_and_other_data_are_taken(talk, data, monkeypatch):
    monkeypatch.setattr(talk.advisor.context, "should_stop", lambda thread: thread == talk.thread)
    talk.say(OPENING, data=DataSource(path=str(data)))
    assert talk.state["status"] == "stopped", "reading data can be ended too"
    monkeypatch.setattr(talk.advisor.context, "should_stop", lambda thread: False)
    talk.say("", data=DataSource(path=str(data)))
    assert talk.state["profile"]
    assert talk.question


def test_what_was_encoded_before_a_stop_is_kept(tmp_path):
    workspace = Workspace(home=tmp_path, offline=True)
    (leg,) = parse(["static:wordllama?dim=64"])
    resolved = resolve(leg, workspace)
    texts = [f"document number {number} about otters and rivers " * 20 for number in range(6_000)]
    done: list[int] = []
    before = set(psutil.Process().children())  # of other tests in this process, such as a resource tracker
    with stoppable(lambda: sum(done) > 0), pytest.raises(Stopped):
        ensure(resolved, {"document": texts}, workspace, done.append)
    again: list[int] = []
    cost = ensure(resolved, {"document": texts[:64]}, workspace, again.append)
    assert not set(psutil.Process().children()) - before
    assert sum(done) > 0
    assert cost.cached + cost.encoded == 64
    everything = ensure(resolved, {"document": texts}, workspace)
    assert 0 < everything.encoded < 6_000
    assert everything.cached >= 64


def test_ctrl_c_ends_the_measuring_and_not_the_conversation(tmp_path, data):
    """The real command, its children in its process group as in a terminal."""
    command = [sys.executable, "-m", "app", "--lang", "en", "chat", "--thread", "t", "--data", str(data)]
    child = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, "ADVISOR_HOME": str(tmp_path), "ADVISOR_OFFLINE": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        for line in (OPENING, "just decide", "yes"):
            child.stdin.write(line + "\n")
        child.stdin.flush()
        for line in child.stderr:
            if "Measuring quality" in line:
                break
        else:
            raise AssertionError("never measured")
        time.sleep(0.5)  # somewhere in it; where does not matter
        os.killpg(child.pid, signal.SIGINT)
        out, errors = child.communicate("/edit\nwhy not bge-m3?\n", timeout=60)
    finally:
        child.kill()
        child.wait()
    assert child.returncode == 0, errors
    assert "what is done so far is kept" in errors
    assert "say “go on” to continue" in out
    assert "#3 yes" in out, "/edit lists the messages"
    assert "bge-m3" in out.rpartition("#3 yes")[2], "and the next message is answered"
    with Advisor(Settings(home=tmp_path, offline=True)) as advisor:
        assert advisor.state("t")["status"] == "stopped"


# ---------------------------------------------------------------- taking a message back


def test_a_message_is_edited_in_the_middle_of_the_interview(own):
    list(own.reply("t", "Semantic search over German law, commercial"))
    asked = own.state("t")["asked"].about
    list(own.reply("t", "no preference"))
    list(own.reply("t", "no GPU"))
    before = own.transcript.size("t")
    found = list(own.edit("t", 2, "at most 1 GB of memory"))
    assert kinds(found)[:2] == ["set_aside", "heard"]
    assert heard(own) == ["Semantic search over German law, commercial", "at most 1 GB of memory"]
    assert own.state("t")["asked_before"][0] == asked, "the question that was open then was open again"
    needs = own.state("t")["requirements"]
    assert needs.gpu is None or needs.gpu.origin != "stated", "what came after is not known any more"
    assert "memory" in {c.kind for c in needs.constraints}
    kept = [event.text for event in own.transcript.read("t")[0] if event.kind == "heard"]
    assert kept == ["Semantic search over German law, commercial", "no preference", "no GPU", "at most 1 GB of memory"]
    assert own.transcript.size("t") > before
    list(own.edit("t", 1, "Clustering French tickets"))
    assert heard(own) == ["Clustering French tickets"]
    needs = own.state("t")["requirements"]
    assert needs.task.value == "clustering"
    assert {c.kind for c in needs.constraints} == {"languages"}
    assert needs.summary == "Clustering French tickets"


def test_a_message_is_edited_after_the_recommendation(talk, data):
    talk.say(OPENING, data=DataSource(path=str(data))).say("just decide").say("yes")
    winner = talk.state["recommendation"].winner
    assert winner
    talk.events = list(talk.advisor.edit(talk.thread, 3, "no"))
    assert not talk.state["recommendation"].measured
    talk.events = list(talk.advisor.edit(talk.thread, 1, OPENING + ", no GPU"))
    assert talk.state.get("recommendation") is None
    assert talk.state["data"].path == str(data), "the data that came with the message comes with it again"
    assert talk.state["profile"]
    talk.say("just decide")
    assert talk.state["status"] == "done"
    assert "benchmark" not in {getattr(event, "stage", "") for event in talk.events}
    assert all(c.encoded_texts == 0 for c in talk.state["evaluation"].candidates), "nothing is paid for twice"
    talk.events = list(talk.advisor.retry(talk.thread))
    assert talk.kinds[0] == "set_aside"
    assert "benchmark" not in {getattr(event, "stage", "") for event in talk.events}, "nor timed twice"
    assert talk.kinds[-1] == "reported"
    assert heard(talk.advisor, talk.thread) == [OPENING + ", no GPU", "just decide"]


def test_an_edit_ends_the_answer_that_is_being_made(talk, data):
    talk.say(OPENING, data=DataSource(path=str(data))).say("just decide")
    measuring = threading.Event()

    def measure():
        for event in talk.advisor.reply(talk.thread, "yes"):
            if event.kind == "stage_started":
                measuring.set()

    runs = threading.Thread(target=measure)
    runs.start()
    assert measuring.wait(30)
    found = kinds(talk.advisor.edit(talk.thread, 3, "no"))
    runs.join()
    assert found[:3] == ["queued", "set_aside", "heard"]
    assert talk.state["status"] == "done"
    assert not talk.state["recommendation"].measured
    assert heard(talk.advisor, talk.thread) == [OPENING, "just decide", "no"]


def test_a_word_to_stop_that_comes_too_late_stops_nothing_else(own):
    list(own.reply("t", "German"))
    own._locks.stop("t")  # came after the last place to stop
    list(own.reply("t", "no GPU"))
    assert not own.context.should_stop("t")
    own._locks.stop("t")
    list(own.resume("t"))
    assert not own.context.should_stop("t")
    assert own.state("t")["status"] == "interviewing"


@pytest.mark.parametrize("turn", [0, 2, -1, 10**9])
def test_only_a_message_that_is_there_can_be_edited(own, turn):
    list(own.reply("t", "German"))
    with pytest.raises(UserError, match=f"no message {turn} "):
        list(own.edit("t", turn, "French"))
    with pytest.raises(UserError, match="no message 0"):
        list(own.retry("new"))
    assert heard(own) == ["German"]


# ---------------------------------------------------------------- long conversations


def test_a_long_conversation_keeps_what_it_needs_and_no_more(own, tmp_path, monkeypatch):
    monkeypatch.setattr(inbox_module, "EDITABLE", 3)
    list(own.reply("t", "Semantic search over German contracts, just decide"))
    for _ in range(3):
        list(own.reply("t", "why not bge-m3?"))
        list(own.reply("t", "what is Matryoshka?"))
    ((checkpoints,),) = rows(tmp_path, "SELECT count(*) FROM checkpoints")
    ((orphans,),) = rows(
        tmp_path, "SELECT count(*) FROM writes WHERE checkpoint_id NOT IN (SELECT checkpoint_id FROM checkpoints)"
    )
    ((messages,),) = rows(tmp_path, "SELECT count(*) FROM messages")
    assert checkpoints <= 3 + 1
    assert orphans == 0
    assert messages == 3
    needs = own.state("t")["requirements"]
    assert {c.kind for c in needs.constraints} == {"languages"}
    assert len(own.state("t").get("asked_before", [])) < 5, "no field grows with the turns"
    with pytest.raises(UserError, match=f"only the last {EDITABLE} can"):
        list(own.edit("t", 1, "French"))
    assert kinds(own.edit("t", 7, "why?"))[:2] == ["set_aside", "heard"]
    assert len(own.turns("t")) == 7


def test_what_is_shown_is_folded_from_what_was_told():
    from agent import events

    said = events.Said(text=say("x"))
    one, two, three = (events.Heard(text=str(number), number=number) for number in (1, 2, 3))
    told = [one, said, two, said, events.SetAside(since=2), three, said]
    assert shown(told) == [one, said, three, said]
    assert shown([*told, events.SetAside(since=2)]) == [one, said, three, said], "what is gone cannot go again"
    assert shown([*told, events.SetAside(since=1)]) == []
    assert shown([events.SetAside(since=7), one]) == [one]
