"""Classification: what a simple classifier learns from a candidate's vectors.

The *linear probe* on all training texts is what a user would run: logistic regression (L-BFGS, L2), its one parameter C
chosen on a part of the training texts. Beside it the five nearest neighbours, and MTEB's protocol: logistic regression
on a few texts a class, ten draws (mteb 2.26, ``AbsTaskClassification``: seed 42, C = 1, at most 100 steps), whose
accuracy compares with MTEB's published figures where data and split are theirs.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from knowledge.dataset import Dataset
from knowledge.errors import DatasetError
from knowledge.wording import Text, say
from tools import contributions
from tools.stopping import stop_point
from tools.tasks.base import SEED, Features, Prepared, Rows, Scored, by_item, groups_of, need_sklearn
from tools.tasks.classes import folds, uneven, usable

#: MTEB's protocol: texts a class, draws, seed, steps
FEW, DRAWS, MTEB_SEED, MTEB_STEPS = 8, 10, 42, 100
MTEB = f"Accuracy({FEW}-shot)"
METRICS = ("Accuracy", "F1(macro)", "P(macro)", "R(macro)", "Accuracy(kNN)", MTEB)
METHOD = say(
    "logistic regression on the candidate's vectors, learnt from all training texts and judged by the others (linear "
    "probe). {mteb} is MTEB's protocol, the mean of {draws} draws of {few} texts a class, and compares with published "
    "figures; Accuracy(kNN) asks the five nearest. F1, precision and recall are means over classes, not texts: tests "
    "and intervals take what each text contributes to them (jackknife)",
    mteb=MTEB,
    draws=DRAWS,
    few=FEW,
)
VERSION = 1
NEIGHBOURS = 5
#: values of C that are tried
PENALTIES = (1.0, 10.0, 100.0)
STEPS = 200
#: C is chosen on at most so many texts: more do not change it
CHOOSING = 3_000
#: texts that are learnt from, or tested, at most
MOST_TRAINING, MOST_TESTED = 20_000, 10_000
#: in place of a fold: a text that is learnt from and not judged, and one that would be, were it not tested too
LEARNT, COPY = -1, -2
#: where the data sets none apart, all texts are tested in turn up to so many; of more, a fifth is set apart
MOST_IN_TURN = 3_000


@dataclass(frozen=True)
class Classification(Prepared):
    """Texts with classes, divided.

    Attributes:
        classes: of all texts, numbered in order of name, shape (texts,).
        names: of the classes.
        divisions: rows to learn from and rows to judge by, so that each tested text is in one of them.
        drawn_from: rows that MTEB's protocol draws from for the first of them: it keeps what is also tested.
    """

    classes: NDArray[np.int64] | None = None
    names: tuple[str, ...] = ()
    divisions: tuple[tuple[Rows, Rows], ...] = ()
    drawn_from: Rows | None = None

    def score(self, features: Features) -> Scored:
        """See `Job`."""
        assert self.classes is not None
        assert self.drawn_from is not None
        classes = self.classes
        penalty = _best_penalty(features, classes, self.divisions[0][0])
        tested = np.concatenate([judged for _, judged in self.divisions])
        probed = self._predicted(lambda learnt, judged: probe(features.own, classes, learnt, judged, penalty))
        nearest = self._predicted(lambda learnt, judged: neighbours(features, classes, learnt, judged))
        judged = self.divisions[0][1]
        few = few_shot(features.own, classes, self.drawn_from, judged)
        names = list(self.texts)

        def named(rows: Rows, values: NDArray[Any]) -> dict[str, float]:
            return by_item([names[row] for row in rows], values)

        right = classes[tested]
        figures = {
            "Accuracy": named(tested, probed == right),
            "F1(macro)": named(tested, contributions.of_classes(right, probed, f1)),
            "P(macro)": named(tested, contributions.of_classes(right, probed, precision)),
            "R(macro)": named(tested, contributions.of_classes(right, probed, recall)),
            "Accuracy(kNN)": named(tested, nearest == right),
            MTEB: named(judged, few),
        }
        return Scored(figures, {names[row]: self.names[found] for row, found in zip(tested, probed, strict=True)})

    def _predicted(self, learn: Callable[[Rows, Rows], NDArray[np.int64]]) -> NDArray[np.int64]:
        """What is predicted for every tested text, division by division."""
        found = []
        for learnt, judged in self.divisions:
            stop_point()
            found.append(learn(learnt, judged))
        return np.concatenate(found)


def probe(vectors: Any, classes: NDArray[np.int64], learnt: Rows, judged: Rows, penalty: float) -> NDArray[np.int64]:
    """Predictions of a logistic regression."""
    found: NDArray[np.int64] = _fitted(vectors[learnt], classes[learnt], penalty, STEPS).predict(vectors[judged])
    return found


def _fitted(vectors: Any, classes: NDArray[np.int64], penalty: float, steps: int, seed: int = SEED) -> Any:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the last step's weights are what is wanted then
        return LogisticRegression(C=penalty, max_iter=steps, random_state=seed).fit(vectors, classes)


def _best_penalty(features: Features, classes: NDArray[np.int64], learnt: Rows) -> float:
    """The C whose predictions are most often right on a fifth of the training texts; of equal ones the smallest."""
    mixed = np.random.default_rng(SEED).permutation(learnt)[:CHOOSING]
    _, inverse = np.unique(classes[mixed], return_inverse=True)
    place = np.empty(len(mixed), dtype=np.int64)
    for number in range(int(inverse.max()) + 1):  # every fifth of each class
        of_class = np.flatnonzero(inverse == number)
        place[of_class] = np.arange(len(of_class))
    judged, kept = mixed[place % 5 == 4], mixed[place % 5 != 4]
    if not len(judged) or len(np.unique(classes[kept])) < 2:
        return PENALTIES[1]
    right = []
    for penalty in PENALTIES:
        stop_point()
        right.append(float((probe(features.own, classes, kept, judged, penalty) == classes[judged]).mean()))
    return PENALTIES[int(np.argmax(right))]


def neighbours(features: Features, classes: NDArray[np.int64], learnt: Rows, judged: Rows) -> NDArray[np.int64]:
    """Predictions by the nearest neighbours, each weighing as much as its cosine."""
    k = min(NEIGHBOURS, len(learnt))
    found = np.empty(len(judged), dtype=np.int64)
    for at, cosines in features.against(judged, learnt):
        nearest = np.argpartition(-cosines, k - 1, axis=1)[:, :k]
        votes = np.zeros((len(at), int(classes.max()) + 1))
        rows = np.repeat(np.arange(len(at)), k)
        weights = np.take_along_axis(cosines, nearest, axis=1).ravel().astype(float)
        np.add.at(votes, (rows, classes[learnt[nearest.ravel()]]), np.maximum(weights, 0) + 1e-9)
        found[at] = votes.argmax(axis=1)
    return found


def few_shot(
    vectors: Any, classes: NDArray[np.int64], learnt: Rows, judged: Rows, few: int = FEW
) -> NDArray[np.float64]:
    """How often each text is classified rightly in MTEB's protocol, shape (judged,); training texts in their order."""
    right = np.zeros(len(judged))
    for chosen in draws(classes[learnt].tolist(), few):
        stop_point()
        rows = learnt[np.array(chosen)]
        fitted = _fitted(vectors[rows], classes[rows], 1.0, MTEB_STEPS, MTEB_SEED)
        right += fitted.predict(vectors[judged]) == classes[judged]
    return right / DRAWS


