"""Answers judged through Ragas: over the real wire of a language model, bounded, and never without Ragas."""

import importlib.util

import numpy as np
import pytest

from agent.query_writer import query_writer
from agent.settings import Settings
from knowledge.errors import AdvisorError, DatasetError, MissingExtraError, UserError
from tests.animals import CANDIDATES, write_dataset
from tests.fake_llm import FakeLLM, fails
from tests.rag_replies import answers_and_judges, reply
from tools import rag_judge
from tools.datasets import read_dataset
from tools.evaluate import evaluate
from tools.rag_judge.own_answers import read_answers
from tools.run_store import RunStore
from tools.workspace import Workspace

HAS_RAGAS = importlib.util.find_spec("ragas") is not None
with_ragas = pytest.mark.skipif(not HAS_RAGAS, reason="the extra “ragas” is not installed")
#: what Ragas and the libraries it imports warn of when they are imported
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # Ragas does not close a file of its own
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rag")
    dataset = read_dataset(write_dataset(folder / "data"))
    workspace = Workspace(home=folder / "home", offline=True)
    return dataset, workspace, evaluate(dataset, CANDIDATES, workspace, task="rag")


def embed(texts):
    """Counts letters: equal texts are equal, others are not."""
    return np.array([[1.0 + text.lower().count(c) for c in "abcdefghijklmnopqrstuvwxyz"] for text in texts])


def judge(measured, write, **changes):
    dataset, workspace, evaluation = measured
    given = {"model": "m", "host": "h", "embedder": "letters", "queries": 4, "contexts": 3} | changes
    return rag_judge.judge(evaluation, dataset, workspace, write, embed, **given)


# ---------------------------------------------------------------- without Ragas


def test_what_it_takes_is_known_before(measured):
    dataset, *_ = measured
    found = rag_judge.estimate(dataset, 2, queries=10, contexts=5)
    assert (found.queries, found.calls, found.most_calls) == (10, 10 * 2 * 6, 10 * 2 * 12)
    assert rag_judge.estimate(dataset, 2, queries=10, own_answers=True).calls == 10 * 2 * 5
    assert rag_judge.estimate(dataset, 1, queries=1000).queries == 60, "no more than there are"
    assert found.tokens > rag_judge.estimate(dataset, 2, queries=10, contexts=1).tokens


@pytest.mark.skipif(HAS_RAGAS, reason="Ragas is installed")
def test_without_ragas_it_says_how_to_install_it_and_asks_nothing(measured):
    with pytest.raises(MissingExtraError) as failure:
        judge(measured, lambda prompt: pytest.fail("asked"))
    assert "embedding-advisor[ragas]" in failure.value.next_step.render()


def test_a_candidate_that_was_not_measured_is_named(measured):
    with pytest.raises(UserError, match="static:none"):
        judge(measured, reply, specs=["static:none"])


def test_own_answers_are_read_by_id_or_by_text(measured, tmp_path):
    dataset, *_ = measured
    text = dataset.queries["otter-eats-0"]
    file = tmp_path / "answers.csv"
    file.write_text(f"Query,Answer\notter-sleeps-0,In a den.\n{text},Fish.\nnobody,Nothing.\nmoth-eats-0,\n", "utf-8")
    assert read_answers(file, dataset) == {"otter-sleeps-0": "In a den.", "otter-eats-0": "Fish."}


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("a.csv", "x,y\n1,2\n", "no columns"),
        ("a.csv", "query_id,answer\nnobody,yes\n", "No answer"),
        ("a.csv", "", "no columns"),
        ("a.txt", "query,answer", "no table"),
        ("a.jsonl", "{broken", "JSON"),
    ],
)
def test_answers_that_cannot_be_used_are_an_error(measured, tmp_path, name, text, why):
    (tmp_path / name).write_text(text, "utf-8")
    with pytest.raises(DatasetError, match=why):
        read_answers(tmp_path / name, measured[0])


# ---------------------------------------------------------------- with Ragas


@with_ragas
def test_answers_are_judged_over_the_wire_and_kept(measured):
    with FakeLLM() as llm:
        llm.otherwise = answers_and_judges()
        settings = Settings(llm="openai:judge", llm_base_url=llm.base_url)
        writer = query_writer(settings)
        found = judge(measured, writer.write, model=writer.model, host=writer.host)
        assert found.calls == len(llm.requests) == 2 * 4 * 6
    assert found.library.startswith("ragas 0.")
    assert (found.host, found.queries, found.contexts) == (llm.address, 4, 3)
    assert [s.spec for s in found.scores] == list(dict.fromkeys(c.spec for c in measured[2].candidates))
    for score in found.scores:
        assert (score.judged, score.failed) == (4, 0)
        assert 0 <= score.faithfulness.mean <= 1
        assert 0 < score.answer_relevance.mean <= 1
        assert 0 < score.context_recall.mean <= 1
    runs = RunStore(measured[1].store)
    assert runs.run(found.run_id) == found.model_dump(mode="json")
    runs.close()


@with_ragas
def test_contexts_that_do_not_support_the_answer_are_unfaithful(measured):
    dataset = measured[0]
    right = {q: f"The {q.split('-')[0]} does so." for q in dataset.queries}
    wrong = dict.fromkeys(dataset.queries, "The unicorn does so.")
    one, two = (judge(measured, reply, answers=a, specs=["bm25"]).scores[0] for a in (right, wrong))
    assert one.faithfulness.mean > 0.7
    assert two.faithfulness.mean == 0
    nothing = dict.fromkeys(dataset.queries, "I do not know.")
    assert judge(measured, reply, answers=nothing, specs=["bm25"]).scores[0].answer_relevance.mean == 0


@with_ragas
def test_requests_are_bounded_and_a_useless_model_is_an_error(measured):
    asked = []

    def rambles(prompt):
        asked.append(prompt)
        return "well, let me think"

    with pytest.raises(AdvisorError, match="Not one answer"):
        judge(measured, rambles, specs=["bm25"])
    assert len(asked) <= 2 * 4 * 6


@with_ragas
def test_a_model_that_fails_ends_it_and_what_was_judged_stays(measured):
    with FakeLLM() as llm:
        llm.otherwise = answers_and_judges()
        llm.script = [answers_and_judges()] * 6 + [fails(400, "too long")]  # who asked rests after a failure
        writer = query_writer(Settings(llm="openai:judge", llm_base_url=llm.base_url))
        found = judge(measured, writer.write, specs=["bm25"])
    assert (found.scores[0].judged, found.scores[0].failed) == (1, 3)
    assert "HTTP 400" in str(found.scores[0].why)
