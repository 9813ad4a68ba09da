"""Milvus against exact search in NumPy, and what it leaves behind."""

import socket
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest

from knowledge.errors import ProviderError, ResourceError
from tools import vector_store
from tools.encoders import cut
from tools.vector_store import PREFIX, VectorStore
from tools.workspace import Workspace


def unit(rng, count, dimension):
    return cut(rng.normal(size=(count, dimension)).astype(np.float32), None)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    with VectorStore(Workspace(home=tmp_path_factory.mktemp("home"))) as opened:
        yield opened


def check_exact(store, documents, queries, k):
    """The same scores as by hand, and rows that have these scores (ties may come in any order)."""
    exact = queries.astype(np.float64) @ documents.T.astype(np.float64)
    with store.collection(documents) as collection:
        rows, scores = collection.search(queries, k)
    depth = min(k, len(documents))
    assert rows.shape == scores.shape == (len(queries), depth)
    assert np.allclose(scores, -np.sort(-exact, axis=1)[:, :depth], atol=1e-5)
    assert np.allclose(np.take_along_axis(exact, rows, axis=1), scores, atol=1e-5)
    assert all(len(set(row)) == depth for row in rows.tolist())
    return rows


@pytest.mark.parametrize(
    ("documents", "queries", "dimension", "k"),
    [(300, 130, 48, 10), (5, 3, 8, 100), (1, 2, 8, 10), (40, 1, 1024, 40), (30, 5, 2, 10), (1, 1, 4, 1)],
)
def test_the_answer_is_that_of_exact_search(store, documents, queries, dimension, k):
    rng = np.random.default_rng(documents)
    found, asked = unit(rng, documents, dimension), unit(rng, queries, dimension)
    rows = check_exact(store, found, asked, k)
    if documents == 300:
        assert np.array_equal(rows, np.argsort(-(asked @ found.T), axis=1)[:, :k])


def test_cut_vectors(store):
    rng = np.random.default_rng(5)
    documents, queries = (cut(unit(rng, n, 64), 16) for n in (100, 7))
    check_exact(store, documents, queries, 10)


def test_ties_duplicates_and_zero_vectors(store):
    rng = np.random.default_rng(3)
    documents = unit(rng, 20, 8)
    documents[5:10] = documents[0]
    documents[19] = 0
    queries = np.vstack([documents[:3], np.zeros((1, 8), np.float32)])
    rows = check_exact(store, documents, queries, 20)
    assert set(rows[0][:6]) == {0, 5, 6, 7, 8, 9}


def test_vectors_that_are_not_of_unit_length(store):
    rng = np.random.default_rng(4)
    check_exact(store, rng.normal(size=(50, 8)).astype(np.float32) * 3, unit(rng, 4, 8), 10)


def test_more_rows_than_one_insert(store, monkeypatch):
    monkeypatch.setattr(vector_store, "INSERT_ROWS", 7)
    monkeypatch.setattr(vector_store, "SEARCH_QUERIES", 3)
    rng = np.random.default_rng(6)
    check_exact(store, unit(rng, 30, 8), unit(rng, 10, 8), 5)


def test_collections_end_with_their_block_even_after_a_failure(store):
    vectors = unit(np.random.default_rng(0), 3, 4)
    store._client.create_collection("somebody_elses", dimension=4)
    inside = []

    def fail():
        with store.collection(vectors):
            inside.extend(store._client.list_collections())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert len(inside) == 2
    assert any(name.startswith(PREFIX) for name in inside)
    assert store._client.list_collections() == ["somebody_elses"], "only our own are dropped"
    store._client.drop_collection("somebody_elses")


def test_milvus_own_errors_are_a_providers_failure(store):
    with pytest.raises(ProviderError, match="Milvus failed"), store.collection(np.zeros((2, 4), np.float32)) as found:
        found.search(np.zeros((1, 5), np.float32), 1)


def test_nothing_is_left_and_two_stores_live_side_by_side(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    rng = np.random.default_rng(1)
    with VectorStore(Workspace(home=tmp_path)) as one, VectorStore(Workspace(home=tmp_path)) as two:
        first, second = unit(rng, 10, 8), unit(rng, 12, 8)
        with one.collection(first) as a, two.collection(second) as b:
            assert a.search(first, 1)[0].ravel().tolist() == list(range(10))
            assert b.search(second, 1)[0].ravel().tolist() == list(range(12))
        assert len(list(tmp_path.glob(PREFIX + "*"))) == 2
    assert not list(tmp_path.iterdir())


def test_no_room_for_milvus_lite(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    with pytest.raises(ResourceError, match="No temporary folder"):
        VectorStore(Workspace(home=tmp_path))


@pytest.mark.parametrize("silent", [False, True])
def test_a_server_that_is_not_there_is_noticed(tmp_path, silent, monkeypatch):
    """Nobody listens, or somebody who never answers."""
    monkeypatch.setattr(vector_store, "CONNECT_SECONDS", 1.0)
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    if silent:
        listener.listen()
    uri = f"http://127.0.0.1:{listener.getsockname()[1]}"
    begun = time.monotonic()
    with pytest.raises(ProviderError) as failure:
        VectorStore(Workspace(home=tmp_path, milvus_uri=uri))
    assert time.monotonic() - begun < 20
    listener.close()
    assert uri in failure.value.cause.render()
    assert "MILVUS_URI" in failure.value.next_step.render()


@pytest.mark.parametrize("uri", ["nonsense://x", "http://", "127.0.0.1", "", "http://127.0.0.1:port", "/proc/x/y.db"])
def test_a_nonsensical_address(tmp_path, uri, monkeypatch):
    monkeypatch.setattr(vector_store, "CONNECT_SECONDS", 1.0)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ProviderError, match="cannot be opened"):
        VectorStore(Workspace(home=tmp_path, milvus_uri=uri))
    assert not list(Path.cwd().iterdir())
