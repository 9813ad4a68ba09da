"""`advisor ask`: an answer with its sources, or that there is none."""

import json

import pytest

from tests.app.cli import Cli


@pytest.fixture
def advisor(monkeypatch, capsys):
    return Cli(monkeypatch, capsys, language=None)


def test_an_answer_in_the_language_of_the_question(advisor):
    code, out, err = advisor("ask", "what", "is", "ndcg")
    assert (code, err) == (0, "")
    assert "note “ndcg”" in out
    _, out, _ = advisor("ask", "nDCG 是什么意思")
    assert "笔记“ndcg”" in out


def test_json_has_the_notes_and_the_figures_with_their_sources(advisor):
    code, out, _ = advisor("ask", "--json", "how does hybrid search fuse rankings")
    found = json.loads(out)
    assert (code, found["known"], found["notes"][0]["id"]) == (0, True, "hybrid-rrf")
    assert {"says", "title", "url", "date"} == set(found["notes"][0]["figures"][0])
    assert found["notes"][0]["id"] in found["answer"]


def test_what_it_does_not_know(advisor):
    code, out, _ = advisor("ask", "--json", "what is the capital of France?")
    assert (code, json.loads(out)["known"]) == (0, False)
    assert "I do not know" in json.loads(out)["answer"]


@pytest.mark.parametrize(
    "arguments", [("",), ("  ",), ("--thread", "nobody", "what is ndcg"), ("--thread", "../x", "mrr")]
)
def test_what_cannot_be_asked(advisor, arguments):
    code, out, err = advisor("ask", *arguments)
    assert (code, out) == (3, "")
    assert "→" in err


def test_a_question_about_a_conversation(advisor, monkeypatch):
    lines = iter(["English search, just decide", "quit"])
    monkeypatch.setattr("builtins.input", lambda _: next(lines))
    assert advisor("chat", "--thread", "mine")[0] == 0
    code, out, _ = advisor("ask", "--thread", "mine", "why?")
    assert code == 0
    assert "Nothing is decided yet" not in out


def test_a_question_needs_no_writable_folder(advisor, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("where a folder would have to be made")
    monkeypatch.setenv("ADVISOR_HOME", str(tmp_path / "file" / "home"))
    code, out, err = advisor("ask", "what", "is", "ndcg")
    assert (code, err) == (0, "")
    assert "note “ndcg”" in out
    code, out, err = advisor("ask", "--thread", "x", "what is ndcg")
    assert (code, out) == (8, "")
    assert "Make that folder writable" in err
    assert "disk space" not in err
