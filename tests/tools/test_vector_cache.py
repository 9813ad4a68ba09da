"""Vectors on disk by content: whole or not at all, and never paid for twice."""

import multiprocessing
import os
import pickle

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from knowledge.errors import ResourceError
from tools.vector_cache import VectorCache


def vectors_for(texts):
    """Different for different texts."""
    rows = [np.random.default_rng(list(t.encode("utf-8", "surrogatepass"))).normal(size=4) for t in texts]
    return np.array(rows, np.float32).reshape(len(texts), 4)


def test_what_was_put_comes_back_in_the_order_asked(tmp_path):
    cache = VectorCache(tmp_path, "key")
    texts = ["b", "a", "中文", "", "a\x00b", "\ud800"]
    assert cache.missing(texts) == texts
    cache.put(texts[:2], vectors_for(texts[:2]))
    cache.put(texts[2:], vectors_for(texts[2:]))
    for again in (cache, VectorCache(tmp_path, "key")):
        assert np.array_equal(again.get([*reversed(texts), "a"]), vectors_for([*reversed(texts), "a"]))
        assert again.missing([*texts, "new", "new"]) == ["new"]
        assert again.get(texts).dtype == np.float32


def test_a_text_without_vector_is_an_error_and_no_texts_are_none(tmp_path):
    with pytest.raises(KeyError):
        VectorCache(tmp_path, "key").get(["x"])
    assert len(VectorCache(tmp_path, "key").get([])) == 0


def test_encoders_and_prompts_have_caches_of_their_own(tmp_path):
    VectorCache(tmp_path, "one").put(["x"], vectors_for(["x"]))
    assert VectorCache(tmp_path, "two").missing(["x"]) == ["x"]


def test_a_later_put_of_another_process_is_seen(tmp_path):
    mine, other = VectorCache(tmp_path, "key"), VectorCache(tmp_path, "key")
    other.put(["x"], vectors_for(["x"]))
    assert np.array_equal(mine.get(["x"]), vectors_for(["x"]))


class Canary:
    def __reduce__(self):
        return (os.system, ("touch canary",))


@pytest.mark.parametrize("cut", [0, 1, 30, 200, -1, -30])
def test_damaged_files_are_as_if_they_were_not_there(tmp_path, cut):
    cache = VectorCache(tmp_path, "key")
    cache.put(["kept"], vectors_for(["kept"]))
    cache.put(["damaged"], vectors_for(["damaged"]))
    damaged = next(p for p in (tmp_path / "key").glob("*.npz") if VectorCacheOf(p, tmp_path).missing(["kept"]))
    damaged.write_bytes(damaged.read_bytes()[:cut])
    again = VectorCache(tmp_path, "key")
    assert again.missing(["kept", "damaged"]) == ["damaged"]
    again.put(["damaged"], vectors_for(["damaged"]))
    assert np.array_equal(again.get(["damaged"]), vectors_for(["damaged"]))


class VectorCacheOf(VectorCache):
    """A cache that sees one file."""

    def __init__(self, file, root):
        alone = root / f"alone-{file.stem}"
        alone.mkdir(exist_ok=True)
        (alone / file.name).write_bytes(file.read_bytes())
        super().__init__(root, alone.name)


def _npz(file, **arrays):
    np.savez(file, **arrays)


@pytest.mark.parametrize("what", ["pickle", "text", "npy", "object array", "lacks vectors", "lengths", "types", "bit"])
def test_foreign_files_are_ignored_and_never_unpickled(tmp_path, what, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cache = VectorCache(tmp_path, "key")
    cache.put(["x"], vectors_for(["x"]))
    file = next((tmp_path / "key").glob("*.npz"))
    hashes = np.zeros((1, 32), np.uint8)
    if what == "pickle":
        file.write_bytes(pickle.dumps(Canary()))
    elif what == "text":
        file.write_text("hello " * 100)
    elif what == "npy":
        with file.open("wb") as opened:
            np.save(opened, hashes)
    elif what == "object array":
        _npz(file, hashes=np.array([Canary()], dtype=object), vectors=np.zeros((1, 4), np.float32))
    elif what == "lacks vectors":
        _npz(file, hashes=hashes)
    elif what == "lengths":
        _npz(file, hashes=hashes, vectors=np.zeros((2, 4), np.float32))
    elif what == "types":
        _npz(file, hashes=hashes.astype(np.float64), vectors=np.zeros((1, 4), "U5"))
    else:
        content = bytearray(file.read_bytes())
        content[content.index(vectors_for(["x"]).tobytes()[:8])] ^= 1
        file.write_bytes(content)
    assert VectorCache(tmp_path, "key").missing(["x"]) == ["x"]
    assert not (tmp_path / "canary").exists()


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ResourceError, match="file"):
        VectorCache(tmp_path / "file", "key").put(["x"], vectors_for(["x"]))


def test_a_full_disk_leaves_nothing_half_written(tmp_path, monkeypatch):
    cache = VectorCache(tmp_path, "key")

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ResourceError, match="No space left on device"):
        cache.put(["x"], vectors_for(["x"]))
    assert not list((tmp_path / "key").iterdir())


def _fill(root, name):
    cache = VectorCache(root, "key")
    for i in range(20):
        texts = [f"shared {i}", f"{name} {i}"]
        cache.put(texts, vectors_for(texts))


def test_two_processes_write_at_once(tmp_path):
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_fill, args=(tmp_path, name)) for name in ("one", "two")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
        assert writer.exitcode == 0
    texts = [f"{name} {i}" for name in ("shared", "one", "two") for i in range(20)]
    cache = VectorCache(tmp_path, "key")
    assert not cache.missing(texts)
    assert np.array_equal(cache.get(texts), vectors_for(texts))


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(st.text(alphabet=st.characters(), max_size=20), min_size=1, max_size=8, unique=True))
def test_any_text_has_a_place_of_its_own(tmp_path, texts):
    cache = VectorCache(tmp_path, os.urandom(8).hex())
    cache.put(texts, vectors_for(texts))
    assert np.array_equal(cache.get(texts), vectors_for(texts))
