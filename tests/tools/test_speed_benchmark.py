"""Speed: the arithmetic by an injected clock, and real runs in children whose figures only have to be sane."""

import random
from dataclasses import replace

import numpy as np
import pytest

from knowledge.candidate import parse_candidate
from knowledge.dataset import Dataset, content_hash
from knowledge.errors import ConsentNeeded, DatasetError, ResourceError, SpecError, UserError
from knowledge.results import Benchmark, DatasetSummary
from tests.fake_http import FakeEmbeddings, FakeHub
from tests.tiny_models import make_st, make_static
from tools import encoders, hardware, hub, speed
from tools.benchmark import benchmark
from tools.run_store import RunStore
from tools.workspace import Workspace

DOCUMENTS = {f"d{i}": f"the cat number {i} in the sea" for i in range(100)}
QUERIES = {f"q{i}": f"cat {i}" for i in range(5)}


def make_dataset(documents=DOCUMENTS, queries=QUERIES):
    summary = DatasetSummary(
        name="test",
        path="",
        hash=content_hash(documents, queries, {}),
        format="beir",
        documents=len(documents),
        queries=len(queries),
        judgments=0,
    )
    return Dataset(summary, dict(documents), dict(queries))


@pytest.fixture
def workspace(tmp_path):
    return Workspace(home=tmp_path / "home", offline=True)


@pytest.fixture
def static(tmp_path):
    return f"static:{make_static(tmp_path / 'static')}"


