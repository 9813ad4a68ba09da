"""`advisor evaluate --task`: labelled texts through the command line."""

import json

import pytest

from tests.animals import ANIMALS, HABITS
from tests.app.cli import Cli


@pytest.fixture
def advisor(monkeypatch, capsys):
    return Cli(monkeypatch, capsys)


@pytest.fixture
def table(tmp_path):
    rows = [f"about the {animal}: {told},{habit}" for animal in ANIMALS for habit, told, _ in HABITS]
    path = tmp_path / "tickets.csv"
    path.write_text("\n".join(["text,label", *rows]) + "\n", "utf-8")
    return str(path)


def test_what_the_data_has_labels_for(advisor, table):
    code, out, err = advisor("evaluate", "--data", table, "-c", "bm25", "--json")
    assert code == 0, err
    found = json.loads(out)
    assert (found["task"], found["primary"], found["judged_queries"]) == ("classification", "Accuracy", 30)
    assert "30 texts of 3 classes" in err
    code, out, _ = advisor("evaluate", "--data", table, "-c", "bm25", "--task", "clustering")
    assert code == 0
    assert "V-measure" in out
    assert "k-means" in out


@pytest.mark.parametrize(
    ("more", "code", "message"),
    [
        (("--task", "similarity"), 3, "only for: classification, clustering"),
        (("--task", "ranking"), 3, "only for"),
        (("--task", "guessing"), 2, "guessing"),
        (("--task", "clustering", "--adaptive"), 2, "--adaptive leaves out losers of rankings"),
        (("--metric", "nDCG@10"), 3, "Accuracy(8-shot)"),
        (("--column", "label=nothing"), 3, "has no column"),
    ],
)
def test_what_cannot_be_measured(advisor, table, more, code, message):
    found, _, err = advisor("evaluate", "--data", table, "-c", "bm25", *more)
    assert found == code
    assert message in " ".join(err.split())


def test_a_dry_run_says_the_task(advisor, table):
    code, out, _ = advisor("evaluate", "--data", table, "-c", "bm25", "-c", "static:wordllama", "--dry-run")
    assert code == 0
    assert "measure 2 candidates on 30 texts (classification)" in " ".join(out.split())
