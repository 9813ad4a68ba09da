"""`advisor silver`, and measuring with what it makes."""

import json

import pytest

from tests.app.cli import Cli
from tests.fake_llm import FakeLLM, message
from tests.tools.test_silver import corpus, passage_in
from tools.datasets import read_dataset


@pytest.fixture
def advisor(monkeypatch, capsys):
    return Cli(monkeypatch, capsys)


@pytest.fixture
def documents(tmp_path):
    folder = tmp_path / "documents"
    folder.mkdir()
    rows = (json.dumps({"_id": name, "text": text}) + "\n" for name, text in corpus().documents.items())
    (folder / "corpus.jsonl").write_text("".join(rows), "utf-8")
    return folder


def test_the_set_is_written_read_and_measured_with(advisor, documents, tmp_path):
    out = tmp_path / "silver"
    code, printed, _ = advisor("silver", "--data", str(documents), "-o", str(out), "--most", "30")
    assert code == 0
    assert "judged by no one" in printed
    assert str(out) in printed
    made = read_dataset(out)
    assert (made.summary.queries, made.summary.labels) == (30, "silver")
    code, _, err = advisor("silver", "--data", str(documents), "-o", str(out))
    assert code != 0
    assert "already holds something" in err
    code, printed, _ = advisor("evaluate", "--data", str(out), "-c", "bm25", "--json")
    assert code == 0
    assert json.loads(printed)["dataset"]["labels"] == "silver"
    code, printed, _ = advisor("silver", "--data", str(documents), "-o", str(tmp_path / "again"), "--json")
    assert json.loads(printed)["dataset"]["silver"]["kinds"]["sentence"] > 0


def test_evaluate_makes_them_where_it_is_told_to(advisor, documents):
    code, _, err = advisor("evaluate", "--data", str(documents), "-c", "bm25")
    assert code != 0
    assert "--silver" in err
    code, printed, _ = advisor("evaluate", "--data", str(documents), "-c", "bm25?stem=none", "--silver", "--json")
    assert [c["spec"] for c in json.loads(printed)["candidates"]] == ["bm25?stem=none"]
    static = ("-c", "static:wordllama?dim=64")
    code, printed, _ = advisor("evaluate", "--data", str(documents), *static, "--silver", "--json")
    assert code == 0
    found = json.loads(printed)
    assert [c["spec"] for c in found["candidates"]] == ["static:wordllama?dim=64", "bm25"]
    assert (found["dataset"]["labels"], found["judged_queries"]) == ("silver", 64)
    assert 0 < found["candidates"][0]["metrics"]["nDCG@10"] <= 1


def test_a_language_model_writes_only_after_a_yes_to_its_host(advisor, documents, tmp_path, monkeypatch):
    pytest.importorskip("langchain_openai")

    def writes(handler, body):
        text = passage_in(body["messages"][-1]["content"])
        message(handler, body, {"content": json.dumps([f"whom did {text.split()[3]} do business with"])})

    with FakeLLM() as llm:
        llm.otherwise = writes
        monkeypatch.setenv("ADVISOR_LLM", "openai:writer")
        monkeypatch.setenv("ADVISOR_LLM_BASE_URL", llm.base_url)
        command = ("silver", "--data", str(documents), "-o", str(tmp_path / "out"), "--most", "24", "--llm")
        code, _, err = advisor(*command)
        assert code != 0
        assert "24 passages" in err
        assert f"--send-to {llm.address}" in err
        assert not llm.requests
        code, printed, err = advisor(*command, "--send-to", llm.address, "--json")
        assert code == 0, err
        assert json.loads(printed)["dataset"]["silver"]["kinds"]["written"] >= 20
        assert 20 <= len(llm.requests) <= 24


def test_without_a_language_model_it_says_how_to_name_one(advisor, documents, tmp_path):
    code, _, err = advisor("silver", "--data", str(documents), "-o", str(tmp_path / "out"), "--llm")
    assert code != 0
    assert "ADVISOR_LLM" in err
