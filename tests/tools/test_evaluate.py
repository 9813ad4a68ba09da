"""Candidates measured on data whose right answer is known, by real encoders, Milvus Lite and ir-measures."""

import importlib
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import ir_measures
import numpy as np
import pytest

from knowledge.candidate import parse_candidate
from knowledge.errors import (
    ConsentNeeded,
    DatasetError,
    HubUnreachableError,
    ProviderError,
    ResourceError,
    SpecError,
    UserError,
)
from knowledge.results import Consent
from tests.fake_http import FakeEmbeddings, FakeHub
from tests.labelled import as_dataset
from tests.tiny_models import make_st, make_static
from tools import encoders, hub, vector_store, workers
from tools.encoding import vectors
from tools.evaluate import describe_method, evaluate, query_scores
from tools.metrics import scoring
from tools.run_store import RunStore
from tools.workspace import Workspace

measure_module = importlib.import_module("tools.evaluate.measure")
WORDS = ["cat", "dog", "sea", "ship", "apple", "pear", "code", "memory", "garbage", "collection", "server", "web"]


@pytest.fixture(scope="module")
def dataset():
    """More documents than are ranked, with graded judgments, one of them of an unknown query."""
    rng = np.random.default_rng(0)
    documents = {f"d{i}": " ".join(rng.choice(WORDS, 5)) for i in range(120)}
    queries = {f"q{i}": " ".join(rng.choice(WORDS, 2, replace=False)) for i in range(12)} | {"unjudged": "cat"}
    judgments = {
        f"q{i}": {
            d: int(sum(w in text for w in queries[f"q{i}"].split()))
            for d, text in documents.items()
            if rng.random() < 0.5
        }
        for i in range(12)
    }
    return as_dataset(documents, queries, judgments | {"unknown": {"d1": 1}})


@pytest.fixture(scope="module")
def specs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    st, static = make_st(folder / "st"), make_static(folder / "static")
    return {
        "st": f"st:{st}",
        "cut": f"st:{st}?dim=8",
        "static": f"static:{static}",
        "bm25": "bm25",
        "rrf": f"rrf(bm25, static:{static})",
    }


@pytest.fixture(scope="module")
def measured(dataset, specs, tmp_path_factory):
    """One evaluation of everything, since a child that loads a model takes seconds."""
    workspace = Workspace(home=tmp_path_factory.mktemp("home"), offline=True)
    progress = []
    found = evaluate(dataset, list(specs.values()), workspace, on_progress=progress.append)
    return found, workspace, progress


def brute_force(dataset, spec, workspace):
    """The figures of exact search in NumPy, by ir-measures."""
    leg = parse_candidate(spec)
    resolved = encoders.resolve(leg, workspace)
    texts = list(dataset.documents.values())
    documents = encoders.finish(vectors(resolved, texts, "document", workspace), leg, resolved)
    judged = {q: j for q, j in dataset.judgments.items() if q in dataset.queries and any(j.values())}
    run = []
    for query in judged:
        asked = vectors(resolved, [dataset.queries[query]], "query", workspace)
        scores = documents @ encoders.finish(asked, leg, resolved)[0]
        ids = list(dataset.documents)
        run += [ir_measures.ScoredDoc(query, ids[row], 1000.0 - i) for i, row in enumerate(np.argsort(-scores)[:100])]
    qrels = [ir_measures.Qrel(q, d, grade) for q, j in judged.items() for d, grade in j.items()]
    names = [name for name in scoring.DEFAULT if not name.startswith("F1")]
    found = ir_measures.calc_aggregate([ir_measures.parse_measure(n) for n in names], qrels, run)
    return {str(measure): value for measure, value in found.items()}


@pytest.mark.parametrize("name", ["st", "cut", "static"])
def test_figures_are_those_of_exact_search(measured, dataset, specs, name):
    found, workspace, _ = measured
    candidate = next(c for c in found.candidates if c.spec == specs[name])
    expected = brute_force(dataset, specs[name], workspace)
    assert {k: v for k, v in candidate.metrics.items() if k in expected} == pytest.approx(expected, abs=2e-3)
    assert candidate.dimension == (8 if name == "cut" else 32)


