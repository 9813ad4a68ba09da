"""Silver queries: what to measure with where the user's data has no queries, or nobody judged them.

Without a language model each query is taken out of a document (`tools.silver.drafts`), which is then its right answer;
which of them are used decides `tools.silver.choice`. With one, queries are written for passages
(`tools.silver.from_model`). Either way they are marked as silver: made by program, judged by no one.
"""

from __future__ import annotations

from dataclasses import replace

from knowledge.dataset import Dataset
from tools.silver.choice import choose
from tools.silver.made import FEWEST, QUERIES, SEED, NoSilverError, made_set

__all__ = ["FEWEST", "QUERIES", "SEED", "NoSilverError", "has_labels", "labelled", "silver_set"]


def has_labels(dataset: Dataset) -> bool:
    """Whether some query has a relevant document here."""
    return any(
        grade > 0 and document in dataset.documents
        for query, judged in dataset.judgments.items()
        if query in dataset.queries
        for document, grade in judged.items()
    )


def silver_set(dataset: Dataset, *, most: int = QUERIES, seed: int = SEED) -> Dataset:
    """The documents with queries taken out of some of them; the same data and seed give the same set.

    Args:
        dataset: its own queries and judgments, if it has any, are left out.
        most: queries at most; one for each document at most.
        seed: which documents are asked for.

    Returns:
        A dataset with the same document ids. A document that is asked for lacks what became its query; the others
        keep their texts, so that their vectors are found in the cache.

    Raises:
        NoSilverError: fewer than `FEWEST` queries can be made of it.
    """
    return made_set(dataset, *choose(dataset, most, seed), seed)


def labelled(dataset: Dataset) -> Dataset:
    """The dataset itself where it can be measured with, else a silver set of it; where neither, itself with a note."""
    if has_labels(dataset) or dataset.classes or dataset.pairs or not dataset.documents:
        return dataset
    try:
        return silver_set(dataset)
    except NoSilverError as error:
        summary = dataset.summary
        return replace(
            dataset, summary=summary.model_copy(update={"notes": (*summary.notes, error.cause)}), no_silver=True
        )
