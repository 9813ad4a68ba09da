"""Scores of first documents as arrays, so that what nobody has judged can be filled in many ways at once.

nDCG@k, P@k, R@k, RR@k and Success@k for k up to the documents that are kept, as trec_eval has them (linear gain);
``tests/tools/test_active_labels.py`` compares them with `tools.metrics.scoring`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from knowledge.errors import UserError
from knowledge.wording import say
from tools.active_labels.pool import DEPTH, Pool

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
_NAME = re.compile(r"^(nDCG|P|R|RR|Success)@(\d{1,4})$")


class Metric:
    """One metric over a pool.

    Args:
        name: as ir-measures prints it.
        pool: what was found and is known.

    Raises:
        UserError: a metric that the kept documents cannot answer.
    """

    def __init__(self, name: str, pool: Pool) -> None:
        found = _NAME.fullmatch(name)
        if not found or not 1 <= int(found.group(2)) <= DEPTH:
            raise UserError(
                say("{name} cannot be told from the first {depth} documents.", name=name[:40], depth=DEPTH),
                say("Judge for one of: {names}.", names="nDCG@10, P@10, R@10, RR@10, Success@10"),
            )
        self.name, self._pool, k = name, pool, int(found.group(2))
        near = (pool.places > 0) & (pool.places <= k)
        places = np.maximum(pool.places, 1)
        self._weights: Array = np.where(near, 1 / np.log2(1 + places) if found.group(1) == "nDCG" else 1.0, 0.0)
        self._inverse: Array = np.where(near, 1 / places, 0.0)
        self._k, self._of = k, _KINDS[found.group(1)]
        self._ideal = _ideals(pool, k)

    def scores(self, relevant: Flags) -> tuple[Array, Flags]:
        """Scores where of the documents nobody has judged these are relevant, with grade 1.

        Args:
            relevant: shape (..., queries, pooled documents); what is judged is not looked at.

        Returns:
            scores, shape (..., candidates, queries), and the queries that have anything relevant, (..., queries).
        """
        filled = relevant & self._pool.unknown
        gains = np.where(filled, 1.0, self._pool.gains)
        more = filled.sum(axis=-1)
        counts = self._pool.relevant + more > 0
        return self._of(self, gains, more), counts

    def pull(self, candidate: int) -> Array:
        """What a relevant document adds to a candidate before anything is divided, shape (queries, documents)."""
        found: Array = self._weights[candidate]
        return found

    def _ndcg(self, gains: Array, more: NDArray[np.int64]) -> Array:
        ideal = np.maximum(self._ideal[np.arange(len(self._ideal)), more], 1e-12)
        found: Array = np.einsum("...qp,cqp->...cq", gains, self._weights) / ideal[..., None, :]
        return found

    def _precision(self, gains: Array, more: NDArray[np.int64]) -> Array:
        return self._hits(gains) / self._k

    def _recall(self, gains: Array, more: NDArray[np.int64]) -> Array:
        there_are = np.maximum(self._pool.relevant + more, 1)
        found: Array = self._hits(gains) / there_are[..., None, :]
        return found

    def _success(self, gains: Array, more: NDArray[np.int64]) -> Array:
        return np.minimum(self._hits(gains), 1.0)

    def _reciprocal(self, gains: Array, more: NDArray[np.int64]) -> Array:
        found: Array = np.max((gains > 0)[..., None, :, :] * self._inverse, axis=-1)
        return found

    def _hits(self, gains: Array) -> Array:
        found: Array = np.einsum("...qp,cqp->...cq", (gains > 0).astype(float), self._weights)
        return found


_KINDS: Mapping[str, Callable[[Metric, Array, NDArray[np.int64]], Array]] = {
    "nDCG": Metric._ndcg,
    "P": Metric._precision,
    "R": Metric._recall,
    "Success": Metric._success,
    "RR": Metric._reciprocal,
}


def _ideals(pool: Pool, k: int) -> Array:
    """The best DCG there can be, shape (queries, 1 + pooled documents): with so many more documents of grade 1."""
    discounts = 1 / np.log2(np.arange(2, k + 2))
    most = pool.unknown.shape[1]
    found = np.zeros((len(pool.queries), most + 1))
    for row, grades in enumerate(pool.grades):
        for more in range(most + 1):
            best = sorted([*grades, *[1] * more], reverse=True)[:k]
            found[row, more] = float(np.dot(best, discounts[: len(best)]))
    return found
