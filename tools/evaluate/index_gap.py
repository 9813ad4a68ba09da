"""What an approximate index loses against comparing every document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from knowledge.candidate import Leg
from knowledge.results import IndexGap
from tools.retrieval import Rankings
from tools.setups import K, setup_of
from tools.statistics import bootstrap_interval, by_text

#: scores of one pair, computed in another order, differ by less than this relative to their size
_EQUAL = 1e-5


def index_gap(
    leg: Leg,
    found: Rankings,
    exact: Rankings,
    scores: Mapping[str, float],
    exact_scores: Mapping[str, float],
    documents: int,
    same_queries: Sequence[Sequence[str]],
) -> IndexGap:
    """The gap of one leg.

    Args:
        leg: with an index.
        found: what the index found.
        exact: what comparing every document finds, the set-up being the same otherwise.
        scores: of the index's rankings, by query, in the primary metric.
        exact_scores: of the exact ones.
        documents: how many were searched.
        same_queries: ids of queries with the same text.
    """
    index = setup_of(leg).index
    assert index
    differences = by_text({query: scores[query] - exact_scores[query] for query in scores}, same_queries)
    return IndexGap(
        kind=index.kind,
        parameters=index.for_documents(documents),
        exact=float(np.mean(list(exact_scores.values()))),
        found=float(np.mean(list(scores.values()))),
        difference=bootstrap_interval(np.array(list(differences.values()))),
        recall=recall(found, exact),
    )


def recall(found: Rankings, exact: Rankings, k: int = K) -> float:
    """Of the k best documents the share that was found, mean over queries.

    One as good as the k-th of the exact ranking counts as found: which of equals come first says nothing of an index.
    """
    shares = []
    for rows, scores, right in zip(found.rows, found.scores, exact.scores, strict=True):
        wanted = min(k, len(right))
        if not wanted:
            continue
        least = right[wanted - 1] - _EQUAL * max(1.0, abs(float(right[wanted - 1])))
        shares.append(float(((rows[:k] >= 0) & (scores[:k] >= least)).sum()) / wanted)
    return float(np.mean(shares)) if shares else 1.0
