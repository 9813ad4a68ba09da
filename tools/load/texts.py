"""What is asked where speed is measured: the user's own texts, because their lengths decide how long it takes."""

from __future__ import annotations

from typing import NamedTuple

from knowledge.dataset import Dataset
from knowledge.errors import DatasetError
from knowledge.results.load import Origin
from knowledge.wording import say

#: words of a document that stand for a query where there are none
WORDS = 12


class Texts(NamedTuple):
    """Texts, and what they are."""

    origin: Origin
    texts: list[str]


def texts_of(dataset: Dataset) -> Texts:
    """The queries, each once; where there are none, the beginnings of the documents.

    Raises:
        DatasetError: neither.
    """
    asked = list(dict.fromkeys(text for text in dataset.queries.values() if text.strip()))
    if asked:
        return Texts("queries", asked)
    begun = (" ".join(text.split()[:WORDS]) for text in dataset.documents.values())
    beginnings = list(dict.fromkeys(text for text in begun if text))
    if beginnings:
        return Texts("document beginnings", beginnings)
    raise DatasetError(
        say("The dataset {name} has no documents.", name=dataset.summary.name),
        say("See “Your data” in the README for the forms that are read."),
    )
