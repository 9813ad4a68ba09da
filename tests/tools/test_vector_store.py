"""Milvus against exact search in NumPy, and what it leaves behind."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest

from knowledge.errors import ProviderError, ResourceError
from tools import milvus_collection, vector_store, workers
from tools.encoders import cut
from tools.milvus_collection import Form
from tools.setups import Index
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
    monkeypatch.setattr(milvus_collection, "SEARCH_QUERIES", 3)
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


# ---------------------------------------------------------------- what Milvus Lite and its disk have done to others


def test_a_milvus_that_ranks_otherwise_is_not_trusted(tmp_path, monkeypatch):
    """Lite 3.0 returned 1 - cosine; a version that takes IP for COSINE would look right on vectors of unit length."""
    from milvus_lite.search import distance

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(distance, "ip_distance", distance.cosine_distance)
    with pytest.raises(ProviderError, match="does not rank by inner product"):
        VectorStore(Workspace(home=tmp_path))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("index", "metric"), [("FLAT", "COSINE"), ("IVF_RABITQ", "IP"), ("HNSW", "IP")])
def test_another_index_than_was_asked_for_is_noticed(store, index, metric):
    """Lite takes names of indexes that it does not have (IVF_RABITQ), and says that they are finished."""
    from pymilvus import DataType

    schema = store._client.create_schema(auto_id=False)
    schema.add_field("row", DataType.INT64, is_primary=True)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=4)
    params = store._client.prepare_index_params()
    params.add_index("vector", index_type=index, metric_type=metric)
    store._client.create_collection("other", schema=schema, index_params=params)
    with pytest.raises(ProviderError, match="where FLAT, IP was asked for"):
        store._check_index("other", Form.of("float32", None, 1))
    store._client.drop_collection("other")


def test_a_disk_without_room_is_named_before_anything_is_written(store, monkeypatch):
    usage = shutil.disk_usage(tempfile.gettempdir())
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage._replace(free=2**20))
    with pytest.raises(ResourceError, match="where 1 MB are free"), store.collection(np.zeros((4000, 64), np.float32)):
        pass
    assert not store._client.list_collections()


def test_a_disk_that_fills_up_meanwhile_is_an_error_and_not_a_wrong_answer(tmp_path):
    """Files of this process may not grow beyond a few kilobytes: what a full disk is like."""
    script = f"""
        import resource, sys, tempfile
        from pathlib import Path
        import numpy as np
        from knowledge.errors import AdvisorError
        from tools.vector_store import VectorStore
        from tools.workspace import Workspace
        tempfile.tempdir = {str(tmp_path)!r}
        with VectorStore(Workspace(home=Path(tempfile.tempdir))) as store:
            resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
            try:
                with store.collection(np.ones((5000, 64), np.float32)) as found:
                    found.search(np.ones((1, 64), np.float32), 10)
            except AdvisorError as error:
                print(type(error).__name__, error.cause)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        capture_output=True,
        text=True,
        env=workers.child_environment(),
        timeout=120,
        check=False,
    )
    assert done.stdout.startswith("ProviderError Milvus failed"), done.stdout + done.stderr
    assert not list(tmp_path.iterdir())


HOLD = """
import sys, tempfile, time
from pathlib import Path
from tools.vector_store import VectorStore
from tools.workspace import Workspace
tempfile.tempdir = sys.argv[1]
import numpy as np
store = VectorStore(Workspace(home=Path(tempfile.tempdir)))
with store.collection(np.ones((50, 4), np.float32)):
    print("open", flush=True)
    time.sleep(60)
"""


def test_what_a_killed_process_left_is_removed_and_what_a_living_one_has_is_not(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    victim = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, env=workers.child_environment()
    )
    assert victim.stdout.readline() == b"open\n"
    (theirs,) = tmp_path.iterdir()
    (tmp_path / f"{PREFIX}of_somebody_else").mkdir()
    with VectorStore(Workspace(home=tmp_path)):
        assert theirs.is_dir()
    assert theirs.is_dir()
    victim.kill()
    victim.wait()
    victim.stdout.close()
    with VectorStore(Workspace(home=tmp_path)):
        assert not theirs.exists()
    assert [path.name for path in tmp_path.iterdir()] == [f"{PREFIX}of_somebody_else"]


def test_how_much_milvus_lite_is_given(store, tmp_path, monkeypatch):
    assert store.holds(5_183, 384)
    assert store.holds(40_000, 384)
    assert not store.holds(100_000, 384)
    monkeypatch.setattr(store, "_folder", None)
    assert store.holds(10**8, 384), "a server takes any number"


def test_what_a_kill_left_without_its_owners_mark_is_removed_once_it_is_old(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    old, new = (tmp_path / f"{PREFIX}{name}" for name in ("old", "new"))
    for folder in (old, new):
        (folder / "milvus.db").mkdir(parents=True)
    past = time.time() - 2 * vector_store.UNOWNED_SECONDS
    os.utime(old, (past, past))
    with VectorStore(Workspace(home=tmp_path / "home")):
        assert not old.exists()
        assert new.exists(), "somebody may be making it just now"


def recall(store, index, documents, queries, k=10):
    exact = np.argsort(-(queries @ documents.T), axis=1)[:, :k]
    with store.streamed([documents], len(documents), documents.shape[1], index=index) as collection:
        rows, _ = collection.search(queries, k)
    return float(
        np.mean([len(set(found) & set(right)) / k for found, right in zip(rows.tolist(), exact.tolist(), strict=True)])
    )


@pytest.fixture(scope="module")
def scattered():
    """Vectors without any structure: what is hardest for an index."""
    rng = np.random.default_rng(11)
    return unit(rng, 1500, 32), unit(rng, 40, 32)


@pytest.mark.parametrize(
    ("kind", "poor", "good"),
    [
        ("hnsw", {"m": 2, "ef_construction": 4, "ef": 10}, {"m": 16, "ef_construction": 100, "ef": 200}),
        ("ivf_flat", {"nlist": 50, "nprobe": 1}, {"nlist": 50, "nprobe": 50}),
        ("ivf_sq8", {"nlist": 50, "nprobe": 1}, {"nlist": 50, "nprobe": 50}),
    ],
)
def test_an_index_is_really_built_and_its_parameters_count(store, scattered, kind, poor, good):
    """Milvus Lite says that an index is finished and compares every vector, unless it is made in the right order."""
    few, many = (recall(store, Index(kind=kind, parameters=p), *scattered) for p in (poor, good))
    assert few < 0.7
    assert many > 0.95


def test_hnsw_finds_no_more_than_it_looks_at(store, scattered):
    documents, queries = scattered
    index = Index(kind="hnsw", parameters={"m": 8, "ef_construction": 20, "ef": 5})
    with store.streamed([documents[:200]], 200, 32, index=index) as collection:
        assert collection.search(queries, 50)[0].shape == (len(queries), 5)


def test_lite_has_float32_only(store):
    assert store.native("float32")
    assert not any(store.native(form) for form in ("float16", "int8", "binary"))
