"""Clustering: do texts of one class fall into one cluster, where nothing is said of the classes?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from knowledge.dataset import Dataset
from knowledge.wording import say
from tools import contributions
from tools.stopping import stop_point
from tools.tasks.base import SEED, Features, Prepared, Scored, by_item, groups_of, need_sklearn
from tools.tasks.classes import usable

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
Values = NDArray[np.float64]


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
                sums[name] += contributions.of_entropies(self.classes, found.labels_.astype(np.int64), figure)
        return Scored({name: by_item(self.items, values / STARTS) for name, values in sums.items()}, {})


def homogeneity(classes: Values, clusters: Values, common: Values) -> Values:
    """Whether each cluster holds one class only, from the entropies of both and what they share; 1 is best."""
    return np.divide(common, classes, out=np.ones_like(common), where=classes > 0)


def completeness(classes: Values, clusters: Values, common: Values) -> Values:
    """Whether each class is in one cluster only; 1 is best."""
    return np.divide(common, clusters, out=np.ones_like(common), where=clusters > 0)


def v_measure(classes: Values, clusters: Values, common: Values) -> Values:
    """The harmonic mean of both (Rosenberg & Hirschberg, EMNLP-CoNLL 2007)."""
    one, other = homogeneity(classes, clusters, common), completeness(classes, clusters, common)
    return np.divide(2 * one * other, one + other, out=np.zeros_like(common), where=one + other > 0)


FIGURES: dict[str, Callable[[Values, Values, Values], Values]] = {
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
