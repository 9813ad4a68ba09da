"""What tasks on pairs of texts share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from knowledge.dataset import Dataset
from knowledge.wording import Text, say
from tools.tasks.base import SEED, Rows

#: of more pairs a sample is scored: enough for half a point
MOST = 10_000


def scored(dataset: Dataset) -> tuple[tuple[str, ...], tuple[Text, ...]]:
    """The pairs to score: those for testing, or all; of very many, a sample of them."""
    pairs = [pair for pair in dataset.pairs if dataset.parts.get(pair, "test") == "test"]
    return sample(pairs)


def sample(pairs: Sequence[str]) -> tuple[tuple[str, ...], tuple[Text, ...]]:
    """At most `MOST` of these, drawn with a fixed seed, in their order."""
    if len(pairs) <= MOST:
        return tuple(pairs), ()
    chosen = np.sort(np.random.default_rng(SEED).permutation(len(pairs))[:MOST])
    note = say("Of {count} pairs, {most} were drawn for the measurement.", count=len(pairs), most=MOST)
    return tuple(pairs[row] for row in chosen), (note,)


def without_test(dataset: Dataset) -> tuple[Text, ...]:
    """What is said of pairs that are there and not scored."""
    rest = sum(part == "train" for part in dataset.parts.values())
    return (say("Pairs for training ({count}) are not scored.", count=rest),) if rest else ()


def columns_of(dataset: Dataset, pairs: Sequence[str], row: Mapping[str, int]) -> tuple[Rows, Rows]:
    """The rows of the first and of the second text of each pair."""
    first = np.array([row[dataset.pairs[pair].first] for pair in pairs], dtype=np.int64)
    second = np.array([row[dataset.pairs[pair].second] for pair in pairs], dtype=np.int64)
    return first, second
