"""What an encoder that makes more than one vector of a text makes of it, and its form on disk."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

#: of the dense vector, the weights, the tokens and a token's vector: how many numbers follow
_HEADER = struct.Struct("<4I")


def _none() -> NDArray[np.float32]:
    return np.zeros(0, np.float32)


@dataclass(frozen=True)
class Representation:
    """The parts that an encoder makes of one text; those it does not make are empty.

    Attributes:
        dense: one vector of the whole text.
        ids: entries of the vocabulary that weigh something, ascending.
        weights: of these, each above 0.
        tokens: a vector for each token, shape (tokens, dimension); half precision, which changes a similarity by less
            than 0.001 and halves what has to be kept.
    """

    dense: NDArray[np.float32] = field(default_factory=_none)
    ids: NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, np.int32))
    weights: NDArray[np.float32] = field(default_factory=_none)
    tokens: NDArray[np.float16] = field(default_factory=lambda: np.zeros((0, 0), np.float16))

    @property
    def finite(self) -> bool:
        """Whether all of it are numbers."""
        return all(bool(np.isfinite(part).all()) for part in (self.dense, self.weights, self.tokens))

    def nbytes(self, parts: Sequence[str]) -> int:
        """Bytes of some of the parts, as an index would have to hold them."""
        sizes = {
            "dense": self.dense.nbytes,
            "sparse": self.ids.nbytes + self.weights.nbytes,
            "multi": self.tokens.nbytes,
        }
        return sum(sizes[part] for part in parts)

    def pack(self) -> bytes:
        """As bytes."""
        rows, width = self.tokens.shape
        return _HEADER.pack(len(self.dense), len(self.ids), rows, width) + b"".join(
            np.ascontiguousarray(part, kind).tobytes()
            for part, kind in ((self.dense, "<f4"), (self.ids, "<i4"), (self.weights, "<f4"), (self.tokens, "<f2"))
        )

    @classmethod
    def unpack(cls, content: bytes) -> Representation:
        """What `pack` wrote; raises ValueError for anything else."""
        if len(content) < _HEADER.size:
            raise ValueError("too short")
        dense, weights, rows, width = _HEADER.unpack_from(content)
        sizes = (4 * dense, 4 * weights, 4 * weights, 2 * rows * width)
        if len(content) != _HEADER.size + sum(sizes):
            raise ValueError("not of the size that it says")
        parts, at = [], _HEADER.size
        for size, kind in zip(sizes, ("<f4", "<i4", "<f4", "<f2"), strict=True):
            parts.append(np.frombuffer(content[at : at + size], kind))
            at += size
        return cls(parts[0], parts[1], parts[2], parts[3].reshape(rows, width))
