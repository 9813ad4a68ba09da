"""Finding duplicates: does the cosine of two texts tell the pairs that are the same from those that are not?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from knowledge.dataset import Dataset
from knowledge.errors import DatasetError
from knowledge.wording import Text, say
from tools import contributions
from tools.tasks.base import SEED, Features, Figures, Prepared, Scored, by_item
from tools.tasks.couples import columns_of, sample, scored

METRICS = ("AP(pairs)", "F1(pairs)", "P(pairs)", "R(pairs)")
METHOD = say(
    "each pair of texts by the cosine of their vectors: average precision over all thresholds (as MTEB does for pair "
    "classification), and F1, precision and recall at the threshold that is best on other pairs. None of these is a "
    "mean over pairs: tests and intervals take what each pair contributes to it (jackknife)"
)
VERSION = 1
#: of each kind
FEWEST = 5


@dataclass(frozen=True)
class Deduplication(Prepared):
    """Pairs of which it is known whether they are the same.

    Attributes:
        tuning: pairs that the threshold is chosen on.
        held_out: pairs that it is judged by; none of them is among `tuning`.
    """

    dataset: Dataset | None = None
    tuning: tuple[str, ...] = ()
    held_out: tuple[str, ...] = ()

    def score(self, features: Features) -> Scored:
        """See `Job`."""
        cosines, same = self._known(self.items, features)
        figures: Figures = {"AP(pairs)": by_item(self.items, contributions.average_precision(cosines, same))}
        threshold = best_threshold(*self._known(self.tuning, features))
        cosines, same = self._known(self.held_out, features)
        taken = (cosines >= threshold).astype(np.int64)
        for name, figure in (("F1(pairs)", _f1), ("P(pairs)", _precision), ("R(pairs)", _recall)):
            figures[name] = by_item(self.held_out, contributions.of_counts(same.astype(np.int64), taken, figure))
        return Scored(figures, {})

    def _known(self, pairs: Sequence[str], features: Features) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        assert self.dataset
        found = features.cosines(*columns_of(self.dataset, pairs, self.row))
        return found, np.array([bool(self.dataset.pairs[pair].score) for pair in pairs])


def best_threshold(cosines: NDArray[np.float64], same: NDArray[np.bool_]) -> float:
    """The lowest cosine that counts as the same, so that F1 is highest on these pairs; half way to the next one."""
    order = np.argsort(-cosines, kind="stable")
    values, hits = cosines[order], np.cumsum(same[order])
    f1 = 2 * hits / (np.arange(1, len(values) + 1) + max(int(same.sum()), 1))
    last = np.append(values[1:] < values[:-1], True)  # equal cosines fall on one side
    best = int(np.argmax(np.where(last, f1, -1.0)))
    return float((values[best] + values[best + 1]) / 2) if best + 1 < len(values) else float(values[best])


def _f1(counts: NDArray[np.float64]) -> float:
    counts = _square(counts)
    return float(2 * counts[1, 1] / max(2 * counts[1, 1] + counts[0, 1] + counts[1, 0], 1))


def _precision(counts: NDArray[np.float64]) -> float:
    counts = _square(counts)
    return float(counts[1, 1] / max(counts[:, 1].sum(), 1))


def _recall(counts: NDArray[np.float64]) -> float:
    counts = _square(counts)
    return float(counts[1, 1] / max(counts[1].sum(), 1))


def _square(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """With both rows and columns, though nothing was taken for the same."""
    return np.pad(counts, ((0, 2 - counts.shape[0]), (0, 2 - counts.shape[1])))


def prepare(dataset: Dataset) -> Deduplication:
    """See `Task`."""
    taken, notes = scored(dataset)
    same = sum(bool(dataset.pairs[pair].score) for pair in taken)
    if min(same, len(taken) - same) < FEWEST:
        raise DatasetError(
            say(
                "{same} pairs are the same and {different} are not: too few to tell them apart by.",
                same=same,
                different=len(taken) - same,
            ),
            say("Give at least {least} of each; 100 of each are a start.", least=FEWEST),
        )
    tuning, _ = sample([pair for pair in dataset.pairs if dataset.parts.get(pair) == "train"])
    held_out = taken
    told: Text = say("The threshold was chosen on the {count} pairs for training.", count=len(tuning))
    if len({bool(dataset.pairs[pair].score) for pair in tuning}) < 2:
        tuning, held_out = _halves(dataset, taken)
        told = say(
            "The threshold was chosen on one half of the pairs, drawn with a fixed seed; F1, precision and recall are "
            "those of the other half."
        )
    kept = {d for pair in (*taken, *tuning) for d in (dataset.pairs[pair].first, dataset.pairs[pair].second)}
    texts = {document: text for document, text in dataset.documents.items() if document in kept}
    return Deduplication(texts, taken, notes=(*notes, told), dataset=dataset, tuning=tuning, held_out=held_out)


def _halves(dataset: Dataset, pairs: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Two halves with as many of the same in each."""
    shuffled = [pairs[row] for row in np.random.default_rng(SEED).permutation(len(pairs))]
    shuffled.sort(key=lambda pair: bool(dataset.pairs[pair].score))  # stable
    return tuple(shuffled[::2]), tuple(shuffled[1::2])
