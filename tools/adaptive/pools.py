"""Which queries are asked and which documents compete in a round: each round's are among the next one's."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from knowledge.dataset import Dataset

Rows = NDArray[np.int64]

#: queries of the first round; each further round asks twice as many
FIRST_QUERIES = 40
#: documents that each fully searched candidate ranks first for a query join the pool, relevant or not
HEAD = 3
#: documents drawn at random, as a share of the corpus: hubs that turn up everywhere are found by these
RANDOM_SHARE = 0.03
#: a pool of more than this share of the corpus (in characters) saves too little: the whole is read instead
LARGEST_POOL = 0.8


def seed_of(dataset_hash: str, seed: int) -> int:
    """The same data and seed give the same rounds in every process, so that a killed run goes on where it was."""
    return int.from_bytes(hashlib.sha256(f"{dataset_hash}\0{seed}".encode()).digest()[:8], "big")


@dataclass
class Pools:
    """Draws the rounds of one dataset.

    Attributes:
        queries: ids in the order in which they are asked.
        relevant: for each of these, the rows of its relevant documents.
    """

    lengths: NDArray[np.int64]
    queries: list[str]
    relevant: list[Rows]
    _shuffled: Rows
    _heads: dict[str, NDArray[np.int64]] = field(default_factory=dict)
    _pool: set[int] = field(default_factory=set)

    @classmethod
    def of(cls, dataset: Dataset, judgments: Mapping[str, Mapping[str, int]], asked: Sequence[str], seed: int) -> Pools:
        """Shuffle queries and documents once."""
        rng = np.random.default_rng(seed_of(dataset.summary.hash, seed))
        row = {document: i for i, document in enumerate(dataset.documents)}
        order = [asked[i] for i in rng.permutation(len(asked))]
        relevant = [np.array([row[d] for d, grade in judgments[q].items() if grade > 0], np.int64) for q in order]
        lengths = np.array([len(text) for text in dataset.documents.values()], np.int64)
        return cls(lengths, order, relevant, rng.permutation(len(row)))

    def add_heads(self, name: str, rows: NDArray[np.int64]) -> None:
        """Rankings of a candidate that has read everything: hard negatives for the others, shape (queries, depth)."""
        self._heads[name] = rows[:, :HEAD]

    def draw(self, number: int) -> tuple[int, Rows]:
        """Queries (how many of the first) and document rows of a round, numbered from 1."""
        asked = min(FIRST_QUERIES * 2 ** (number - 1), len(self.queries))
        wanted: list[Iterable[int]] = [rows.tolist() for rows in self.relevant[:asked]]
        wanted += [heads[:asked].ravel().tolist() for heads in self._heads.values()]
        share = min(RANDOM_SHARE * 2 ** (number - 1), 1.0)
        wanted.append(self._shuffled[: int(np.ceil(share * len(self._shuffled)))].tolist())
        self._pool.update(row for rows in wanted for row in rows if row >= 0)
        return asked, np.array(sorted(self._pool), np.int64)

    def share(self, rows: Rows) -> float:
        """Of the corpus, in characters."""
        return float(self.lengths[rows].sum() / max(self.lengths.sum(), 1))
