"""Finished vectors or weights put into Milvus, and asked as a set-up has it: what measuring and serving share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from tools.encoders.base import Vectors
from tools.milvus_collection import Collection, Weights
from tools.pipeline.forms import Stored
from tools.representations import Representation
from tools.retrieval import Rankings, exact
from tools.setups import Setup
from tools.setups.staged import Parts, scaled
from tools.vector_store import VectorStore

#: rankings of finished query vectors, shape (queries, dimension), so many documents deep
DenseSearch = Callable[[Vectors, int], Rankings]


@contextmanager
def dense(
    store: VectorStore, setup: Setup, parts: Parts, size: int, dimension: int, *, settled: bool = False
) -> Iterator[DenseSearch]:
    """The first stage of a set-up, for as long as the block runs: by its index, or every document compared.

    Args:
        store: holds so many vectors, in the set-up's form (`VectorStore.holds`, `native`).
        setup: how they are stored and searched; what it ranks again is the caller's.
        parts: the vectors that are searched.
        size: how many there are.
        dimension: of each.
        settled: to be timed as a service is (`Collection.settled`).
    """
    form = Stored.fit(setup.store, parts())
    bits = -(-dimension // 8) * 8 if setup.store == "binary" else dimension
    sent = (form.packed(form.documents(part)) for part in parts())
    with store.streamed(sent, size, bits, store=setup.store, index=setup.index) as filled:
        collection = filled
        if settled:
            first = next(iter(parts()))[:1]
            collection = filled.settled(form.packed(form.queries(first)[0]))

        def search(queries: Vectors, depth: int) -> Rankings:
            asked, factors = form.queries(queries)
            rows, scores = collection.search(form.packed(asked), depth)
            # bits that fill the last byte are the same everywhere
            return scaled(Rankings(rows, scores - (bits - dimension)), factors)

        yield search


def in_memory(setup: Setup, parts: Parts) -> DenseSearch:
    """The same with every document compared here, in the values that the set-up's form has."""
    form = Stored.fit(setup.store, parts())

    def search(queries: Vectors, depth: int) -> Rankings:
        asked, factors = form.queries(queries)
        return scaled(exact(map(form.documents, parts()), asked, depth), factors)

    return search


def weights_of(made: Iterable[Representation]) -> list[Weights]:
    """Weights of vocabulary entries as Milvus takes them."""
    return [dict(zip(one.ids.tolist(), one.weights.tolist(), strict=True)) for one in made]


def sparse(collection: Collection, asked: Sequence[Representation], depth: int) -> Rankings:
    """Rankings by weights; queries without any weight find nothing, and Milvus is not asked about them."""
    speaking = [row for row, of in enumerate(asked) if len(of.ids)]
    rows, scores = collection.search(weights_of([asked[row] for row in speaking]), depth)
    found = Rankings(np.full((len(asked), rows.shape[1]), -1, np.int64), np.zeros((len(asked), rows.shape[1])))
    found.rows[speaking], found.scores[speaking] = rows, scores
    return found
