"""Finding the note that answers: on the golden set, on hostile words, and where a part is missing."""

import threading
from pathlib import Path

import pytest

from knowledge.errors import ProviderError
from knowledge.guidance import numbers
from knowledge.wording import say
from tests.golden.knowledge_questions import HALVES, answerable, unanswerable
from tools import vector_store
from tools.guidance import Guidance
from tools.workspace import Workspace


@pytest.fixture(scope="module")
def guidance(tmp_path_factory):
    pytest.importorskip("wordllama", reason="the static model comes with the extra offline")
    found = Guidance(Workspace(home=tmp_path_factory.mktemp("home"), offline=True))
    yield found
    found.close()


@pytest.fixture(scope="module")
def by_words(tmp_path_factory):
    return Guidance(Workspace(home=tmp_path_factory.mktemp("home"), offline=True), meaning=False)


def found_by(guidance, question):
    return [hit.note for hit in guidance.look_up(question.text).hits]


@pytest.mark.parametrize("half", HALVES)
def test_the_note_is_among_the_first_three_and_has_the_fact(guidance, half):
    questions = answerable(half)
    assert len(questions) >= 60
    found = [{note.id: note for note in found_by(guidance, q)} for q in questions]
    right = [q for q, notes in zip(questions, found, strict=True) if set(q.notes) & set(notes)]
    assert len(right) >= 0.95 * len(questions), [q.text for q in questions if q not in right]
    for question, notes in zip(questions, found, strict=True):
        for note in (notes[id] for id in question.notes if id in notes and question.fact):
            assert question.fact in note.text.in_language(question.language), question.text


@pytest.mark.parametrize("half", HALVES)
def test_no_answer_has_an_unsupported_figure(guidance, half):
    for question in answerable(half):
        for note in found_by(guidance, question):
            stated = numbers(note.text.in_language(question.language))
            assert stated <= {n for figure in note.figures for n in numbers(figure.says)}, note.id


@pytest.mark.parametrize("half", HALVES)
def test_what_the_notes_do_not_have_is_not_known(guidance, half):
    strange, ours = unanswerable(half), answerable(half)
    assert len(strange) >= 20
    refused = [q.text for q in strange if not guidance.look_up(q.text).known]
    assert len(refused) >= 0.85 * len(strange)
    assert sum(guidance.look_up(q.text).known for q in ours) >= 0.85 * len(ours)


@pytest.mark.parametrize("half", HALVES)
def test_names_alone_find_most(by_words, half):
    questions = answerable(half)
    assert sum(bool(set(q.notes) & {n.id for n in found_by(by_words, q)}) for q in questions) >= 0.9 * len(questions)
    strange = unanswerable(half)
    assert sum(not by_words.look_up(q.text).known for q in strange) >= 0.8 * len(strange)


def test_a_slip_in_a_name_is_forgiven(by_words):
    assert by_words.look_up("what are mattryoshka embedings").hits[0].note.id == "matryoshka"


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("what is RAG?", "rag"),
        ("什么是RAG", "rag"),
        ("P95", "latency-percentiles"),
        ("解释一下HNSW", "ann-index"),
        ("切块", "chunking"),
    ],
)
def test_a_name_gets_the_note_of_that_name(guidance, by_words, text, note):
    for found in (guidance.look_up(text), by_words.look_up(text)):
        assert found.hits[0].note.id == note
        assert found.known


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "???",
        "what is the",
        "怎么",
        "\x00\x1b[31m",
        "\ud83d",
        "🦦" * 500,
        "a" * 100_000,
        "一" * 100_000,
        "{0} %s ${x}",
    ],
    ids=range(11),
)
def test_hostile_words_are_survived_and_not_known(guidance, by_words, text):
    for found in (guidance.look_up(text), by_words.look_up(text)):
        assert not found.known
        assert len(found.hits) <= 3


def test_as_many_as_asked_for(by_words):
    assert len(by_words.look_up("vector index recall", 1).hits) == 1
    scores = [hit.score for hit in by_words.look_up("vector index recall", 10).hits]
    assert scores == sorted(scores, reverse=True)


def test_it_opens_again_after_it_was_closed_and_leaves_nothing(guidance, tmp_path, monkeypatch):
    monkeypatch.setattr(vector_store.tempfile, "tempdir", str(tmp_path))
    again = Guidance(guidance.workspace)
    again.close()
    first = again.look_up("what is hnsw")
    again.close()
    assert again.look_up("what is hnsw") == first
    again.close()
    again.close()
    assert not list(Path(tmp_path).glob("*/milvus.db"))


def test_a_milvus_server_that_is_set_is_left_alone(tmp_path):
    nowhere = Workspace(home=tmp_path, milvus_uri="http://127.0.0.1:9", offline=True)
    lost = Guidance(nowhere)
    assert lost.look_up("what is hnsw").hits[0].note.id == "ann-index"
    lost.close()


def test_without_milvus_the_names_answer(tmp_path, monkeypatch, by_words):
    def refuse(*_):
        raise ProviderError(
            say("Milvus failed: {why}.", why="no"), say("Install the program again; the notes come with it.")
        )

    monkeypatch.setattr(vector_store.VectorStore, "__init__", refuse)
    lost = Guidance(Workspace(home=tmp_path, offline=True))
    assert lost.look_up("what is hnsw") == by_words.look_up("what is hnsw")


def test_threads_share_one_index(guidance):
    expected = [h.note.id for h in guidance.look_up("milvus lite or standalone").hits]
    found = []
    threads = [
        threading.Thread(
            target=lambda: found.append([h.note.id for h in guidance.look_up("milvus lite or standalone").hits])
        )
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 8
