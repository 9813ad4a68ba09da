"""`advisor probes`, `advisor robustness`, `evaluate --probes` and `--weight` through their own entry."""

import json

import pytest

from tests.app.cli import Cli
from tests.tools.test_hard_cases import GUT, write
from tests.tools.test_probes import dataset
from tools.datasets.writer import save_dataset


@pytest.fixture
def advisor(monkeypatch, capsys):
    return Cli(monkeypatch, capsys)


def test_a_contrast_set_of_ones_own(advisor, tmp_path):
    file = str(write(tmp_path / "gut.jsonl", GUT))
    code, out, _ = advisor("probes", "--contrast", file, "-c", "bm25", "--json", "--quiet")
    assert code == 0
    found = json.loads(out)
    assert found["evaluation"] is None
    assert {kind["name"]: kind["scores"][0]["accuracy"]["mean"] for kind in found["probes"]["kinds"]} == {
        "antonym": 1.0,
        "否定": 1.0,
        "contrast": 0.5,
    }
    code, out, _ = advisor("probes", "--contrast", file, "-c", "bm25", "--quiet")
    assert code == 0
    assert "finds the topic, not the truth" in out


def test_both_of_ones_own_data_beside_the_evaluation(advisor, tmp_path):
    folder = tmp_path / "data"
    save_dataset(dataset(400), folder)
    code, out, err = advisor("evaluate", "--data", str(folder), "-c", "bm25", "--probes", "--quiet")
    assert code == 0
    assert "nDCG@10" in out
    assert "typing mistakes" in out
    assert "negation" in out
    assert "characters for this" in err
    code, out, _ = advisor("robustness", "--data", str(folder), "-c", "bm25", "--json", "--quiet")
    assert code == 0
    assert json.loads(out)["probes"] is None
    assert json.loads(out)["robustness"]["kinds"]


def test_where_only_queries_could_be_altered_it_is_said(advisor, shared):
    code, out, err = advisor("evaluate", "--data", str(shared / "covid_faq"), "-c", "bm25", "--probes", "--quiet")
    assert code == 0
    assert "typing mistakes" in out
    assert "too few altered facts" in err


def test_what_cannot_be_asked_is_said(advisor, small_dataset, tmp_path):
    code, _, err = advisor("probes", "--data", str(small_dataset), "-c", "bm25", "--quiet")
    assert code == 3
    assert "too few" in err
    code, _, err = advisor("probes", "-c", "bm25")
    assert code == 2
    assert "--contrast" in err
    code, _, err = advisor("probes", "--contrast", str(tmp_path / "none.jsonl"), "-c", "bm25")
    assert code == 3


@pytest.mark.parametrize("weight", ["robustness", "speed=1", "robustness=-1", "robustness=nan", "correctness=11"])
def test_a_weight_that_is_none_is_a_mistyped_option(advisor, weight):
    code, _, err = advisor("recommend", "--text", "search", "--weight", weight, "--yes", "--quiet")
    assert code == 2
    assert "is no weight" in err
