"""What a language model is given to answer from: how much of it is right, and how much of what is right it holds.

The two metrics of retrieval-augmented generation that need labels alone, as Ragas defines them with reference contexts.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence


def context_precision(ranking: Sequence[str], relevant: Collection[str], k: int) -> float:
    """Mean of the precision at each rank among the first k that holds a relevant document; 0 where none does.

    Like average precision, but divided by the relevant documents that were found among the k, not by all there are:
    it says whether right contexts stand before wrong ones, and nothing of what is missing.
    """
    found, total = 0, 0.0
    for rank, document in enumerate(ranking[:k], 1):
        if document in relevant:
            found += 1
            total += found / rank
    return total / found if found else 0.0


def context_recall(ranking: Sequence[str], relevant: Collection[str], k: int) -> float:
    """Share of the relevant documents that are among the first k; 0 where nothing is relevant."""
    return len(set(ranking[:k]) & set(relevant)) / len(relevant) if relevant else 0.0
