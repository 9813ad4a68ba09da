"""Documents in memory, searched one query at a time as a set-up has it: what timing looks at."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np

from tools.encoders.base import Vectors, cut
from tools.pipeline.forms import Stored
from tools.retrieval import Rankings
from tools.setups.options import K, Setup

#: single queries timed, after some that warm up
TIMED, WARM_UP = 30, 3


class InMemory:
    """Finished vectors of documents, scanned for every query; forms of fewer bits are scanned as float32."""

    def __init__(self, setup: Setup, vectors: Vectors, *, normalise: bool = True) -> None:
        self._setup, self._vectors, self._normalise = setup, vectors, normalise
        short = self._short(vectors)
        self._form = Stored.fit(setup.store, [short])
        self._searched = self._form.documents(short)

    def search(self, query: Vectors, k: int) -> Rankings:
        """The k best for one finished query vector, shape (1, dimension)."""
        asked, _ = self._form.queries(self._short(query))
        scores = self._searched @ asked[0]
        count = min(max(k, self._setup.rescore * K), len(scores))
        best = np.argpartition(-scores, count - 1)[:count]
        values = self._vectors[best] @ query[0] if self._setup.rescore else scores[best]
        order = np.argsort(-values)[:k]
        return Rankings(best[order][None, :].astype(np.int64), values[order][None, :].astype(np.float64))

    def _short(self, vectors: Vectors) -> Vectors:
        first = self._setup.first
        return cut(vectors, first, normalise=self._normalise) if first else vectors


def scan_ms(
    setups: Sequence[Setup],
    vectors: Callable[[Setup], tuple[Vectors, Vectors]],
    *,
    normalise: bool = True,
    clock: Callable[[], float] = time.perf_counter,
) -> list[float]:
    """Milliseconds that one query's search takes in each of these set-ups: the median of `TIMED`.

    Args:
        setups: what to time, one after the other.
        vectors: finished vectors of documents and of queries (cut to a set-up's `dim`).
        normalise: as the encoder has it.
        clock: seconds, monotonic.
    """
    found = []
    for setup in setups:
        documents, queries = vectors(setup)
        searched = InMemory(setup, documents, normalise=normalise)
        times = []
        for i in range(WARM_UP + TIMED):
            query = queries[i % len(queries)][None]
            begun = clock()
            searched.search(query, K)
            times.append((clock() - begun) * 1000)
        found.append(float(np.median(times[WARM_UP:])))
    return found