def draws(classes: Sequence[int], few: int = FEW) -> list[list[int]]:
    """Positions of the training texts of each draw: the first of each class after a shuffle, as mteb draws them."""
    order, found = list(range(len(classes))), []
    for _ in range(DRAWS):
        np.random.RandomState(MTEB_SEED).shuffle(order)
        counts: dict[int, int] = {}
        chosen = []
        for position in order:
            counts[classes[position]] = counts.get(classes[position], 0) + 1
            if counts[classes[position]] <= few:
                chosen.append(position)
        found.append(chosen)
    return found


def f1(hits: NDArray[np.float64], true: NDArray[np.float64], predicted: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of each class, from how many texts are rightly of it, truly of it, and taken for it."""
    return 2 * hits / np.maximum(true + predicted, 1)


def precision(
    hits: NDArray[np.float64], true: NDArray[np.float64], predicted: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Of each class; 0 for one that no text is taken for."""
    return hits / np.maximum(predicted, 1)


def recall(hits: NDArray[np.float64], true: NDArray[np.float64], predicted: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of each class; 0 for one that no text is of."""
    return hits / np.maximum(true, 1)


def prepare(dataset: Dataset) -> Classification:
    """See `Task`."""
    need_sklearn()
    names, notes = usable(dataset)
    divided, told = _divided(dataset, names)
    texts = {document: dataset.documents[document] for document in names if document in divided}
    row = {document: number for number, document in enumerate(texts)}
    number = {name: i for i, name in enumerate(sorted(set(names.values())))}
    parts = sorted({fold for fold in divided.values() if fold >= 0})
    rows = {fold: np.array([row[d] for d in texts if divided[d] == fold], dtype=np.int64) for fold in parts}
    copies = np.array([row[d] for d in texts if divided[d] == COPY], dtype=np.int64)
    others = np.setdiff1d(np.arange(len(texts)), copies)
    divisions = tuple((np.setdiff1d(others, judged), judged) for judged in rows.values())
    tested = [list(texts)[i] for judged in rows.values() for i in judged]
    same = groups_of({d: texts[d] for d in tested})
    return Classification(
        texts,
        tuple(tested),
        same,
        notes=(*notes, *told),
        warnings=uneven([names[d] for d in tested]),
        classes=np.array([number[names[d]] for d in texts], dtype=np.int64),
        names=tuple(number),
        divisions=divisions,
        drawn_from=np.union1d(divisions[0][0], copies),
    )


def _divided(dataset: Dataset, names: dict[str, str]) -> tuple[dict[str, int], tuple[Text, ...]]:
    """The fold in which each text is judged, or `LEARNT` or `COPY`; and what is to be said of it."""
    given = {document: dataset.parts[document] for document in names if document in dataset.parts}
    if given:
        return _as_given(dataset, names, given)
    fold = folds(names, dataset.documents)
    if len(names) <= MOST_IN_TURN:
        note = say(
            "The data does not say which texts are for testing: each is judged in turn, by a classifier that learnt "
            "from the other four fifths (five folds by class, drawn with a fixed seed)."
        )
        return fold, (note,)
    kept, told = _at_most(fold)
    note = say(
        "The data does not say which texts are for testing: a fifth of each class is, drawn with a fixed seed ({count} "
        "texts).",
        count=sum(part == 0 for part in kept.values()),
    )
    return kept, (note, *told)


def _as_given(
    dataset: Dataset, names: dict[str, str], given: dict[str, Any]
) -> tuple[dict[str, int], tuple[Text, ...]]:
    """As the data divides them; a training text that is also tested is not learnt from."""
    tested = {" ".join(dataset.documents[d].split()) for d, part in given.items() if part == "test"}
    leaking = {d for d, part in given.items() if part == "train" and " ".join(dataset.documents[d].split()) in tested}
    learnt = {names[d] for d, part in given.items() if part == "train" and d not in leaking}
    fold = {
        d: COPY if d in leaking else LEARNT if part == "train" else 0
        for d, part in given.items()
        if part == "train" or names[d] in learnt
    }
    judged = {names[d] for d, part in fold.items() if part == 0}
    if len(learnt) < 2 or not judged:
        raise DatasetError(
            say("Training and test texts have too few classes in common to learn anything."),
            say("Give texts of at least two classes for training, and of the same classes for testing."),
        )
    unknown = sum(part == "test" and d not in fold for d, part in given.items())
    notes = []
    if leaking:
        notes.append(say("Training texts that are also test texts are not learnt from: {count}.", count=len(leaking)))
    if unknown:
        notes.append(say("Test texts of classes without a training text are left out: {count}.", count=unknown))
    kept, told = _at_most(fold)
    return kept, (*notes, *told)


def _at_most(fold: dict[str, int]) -> tuple[dict[str, int], tuple[Text, ...]]:
    """Fold 0 judged, all others learnt from; samples of very many."""
    random = np.random.default_rng(SEED)
    judged = [d for d, part in fold.items() if part == 0]
    learnt = [d for d, part in fold.items() if part not in (0, COPY)]
    notes = []
    for texts, most in ((learnt, MOST_TRAINING), (judged, MOST_TESTED)):
        if len(texts) > most:
            what = say("training") if texts is learnt else say("testing")
            notes.append(say("Of {all} texts for {what}, {most} were drawn.", all=len(texts), what=what, most=most))
            texts[:] = [texts[row] for row in np.sort(random.permutation(len(texts))[:most])]
    kept = {d: COPY for d, part in fold.items() if part == COPY}
    kept |= dict.fromkeys(learnt, LEARNT) | dict.fromkeys(judged, 0)
    return {d: kept[d] for d in fold if d in kept}, tuple(notes)