class Clock:
    """Time that passes only while the encoder works: one second a call and a tenth a text."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def measure(spec, workspace, monkeypatch, *, documents=20, repeats=10, seconds=1.0, pace=lambda texts, call: 1.0):
    clock = Clock()
    calls = []

    class Paced:
        """A real encoder whose calls take the time a test says."""

        def __init__(self, real):
            self._real = real

        def embed(self, texts, *, kind, batch_size=32):
            clock.now += pace(texts, len(calls))
            calls.append((len(texts), kind, batch_size))
            return self._real.embed(texts, kind=kind, batch_size=batch_size)

    load = encoders.load
    monkeypatch.setattr(encoders, "load", lambda resolved, workspace=None: Paced(load(resolved, workspace)))
    candidate = parse_candidate(spec)
    resolved = {leg.spec: encoders.resolve(leg, workspace) for leg in candidate.legs if leg.backend != "bm25"}
    texts = list(DOCUMENTS.values())[:documents]
    found = speed.measure(candidate, resolved, texts, list(QUERIES.values()), repeats, seconds=seconds, clock=clock)
    return found, calls


def test_percentiles_leave_the_warm_up_out(static, workspace, monkeypatch):
    def pace(texts, call):  # call 0 warms up, 1 indexes, then three queries are thrown away and ten are timed
        return {0: 2.0, 1: 5.0}.get(call, 100.0 if call < 5 else (call - 4) / 1000 if call < 15 else 1.0)

    found, calls = measure(static, workspace, monkeypatch, pace=pace, seconds=0.01)
    timed = [float(i) for i in range(1, 11)]
    for key in ("query", "encode"):
        assert found[f"{key}_p50_ms"] == pytest.approx(np.percentile(timed, 50))
        assert found[f"{key}_p95_ms"] == pytest.approx(np.percentile(timed, 95))
    assert found["query_p99_ms"] == pytest.approx(np.percentile(timed, 99))
    assert (found["load_seconds"], found["repeats"]) == (2.0, 10)
    assert calls[:3] == [(1, "query", 32), (20, "document", 32), (1, "query", 32)]
    assert found["noise"] > 1


def test_the_quietest_round_counts_and_the_noise_is_told(static, workspace, monkeypatch):
    def pace(texts, call):  # the first round of thirteen queries is four times as slow as the two that follow
        return 0.04 if 2 <= call < 15 else 0.01

    found, _ = measure(static, workspace, monkeypatch, pace=pace, seconds=0.001)
    assert (found["query_p50_ms"], found["query_p95_ms"], found["noise"]) == (
        pytest.approx(10.0),
        pytest.approx(10.0),
        4.0,
    )


def test_throughput_is_that_of_the_best_batch_size(static, workspace, monkeypatch):
    """A second a call: 8 documents a second, or 20 where one batch takes them all."""
    found, _ = measure(static, workspace, monkeypatch, seconds=10.0)
    assert (found["documents_per_second"], found["best_batch"]) == (20.0, 32)
    small, _ = measure(static, workspace, monkeypatch, documents=5, seconds=10.0)
    assert (small["documents_per_second"], small["best_batch"]) == (5.0, 32)


def test_an_encoder_that_is_slower_with_large_batches(static, workspace, monkeypatch):
    found, _ = measure(static, workspace, monkeypatch, seconds=50.0, pace=lambda texts, call: len(texts) ** 2 / 64)
    assert (found["documents_per_second"], found["best_batch"]) == (pytest.approx(9.6, rel=0.1), 8)


def test_a_fusion_adds_up_its_legs(static, workspace, monkeypatch):
    single, _ = measure(static, workspace, monkeypatch)
    found, _ = measure(f"rrf(bm25, {static}?dim=8, {static})", workspace, monkeypatch)
    assert found["encode_p50_ms"] == 2 * single["encode_p50_ms"] == 2000.0
    assert found["bytes_per_vector"] > 32 * 4 + 8 * 4
    assert single["bytes_per_vector"] == 32 * 4


def test_bm25_encodes_nothing(workspace, monkeypatch):
    found, calls = measure("bm25", workspace, monkeypatch, seconds=0.0)
    assert not calls
    assert (found["encode_p50_ms"], found["encode_p95_ms"], found["best_batch"]) == (None, None, None)


def test_too_large_a_dimension_is_an_error_here_too(static, workspace, monkeypatch):
    with pytest.raises(SpecError, match="asks for 64 dimensions, but the model has 32"):
        measure(f"{static}?dim=64", workspace, monkeypatch)


# ---------------------------------------------------------------- real runs


def check_sane(candidate):
    assert 0 <= candidate.query_p50_ms <= candidate.query_p95_ms <= candidate.query_p99_ms
    assert candidate.documents_per_second > 0
    assert candidate.load_seconds >= 0
    assert 20 < candidate.peak_memory_mb < 20_000
    assert candidate.repeats == 5


def test_each_candidate_is_timed_in_a_child(workspace, static, tmp_path):
    st = f"st:{make_st(tmp_path / 'st')}?dim=16"
    progress = []
    found = benchmark(
        make_dataset(),
        [st, "bm25", f"rrf(bm25, {static})"],
        workspace,
        documents=20,
        repeats=5,
        seconds=0.05,
        on_progress=progress.append,
    )
    assert [c.spec for c in found.candidates] == [st, "bm25", f"rrf(bm25, {static})"]
    for candidate in found.candidates:
        check_sane(candidate)
    dense, lexical, fused = found.candidates
    assert dense.encode_p50_ms
    assert dense.encode_p50_ms <= dense.query_p50_ms
    assert (dense.bytes_per_vector, lexical.encode_p50_ms) == (64.0, None)
    assert fused.bytes_per_vector == pytest.approx(lexical.bytes_per_vector + 128, abs=0.2)
    assert dense.peak_memory_mb > lexical.peak_memory_mb + 50, "a process of its own: torch weighs only on its user"
    assert (found.documents, found.queries) == (20, 5)
    assert (progress[-1].done, progress[-1].total) == (3, 3)
    runs = RunStore(workspace.store)
    assert Benchmark.model_validate(runs.run(found.run_id)) == found
    runs.close()


def test_an_endpoint_is_timed_without_a_child(workspace):
    with FakeEmbeddings() as server:
        there = replace(workspace, openai_base_url=server.base_url)
        found = benchmark(make_dataset(), ["openai:fake"], there, documents=10, repeats=5, seconds=0.05)
    check_sane(found.candidates[0])
    assert found.candidates[0].bytes_per_vector == FakeEmbeddings.DIMENSION * 4


def test_failures_are_listed_and_the_others_go_on(workspace, static):
    found = benchmark(make_dataset(), ["st:org/gone", "bm25", f"{static}?dim=99"], workspace, repeats=5, seconds=0.01)
    assert [c.spec for c in found.candidates] == ["bm25"]
    assert [f.spec for f in found.failed] == ["st:org/gone", f"{static}?dim=99"]
    assert "has 32" in found.failed[1].reason.render()
    with pytest.raises(SpecError, match="has 32"):
        benchmark(make_dataset(), [f"{static}?dim=99"], workspace, repeats=5, seconds=0.01)


def test_a_model_that_is_only_on_the_hub_is_not_fetched(tmp_path, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    hub._answers.cache_clear()
    files = {p.name: p.read_bytes() for p in make_static(tmp_path / "static").iterdir()}
    with FakeHub({"org/static": files}) as server:
        workspace = Workspace(home=tmp_path / "home", hub_cache=tmp_path / "cache", hub_endpoint=server.url)
        with pytest.raises(ConsentNeeded, match="is not on this machine yet"):
            benchmark(make_dataset(), ["static:org/static"], workspace)
        assert not server.fetched


@pytest.mark.parametrize(
    ("documents", "queries"),
    [({"a": ""}, {}), ({"a": "x"}, {}), ({"a": "", "b": " \n"}, {"q": ""}), ({"猫": "猫在睡觉"}, {"问": "猫"})],
)
def test_odd_texts(workspace, documents, queries):
    found = benchmark(make_dataset(documents, queries), ["bm25"], workspace, repeats=5, seconds=0.01)
    check_sane(found.candidates[0])
    assert found.documents == len(documents)


def test_what_cannot_be_timed(workspace, tmp_path):
    with pytest.raises(DatasetError, match="has no documents"):
        benchmark(make_dataset({}, {}), ["bm25"], workspace)
    with pytest.raises(UserError, match="no candidate"):
        benchmark(make_dataset(), [], workspace)
    with pytest.raises(SpecError):
        benchmark(make_dataset(), ["bm25", "cohere:x"], workspace)
    (tmp_path / "file").write_text("")
    with pytest.raises(ResourceError, match="cannot be written"):
        benchmark(make_dataset(), ["bm25"], Workspace(home=tmp_path / "file"))


def test_this_machine():
    found = hardware.this_machine()
    assert found.cpu
    assert found.cores >= 1
    assert 0.1 < found.memory_gb < 100_000
    assert "Python 3." in found.platform
    assert hardware.memory_limit_bytes() > 2**26
    assert speed.peak_memory_mb() > 10


def test_runs_have_the_lengths_of_all():
    texts = ["x" * n for n in range(1, 10_001)]
    random.Random(0).shuffle(texts)
    runs = speed.runs_by_length(texts)
    assert len(runs) == speed.RUNS
    for run in runs:
        assert len(run) == speed.LONGEST_RUN
        assert max(map(len, run)) - min(map(len, run)) == len(run) - 1, "neighbours in the order of length"
    sampled = [len(text) for run in runs for text in run]
    assert sum(sampled) / len(sampled) == pytest.approx(5000, rel=0.02)
    few = speed.runs_by_length(texts[:11])
    assert sorted(text for run in few for text in run) == sorted(texts[:11])
    assert speed.runs_by_length(["a"]) == [["a"]]


def test_the_rate_of_a_corpus_is_that_of_all_its_lengths():
    """A text takes a millisecond a character; runs of unlike sizes count by the documents they stand for."""
    now = [0.0]

    class Leg:
        def embed(self, texts, batch_size):
            assert batch_size is None
            now[0] += sum(map(len, texts)) / 1000

    runs = [["x" * 100] * 3, ["x" * 10]]
    rate = speed._corpus_per_second({"leg": Leg()}, runs, 1e9, 1.0, lambda: now[0])
    assert rate == pytest.approx(4 / 0.31)
    rate = speed._corpus_per_second({"leg": Leg()}, [["x" * 100] * 50, ["x"] * 50], 0.0, 1.0, lambda: now[0])
    assert rate == pytest.approx(1 / (0.101 / 2))
