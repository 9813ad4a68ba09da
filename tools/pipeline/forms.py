"""Vectors cut, and kept in fewer bits than float32; and what their inner product is then.

Every form is brought to values whose plain inner product orders documents as the form itself does: so a form that
Milvus cannot hold is searched exactly all the same, and a form that it can hold is given to it as it is.

``float16`` is rounded to half precision, queries too. ``int8`` has one scale a dimension: the largest magnitude of
that dimension over all documents becomes 127 (so the range is symmetric: Milvus's int8 vectors have no offset). A
query is multiplied by these scales, which leaves its inner products as they are, and rounded with one scale of its own.
``binary`` keeps the sign of each number; of vectors of plus and minus one the inner product is their length less twice
the Hamming distance.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Store = Literal["float32", "float16", "int8", "binary"]
Vectors = NDArray[np.float32]


_LARGEST_HALF = float(np.finfo(np.float16).max)
_LEVELS = 127


def cut(vectors: Vectors, dimension: int | None, *, normalise: bool = True) -> Vectors:
    """The first `dimension` components of each vector, brought back to unit length.

    Cutting without renormalising would rank by length as much as by direction. A zero vector stays zero.
    """
    if dimension is not None and dimension < vectors.shape[1]:
        vectors = vectors[:, :dimension]
    if not normalise:
        return np.ascontiguousarray(vectors)
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: Vectors = np.divide(vectors, norms, out=np.zeros_like(vectors), where=norms > 0)
    return unit


@dataclass(frozen=True)
class Stored:
    """One form, fitted to the documents.

    Attributes:
        store: its name.
        scales: of `int8`, one a dimension: a document's number is its code times this; shape (dimension,).
    """

    store: Store
    scales: Vectors | None = None

    @classmethod
    def fit(cls, store: Store, parts: Iterable[Vectors]) -> Stored:
        """The form for these documents; only for `int8` are they looked at."""
        if store != "int8":
            return cls(store)
        largest: Vectors | None = None
        for part in parts:
            if len(part):
                here = np.abs(part).max(axis=0)
                largest = here if largest is None else np.maximum(largest, here)
        assert largest is not None
        return cls(store, (largest / _LEVELS).astype(np.float32))

    def documents(self, vectors: Vectors) -> Vectors:
        """Values of documents, same shape, float32."""
        if self.store == "float32":
            return vectors
        if self.store == "float16":
            return _half(vectors).astype(np.float32)
        if self.store == "binary":
            return _signs(vectors)
        assert self.scales is not None
        return _rounded(vectors, self.scales)

    def queries(self, vectors: Vectors) -> tuple[Vectors, NDArray[np.float64]]:
        """Values of queries, same shape, and for each the factor that brings its scores to those of the vectors.

        The factor changes no order; for `binary` it makes scores lie between -1 and 1.
        """
        ones = np.ones(len(vectors))
        if self.store == "binary":
            return _signs(vectors), ones / vectors.shape[1]
        if self.store != "int8":
            return self.documents(vectors), ones
        assert self.scales is not None
        folded = vectors * self.scales
        steps = np.abs(folded).max(axis=1, keepdims=True) / _LEVELS
        return _rounded(folded, steps), steps[:, 0].astype(np.float64)

    def packed(self, values: Vectors) -> NDArray[np.generic]:
        """Values as a store that has the form takes them: half floats, whole numbers, or bits in bytes."""
        if self.store == "binary":
            return np.packbits(values > 0, axis=1)
        kinds: dict[Store, type[np.generic]] = {"float32": np.float32, "float16": np.float16, "int8": np.int8}
        return values.astype(kinds[self.store])


def _half(vectors: Vectors) -> NDArray[np.float16]:
    return np.clip(vectors, -_LARGEST_HALF, _LARGEST_HALF).astype(np.float16)


def _signs(vectors: Vectors) -> Vectors:
    return np.where(vectors > 0, np.float32(1), np.float32(-1))


def _rounded(values: Vectors, steps: Vectors) -> Vectors:
    """Whole numbers from -127 to 127; nought where a step is nought, for all values there are nought then."""
    codes = np.divide(values, steps, out=np.zeros_like(values), where=np.broadcast_to(steps > 0, values.shape))
    found: Vectors = np.clip(np.rint(codes), -_LEVELS, _LEVELS)
    return found
