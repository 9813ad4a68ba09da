"""“Judge the answers”: the user's language model writes and judges them after a yes to its host; it is reported."""

import importlib.util
import json
from pathlib import Path

import pytest

from agent.advisor import Advisor
from agent.rating import ABOUT, wants
from agent.settings import Settings
from tests.conversations.conftest import Talk
from tests.fake_llm import FakeLLM, findings
from tests.rag_replies import answers_and_judges
from tools.data_source import DataSource

HAS_RAGAS = importlib.util.find_spec("ragas") is not None
SPECS = ["bm25", "static:wordllama?dim=64"]
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # Ragas does not close a file of its own
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture
def llm():
    pytest.importorskip("langchain_openai")
    with FakeLLM() as server:
        yield server


@pytest.fixture
def talk(llm, tmp_path, data):
    """A conversation about RAG that has its answer."""
    judge = answers_and_judges()

    def turn(handler, body):
        reads = "findings" in json.dumps(body.get("response_format", body.get("tools", "")))
        (findings() if reads else judge)(handler, body)

    llm.otherwise = turn
    settings = Settings(home=tmp_path, offline=True, llm="openai:judge", llm_base_url=llm.base_url)
    with Advisor(settings) as advisor:
        talk = Talk(advisor, "rating")
        talk.say("English RAG over our docs, just decide", data=DataSource(path=str(data)), specs=SPECS)
        yield talk.say("yes", specs=SPECS)


@pytest.mark.skipif(HAS_RAGAS, reason="Ragas is installed")
def test_without_ragas_it_says_how_to_install_it_and_sends_nothing(talk, llm):
    assert "Judge the answers" not in [str(answer) for answer in talk.event("reported").answers]
    before = len(llm.requests)
    talk.say("judge the answers", specs=SPECS)
    assert "embedding-advisor[ragas]" in str(talk.event("said").text)
    assert len(llm.requests) == before


@pytest.mark.skipif(not HAS_RAGAS, reason="the extra “ragas” is not installed")
def test_answers_are_judged_after_a_yes_told_and_reported(talk, llm):
    assert "Judge the answers" in [str(answer) for answer in talk.event("reported").answers]
    before = len(llm.requests)
    talk.say("judge the answers", specs=SPECS)
    assert talk.question == ABOUT
    assert f"judge at {llm.address} would get 20 questions" in str(talk.event("question").text)
    talk.say("no", specs=SPECS)
    assert "Nothing was sent" in str(talk.event("said").text)
    assert len(llm.requests) == before
    talk.say("评判回答", specs=SPECS).say("yes", specs=SPECS)
    assert len(llm.requests) - before == 20 * 2 * 6
    assert "faithfulness" in str(talk.event("said").text)
    reported = talk.event("reported")
    assert "Judge the answers" not in [str(answer) for answer in reported.answers], "it is done"
    judged = json.loads(Path(reported.json_file).read_text("utf-8"))["contexts"]["judged"]
    assert [score["judged"] for score in judged["scores"]] == [20, 20]
    assert "Answers written from these documents" in Path(reported.markdown).read_text("utf-8")
    talk.say("are the answers faithful?", specs=SPECS)
    assert "20 answers: faithfulness" in str(talk.event("said").text)


def test_before_anything_is_measured_for_rag_it_says_so(advisor):
    talk = Talk(advisor, "not-rated").say("English search, just decide")
    talk.say("judge the answers")
    assert "say that it is for RAG" in str(talk.event("said").text)


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        ("Judge the answers", "ask"),
        ("please rate some answers", "ask"),
        ("评判回答", "ask"),
        ("let the language model judge the answers", "ask"),
        ("judge a few pairs", None),
        ("how are answers judged?", None),
        ("our answers must be short", None),
    ],
)
def test_it_is_asked_for_in_both_languages(text, wish):
    assert wants(text, {}) == wish
