"""A decision is looked at again: quiet while it holds, an alert where the margin is beaten, and the way to change."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace

import numpy as np
import pytest

from knowledge.catalog_in_use import CatalogInUse
from knowledge.requirements import Requirements
from knowledge.results import Consent
from tests.animals import write_dataset
from tools.data_baseline import baseline_of, drift, kept_baseline
from tools.data_source import DataSource
from tools.evaluate import evaluate
from tools.migration import PairScores, recalibrated
from tools.recheck import Asked, Decision, glance, last_recheck, recheck
from tools.recheck.news import news
from tools.recheck.rescored import rescored
from tools.recheck.words import markdown, sentences
from tools.run_store import RunStore
from tools.verify.kept import chosen
from tools.workspace import Workspace

TODAY = dt.date(2026, 11, 29)
WEAK, STRONG = "static:wordllama?dim=8", "static:wordllama"


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    return Workspace(home=tmp_path_factory.mktemp("recheck") / "home", offline=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_dataset(tmp_path_factory.mktemp("recheck-data") / "animals")


@pytest.fixture(scope="module")
def dataset(folder):
    return DataSource(path=str(folder)).read()


@pytest.fixture(scope="module")
def evaluation(dataset, workspace):
    return evaluate(dataset, [WEAK, "bm25"], workspace, preflight=False)


def decision(evaluation, spec, margin=0.02):
    return Decision(evaluation, chosen(evaluation, spec), Requirements(), margin)


def look(found, asked, workspace):
    return recheck(found, asked, workspace, consent=Consent(measure=asked.measure))


def test_while_nothing_changed_it_is_quiet_and_measures_nothing(evaluation, dataset, workspace):
    found = look(decision(evaluation, WEAK), Asked(dataset=dataset), workspace)
    assert found.alert == ()
    assert found.incumbent_change.difference.mean == 0
    assert found.drift.new_documents == found.drift.gone_documents == 0
    assert not found.drift.moved
    assert all(shift.p in (None, 1.0) for shift in found.drift.shifts)
    assert found.migration is None
    assert last_recheck(evaluation.run_id, workspace).run_id == found.run_id
    again = look(decision(evaluation, WEAK), Asked(), workspace)
    assert again.last == found.run_id
    assert again.drift is None
    assert "--data" in str(again.drift_skipped)
    assert "✅" in markdown(again, "en")


def test_what_beats_the_margin_is_told_with_the_way_to_it(evaluation, dataset, workspace):
    asked = Asked(dataset=dataset, challengers=(STRONG,), measure=True, documents=1_000_000, thresholds=(0.5,))
    found = look(decision(evaluation, WEAK), asked, workspace)
    (challenger,) = found.challengers
    assert challenger.difference.low > found.margin
    assert challenger.beyond
    assert STRONG in str(found.alert[0])
    plan = found.migration
    assert (plan.old, plan.new, plan.documents) == (WEAK, STRONG, 1_000_000)
    assert plan.hours == pytest.approx(1_000_000 / plan.rate / 3600)
    assert plan.vector_bytes == 1_000_000 * 256 * 4
    (threshold,) = plan.thresholds
    assert threshold.old == 0.5
    assert threshold.new.low <= threshold.new.mean <= threshold.new.high
    assert 0 < threshold.keeps <= 1
    assert len(plan.steps) >= 7
    told = markdown(found, "zh")
    assert "🔔" in told
    assert "别名" in told
    # allowed a smaller gain than it is, the same difference is no alert
    generous = look(decision(evaluation, WEAK, margin=0.9), asked, workspace)
    assert generous.alert == ()
    assert generous.challengers[0].difference.mean == challenger.difference.mean


def test_a_challenger_is_not_measured_unless_that_is_allowed(evaluation, dataset, workspace):
    found = look(decision(evaluation, WEAK), Asked(dataset=dataset, challengers=("bm25?k1=0.5",)), workspace)
    assert found.challengers == ()
    changed = replace(dataset, summary=dataset.summary.model_copy(update={"hash": "0" * 64}))
    unknown = look(decision(evaluation, WEAK), Asked(dataset=changed), workspace)
    assert unknown.incumbent_change is None
    assert "--measure" in str(unknown.measuring_skipped)


def test_an_incumbent_that_fell_on_todays_data_is_an_alert(evaluation, folder, workspace, tmp_path):
    lines = [json.loads(line) for line in (folder / "corpus.jsonl").read_text("utf-8").splitlines()]
    crowd = [
        {"_id": f"new-{i}", "text": text.replace("About", "More about")}
        for i, text in enumerate(line["text"] for line in lines for _ in range(2))
    ]
    for i, one in enumerate(crowd):
        one["text"] += f" Number {i}."
    changed = tmp_path / "changed"
    changed.mkdir()
    (changed / "corpus.jsonl").write_text("".join(json.dumps(one) + "\n" for one in (*lines, *crowd)), "utf-8")
    for name in ("queries.jsonl", "qrels.tsv"):
        (changed / name).write_text((folder / name).read_text("utf-8"), "utf-8")
    today = DataSource(path=str(changed)).read()
    found = look(decision(evaluation, WEAK), Asked(dataset=today, measure=True), workspace)
    assert found.drift.new_documents == pytest.approx(2 / 3, abs=0.01)
    assert found.drift.gone_documents == 0
    assert found.incumbent_change.beyond
    assert found.incumbent_change.difference.high < -found.margin
    assert "lost" in str(found.alert[0])
    assert any("lost" in str(text) for text in sentences(found))


def test_intervals_decide_and_not_means():
    rng = np.random.default_rng(0)
    base = {str(i): 0.5 for i in range(40)}
    noisy = {q: float(np.clip(0.5 + rng.normal(0.05, 0.4), 0, 1)) for q in base}
    steady = dict.fromkeys(base, 0.55)
    assert np.mean(list(noisy.values())) > 0.52
    assert not rescored("a", "b", noisy, base, 0.02).beyond
    assert rescored("a", "b", steady, base, 0.02).beyond
    assert not rescored("a", "b", steady, base, 0.05).beyond
    assert rescored("a", "b", base, steady, 0.02, worse=True).beyond
    assert not rescored("a", "b", {"1": 1.0}, {"1": 0.0}, 0.02).beyond  # one query shows nothing
    assert rescored("a", "b", {"1": 1.0}, {"2": 0.0}, 0.02) is None
    one, many = (rescored("a", "b", noisy, base, 0.02, comparisons=n).difference for n in (1, 10))
    assert many.low < one.low < one.high < many.high


def with_texts(dataset, documents=None, queries=None):
    return replace(dataset, documents=documents or dataset.documents, queries=queries or dataset.queries)


def test_drift_is_seen_where_it_is_and_not_by_chance(dataset):
    then = baseline_of(dataset, TODAY)
    other = with_texts(
        dataset,
        {
            id: f"Invoice {i}: the customer pays tax on freight and customs duties."
            for i, id in enumerate(dataset.documents)
        },
        {id: f"{text} {text} {text}" for id, text in dataset.queries.items()},
    )
    found = drift(then, baseline_of(other, TODAY))
    moved = {(shift.of, shift.what) for shift in found.shifts if shift.moved}
    assert ("documents", "words") in moved
    assert ("queries", "lengths") in moved
    assert ("documents", "languages") not in moved
    assert found.new_documents == 1
    foreign = with_texts(dataset, {id: f"水獭在黎明时分觅食，第{i}号文件。" for i, id in enumerate(dataset.documents)})
    assert ("documents", "languages") in {
        (s.of, s.what) for s in drift(then, baseline_of(foreign, TODAY)).shifts if s.moved
    }
    # halves of the same data are different texts, and no drift
    ids = list(dataset.documents)
    halves = [{id: dataset.documents[id] for id in ids[n::2]} for n in (0, 1)]
    one, two = (baseline_of(with_texts(dataset, half), TODAY) for half in halves)
    split = drift(one, two)
    assert split.new_documents == 1
    assert not any(shift.moved for shift in split.shifts if shift.of == "documents")


def test_a_baseline_holds_no_text_and_is_laid_when_something_is_measured(evaluation, dataset, workspace):
    runs = RunStore(workspace.store)
    try:
        kept = kept_baseline(dataset.summary.hash, runs)
    finally:
        runs.close()
    assert kept is not None
    assert kept.documents.count == len(dataset.documents)
    written = kept.model_dump_json()
    assert not any(word in written for word in ("otter", "hedgehog", "sheltered"))
    assert len(written) < 100_000


def test_thresholds_keep_the_share_of_right_answers():
    rng = np.random.default_rng(0)
    right = rng.normal(0.7, 0.1, (50, 2))
    others = rng.normal(0.2, 0.1, 1000)
    squeezed = PairScores(tuple(row * 0.5 + 0.4 for row in right), others * 0.5 + 0.4)
    found = recalibrated(PairScores(tuple(right), others), squeezed)
    for one in found:  # the same scores on another scale: the cut-off moves with the scale
        assert one.new.mean == pytest.approx(one.old * 0.5 + 0.4, abs=1e-6)
        assert one.new.low <= one.new.mean <= one.new.high
        assert one.new_wrong == pytest.approx(one.old_wrong)
    (named,) = recalibrated(PairScores(tuple(right), others), squeezed, [0.7])
    assert named.keeps == pytest.approx((right >= 0.7).mean())
    assert recalibrated(PairScores((right[0],), others), squeezed) == ()


def test_new_models_are_those_the_old_catalog_lacks_and_only_better_ones_are_called_better(workspace):
    in_use = CatalogInUse()
    newest = max(card.release_date for card in in_use.catalog.cards if card.release_date)
    before = newest - dt.timedelta(days=120)
    spec = "st:sentence-transformers/all-MiniLM-L6-v2"
    found = news(before, spec, Requirements(), 0.02, in_use, workspace.home)
    assert found.in_catalog > 0
    assert all(model.released > before for model in found.models)
    assert all(model.better == (model.gain > 0.02) for model in found.models)
    assert [m.predicted.mean for m in found.models] == sorted((m.predicted.mean for m in found.models), reverse=True)
    assert not any(model.better for model in news(before, spec, Requirements(), 0.9, in_use, workspace.home).models)
    after = in_use.manifest.built.date()
    assert news(after, spec, Requirements(), 0.02, in_use, workspace.home).in_catalog == 0
    unknown = news(before, "st:/some/folder", Requirements(), 0.02, in_use, workspace.home)
    assert not any(model.better for model in unknown.models)
    assert "/some/folder" in str(unknown.skipped)


def test_new_models_that_nobody_measured_are_in_the_headline(evaluation, workspace):
    spec = "st:sentence-transformers/all-MiniLM-L6-v2"
    long_ago = max(card.release_date for card in CatalogInUse().catalog.cards if card.release_date)
    how = {"requirements": Requirements(), "margin": 0.02, "metric": "nDCG@10"}
    found = glance(evaluation.run_id, long_ago - dt.timedelta(days=400), spec, workspace, **how)
    better = [model for model in found.new_models if model.better]
    assert f"{len(better)} new models are predicted to, and were not measured" in str(sentences(found)[0])
    assert "🔎" in markdown(found, "en")
    told = found.model_copy(update={"new_models": tuple(m for m in found.new_models if not m.better)})
    assert "✅" in markdown(told, "zh")


def test_a_glance_measures_and_keeps_nothing(evaluation, workspace):
    before = last_recheck(evaluation.run_id, workspace)
    how = {"requirements": Requirements(), "margin": 0.02, "metric": "nDCG@10"}
    seen = glance(evaluation.run_id, evaluation.started.date(), WEAK, workspace, **how)
    assert seen.incumbent == WEAK
    assert seen.incumbent_change is None
    after = last_recheck(evaluation.run_id, workspace)
    assert (before and before.run_id) == (after and after.run_id)
