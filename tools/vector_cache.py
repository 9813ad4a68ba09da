"""Vectors already paid for, kept on disk by content: same text, same encoder, same prompt means same vector.

One folder per encoder and prompt (`Resolved.key`), in it one file of records of one size: checksum, hash of the text,
vector. Records are only ever appended, under a lock that processes share, and reach the disk before `put` returns, so a
kill costs at most the batch in flight: what it leaves of it fails its checksum and is as if it were not there. Read
through a memory map, a block at a time: only the hashes are held in memory (48 bytes a text), never the vectors.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from functools import lru_cache
from io import FileIO
from pathlib import Path
from typing import BinaryIO

import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from knowledge.errors import ProviderError, ResourceError, make_room
from knowledge.wording import say
from tools.encoders.base import Vectors

#: the file begins with these and the dimension
_MAGIC = b"vectors1"
_HEADER = len(_MAGIC) + 4
#: no encoder gives longer vectors
_LARGEST = 2**20
_NO_DIGESTS = np.zeros((0, 32), np.uint8)
#: bytes read at a time
_BLOCK = 2**23
#: a write takes milliseconds: who holds the lock for so long has been stopped
LOCK_SECONDS = 120.0


class VectorCache:
    """The vectors of one encoder with one prompt."""

    def __init__(self, root: Path, key: str) -> None:
        self._folder = root / key
        self._file = self._folder / "vectors.bin"
        # beside the folder, which holds nothing but vectors
        self._lock = root / f"{key}.lock"
        self._known: _Known | None = None
        self._take_over()

    def missing(self, texts: Sequence[str]) -> list[str]:
        """The texts that have no vector yet, each once, in order."""
        different = list(dict.fromkeys(texts))
        return [text for text, row in zip(different, self._find(different).tolist(), strict=True) if row < 0]

    def put(self, texts: Sequence[str], vectors: Vectors) -> None:
        """Keep the vectors of these texts.

        Raises:
            ResourceError: the disk is full or the folder cannot be written.
            ProviderError: the vectors are of another dimension than those already here.
        """
        if not len(texts):
            return
        records = _records(np.stack([np.frombuffer(_hash(text), np.uint8) for text in texts]), vectors)
        with self._writing() as file:
            self._append(file, records)

    def get(self, texts: Sequence[str]) -> Vectors:
        """Vectors of shape (len(texts), dimension); raises KeyError for a text that has none."""
        if not len(texts):
            return np.zeros((0, 0), np.float32)
        rows = self._find(texts)
        if (rows < 0).any():
            raise KeyError(texts[int(np.argmin(rows))])
        assert self._known
        # opened for this block only: pages that were read count as this process's memory while they are mapped
        kept = np.memmap(self._file, _record(self._known.dimension), "r", _HEADER, (self._known.records,))
        order = np.argsort(rows, kind="stable")
        found = np.empty((len(texts), self._known.dimension), np.float32)
        found[order] = kept["vector"][rows[order]]
        return found

    def _find(self, texts: Sequence[str]) -> NDArray[np.int64]:
        """Each text's place in the file; -1 where it has none."""
        self._known = _known(self._file)
        if self._known is None or not len(texts):
            return np.full(len(texts), -1, np.int64)
        return self._known.find(np.frombuffer(b"".join(map(_hash, texts)), np.uint8).reshape(-1, 32))

    @contextlib.contextmanager
    def _writing(self) -> Iterator[FileIO]:
        """The file, open for this process alone."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            # a fresh lock each time: one object would let two threads in at once
            with FileLock(self._lock, timeout=LOCK_SECONDS), self._file.open("a+b", buffering=0) as file:
                yield file
        except (OSError, Timeout) as error:
            raise ResourceError(
                say("The vector cache {folder} cannot be written: {why}.", folder=str(self._folder), why=str(error)),
                make_room(error),
            ) from error

    def _append(self, file: FileIO, records: NDArray[np.void]) -> None:
        dimension = records.dtype["vector"].shape[0]
        had = _dimension(file)
        if had is None:  # new, or killed before the first record
            file.truncate(0)
            end = 0
        elif had != dimension:
            raise ProviderError(
                say(
                    "The encoder gives vectors of {now} numbers; those kept in {folder} have {had}: it has changed.",
                    now=dimension,
                    had=had,
                    folder=str(self._folder),
                ),
                say("Remove that folder, or give the changed model a name of its own, and try again."),
            )
        else:
            whole, torn = divmod(os.fstat(file.fileno()).st_size - _HEADER, records.dtype.itemsize)
            end = _HEADER + whole * records.dtype.itemsize
            if torn:  # a killed writer's: what follows must lie on a record's boundary
                file.truncate(end)
        content = memoryview((_MAGIC + dimension.to_bytes(4, "little") if end == 0 else b"") + records.tobytes())
        try:
            while content:
                content = content[file.write(content) :]
            os.fsync(file.fileno())
        except OSError:
            with contextlib.suppress(OSError):
                file.truncate(end)
                if end == 0:
                    self._file.unlink()
            raise

    def _take_over(self) -> None:
        """Move what earlier versions kept, one archive a batch, into the file."""
        for path in sorted(self._folder.glob("*.npz")):
            found = _archived(path)
            if found is not None:
                with self._writing() as file:
                    self._append(file, _records(*found))
                path.unlink(missing_ok=True)


class _Known:
    """Which texts a file holds, and where."""

    def __init__(self, dimension: int, records: int, digests: NDArray[np.uint8], rows: NDArray[np.int64]) -> None:
        self.dimension, self.records = dimension, records
        beginnings = _beginnings(digests)
        order = np.argsort(beginnings, kind="stable")
        self._beginnings, self._digests, self._rows = beginnings[order], digests[order], rows[order]

    def find(self, digests: NDArray[np.uint8]) -> NDArray[np.int64]:
        found = np.full(len(digests), -1, np.int64)
        wanted = _beginnings(digests)
        at = np.searchsorted(self._beginnings, wanted)
        open_ = np.arange(len(digests))
        while True:  # once, and again only for different hashes that begin alike
            open_ = open_[at[open_] < len(self._beginnings)]
            open_ = open_[self._beginnings[at[open_]] == wanted[open_]]
            if not len(open_):
                return found
            same = (self._digests[at[open_]] == digests[open_]).all(axis=1)
            found[open_[same]] = self._rows[at[open_[same]]]
            open_ = open_[~same]
            at[open_] += 1


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def _beginnings(digests: NDArray[np.uint8]) -> NDArray[np.uint64]:
    found: NDArray[np.uint64] = np.ascontiguousarray(digests[:, :8]).view(np.uint64).ravel()
    return found


def _record(dimension: int) -> np.dtype[np.void]:
    return np.dtype([("check", "<u4"), ("digest", "u1", (32,)), ("vector", "<f4", (dimension,))])


def _records(digests: NDArray[np.uint8], vectors: Vectors) -> NDArray[np.void]:
    vectors = np.asarray(vectors, np.float32)
    records = np.empty(len(digests), _record(vectors.shape[1]))
    records["digest"], records["vector"] = digests, vectors
    records["check"] = _checksums(records)
    return records


def _checksums(records: NDArray[np.void]) -> list[int]:
    content, size = memoryview(records.tobytes()), records.dtype.itemsize
    return [zlib.crc32(content[at + 4 : at + size]) for at in range(0, len(content), size)]


def _dimension(file: BinaryIO | FileIO) -> int | None:
    """What a file's header says; None for one that is none of ours."""
    file.seek(0)
    header = file.read(_HEADER)
    dimension = int.from_bytes(header[len(_MAGIC) :], "little")
    ours = header[: len(_MAGIC)] == _MAGIC and len(header) == _HEADER and 0 < dimension <= _LARGEST
    return dimension if ours else None


