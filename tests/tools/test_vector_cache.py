"""Vectors on disk by content: whole or not at all, and never paid for twice."""

import hashlib
import multiprocessing
import os
import pickle

import numpy as np
import pytest
from filelock import FileLock
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from knowledge.errors import ProviderError, ResourceError
from tools import vector_cache
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


FILE = "vectors.bin"


@pytest.mark.parametrize(
    ("cut", "lost"),
    [(0, "both"), (1, "both"), (11, "both"), (12, "both"), (30, "both"), (-1, "last"), (-30, "last"), (-52, "last")],
)
def test_what_a_killed_writer_left_is_as_if_it_were_not_there(tmp_path, cut, lost):
    cache = VectorCache(tmp_path, "key")
    cache.put(["first"], vectors_for(["first"]))
    cache.put(["last"], vectors_for(["last"]))
    file = tmp_path / "key" / FILE
    file.write_bytes(file.read_bytes()[:cut])
    again = VectorCache(tmp_path, "key")
    assert again.missing(["first", "last"]) == (["first", "last"] if lost == "both" else ["last"])
    for text in ("last", "first"):
        again.put([text], vectors_for([text]))
    assert np.array_equal(VectorCache(tmp_path, "key").get(["first", "last"]), vectors_for(["first", "last"]))


@pytest.mark.parametrize("place", ["check", "hash", "vector"])
def test_a_flipped_bit_costs_one_vector(tmp_path, place):
    cache = VectorCache(tmp_path, "key")
    cache.put(["a", "b", "c"], vectors_for(["a", "b", "c"]))
    file = tmp_path / "key" / FILE
    content = bytearray(file.read_bytes())
    second = content.index(vectors_for(["b"]).tobytes()) - 36
    content[second + {"check": 0, "hash": 4, "vector": 40}[place]] ^= 1
    file.write_bytes(content)
    assert cache.missing(["a", "b", "c"]) == ["b"]
    cache.put(["b"], vectors_for(["b"]))
    assert np.array_equal(cache.get(["a", "b", "c"]), vectors_for(["a", "b", "c"]))


@pytest.mark.parametrize(
    "content", [b"", b"hello " * 100, pickle.dumps([1, 2]), b"vectors1\0\0\0\0", b"vectors1\xff" * 9]
)
def test_a_foreign_file_in_its_place_is_replaced(tmp_path, content):
    (tmp_path / "key").mkdir()
    (tmp_path / "key" / FILE).write_bytes(content)
    cache = VectorCache(tmp_path, "key")
    assert cache.missing(["x"]) == ["x"]
    cache.put(["x"], vectors_for(["x"]))
    assert np.array_equal(VectorCache(tmp_path, "key").get(["x"]), vectors_for(["x"]))


def test_hashes_that_begin_alike_are_told_apart(tmp_path, monkeypatch):
    monkeypatch.setattr(vector_cache, "_hash", lambda text: b"same bytes" + text.encode().rjust(22, b"."))
    cache = VectorCache(tmp_path, "key")
    texts = [f"text {i}" for i in range(9)]
    cache.put(texts[::2], vectors_for(texts[::2]))
    assert cache.missing(texts) == texts[1::2]
    assert np.array_equal(cache.get(texts[::2]), vectors_for(texts[::2]))


def test_an_endpoint_whose_vectors_have_grown_is_noticed(tmp_path):
    cache = VectorCache(tmp_path, "key")
    cache.put(["x"], vectors_for(["x"]))
    with pytest.raises(ProviderError, match=r"vectors of 7 numbers; those kept in .*key have 4"):
        cache.put(["y"], np.zeros((1, 7), np.float32))
    assert np.array_equal(cache.get(["x"]), vectors_for(["x"]))


# ---------------------------------------------------------------- what earlier versions wrote


class Canary:
    def __reduce__(self):
        return (os.system, ("touch canary",))