def test_the_record_is_complete(measured, dataset, specs):
    found, workspace, _ = measured
    assert [c.spec for c in found.candidates] == list(specs.values())
    assert (found.judged_queries, found.primary, found.dataset) == (12, "nDCG@10", dataset.summary)
    assert str(workspace.store) == found.store
    by_name = dict(zip(specs, found.candidates, strict=True))
    for candidate in found.candidates:
        assert list(candidate.metrics) == list(scoring.DEFAULT)
        assert candidate.interval.low <= candidate.primary_mean == candidate.interval.mean <= candidate.interval.high
        assert candidate.search_seconds >= 0
    assert by_name["bm25"].metrics["nDCG@10"] > by_name["static"].metrics["nDCG@10"] > 0.3
    assert by_name["bm25"].dimension is None
    assert by_name["bm25"].encoded_texts == 0
    assert by_name["rrf"].dimension == 32
    assert by_name["st"].encoded_texts == 72, "the preflight's sample of 48 documents and 12 queries is there already"
    scores = query_scores(found, workspace)
    assert set(scores) == set(specs.values())
    for candidate in found.candidates:
        assert list(scores[candidate.spec]) == [f"q{i}" for i in range(12)]
        assert np.mean(list(scores[candidate.spec].values())) == pytest.approx(candidate.primary_mean)
    assert "12 queries over 120 documents, 100 documents" in describe_method(found).render()


def test_progress_ends_at_its_end_and_one_model_is_encoded_once(measured, dataset):
    _, _, progress = measured
    characters = sum(map(len, {*dataset.documents.values()}))
    characters += sum(len(text) for text in {dataset.queries[f"q{i}"] for i in range(12)})
    assert progress[-1].done == progress[-1].total == 2 * characters, "two models, five candidates"
    labels = list(dict.fromkeys(p.label.render() for p in progress))
    assert labels == ["Checking", "Encoding"]
    for label in labels:
        done = [p.done for p in progress if p.label.render() == label]
        assert done == sorted(done)


def test_a_repeat_encodes_nothing_and_finds_the_same(measured, dataset, specs, monkeypatch):
    found, workspace, _ = measured
    monkeypatch.setattr(workers, "START", ("/nonexistent",))
    monkeypatch.setattr("tools.evaluate.search.VectorStore", None)  # nor does it need Milvus
    again = evaluate(dataset, list(specs.values()), workspace)
    assert again.run_id != found.run_id
    for before, now in zip(found.candidates, again.candidates, strict=True):
        assert (now.metrics, now.interval, now.key) == (before.metrics, before.interval, before.key)
        assert (now.encoded_texts, now.encode_seconds) == (0, 0.0)
        assert now.cached_texts == before.encoded_texts + before.cached_texts
        assert [str(note) for note in now.notes] == [*map(str, before.notes), f"measured before, in {found.run_id}"]
    assert query_scores(again, workspace) == query_scores(found, workspace)


def test_other_metrics_and_dimensions_reuse_the_vectors(measured, dataset, specs, monkeypatch):
    _, workspace, _ = measured
    monkeypatch.setattr(workers, "START", ("/nonexistent",))
    again = evaluate(dataset, [specs["st"], f"{specs['st']}?dim=4"], workspace, metrics=["R@5", "F1@3"])
    assert again.primary == "R@5"
    assert [list(c.metrics) for c in again.candidates] == [["R@5", "F1@3"]] * 2
    assert all(c.encoded_texts == 0 for c in again.candidates)
    assert [c.dimension for c in again.candidates] == [32, 4]


def test_the_run_is_kept(measured):
    found, workspace, _ = measured
    runs = RunStore(workspace.store)
    assert type(found).model_validate(runs.run(found.run_id)) == found
    runs.close()


# ---------------------------------------------------------------- small cases, with what needs no child


@pytest.fixture
def workspace(tmp_path):
    return Workspace(home=tmp_path / "home", offline=True)


