"""A collection in Milvus: its forms of vectors and its indexes by Milvus's names, and the search in it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tools.setups import Index, Store
from tools.stopping import stoppably

CALL_SECONDS = 60.0
SEARCH_QUERIES = 100

#: of each form of vectors: Milvus's type for it, the index that compares every one, and how
_FORMS: dict[Store, tuple[str, str, str]] = {
    "float32": ("FLOAT_VECTOR", "FLAT", "IP"),
    "float16": ("FLOAT16_VECTOR", "FLAT", "IP"),
    "int8": ("INT8_VECTOR", "FLAT", "IP"),
    "binary": ("BINARY_VECTOR", "BIN_FLAT", "HAMMING"),
}
#: how Milvus calls the parameters of an index, those for building and those for searching
_BUILD = {"m": "M", "ef_construction": "efConstruction", "nlist": "nlist"}
_SEARCH = {"ef": "ef", "nprobe": "nprobe"}


@dataclass(frozen=True)
class Form:
    """What a collection's vectors are, and how they are searched, in Milvus's words.

    Attributes:
        kind: type of the vectors.
        index: name of the index.
        metric: what it compares by.
        build, search: the index's parameters.
    """

    kind: str
    index: str
    metric: str
    build: dict[str, int] = field(default_factory=dict)
    search: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, store: Store, index: Index | None, rows: int) -> Form:
        """The form for so many vectors, of which each is compared unless an index is asked for."""
        kind, flat, metric = _FORMS[store]
        if index is None:
            return cls(kind, flat, metric)
        values = index.for_documents(rows)
        build = {_BUILD[k]: v for k, v in values.items() if k in _BUILD}
        return cls(kind, index.kind.upper(), metric, build, {_SEARCH[k]: v for k, v in values.items() if k in _SEARCH})

    @property
    def parameters(self) -> dict[str, Any]:
        """For pymilvus's `add_index`; nested, as pymilvus 3 flattens what is not, and Milvus Lite then ignores it."""
        nested = {"params": {"params": self.build}} if self.build else {}
        return {"index_type": self.index, "metric_type": self.metric, **nested}

    def is_made(self, described: dict[str, Any]) -> bool:
        """Whether an index that Milvus describes is the one that was asked for."""
        told = described.get("params", described)
        told = json.loads(told) if isinstance(told, str) else told
        same = (described.get("index_type"), described.get("metric_type")) == (self.index, self.metric)
        return same and all(str(told.get(name)) == str(value) for name, value in self.build.items())

    def __str__(self) -> str:
        return ", ".join((self.index, self.metric, *(f"{name}={value}" for name, value in self.build.items())))


#: weights of vocabulary entries, {entry: weight} of a text, each compared with every other's
Weights = dict[int, float]
SPARSE = Form("SPARSE_FLOAT_VECTOR", "SPARSE_INVERTED_INDEX", "IP")


class Collection:
    """Indexed vectors.

    Attributes:
        size: how many.
        bits: of each; None where they are no bits.
    """

    def __init__(
        self, client: Any, name: str, form: Form, size: int, bits: int | None = None, *, settled: bool = False
    ) -> None:
        self._client, self._name, self._form, self._size, self._bits = client, name, form, size, bits
        self._settled = settled

    def searching(self, **parameters: int) -> Collection:
        """The same vectors and index, searched with other parameters (`ef`, `nprobe`)."""
        search = {**self._form.search, **{_SEARCH[name]: value for name, value in parameters.items()}}
        form = replace(self._form, search=search)
        return Collection(self._client, self._name, form, self._size, self._bits, settled=self._settled)

    def settled(self, query: NDArray[np.generic] | Sequence[Weights]) -> Collection:
        """The same, searched as a service does to which nothing is written meanwhile; one query is asked first.

        Else each search waits until all that was written before it is visible ("Strong"): on a Milvus 2.3.5 server
        that is its time tick, 200 ms a search whatever the index (measured 2026-11-29). Once one such search was
        answered, all is visible.
        """
        self.search(query, 1)
        return Collection(self._client, self._name, self._form, self._size, self._bits, settled=True)

    def search(self, queries: NDArray[np.generic] | Sequence[Weights], k: int) -> tuple[np.ndarray, np.ndarray]:
        """Rows and scores of the k best for each query: two arrays of shape (queries, at most k), best first.

        Scores are inner products, of bits those of plus and minus one. Where Milvus finds fewer than for other
        queries, rows of -1 follow; HNSW finds at most `ef`.

        Queries go in batches: Milvus Lite has a floor of tens of milliseconds a call, which says nothing about a model.
        """
        parameters = self._form.search
        k = min(k, self._size, parameters.get("ef", k))
        rows = np.full((len(queries), k), -1, dtype=np.int64)
        scores = np.zeros((len(queries), k))
        how: dict[str, Any] = {"search_params": {"params": parameters}} if parameters else {}
        if self._settled:
            how["consistency_level"] = "Eventually"
        for start in stoppably(range(0, len(queries), SEARCH_QUERIES)):
            batch = [_asked(vector) for vector in queries[start : start + SEARCH_QUERIES]]
            # without output_fields Milvus Lite returns every vector too
            found = self._client.search(
                self._name,
                data=batch,
                anns_field="vector",  # Milvus Lite finds it by itself only where vectors are dense
                limit=k,
                output_fields=["row"],
                timeout=CALL_SECONDS,
                **how,
            )
            for q, hits in enumerate(found, start):
                rows[q, : len(hits)] = [hit["row"] for hit in hits]
                scores[q, : len(hits)] = [hit["distance"] for hit in hits]
        return rows, scores if self._bits is None else np.where(rows >= 0, self._bits - 2 * scores, 0.0)


def sent(vector: NDArray[np.generic]) -> Any:
    """A vector as pymilvus takes it into a row."""
    return vector.tobytes() if vector.dtype == np.uint8 else vector


def _asked(vector: NDArray[np.generic] | Weights) -> Any:
    """A vector as pymilvus takes it for a query."""
    if isinstance(vector, dict):
        return vector
    return vector.tolist() if vector.dtype == np.float32 else sent(vector)