def _npz(file, texts, **arrays):
    hashes = np.frombuffer(b"".join(hashlib.sha256(t.encode()).digest() for t in texts), np.uint8).reshape(-1, 32)
    np.savez(file, **({"hashes": hashes, "vectors": vectors_for(texts)} | arrays))


def test_archives_of_earlier_versions_are_taken_over(tmp_path):
    folder = tmp_path / "key"
    folder.mkdir()
    for i in range(3):
        _npz(folder / f"{i}.npz", [f"text {i}", "shared"])
    texts = ["shared", *(f"text {i}" for i in range(3))]
    cache = VectorCache(tmp_path, "key")
    assert not cache.missing(texts)
    assert np.array_equal(cache.get(texts), vectors_for(texts))
    assert [path.name for path in folder.iterdir()] == [FILE]


@pytest.mark.parametrize("what", ["pickle", "text", "npy", "object array", "lengths", "types", "cut", "bit"])
def test_foreign_archives_are_ignored_and_never_unpickled(tmp_path, what, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "key" / "x.npz"
    file.parent.mkdir()
    _npz(file, ["x"])
    if what == "pickle":
        file.write_bytes(pickle.dumps(Canary()))
    elif what == "text":
        file.write_text("hello " * 100)
    elif what == "npy":
        with file.open("wb") as opened:
            np.save(opened, np.zeros((1, 32), np.uint8))
    elif what == "object array":
        _npz(file, ["x"], hashes=np.array([Canary()], dtype=object))
    elif what == "lengths":
        _npz(file, ["x"], vectors=np.zeros((2, 4), np.float32))
    elif what == "types":
        _npz(file, ["x"], vectors=np.zeros((1, 4), "U5"))
    elif what == "cut":
        file.write_bytes(file.read_bytes()[:-30])
    else:
        content = bytearray(file.read_bytes())
        content[content.index(vectors_for(["x"]).tobytes()[:8])] ^= 1
        file.write_bytes(content)
    assert VectorCache(tmp_path, "key").missing(["x"]) == ["x"]
    assert not (tmp_path / "canary").exists()


# ---------------------------------------------------------------- disks and processes


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
    monkeypatch.undo()
    cache.put(["x"], vectors_for(["x"]))
    before = (tmp_path / "key" / FILE).read_bytes()
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ResourceError, match="No space left on device"):
        cache.put(["y"], vectors_for(["y"]))
    assert (tmp_path / "key" / FILE).read_bytes() == before


def test_a_writer_that_was_stopped_does_not_stop_the_others_for_ever(tmp_path, monkeypatch):
    monkeypatch.setattr(vector_cache, "LOCK_SECONDS", 0.1)
    with FileLock(tmp_path / "key.lock"), pytest.raises(ResourceError, match="key"):
        VectorCache(tmp_path, "key").put(["x"], vectors_for(["x"]))


def _fill_and_die(root):
    cache = VectorCache(root, "key")
    for i in range(10**6):
        cache.put([f"text {i}"], vectors_for([f"text {i}"]))


def test_killed_while_writing_all_that_was_written_is_found(tmp_path):
    context = multiprocessing.get_context("spawn")
    for _ in range(3):
        victim = context.Process(target=_fill_and_die, args=(tmp_path,))
        victim.start()
        before = VectorCache(tmp_path, "key").get(["text 0"]) if (tmp_path / "key" / FILE).exists() else None
        size = (tmp_path / "key" / FILE).stat().st_size if before is not None else 0
        while not (tmp_path / "key" / FILE).exists() or (tmp_path / "key" / FILE).stat().st_size < size + 500:
            assert victim.is_alive()
        victim.kill()
        victim.join()
    cache = VectorCache(tmp_path, "key")
    found = [text for text in (f"text {i}" for i in range(9)) if not cache.missing([text])]
    assert len(found) == 9
    assert np.array_equal(cache.get(found), vectors_for(found))


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