SMALL = as_dataset(
    {"a": "the cat sat on the mat", "b": "a dog in the sea", "c": "ships and servers"},
    {"q1": "cat mat", "q2": "dog"},
    {"q1": {"a": 1}, "q2": {"b": 1}},
)


def test_a_cut_off_beyond_the_usual_depth_is_honoured(workspace):
    documents = {f"d{i}": f"cat number {i}" for i in range(150)}
    data = as_dataset(documents, {"q": "cat"}, {"q": dict.fromkeys(documents, 1)})
    found = evaluate(data, ["bm25"], workspace, metrics=["R@100", "R@200"])
    assert found.candidates[0].metrics == pytest.approx({"R@100": 100 / 150, "R@200": 1.0})
    assert "150 documents ranked" in describe_method(found).render()


def test_documents_that_share_no_word_are_not_found(workspace):
    data = as_dataset({"a": "cat", "b": "dog"}, {"q": "unknown"}, {"q": {"a": 1}})
    assert set(evaluate(data, ["bm25"], workspace, metrics=["R@10", "RR@10"]).candidates[0].metrics.values()) == {0.0}


def test_a_candidate_that_fails_is_listed_and_the_others_go_on(workspace, tmp_path):
    broken = make_static(tmp_path / "broken")
    (broken / "model.safetensors").write_bytes(b"damaged")
    gone, tall = "st:org/gone", f"static:{make_static(tmp_path / 'good')}?dim=64"
    found = evaluate(SMALL, [gone, "bm25", f"static:{broken}", f"rrf(bm25, {gone})", tall, "bm25?k1=2"], workspace)
    assert [c.spec for c in found.candidates] == ["bm25", "bm25?k1=2"]
    reasons = {f.spec: f.reason.render() for f in found.failed}
    assert set(reasons) == {gone, f"static:{broken}", f"rrf(bm25, {gone})", tall}
    assert "may not be asked" in reasons[gone]
    assert "died" in reasons[f"static:{broken}"]
    assert "asks for 64 dimensions, but the model has 32" in reasons[tall]
    assert all(f.next_step.render() for f in found.failed)


def test_when_all_fail_the_first_failure_is_raised(workspace, tmp_path):
    broken = make_static(tmp_path / "broken")
    (broken / "model.safetensors").write_bytes(b"damaged")
    with pytest.raises(HubUnreachableError):
        evaluate(SMALL, ["st:org/gone", f"static:{broken}"], workspace)
    with pytest.raises(ResourceError):
        evaluate(SMALL, [f"static:{broken}"], workspace)
    with pytest.raises(SpecError, match="has 32"):
        evaluate(SMALL, [f"static:{make_static(tmp_path / 'good')}?dim=33"], workspace)


@pytest.mark.parametrize(
    "candidates", [["bm25", "nonsense("], ["bm25", "cohere:x"], ["bm25?k1=x"], ["bm25", "st:x?dim=0"]]
)
def test_specs_are_read_before_anything_is_spent(workspace, candidates):
    with pytest.raises(SpecError):
        evaluate(SMALL, candidates, workspace)
    assert not workspace.home.exists()


def test_metrics_and_data_are_checked_before_anything_is_spent(workspace):
    with pytest.raises(UserError, match="accuracy"):
        evaluate(SMALL, ["bm25"], workspace, metrics=["nDCG@10", "accuracy"])
    with pytest.raises(UserError, match="no candidate"):
        evaluate(SMALL, [], workspace)
    with pytest.raises(UserError, match="no metric"):
        evaluate(SMALL, ["bm25"], workspace, metrics=[])
    assert not workspace.home.exists()


@pytest.mark.parametrize(
    ("documents", "queries", "judgments", "message"),
    [
        ({}, {}, {}, "has no documents"),
        ({"a": "x"}, {}, {}, "no query with a relevant document"),
        ({"a": "x"}, {"q": "x"}, {}, "no query with a relevant document"),
        ({"a": "x"}, {"q": "x"}, {"q": {"a": 0}}, "no query with a relevant document"),
        ({"a": "x"}, {"q": "x"}, {"other": {"a": 1}}, "no query with a relevant document"),
        ({"a": "x"}, {"q": "x"}, {"q": {"other": 1}}, "no query with a relevant document"),
    ],
)
def test_data_that_cannot_be_measured_on(workspace, documents, queries, judgments, message):
    with pytest.raises(DatasetError, match=message):
        evaluate(as_dataset(documents, queries, judgments), ["bm25"], workspace)


