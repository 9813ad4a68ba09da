"""Clustering: do texts of one class fall into one cluster, where nothing is said of the classes?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from knowledge.dataset import Dataset
from knowledge.wording import say
from tools import contributions
from tools.tasks.base import SEED, Features, Prepared, Scored, by_item, groups_of, need_sklearn
from tools.tasks.classes import usable
from tools.workers import stop_point

METRICS = ("V-measure", "Homogeneity", "Completeness")
#: k-means starts so many times; figures are means, as one start is luck
STARTS = 5
METHOD = say(
    "k-means on the candidate's vectors (of unit length) with as many clusters as there are classes; V-measure is how "
    "well clusters and classes agree, the mean of {starts} starts. It is no mean over texts: tests and intervals take "
    "what each text contributes to it (jackknife)",
    starts=STARTS,
)
VERSION = 1
#: of more texts a sample is clustered
MOST = 10_000
STEPS = 100


@dataclass(frozen=True)
class Clustering(Prepared):
    """Texts with the classes that clusters are compared with.

    Attributes:
        classes: numbered, shape (texts,).
    """

    classes: NDArray[np.int64] | None = None

    def score(self, features: Features) -> Scored:
        """See `Job`."""
        from sklearn.cluster import KMeans

        assert self.classes is not None
        count = int(self.classes.max()) + 1
        sums = {name: np.zeros(len(self.items)) for name in METRICS}
        for seed in range(SEED, SEED + STARTS):
            stop_point()
            found = KMeans(count, n_init=1, max_iter=STEPS, random_state=seed).fit(features.unit)
            for name, figure in FIGURES.items():
                sums[name] += contributions.of_counts(self.classes, found.labels_.astype(np.int64), figure)
        return Scored({name: by_item(self.items, values / STARTS) for name, values in sums.items()}, {})


def _entropies(counts: NDArray[np.float64]) -> tuple[float, float, float]:
    """Entropy of the rows, of the columns, and what they have in common."""
    total = counts.sum()
    rows, columns = counts.sum(axis=1) / total, counts.sum(axis=0) / total

    def entropy(shares: NDArray[np.float64]) -> float:
        shares = shares[shares > 0]
        return float(-(shares * np.log(shares)).sum())

    of_rows, of_columns = entropy(rows), entropy(columns)
    return of_rows, of_columns, of_rows + of_columns - entropy(counts.ravel() / total)


def homogeneity(counts: NDArray[np.float64]) -> float:
    """Whether each cluster (a column) holds one class (a row) only; 1 is best."""
    classes, _, common = _entropies(counts)
    return common / classes if classes else 1.0


def completeness(counts: NDArray[np.float64]) -> float:
    """Whether each class is in one cluster only; 1 is best."""
    _, clusters, common = _entropies(counts)
    return common / clusters if clusters else 1.0


def v_measure(counts: NDArray[np.float64]) -> float:
    """The harmonic mean of both (Rosenberg & Hirschberg, EMNLP-CoNLL 2007)."""
    both = homogeneity(counts), completeness(counts)
    return 2 * both[0] * both[1] / sum(both) if sum(both) else 0.0


FIGURES: dict[str, Callable[[NDArray[np.float64]], float]] = {
    "V-measure": v_measure,
    "Homogeneity": homogeneity,
    "Completeness": completeness,
}


def prepare(dataset: Dataset) -> Clustering:
    """See `Task`."""
    need_sklearn()
    names, notes = usable(dataset)
    items = list(names)
    if len(items) > MOST:
        chosen = np.sort(np.random.default_rng(SEED).permutation(len(items))[:MOST])
        notes = (*notes, say("Of {count} texts, {most} were drawn for the measurement.", count=len(items), most=MOST))
        items = [items[row] for row in chosen]
    number = {name: i for i, name in enumerate(sorted({names[item] for item in items}))}
    texts = {item: dataset.documents[item] for item in items}
    return Clustering(
        texts,
        tuple(items),
        groups_of(texts),
        notes=notes,
        classes=np.array([number[names[item]] for item in items], dtype=np.int64),
    )
