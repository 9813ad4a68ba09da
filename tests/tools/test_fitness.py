"""Preflight in an evaluation: what is not fit is left out, what is only odd is told, and nobody is looked at twice."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from knowledge.errors import SpecError, UserError
from tests.labelled import as_dataset
from tests.tiny_models import make_st, make_static
from tools import fitness, workers
from tools.adaptive import find_winner
from tools.evaluate import check_first, evaluate
from tools.workspace import Workspace

WORDS = ["cat", "dog", "sea", "ship", "apple", "pear", "code", "memory", "garbage", "collection", "server", "web"]


@pytest.fixture(scope="module")
def data():
    """Documents of five words, some longer than a tiny model reads (64 tokens); each query is two words of one."""
    documents = {f"d{i}": " ".join(WORDS[(i * j + j) % 12] for j in range(1, 6)) + f" {i}" for i in range(40)}
    documents |= {f"long{i}": documents[f"d{i}"] + " the" * 80 for i in range(10)}
    queries = {f"q{i}": " ".join(documents[f"d{i}"].split()[:2]) for i in range(30)}
    judgments = {f"q{i}": {f"d{i}": 1} | ({f"long{i}": 1} if i < 10 else {}) for i in range(30)}
    return as_dataset(documents, queries, judgments)


@pytest.fixture
def workspace(tmp_path) -> Workspace:
    return Workspace(home=tmp_path / "home", offline=True)


def broken(folder: Path) -> Path:
    """A model whose weights are no numbers."""
    import numpy as np
    from safetensors.numpy import load_file, save_file

    made = make_static(folder)
    weights = load_file(made / "model.safetensors")
    save_file({name: np.full_like(values, np.nan) for name, values in weights.items()}, made / "model.safetensors")
    return made


def test_one_that_gives_no_numbers_is_left_out_before_anything_is_encoded(data, workspace, tmp_path):
    bad, good = f"static:{broken(tmp_path / 'bad')}", f"static:{make_static(tmp_path / 'good')}"
    found = evaluate(data, [bad, good, "bm25"], workspace)
    assert [c.spec for c in found.candidates] == [good, "bm25"]
    assert [f.spec for f in found.failed] == [bad]
    checked = next(p for p in found.preflight if p.spec == bad)
    assert not checked.passed
    assert found.failed[0].reason == next(f.finding for f in checked.findings if f.severity == "fails")
    with pytest.raises(UserError):
        evaluate(data, [bad], workspace)


def test_a_look_is_taken_once(data, workspace, tmp_path, monkeypatch):
    spec = f"static:{make_static(tmp_path / 'model')}"
    first = evaluate(data, [spec, f"{spec}?dim=8"], workspace, metrics=["R@10"])
    assert [p.spec for p in first.preflight] == [spec, f"{spec}?dim=8"]
    monkeypatch.setattr(fitness, "preflight", None)
    again = evaluate(data, [spec, f"{spec}?dim=8"], workspace, metrics=["nDCG@10"])
    assert again.preflight == first.preflight


def test_set_ups_of_one_encoder_are_looked_at_once(data, workspace, tmp_path, monkeypatch):
    spec = f"static:{make_static(tmp_path / 'model')}"
    looked_at, look = [], fitness.preflight
    monkeypatch.setattr(fitness, "preflight", lambda leg, *rest: looked_at.append(leg.spec) or look(leg, *rest))
    specs = [f"{spec}?store=int8", f"{spec}?rescore=4&store=binary", f"{spec}?dim=8&store=int8", f"{spec}?dim=8"]
    found = evaluate(data, specs, workspace)
    assert looked_at == [spec, f"{spec}?dim=8"]
    assert [p.spec for p in found.preflight] == specs


def test_what_is_cut_off_is_told_and_recall_split(data, workspace, tmp_path):
    spec = f"st:{make_st(tmp_path / 'model')}"
    found = evaluate(data, [spec], workspace)
    audit = found.preflight[0].truncation
    assert audit.share_cut.mean == pytest.approx(10 / 50)
    split = found.candidates[0].recall_by_cut
    assert (split.whole_pairs, split.cut_pairs, split.k) == (30, 10, 10)
    assert evaluate(data, [spec], workspace, preflight=False).candidates[0].recall_by_cut == split, "as it was measured"


def test_a_dimension_the_model_has_not_is_a_spec_error(data, workspace, tmp_path):
    with pytest.raises(SpecError, match="asks for 99 dimensions"):
        check_first(data, [f"static:{make_static(tmp_path / 'model')}?dim=99"], workspace)


def test_the_rounds_begin_with_those_that_are_fit(data, workspace, tmp_path):
    bad, good = f"static:{broken(tmp_path / 'bad')}", f"static:{make_static(tmp_path / 'good')}"
    found = find_winner(data, [bad, good, "bm25"], workspace)
    assert bad in [f.spec for f in found.evaluation.failed]
    assert bad not in [s.spec for s in found.screening.screened]
    assert {p.spec for p in found.evaluation.preflight} == {bad, good}
    with pytest.raises(UserError):
        find_winner(data, [bad], workspace)


def test_a_model_that_cannot_run_fails_with_its_own_reason(data, workspace, tmp_path, monkeypatch):
    made = make_static(tmp_path / "model")
    (made / "model.safetensors").write_bytes(b"no weights")
    found = evaluate(data, [f"static:{made}", "bm25"], workspace)
    assert [c.spec for c in found.candidates] == ["bm25"]
    assert found.failed[0].next_step.render()
    monkeypatch.setattr(workers, "START", ("/nonexistent",))
    kept = json.loads(found.model_dump_json())["preflight"]
    assert kept[0]["findings"][0]["check"] == "run"