def test_labels_of_unknown_ids_count_neither_for_nor_against(workspace):
    judgments = {"q1": {"a": 1, "elsewhere": 1}, "q2": {"b": 1}, "nobody": {"a": 1}}
    data = replace(SMALL, judgments=judgments)
    found = evaluate(data, ["bm25"], workspace, metrics=["R@10"])
    assert (found.judged_queries, found.candidates[0].metrics) == (2, {"R@10": 1.0})


def test_empty_chinese_and_very_long_texts(workspace, tmp_path):
    data = as_dataset(
        {"空": "", "猫": "猫在垫子上睡觉", "long": "ship " * 5000, "标点": "！？…"},
        {"问": "垫子", "empty": "", "船": "ship"},
        {"问": {"猫": 1}, "empty": {"空": 1}, "船": {"long": 1}},
    )
    static = f"static:{make_static(tmp_path / 'static')}"
    found = evaluate(data, ["bm25", static, f"rrf(bm25, {static})"], workspace, metrics=["RR@10", "nDCG@10"])
    assert not found.failed
    scores = query_scores(found, workspace)
    assert scores["bm25"] == {"问": 1.0, "empty": 0.0, "船": 1.0}
    assert scores[static]["问"] == scores[static]["船"] == 1.0


def test_one_document_and_one_query(workspace, tmp_path):
    data = as_dataset({"a": "cat"}, {"q": "cat"}, {"q": {"a": 1}})
    static = f"static:{make_static(tmp_path / 'static')}"
    found = evaluate(data, [static, "bm25"], workspace)
    assert [c.primary_mean for c in found.candidates] == [1.0, 1.0]


# ---------------------------------------------------------------- limits


def test_more_vectors_than_milvus_lite_holds_are_searched_without_it(measured, dataset, specs, monkeypatch):
    """The same figures, and the record says how they came about."""
    found, workspace, _ = measured
    before = next(c for c in found.candidates if c.spec == specs["st"])
    monkeypatch.setattr(vector_store, "LITE_BYTES", 1000)
    monkeypatch.setattr(measure_module, "METHOD", -1)  # another key: measured again
    (candidate,) = evaluate(dataset, [specs["st"]], workspace).candidates
    assert candidate.metrics == pytest.approx(before.metrics)
    assert candidate.interval.mean == pytest.approx(before.interval.mean)
    assert (candidate.encoded_texts, candidate.dimension) == (0, 32)
    assert any("120 vectors of 32 numbers are more than Milvus Lite" in str(note) for note in candidate.notes)


def test_what_does_not_fit_is_a_finding_and_the_others_go_on(workspace, tmp_path):
    spec = f"static:{make_static(tmp_path / 'static')}"
    limited = replace(workspace, child_memory_mb=20)
    found = evaluate(SMALL, [spec, "bm25"], limited)
    assert [c.spec for c in found.candidates] == ["bm25"]
    (failed,) = found.failed
    assert failed.reason.render() == (
        f"{spec} does not fit here: it needed more than the 20 MB of memory allowed for it."
    )
    assert "does not fit" not in str(evaluate(SMALL, [spec], workspace).failed), "with more memory it does"


def test_what_takes_too_long_is_left_out_and_the_others_go_on(workspace, tmp_path):
    spec = f"static:{make_static(tmp_path / 'static')}"
    found = evaluate(SMALL, [spec, "bm25"], replace(workspace, child_seconds=0.01))
    assert [c.spec for c in found.candidates] == ["bm25"]
    assert "was ended: it took longer than" in found.failed[0].reason.render()


