"""What tasks on texts with classes share: which of them can be measured, and how they are divided."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from knowledge.dataset import Dataset
from knowledge.errors import DatasetError
from knowledge.wording import Text, say
from tools.tasks.base import SEED

#: with fewer texts of a class nothing is left to test on
FEWEST_OF_A_CLASS = 2
#: with fewer texts in all, no figure means anything
FEWEST = 10
#: more would take hours, and tell no more of which candidate is better
MOST_CLASSES = 300
#: parts that texts are divided into where the data does not say which are for testing
FOLDS = 5
#: the commonest class has so many times what an even division would give it
UNEVEN = 3.0


def usable(dataset: Dataset) -> tuple[dict[str, str], tuple[Text, ...]]:
    """The texts' classes, without those of single texts; and what was left out.

    Raises:
        DatasetError: what is left tells nothing.
    """
    counts = Counter(dataset.classes.values())
    rare = {name for name, count in counts.items() if count < FEWEST_OF_A_CLASS}
    classes = {document: name for document, name in dataset.classes.items() if name not in rare}
    left = set(classes.values())
    if len(counts) == 1:
        raise DatasetError(
            say("Every text has the class “{name}”: there is nothing to tell apart.", name=next(iter(counts))),
            say("Give texts of two classes or more."),
        )
    if len(left) < 2 or len(classes) < FEWEST:
        raise DatasetError(
            say(
                "{count} texts of {classes} classes are too few to measure with, a class of one text not counted.",
                count=len(classes),
                classes=len(left),
            ),
            say("Give at least {least} texts; 100 are a start, some 20 of each class are good.", least=FEWEST),
        )
    notes = [say("Classes of a single text are left out: {count}.", count=len(rare))] if rare else []
    if len(left) > MOST_CLASSES:
        kept = {name for name, _ in counts.most_common(MOST_CLASSES)}
        classes = {document: name for document, name in classes.items() if name in kept}
        notes.append(
            say("Of {count} classes, the {most} with most texts are measured.", count=len(left), most=MOST_CLASSES)
        )
    return classes, tuple(notes)


def uneven(classes: Sequence[str]) -> tuple[Text, ...]:
    """Whether the commonest class is so common that naming it alone looks good."""
    counts = Counter(classes)
    name, count = counts.most_common(1)[0]
    share = count / len(classes)
    if share < min(0.8, UNEVEN / len(counts)):
        return ()
    return (
        say(
            "The class “{name}” has {share:.0%} of the texts, so always naming it would look good: F1(macro), in which "
            "each class counts alike, says more than accuracy.",
            name=name[:80],
            share=share,
        ),
    )


def folds(classes: Mapping[str, str], texts: Mapping[str, str], count: int = FOLDS) -> dict[str, int]:
    """Each text's fold, with a fixed seed: every class is spread evenly, and equal texts stay together.

    A class of two texts is in two folds, so that one of it is always there to learn from.
    """
    by_text: dict[str, list[str]] = {}
    for document in classes:
        by_text.setdefault(" ".join(texts[document].split()), []).append(document)
    by_class: dict[str, list[list[str]]] = {}
    for group in by_text.values():
        by_class.setdefault(classes[group[0]], []).append(group)
    random, turn = np.random.default_rng(SEED), 0
    found: dict[str, int] = {}
    for groups in by_class.values():
        for row in random.permutation(len(groups)):
            found |= dict.fromkeys(groups[row], turn % count)
            turn += 1
    return found