def _known(path: Path) -> _Known | None:
    """What a file holds now; read again only when it has changed."""
    try:
        state = path.stat()
        return _scan(path, state.st_ino, state.st_size, state.st_mtime_ns)
    except OSError:
        return None


@lru_cache(maxsize=8)
def _scan(path: Path, inode: int, size: int, changed: int) -> _Known | None:
    digests, rows = [_NO_DIGESTS], [np.zeros(0, np.int64)]
    with path.open("rb") as file:
        dimension = _dimension(file)
        if dimension is None:
            return None
        record = _record(dimension)
        records = (size - _HEADER) // record.itemsize
        step = max(_BLOCK // record.itemsize, 1)
        for start in range(0, records, step):
            found = np.fromfile(file, record, min(step, records - start))
            sound = np.flatnonzero(found["check"] == np.array(_checksums(found), np.uint32))
            digests.append(found["digest"][sound])
            rows.append(start + sound)
    return _Known(dimension, records, np.concatenate(digests), np.concatenate(rows))


def _archived(path: Path) -> tuple[NDArray[np.uint8], Vectors] | None:
    """Hashes and vectors of an earlier version's file; None if it is damaged or foreign."""
    try:
        # opened as a zip archive, so that nothing else (a pickle least of all) is ever read
        with zipfile.ZipFile(path) as archive, archive.open("hashes.npy") as h, archive.open("vectors.npy") as v:
            hashes = np.lib.format.read_array(h, allow_pickle=False)
            vectors = np.lib.format.read_array(v, allow_pickle=False)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None  # its texts are simply encoded again
    if hashes.dtype != np.uint8 or vectors.dtype != np.float32 or (hashes.ndim, vectors.ndim) != (2, 2):
        return None
    if hashes.shape[1] != 32 or len(hashes) != len(vectors) or not vectors.shape[1]:
        return None
    return hashes, vectors
