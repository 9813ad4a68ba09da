"""How alike two texts are: does the cosine of their vectors rank pairs as people did?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from knowledge.dataset import Dataset
from knowledge.errors import DatasetError
from knowledge.wording import say
from tools import contributions
from tools.tasks.base import Features, Prepared, Scored, by_item
from tools.tasks.couples import columns_of, scored, without_test

METRICS = ("Spearman", "Pearson")
METHOD = say(
    "each pair of texts by the cosine of their vectors, compared with the scores given (as MTEB does for STS). A rank "
    "correlation is no mean over pairs: tests and intervals take what each pair contributes to it (jackknife)"
)
VERSION = 1
#: with fewer pairs a correlation says nothing
FEWEST = 5


@dataclass(frozen=True)
class Similarity(Prepared):
    """Pairs with the scores that people gave."""

    dataset: Dataset | None = None

    def score(self, features: Features) -> Scored:
        """See `Job`."""
        assert self.dataset
        first, second = columns_of(self.dataset, self.items, self.row)
        found = features.cosines(first, second)
        given = np.array([self.dataset.pairs[pair].score for pair in self.items], dtype=np.float64)
        return Scored(
            {
                "Spearman": by_item(self.items, contributions.spearman(found, given)),
                "Pearson": by_item(self.items, contributions.pearson(found, given)),
            },
            {},
        )


def prepare(dataset: Dataset) -> Similarity:
    """See `Task`."""
    taken, notes = scored(dataset)
    if len(taken) < FEWEST:
        raise DatasetError(
            say("{count} pairs are too few for a correlation.", count=len(taken)),
            say("Give at least {least}; 100 pairs are a start, 1,000 are good.", least=FEWEST),
        )
    if len({dataset.pairs[pair].score for pair in taken}) < 2:
        raise DatasetError(
            say("Every pair has the same score, so no order of them is better than another."),
            say("Give pairs that are alike more and less, with their scores."),
        )
    kept = {d for pair in taken for d in (dataset.pairs[pair].first, dataset.pairs[pair].second)}
    texts = {document: text for document, text in dataset.documents.items() if document in kept}
    return Similarity(texts, taken, notes=(*notes, *without_test(dataset)), dataset=dataset)
