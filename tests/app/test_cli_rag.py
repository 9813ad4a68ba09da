"""`advisor rag`: told what it would send, sent only after a yes, and judged over the wire where Ragas is."""

import importlib.util
import json

import pytest

from tests.animals import write_dataset
from tests.app.cli import Cli
from tests.fake_llm import FakeLLM
from tests.rag_replies import answers_and_judges

HAS_RAGAS = importlib.util.find_spec("ragas") is not None
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # Ragas does not close a file of its own
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture
def advisor(monkeypatch, capsys):
    return Cli(monkeypatch, capsys)


@pytest.fixture
def command(tmp_path):
    data = write_dataset(tmp_path / "animals")
    return ("rag", "--data", str(data), "-c", "bm25", "-c", "static:wordllama?dim=64", "--queries", "3")


@pytest.fixture
def llm(monkeypatch):
    pytest.importorskip("langchain_openai")
    with FakeLLM() as found:
        found.otherwise = answers_and_judges()
        monkeypatch.setenv("ADVISOR_LLM", "openai:judge")
        monkeypatch.setenv("ADVISOR_LLM_BASE_URL", found.base_url)
        yield found


def test_what_it_takes_is_told_and_nothing_is_sent_before_a_yes(advisor, command, llm):
    code, printed, _ = advisor(*command, "--dry-run")
    assert code == 0
    assert "36 requests (never more than 72)" in printed
    code, printed, _ = advisor(*command, "--dry-run", "--json")
    assert json.loads(printed)["calls"] == 36
    code, _, err = advisor(*command)
    assert code != 0
    assert f"--send-to {llm.address}" in err
    assert "36 requests" in err
    assert not llm.requests


@pytest.mark.skipif(HAS_RAGAS, reason="Ragas is installed")
def test_without_ragas_nothing_is_measured_or_sent(advisor, command, llm):
    code, _, err = advisor(*command, "--send-to", llm.address)
    assert code != 0
    assert "embedding-advisor[ragas]" in err
    assert not llm.requests


@pytest.mark.skipif(not HAS_RAGAS, reason="the extra “ragas” is not installed")
def test_answers_are_written_judged_and_shown(advisor, command, llm):
    code, printed, err = advisor(*command, "--send-to", llm.address, "--json", "--quiet")
    assert code == 0, err
    found = json.loads(printed)
    assert [s["judged"] for s in found["scores"]] == [3, 3]
    assert found["calls"] == len(llm.requests) == 36
    assert found["embedder"] == "static:wordllama?dim=64"
    code, printed, err = advisor(*command, "--send-to", llm.address, "--quiet")
    assert code == 0
    assert "3/3" in printed
    assert "The same model wrote the answers and judged them" in err


def test_without_a_language_model_it_says_how_to_name_one(advisor, command):
    code, _, err = advisor(*command)
    assert code != 0
    assert "ADVISOR_LLM" in err
    assert "--llm" not in err, "that is an option of another command"


def test_no_encoder_to_compare_questions_by_is_an_error(advisor, command, llm):
    code, _, err = advisor(*command[:5], "--send-to", llm.address)
    assert code != 0
    assert ("--embedder" in err) == HAS_RAGAS
