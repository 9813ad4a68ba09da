"""Vectors already paid for, kept on disk by content: same text, same encoder, same prompt means same vector.

One folder per encoder and prompt (`Resolved.key`), in it one ``.npz`` file per batch written. A file appears whole or
not at all (written aside, then renamed), each under a name of its own, so a kill costs at most the batch in flight and
two processes never get in each other's way.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import uuid
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from knowledge.errors import ResourceError
from knowledge.wording import say
from tools.encoders.base import Vectors


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


class VectorCache:
    """The vectors of one encoder with one prompt."""

    def __init__(self, root: Path, key: str) -> None:
        self._folder = root / key
        self._read: set[str] = set()
        self._where: dict[bytes, tuple[Vectors, int]] = {}
        self._refresh()

    def missing(self, texts: Sequence[str]) -> list[str]:
        """The texts that have no vector yet, each once, in order."""
        return [t for t in dict.fromkeys(texts) if _hash(t) not in self._where]

    def put(self, texts: Sequence[str], vectors: Vectors) -> None:
        """Keep the vectors of these texts.

        Raises:
            ResourceError: the disk is full or the folder cannot be written.
        """
        hashes = np.frombuffer(b"".join(map(_hash, texts)), dtype=np.uint8).reshape(len(texts), 32)
        name = uuid.uuid4().hex
        unfinished = self._folder / f".{name}.tmp"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with unfinished.open("wb") as file:
                np.savez(file, hashes=hashes, vectors=np.asarray(vectors, np.float32))
                file.flush()
                os.fsync(file.fileno())
            unfinished.rename(self._folder / f"{name}.npz")
        except OSError as error:
            with contextlib.suppress(OSError):
                unfinished.unlink()
            raise ResourceError(
                say("The vector cache {folder} cannot be written: {why}.", folder=str(self._folder), why=str(error)),
                say("Free some disk space or set ADVISOR_HOME to another folder, and run the same command again."),
            ) from error

    def get(self, texts: Sequence[str]) -> Vectors:
        """Vectors of shape (len(texts), dimension); raises KeyError for a text that has none."""
        self._refresh()
        rows = [self._where[_hash(t)] for t in texts]
        return np.stack([vectors[row] for vectors, row in rows]) if rows else np.zeros((0, 0), np.float32)

    def _refresh(self) -> None:
        if not self._folder.is_dir():
            return
        for path in sorted(self._folder.glob("*.npz")):
            if path.name in self._read:
                continue
            self._read.add(path.name)
            for row, (digest, vectors) in enumerate(_entries(path)):
                self._where[digest] = (vectors, row)


def _entries(path: Path) -> list[tuple[bytes, Vectors]]:
    """What one file holds: each text's hash, and the array in which its row is its vector; nothing if it is damaged."""
    try:
        # opened as a zip archive, so that nothing else (a pickle least of all) is ever read
        with zipfile.ZipFile(path) as archive, archive.open("hashes.npy") as h, archive.open("vectors.npy") as v:
            hashes = np.lib.format.read_array(h, allow_pickle=False)
            vectors = np.lib.format.read_array(v, allow_pickle=False)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return []  # its texts are simply encoded again
    if hashes.dtype != np.uint8 or vectors.dtype != np.float32 or (hashes.ndim, vectors.ndim) != (2, 2):
        return []
    if hashes.shape[1] != 32 or len(hashes) != len(vectors):
        return []
    return [(digest.tobytes(), vectors) for digest in hashes]
