"""Data without queries, and a language model at hand: it writes them only after a yes that names its host."""

import json
from pathlib import Path

import pytest

from agent.advisor import Advisor
from agent.settings import Settings
from agent.writing import ABOUT, wants
from tests.conversations.conftest import Talk
from tests.fake_llm import FakeLLM, fails, findings, message
from tests.tools.test_silver import corpus, passage_in
from tools.data_source import DataSource

SPECS = ["bm25"]
WORDS = "Let the language model write the queries"


@pytest.fixture(scope="module")
def documents(tmp_path_factory):
    """64 documents, no queries."""
    folder = tmp_path_factory.mktemp("written") / "my docs"
    folder.mkdir()
    rows = (json.dumps({"_id": name, "text": text}) + "\n" for name, text in corpus().documents.items())
    (folder / "corpus.jsonl").write_text("".join(rows), "utf-8")
    return folder


@pytest.fixture
def llm():
    with FakeLLM() as server:
        yield server


@pytest.fixture
def talk(llm, tmp_path):
    """Writes a query for a passage, and finds nothing in messages."""

    def turn(handler, body):
        said = body["messages"][-1]["content"]
        if not said.startswith("You write test queries"):
            findings()(handler, body)
            return
        called = passage_in(said).split()[3]
        message(handler, body, {"content": json.dumps([f"whom did {called} do business with"])})

    llm.otherwise = turn
    settings = Settings(home=tmp_path, offline=True, llm="openai:scripted", llm_base_url=llm.base_url)
    with Advisor(settings) as advisor:
        yield Talk(advisor, "writing")


def written(llm: FakeLLM) -> int:
    return sum("You write test queries" in json.dumps(asked) for asked in llm.requests)


def test_nothing_is_sent_before_a_yes_and_then_its_queries_are_measured_with(talk, llm, documents, tmp_path):
    talk.say("English search, just decide", data=DataSource(path=str(documents)), specs=SPECS)
    assert talk.question == "plan"
    assert talk.state["plan"].silver
    told = " ".join(str(event.text) for event in talk.events if event.kind == "said")
    assert f"say “{WORDS}”" in told
    talk.say(WORDS, specs=SPECS)
    assert talk.question == ABOUT
    asked = str(talk.event("question").text)
    assert llm.address in asked
    assert "scripted would be sent up to 64 passages" in asked
    assert not written(llm)

    talk.say("no", specs=SPECS)
    assert "Nothing was sent" in str(talk.event("said").text)
    assert talk.question == "plan", "the plan still waits for its answer"
    assert not written(llm)

    talk.say("让语言模型写查询", specs=SPECS).say("Yes, send them", specs=SPECS)
    assert 20 <= written(llm) <= 64
    assert talk.question == "plan"
    data = talk.state["profile"].dataset
    assert (data.name, data.labels) == ("my-docs", "silver")
    assert data.silver.kinds == {"written": data.queries}
    assert "A language model wrote" in " ".join(str(e.text) for e in talk.events if e.kind == "said")
    assert Path(talk.state["data"].path).is_relative_to(tmp_path)
    before = written(llm)
    talk.say(WORDS, specs=SPECS)
    assert "already" in str(talk.event("said").text)
    talk.say("yes", specs=SPECS)
    assert talk.state["evaluation"].judged_queries == data.queries
    assert "written by a language model" in Path(talk.event("reported").markdown).read_text("utf-8")
    assert written(llm) == before


def test_a_model_that_fails_leaves_the_conversation_where_it_was(talk, llm, documents):
    talk.say("English search, just decide", data=DataSource(path=str(documents)), specs=SPECS)
    talk.say(WORDS, specs=SPECS)
    llm.otherwise = fails(401, "bad key")
    talk.say("yes", specs=SPECS)
    assert "failed" in talk.kinds
    assert talk.state["data"].path == str(documents)
    talk.say("no", specs=SPECS)
    assert talk.question == "plan", "a yes would have tried again"
    talk.say("yes", specs=SPECS)
    assert "written" not in talk.state["evaluation"].dataset.silver.kinds


def test_where_it_cannot_be_done_it_says_why(advisor, data, documents):
    talk = Talk(advisor, "rules-alone")
    talk.say("English search, just decide", data=DataSource(path=str(documents)), specs=SPECS)
    assert WORDS not in " ".join(str(event.text) for event in talk.events if event.kind == "said")
    talk.say(WORDS, specs=SPECS)
    assert "No language model is set up" in str(talk.event("said").text)


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        (WORDS, "ask"),
        ("have the queries written", "ask"),
        ("let an llm write some queries", "ask"),
        ("让语言模型写查询", "ask"),
        ("用大模型生成查询吧", "ask"),
        ("which model writes the best queries?", None),
        ("our users write queries in German", None),
        ("yes", None),
    ],
)
def test_it_is_asked_for_in_both_languages(text, wish):
    assert wants(text, {}) == wish
