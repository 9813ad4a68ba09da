"""Representations already paid for, kept on disk by content as `tools.vector_cache` keeps vectors.

They differ in length, so they stand one after the other in a file of their own, and a vector cache keeps where each
begins and how long it is. They are on the disk before their places are: what a kill leaves of them is never found.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from filelock import FileLock, Timeout

from knowledge.errors import ResourceError, make_room
from knowledge.wording import say
from tools.encoders.base import Vectors
from tools.representations import Representation
from tools.vector_cache import LOCK_SECONDS, VectorCache

#: whole numbers up to this are exact in single precision; places are written as two of them
_EXACT = 2**24


class RepresentationCache:
    """The representations that one encoder makes with one prompt."""

    def __init__(self, root: Path, key: str) -> None:
        self._places = VectorCache(root, f"{key}-places")
        self._file = root / f"{key}-places" / "contents.bin"
        self._lock = root / f"{key}-contents.lock"

    def missing(self, texts: Sequence[str]) -> list[str]:
        """The texts that have none yet, each once, in order."""
        return self._places.missing(texts)

    def put(self, texts: Sequence[str], made: Sequence[Representation]) -> None:
        """Keep those of these texts.

        Raises:
            ResourceError: the disk is full or the folder cannot be written.
        """
        contents = [of.pack() for of in made]
        if not contents:
            return
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(self._lock, timeout=LOCK_SECONDS), self._file.open("ab") as file:
                start = file.seek(0, os.SEEK_END)
                file.write(b"".join(contents))
                file.flush()
                os.fsync(file.fileno())
        except (OSError, Timeout) as error:
            raise ResourceError(
                say(
                    "The vector cache {folder} cannot be written: {why}.", folder=str(self._file.parent), why=str(error)
                ),
                make_room(error),
            ) from error
        sizes = np.array([len(content) for content in contents], np.int64)
        starts = start + np.concatenate([[0], np.cumsum(sizes)[:-1]])
        self._places.put(texts, _written(starts, sizes))

    def get(self, texts: Sequence[str]) -> list[Representation]:
        """Those of these texts; raises KeyError for a text that has none."""
        if not len(texts):
            return []
        starts, sizes = _read(self._places.get(texts))
        found: list[Representation | None] = [None] * len(texts)
        with self._file.open("rb") as file:
            for at in np.argsort(starts, kind="stable").tolist():
                file.seek(starts[at])
                found[at] = Representation.unpack(file.read(sizes[at]))
        return [of for of in found if of is not None]


def _written(starts: np.ndarray, sizes: np.ndarray) -> Vectors:
    return np.stack([starts // _EXACT, starts % _EXACT, sizes // _EXACT, sizes % _EXACT], axis=1).astype(np.float32)


def _read(places: Vectors) -> tuple[list[int], list[int]]:
    whole = places.astype(np.int64)
    return (whole[:, 0] * _EXACT + whole[:, 1]).tolist(), (whole[:, 2] * _EXACT + whole[:, 3]).tolist()