def test_waiting_for_another_evaluation_is_said(workspace, endpoint):
    there = replace(workspace, openai_base_url=endpoint.base_url)
    agreed = Consent(hosts=frozenset({endpoint.url.removeprefix("http://")}))
    held, go, said = threading.Event(), threading.Event(), []

    def hold(number):
        held.set()
        assert go.wait(60)

    def listen(progress):
        said.append(progress.label.render())
        if "Waiting" in said[-1]:
            go.set()

    endpoint.on_request = hold
    with ThreadPoolExecutor() as pool:
        first = pool.submit(evaluate, SMALL, ["openai:fake"], there, consent=agreed, preflight=False)
        assert held.wait(60)
        second = pool.submit(
            evaluate, SMALL, ["openai:fake"], there, consent=agreed, preflight=False, on_progress=listen
        )
        one, two = first.result(60), second.result(60)
    assert "Waiting for another evaluation that encodes with openai:fake" in said
    assert one.candidates[0].metrics == two.candidates[0].metrics
    assert (one.candidates[0].encoded_texts, two.candidates[0].encoded_texts) == (5, 0)
    assert len(endpoint.texts) == 5


# ---------------------------------------------------------------- consent


@pytest.fixture
def endpoint():
    with FakeEmbeddings() as server:
        yield server


def test_no_text_leaves_without_consent(workspace, endpoint):
    there = replace(workspace, openai_base_url=endpoint.base_url)
    host = endpoint.url.removeprefix("http://")
    with pytest.raises(ConsentNeeded, match=f"would send your texts to {host}"):
        evaluate(SMALL, ["openai:fake"], there)
    with pytest.raises(ConsentNeeded):
        evaluate(SMALL, ["openai:fake"], there, consent=Consent(measure=True, hosts=frozenset({"api.openai.com"})))
    assert not endpoint.requests
    found = evaluate(SMALL, ["openai:fake"], there, consent=Consent(hosts=frozenset({host})))
    assert found.candidates[0].primary_mean == 1.0
    assert found.candidates[0].tokens == sum(len(t.split()) for t in endpoint.texts)
    assert set(endpoint.texts) == {*SMALL.documents.values(), *SMALL.queries.values()}, "and no other text than theirs"


def test_what_is_measured_needs_no_consent_again(workspace, endpoint):
    there = replace(workspace, openai_base_url=endpoint.base_url)
    agreed = Consent(hosts=frozenset({endpoint.url.removeprefix("http://")}))
    before = evaluate(SMALL, ["openai:fake"], there, consent=agreed)
    asked = len(endpoint.requests)
    again = evaluate(SMALL, ["openai:fake"], there, consent=agreed)
    assert again.candidates[0].metrics == before.candidates[0].metrics
    assert len(endpoint.requests) == asked


def test_an_endpoint_that_fails_is_a_failed_candidate(workspace, endpoint, monkeypatch):
    monkeypatch.setattr("tools.encoders.openai.MAX_RETRIES", 0)
    endpoint.instead = [(401, {}, b"{}")] * 4  # preflight and measurement, twice
    there = replace(workspace, openai_base_url=endpoint.base_url)
    agreed = Consent(hosts=frozenset({endpoint.url.removeprefix("http://")}))
    found = evaluate(SMALL, ["openai:fake", "bm25"], there, consent=agreed)
    assert [f.spec for f in found.failed] == ["openai:fake"]
    with pytest.raises(ProviderError):
        evaluate(SMALL, ["openai:fake"], there, consent=agreed)


def test_a_download_waits_for_consent_and_is_then_used(tmp_path, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    hub._answers.cache_clear()
    folder = make_static(tmp_path / "static")
    files = {p.name: p.read_bytes() for p in folder.iterdir()}
    with FakeHub({"org/static": files}) as server:
        workspace = Workspace(home=tmp_path / "home", hub_cache=tmp_path / "cache", hub_endpoint=server.url)
        with pytest.raises(ConsentNeeded, match="has to be downloaded first"):
            evaluate(SMALL, ["static:org/static"], workspace)
        assert not server.fetched
        found = evaluate(SMALL, ["static:org/static"], workspace, consent=Consent(download=True))
    assert found.candidates[0].revision == FakeHub.COMMIT
    assert found.candidates[0].primary_mean == 1.0
