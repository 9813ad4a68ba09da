"""A word to stop ends what waits for a network too, and soon; what was done until then is kept."""

import threading
import time

import pytest

from agent.advisor import Advisor
from agent.settings import Settings
from tests import fake_llm
from tests.animals import write_dataset
from tests.fake_http import FakeEmbeddings
from tests.fake_llm import FakeLLM
from tools.data_source import DataSource
from tools.stopping import Stopped, stoppable, stoppably, unless_stopped

#: two on a machine that does nothing else
SECONDS = 5.0


class Running:
    """A message being answered in a thread of its own."""

    def __init__(self, advisor, text, **more):
        self.advisor, self.events = advisor, []
        self._thread = threading.Thread(target=self._run, args=(text, more))
        self._thread.start()

    def _run(self, text, more):
        self.events += self.advisor.reply("t", text, **more)

    def stopped_in(self):
        """Seconds from the word to the end."""
        begun = time.monotonic()
        assert [event.kind for event in self.advisor.reply("t", "stop")] == ["heard", "said"]
        self._thread.join(30)
        assert not self._thread.is_alive()
        return time.monotonic() - begun

    def finish(self):
        self._thread.join(60)
        assert not self._thread.is_alive()

    @property
    def said(self):
        return [event.text.render() for event in self.events if event.kind == "said"]


@pytest.mark.parametrize("words", ["how long will that take?", "还要多久？"])
def test_how_long_it_takes_is_answered_while_it_runs(tmp_path, words):
    data = DataSource(path=str(write_dataset(tmp_path / "animals")))
    reached, over = threading.Event(), threading.Event()
    with FakeEmbeddings() as server:

        def hang(number):
            reached.set()
            over.wait(30)

        server.on_request = hang
        with Advisor(Settings(home=tmp_path / "home", openai_base_url=server.base_url)) as advisor:
            list(advisor.reply("t", "English search, just decide", data=data, specs=["openai:fake", "bm25"]))
            assert not list(advisor.at_once("t", words)), "nothing runs"
            running = Running(advisor, "yes")
            assert reached.wait(60)
            heard, said = advisor.reply("t", words)
            assert not over.is_set()
            assert (heard.text, said.text.render()[:5]) == (words, "Now: ")
            assert "for all 2 candidates together" in said.text.render()
            over.set()
            running.finish()
            assert advisor.state("t")["recommendation"], "it went on"


def notes(events):
    return [event.note.render() for event in events if event.kind == "noted" and event.note]


def test_an_endpoint_is_not_waited_for_and_what_it_gave_is_kept(tmp_path):
    data = DataSource(path=str(write_dataset(tmp_path / "animals")))
    documents = set(data.read().documents.values())
    reached, over = threading.Event(), threading.Event()
    with FakeEmbeddings() as server:

        def hang(number):
            if len(documents & set(server.texts)) == len(documents) and not over.is_set():  # the queries are next
                reached.set()
                over.wait(30)

        server.on_request = hang
        with Advisor(Settings(home=tmp_path / "home", openai_base_url=server.base_url)) as advisor:
            list(advisor.reply("t", "English search, just decide", data=data, specs=["openai:fake", "bm25"]))
            running = Running(advisor, "yes")
            assert reached.wait(60)
            assert running.stopped_in() < SECONDS
            assert "go on" in running.said[-1]
            assert advisor.state("t")["status"] == "stopped"
            over.set()
            server.on_request = lambda number: None
            list(advisor.reply("t", "go on"))
            assert advisor.state("t")["recommendation"].measured
            cost = next(c for c in advisor.state("t")["evaluation"].candidates if c.spec == "openai:fake")
            assert cost.cached_texts >= len(documents), "nothing is paid for twice"
            assert cost.cached_texts + cost.encoded_texts == 90


@pytest.fixture
def llm():
    with FakeLLM() as server:
        yield server


@pytest.fixture
def advisor(llm, tmp_path):
    settings = Settings(home=tmp_path, offline=True, llm="openai:scripted", llm_base_url=llm.base_url, llm_timeout_s=60)
    with Advisor(settings) as found:
        yield found


def waits_for(llm):
    """Have every request hang; set once one came."""
    reached = threading.Event()
    hang = fake_llm.hangs(llm)

    def turn(handler, asked):
        reached.set()
        hang(handler, asked)

    llm.otherwise = turn
    return reached


def test_a_model_that_reads_is_not_waited_for(llm, advisor):
    reached = waits_for(llm)
    running = Running(advisor, "Semantic search over German recipes for my grandmother's croissants")
    assert reached.wait(30)
    assert running.stopped_in() < SECONDS
    assert advisor.state("t")["requirements"].languages == ("de",), "what the rules read is not lost"
    assert any("did not want to wait" in note for note in notes(running.events))
    assert not advisor.unfinished("t")


def test_a_model_that_words_an_answer_is_not_waited_for(llm, advisor):
    list(advisor.reply("t", "English search, just decide"))
    reached = waits_for(llm)
    running = Running(advisor, "why not bge-m3?")
    assert reached.wait(30)
    assert running.stopped_in() < SECONDS
    assert running.said[-1].startswith("BAAI/bge-m3 is not on the shortlist"), "the answer is there without it"
    assert any("did not want to wait" in note for note in notes(running.events))


def test_a_call_is_left_where_nobody_wants_its_result():
    over, abandoned, stop = threading.Event(), [], []
    with stoppable(lambda: bool(stop)):
        assert unless_stopped(lambda: 5) == 5
        with pytest.raises(KeyError):
            unless_stopped(lambda: {}[1])
        stop.append(1)
        with pytest.raises(Stopped):
            unless_stopped(lambda: over.wait(30), abandon=lambda: abandoned.append(1))
        with pytest.raises(Stopped):
            list(stoppably([1, 2]))
    assert abandoned == [1]
    with pytest.raises(TimeoutError):
        unless_stopped(lambda: over.wait(30), seconds=0.05)
    assert unless_stopped(lambda: None) is None
    assert list(stoppably([1, 2])) == [1, 2]
    over.set()
