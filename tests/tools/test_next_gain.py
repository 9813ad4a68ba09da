"""Single changes to a candidate: which there are, how they are ranked, and one real run."""

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest

from knowledge.candidate import parse_candidate
from knowledge.errors import UserError
from knowledge.results import DatasetSummary, Evaluation, Interval, MeasuredCandidate
from tests.labelled import as_dataset
from tests.tiny_models import make_static
from tools.evaluate import evaluate
from tools.next_gain import next_gain, plan_gains
from tools.next_gain.changes import Planned, changes
from tools.next_gain.costs import Cost
from tools.next_gain.ranking import ranked
from tools.next_gain.words import answer, line
from tools.run_store import RunStore
from tools.workspace import Workspace

WORDS = ("cat", "dog", "sea", "ship", "apple", "pear", "code", "memory", "garbage", "collection", "server", "web")


@pytest.fixture
def workspace(tmp_path):
    return Workspace(home=tmp_path / "home", offline=True)


def made(spec, workspace, *, length=256, documents=2_000):
    base = parse_candidate(spec)
    lengths = {leg: length for leg in base.legs if leg.backend != "bm25"}
    return {one.candidate.spec: one.kind for one in changes(base, lengths, documents, workspace)}


# ---------------------------------------------------------------- which changes there are


def test_changes_to_a_model_that_is_made_for_cutting(workspace):
    found = made("static:wordllama", workspace)
    assert found == {
        "static:wordllama?dim=128": "dimension",
        "static:wordllama?dim=64": "dimension",
        "static:wordllama?store=float16": "storage",
        "static:wordllama?store=int8": "storage",
        "static:wordllama?store=binary": "storage",
        "static:wordllama?rescore=4&store=binary": "storage",
        "static:wordllama?first=64": "two stages",
        "static:wordllama?index=hnsw": "index",
        "static:wordllama?index=ivf_flat": "index",
        "static:wordllama?index=ivf_sq8": "index",
        "rrf(bm25, static:wordllama)": "fusion",
        "weighted(bm25, static:wordllama)?w=0.3:0.7": "fusion",
    }


def test_what_is_cut_can_grow_and_what_is_stored_small_can_be_stored_whole(workspace):
    found = made("static:wordllama?dim=64", workspace)
    assert found["static:wordllama?dim=128"] == "dimension"
    assert "static:wordllama?dim=32" not in found  # its card lists no such length
    small = made("static:wordllama?store=int8", workspace)
    assert small["static:wordllama"] == "storage"
    assert not {"index", "two stages"} & set(small.values())


def test_few_documents_need_no_index(workspace):
    assert "index" not in made("static:wordllama", workspace, documents=300).values()


def test_a_fusion_is_changed_as_a_whole_and_taken_apart(workspace):
    found = made("rrf(bm25, static:wordllama)", workspace)
    assert found["rrf(bm25, static:wordllama?dim=128)"] == "dimension"
    assert found["weighted(bm25, static:wordllama)"] == "fusion"
    assert found["static:wordllama"] == found["bm25"] == "fusion"
    assert "rrf(bm25, rrf(bm25, static:wordllama))" not in found


def test_words_alone_have_no_set_up_to_change(workspace):
    assert made("bm25", workspace) == {}


def test_a_length_that_is_not_known_is_not_halved(workspace):
    base = parse_candidate("static:somewhere/model")
    kinds = {one.kind for one in changes(base, {}, 2_000, workspace)}
    assert kinds == {"storage", "index", "fusion"}


# ---------------------------------------------------------------- how they are ranked


def ranking_of(scores, costs, margin=0.02):
    """Changes to “base” with these per-query scores; costs in ms and bytes."""
    now = dt.datetime(2026, 11, 28, tzinfo=dt.UTC)
    names = [parse_candidate(f"static:{name}") for name in scores]
    by_query = {c.spec: dict(enumerate(map(float, v))) for c, v in zip(names, scores.values(), strict=True)}
    measured = tuple(
        MeasuredCandidate(
            spec=spec,
            metrics={"nDCG@10": float(np.mean(list(of.values())))},
            interval=Interval(mean=float(np.mean(list(of.values()))), low=0, high=1),
        )
        for spec, of in by_query.items()
    )
    summary = DatasetSummary(name="x", path="", hash="h", format="beir", documents=9, queries=9, judgments=9)
    evaluation = Evaluation(
        run_id="r", started=now, dataset=summary, candidates=measured, store="s", judged_queries=len(measured)
    )
    planned = [Planned("storage", c, summary_text(c.name)) for c in names[1:]]
    spent = {c.spec: Cost(*costs[name]) for c, name in zip(names, scores, strict=True)}
    return ranked(names[0], planned, evaluation, by_query, spent, margin=margin, run_id="gains-1", started=now)


def summary_text(name):
    from knowledge.wording import Text

    return Text.model_validate(name)


@pytest.fixture(scope="module")
def four():
    rng = np.random.default_rng(0)
    base = rng.uniform(0.3, 0.7, 300)
    scores = {
        "base": base,
        "better": base + rng.normal(0.05, 0.05, 300),
        "slower": base + rng.normal(0.08, 0.05, 300),
        "same": base + rng.normal(0, 0.01, 300),
        "smaller": base + rng.normal(-0.005, 0.01, 300),
        "worse": base + rng.normal(-0.1, 0.05, 300),
        "noisy": base + rng.normal(0.0, 0.6, 300),
    }
    costs = {
        "base": (10.0, 1000.0),
        "better": (11.0, 2000.0),
        "slower": (30.0, 2000.0),
        "same": (2.0, 1000.0),
        "smaller": (10.0, 100.0),
        "worse": (1.0, 10.0),
        "noisy": (None, None),
    }
    return ranking_of(scores, costs)


