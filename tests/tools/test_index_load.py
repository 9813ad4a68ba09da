"""Searches a second against recall: recall is the index's, copies lie apart like neighbours, clients ask in turn."""

import itertools
import os

import numpy as np
import pytest

from knowledge.candidate import parse_candidate
from knowledge.errors import ConsentNeeded, ResourceError, SpecError
from tests.animals import write_dataset
from tools import index_load as sweeping
from tools.datasets import read_dataset
from tools.index_load import Enlarged, closed_loop, index_load
from tools.workspace import Workspace

LEG = parse_candidate("static:wordllama?dim=64")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return Workspace(home=tmp_path_factory.mktemp("home"), offline=True)


@pytest.fixture(scope="module")
def animals(tmp_path_factory):
    return read_dataset(write_dataset(tmp_path_factory.mktemp("data") / "animals"))


@pytest.fixture(scope="module")
def swept(home, animals):
    return index_load(LEG, animals, home, vectors=600, kinds=("flat", "ivf_flat"), concurrency=(1, 2), seconds=0.1)


def test_comparing_all_finds_all_and_probing_more_lists_finds_more(swept):
    flat = [point for point in swept.points if point.kind == "flat"]
    assert {point.recall for point in flat} == {1.0}
    by_probes = {p.parameters["nprobe"]: p.recall for p in swept.points if p.kind == "ivf_flat"}
    assert by_probes[1] < by_probes[8] <= by_probes[32] == 1.0, "15 lists: 32 probes look at every one"
    assert [point.concurrency for point in flat] == [1, 2]


def test_the_figures_belong_together(swept):
    assert (swept.vectors, swept.real, swept.dimension, swept.lite) == (600, 30, 64, True)
    for point in swept.points:
        assert point.qps > 0
        assert point.p50_ms <= point.p95_ms <= point.p99_ms
    assert swept.fastest(0.999).recall >= 0.999
    notes = " ".join(note.render() for note in swept.notes)
    assert "570 of 600 vectors are copies" in notes
    assert "Milvus Lite" in notes


def test_copies_are_moved_by_the_distance_to_a_neighbour_and_the_same_each_time():
    real = np.random.default_rng(0).normal(size=(40, 16)).astype(np.float32)
    real /= np.linalg.norm(real, axis=1, keepdims=True)
    enlarged = Enlarged.of(real, 100, unit=True)
    first, again = (np.vstack(list(enlarged.parts())) for _ in range(2))
    assert (first == again).all()
    assert (first[:40] == real).all()
    assert np.allclose(np.linalg.norm(first, axis=1), 1, atol=1e-5)
    moved = np.linalg.norm(first[40:80] - real, axis=1)
    assert 0.4 * enlarged.by < np.median(moved) < 1.2 * enlarged.by
    assert enlarged.by > 0.1


def test_clients_ask_one_after_another_until_the_time_is_over():
    asked = []

    class Searched:
        def search(self, queries, k):
            asked.append(float(queries[0, 0]))

    ticks = itertools.count()
    took, wall = closed_loop(Searched(), np.arange(3, dtype=np.float32)[:, None], 1, 10.0, lambda: next(ticks))
    assert asked == [0, 1, 2, 0, 1], "two ticks a search"
    assert took == [1000.0] * 5
    assert wall >= 10


def test_what_holds_no_index_or_too_much_is_refused(home, animals, monkeypatch):
    with pytest.raises(SpecError, match="does not make one vector"):
        index_load(parse_candidate("bm25"), animals, home)
    monkeypatch.setattr("tools.vector_store.LITE_BYTES", 1)
    with pytest.raises(ResourceError) as caught:
        index_load(LEG, animals, home, kinds=("flat",))
    assert "MILVUS_URI" in caught.value.next_step.render()


@pytest.mark.integration
def test_on_a_server(home, animals):
    """With ADVISOR_TEST_MILVUS naming a Milvus server: PyPI's milvus carries one, in an environment of its own."""
    uri = os.environ.get("ADVISOR_TEST_MILVUS")
    if not uri:
        pytest.skip("ADVISOR_TEST_MILVUS names no server")
    there = Workspace(home=home.home, offline=True, milvus_uri=uri)
    found = index_load(LEG, animals, there, vectors=2000, concurrency=(1, 4), seconds=0.3)
    assert not found.lite
    assert {point.recall for point in found.points if point.kind == "flat"} == {1.0}
    assert {point.kind for point in found.points} == set(sweeping.SWEPT)


def test_no_text_goes_to_an_endpoint_without_consent(home, animals):
    with pytest.raises(ConsentNeeded, match=r"would send your texts to api\.openai\.com"):
        index_load(parse_candidate("openai:text-embedding-3-small"), animals, home)


def test_ctrl_c_keeps_the_points_that_were_measured(home, animals, monkeypatch):
    asked = iter([None, None])

    def one_more(*args):
        if next(asked, "over") == "over":
            raise KeyboardInterrupt
        return [1.0], 0.5

    monkeypatch.setattr(sweeping, "closed_loop", one_more)
    found = index_load(LEG, animals, home, kinds=("flat",), concurrency=(1, 2, 4))
    assert (found.ended, [point.concurrency for point in found.points]) == (True, [1, 2])
    assert "you ended it" in " ".join(map(str, found.notes))
    with pytest.raises(KeyboardInterrupt):
        index_load(LEG, animals, home, kinds=("flat",), concurrency=(1,))
