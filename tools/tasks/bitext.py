"""Finding translations: is each text's nearest among the others its own translation?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from knowledge.dataset import Dataset
from knowledge.errors import DatasetError
from knowledge.wording import say
from tools.tasks.base import Features, Prepared, Rows, Scored, by_item
from tools.tasks.couples import columns_of, scored, without_test

METRICS = ("F1(bitext)", "Accuracy(bitext)", "Accuracy(reverse)")
METHOD = say(
    "the nearest of all second texts, by cosine, is taken for each first text (as MTEB does for bitext mining); "
    "Accuracy(reverse) goes from the second texts to the first"
)
VERSION = 1
FEWEST = 5


@dataclass(frozen=True)
class Bitext(Prepared):
    """Pairs that belong together."""

    dataset: Dataset | None = None

    def score(self, features: Features) -> Scored:
        """See `Job`."""
        assert self.dataset
        first, second = columns_of(self.dataset, self.items, self.row)
        found, back = _nearest(features, first, second), _nearest(features, second, first)
        documents = list(self.texts)
        return Scored(
            {
                "F1(bitext)": by_item(self.items, weighted_f1(second, found)),
                "Accuracy(bitext)": by_item(self.items, found == second),
                "Accuracy(reverse)": by_item(self.items, back == first),
            },
            {pair: documents[row] for pair, row in zip(self.items, found, strict=True)},
        )


def _nearest(features: Features, rows: Rows, others: Rows) -> Rows:
    """For each row the nearest of the others: rows of equal text are one, so that no twin is a wrong answer."""
    others = np.unique(others)
    found = np.empty(len(rows), dtype=np.int64)
    for at, cosines in features.against(rows, others):
        found[at] = others[np.argmax(cosines, axis=1)]
    return found


def weighted_f1(right: Rows, found: Rows) -> NDArray[np.float64]:
    """For each item the F1 of what is right for it, shape (items,): their mean is F1 weighted by frequency."""
    size = int(max(right.max(), found.max())) + 1
    hits = np.bincount(right[right == found], minlength=size)
    f1 = 2 * hits / np.maximum(np.bincount(right, minlength=size) + np.bincount(found, minlength=size), 1)
    of_each: NDArray[np.float64] = f1[right]
    return of_each


def prepare(dataset: Dataset) -> Bitext:
    """See `Task`."""
    taken, notes = scored(dataset)
    if len(taken) < FEWEST or len({dataset.pairs[pair].second for pair in taken}) < 2:
        raise DatasetError(
            say("{count} pairs are too few to find each other among.", count=len(taken)),
            say("Give at least {least}; 100 pairs are a start, 1,000 are good.", least=FEWEST),
        )
    kept = {d for pair in taken for d in (dataset.pairs[pair].first, dataset.pairs[pair].second)}
    texts = {document: text for document, text in dataset.documents.items() if document in kept}
    return Bitext(texts, taken, notes=(*notes, *without_test(dataset)), dataset=dataset)