def test_verdicts_follow_the_tests(four):
    assert {c.spec.split(":")[1]: c.verdict for c in four.changes} == {
        "better": "gains",
        "slower": "gains",
        "same": "holds",
        "smaller": "holds",
        "worse": "loses",
        "noisy": "open",
    }


def test_what_buys_most_and_what_saves_most(four):
    assert four.buys_most == "static:slower"
    assert four.buys_most_per_ms == "static:better"
    assert four.saves_storage == "static:smaller"  # “worse” is smaller still, at a loss
    assert four.saves_time == "static:same"
    better = four.change("static:better")
    assert better.points_per_ms == pytest.approx(100 * better.difference.mean / 1.0)
    assert better.points_per_gb == pytest.approx(100 * better.difference.mean / 1.0)  # 1000 bytes of a million are a GB
    assert [c.difference.mean for c in four.changes] == sorted((c.difference.mean for c in four.changes), reverse=True)


def test_every_figure_has_its_evidence(four):
    known = {e.id: e for e in four.evidence}
    for change in four.changes:
        assert known[change.cites["quality"]].value == pytest.approx(change.quality.mean)
        assert known[change.cites["difference"]].value == pytest.approx(change.difference.mean)
        assert set(known[change.cites["difference"]].computed_from) <= set(known)


def test_the_answer_names_them_in_both_languages(four):
    english = " ".join(sentence.render("en") for sentence in answer(four))
    assert "static:slower" in english
    assert "static:better" in english
    assert "100 bytes a document instead of 1,000 bytes" in english
    assert "2 ms a query instead of 10 ms" in english
    assert "static:smaller" in " ".join(sentence.render("zh") for sentence in answer(four))
    assert "worse" in line(four.change("static:worse"), four).render("en")


def test_chance_alone_gains_nothing():
    """Of ten times four changes that are noise, the corrected tests may call one better by chance."""
    wrong = 0
    for seed in range(10):
        rng = np.random.default_rng(seed)
        base = rng.uniform(0, 1, 60)
        scores = {"base": base} | {f"c{i}": base + rng.normal(0, 0.1, 60) for i in range(4)}
        found = ranking_of(scores, dict.fromkeys(scores, (1.0, 1.0)))
        wrong += found.buys_most is not None
    assert wrong <= 2


# ---------------------------------------------------------------- a real run


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    rng = np.random.default_rng(0)
    documents = {f"d{i}": " ".join(rng.choice(WORDS, 6)) for i in range(80)}
    queries = {f"q{i}": " ".join(rng.choice(WORDS, 2, replace=False)) for i in range(20)}
    judgments = {
        q: {d: 1 for d, text in documents.items() if all(w in text.split() for w in query.split())} or {"d0": 1}
        for q, query in queries.items()
    }
    folder = tmp_path_factory.mktemp("gain")
    static = f"static:{make_static(folder / 'model')}"
    workspace = Workspace(home=folder / "home", offline=True)
    dataset = as_dataset(documents, queries, judgments)
    evaluate(dataset, [static], workspace, preflight=False)
    return dataset, static, workspace


def test_what_is_encoded_already_is_not_encoded_again(real):
    dataset, static, workspace = real
    tried, plan = plan_gains(dataset, static, workspace)
    assert len(plan.candidates) == len(tried) + 1
    assert plan.minutes == pytest.approx(0.1 * len(plan.candidates))
    found = next_gain(dataset, static, workspace, margin=0.02)
    assert {change.spec for change in found.changes} == {one.candidate.spec for one in tried}
    assert found.base == parse_candidate(static).spec
    binary = found.change(f"{static}?store=binary")
    assert binary.bytes_per_document == 4
    assert found.bytes_per_document == 4 * 32
    assert all(change.query_ms is not None for change in found.changes)
    assert any("simulated" in str(note) for note in binary.notes)
    runs = RunStore(workspace.store)
    try:
        assert runs.run(found.run_id)["base"] == found.base
    finally:
        runs.close()


def test_bytes_of_a_candidate_that_searches_chunks_are_those_of_all_its_chunks(real):
    dataset, static, workspace = real
    cut = f"{static}?chunk=2"
    evaluate(dataset, [cut], workspace, preflight=False)
    found = next_gain(dataset, cut, workspace, margin=0.02)
    assert found.bytes_per_document == pytest.approx(3 * 4 * 32)  # six words a document
    assert found.change(f"{static}?chunk=2&store=int8").bytes_per_document == pytest.approx(3 * 32)


def test_nothing_to_change_is_an_error_with_a_next_step(real):
    dataset, _, workspace = real
    with pytest.raises(UserError, match="nothing to change"):
        next_gain(dataset, "bm25", workspace, margin=0.02)


def test_data_for_something_else_than_a_search_is_refused_before_anything_is_measured(tmp_path):
    texts = as_dataset({f"d{i}": f"text {i}" for i in range(4)}, {}, {})
    labelled = replace(
        texts,
        classes={f"d{i}": "ab"[i % 2] for i in range(4)},
        summary=texts.summary.model_copy(update={"classes": 2, "labelled": 4}),
    )
    with pytest.raises(UserError, match="something else") as refused:
        next_gain(labelled, "static:none", Workspace(home=tmp_path), margin=0.02)
    assert "classification" in str(refused.value.next_step)
    assert not (tmp_path / "runs.sqlite").exists()
