"""What a task beyond ranking has: examples with labels, and figures of what a candidate makes of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from knowledge.dataset import Dataset
from knowledge.errors import MissingExtraError
from knowledge.wording import Text, say

Rows = NDArray[np.int64]
#: figures by metric, each an item's: 1 or 0, or what it contributes (`tools.contributions`)
Figures = dict[str, dict[str, float]]
#: everything drawn at random is drawn with this
SEED = 0
#: rows compared with all others at a time
_BLOCK = 1_000


@dataclass(frozen=True)
class Features:
    """What a candidate makes of texts.

    Attributes:
        own: one row a text, an array or a sparse matrix of shape (texts, dimension), as the candidate gives them.
        unit: the same of unit length, so that products are cosines; a row of zeros stays.
    """

    own: Any
    unit: Any

    def cosines(self, first: Rows, second: Rows) -> NDArray[np.float64]:
        """Of row by row, shape (rows,)."""
        one, other = self.unit[first], self.unit[second]
        if isinstance(one, np.ndarray):
            found: NDArray[np.float64] = np.einsum("ij,ij->i", one, other, dtype=np.float64)
            return found
        return np.asarray(one.multiply(other).sum(axis=1), dtype=np.float64).ravel()

    def against(self, first: Rows, second: Rows) -> Iterator[tuple[Rows, NDArray[np.float32]]]:
        """Cosines of some rows with all of others, block by block: positions in `first`, and shape (rows, others)."""
        others = self.unit[second].T
        for start in range(0, len(first), _BLOCK):
            found = self.unit[first[start : start + _BLOCK]] @ others
            yield (
                np.arange(start, min(len(first), start + _BLOCK)),
                np.asarray(found if isinstance(found, np.ndarray) else found.toarray(), dtype=np.float32),
            )


class Scored(NamedTuple):
    """What a candidate makes of a job.

    Attributes:
        figures: in all of the task's metrics.
        answers: item id -> its answer, where that is one thing: a class, or a document's id; else empty.
    """

    figures: Figures
    answers: dict[str, str]


class Job(Protocol):
    """A task on one dataset, ready for any candidate.

    Attributes:
        texts: document id -> text, all that has to be encoded, in the order of a candidate's features.
        items: ids of what is scored.
        same: ids of items with the same text; tests take them for one.
        notes: what was done to the labels before anything was scored.
        warnings: why figures may mislead.
    """

    texts: dict[str, str]
    items: tuple[str, ...]
    same: tuple[tuple[str, ...], ...]
    notes: tuple[Text, ...]
    warnings: tuple[Text, ...]

    def score(self, features: Features) -> Scored:
        """The figures in all of the task's metrics, and the candidate's answers."""
        ...


class Task(Protocol):
    """What a module in this folder offers; its name is the task's.

    Attributes:
        METRICS: what is measured; the first is the primary one.
        METHOD: how, in a sentence or two.
        VERSION: raised when that changes.
    """

    METRICS: tuple[str, ...]
    METHOD: Text
    VERSION: int

    def prepare(self, dataset: Dataset) -> Job:
        """Get ready; raises DatasetError where the labels allow no measurement."""
        ...


@dataclass(frozen=True)
class Prepared:
    """What jobs have in common (`Job`)."""

    texts: dict[str, str]
    items: tuple[str, ...]
    same: tuple[tuple[str, ...], ...] = ()
    notes: tuple[Text, ...] = ()
    warnings: tuple[Text, ...] = ()
    row: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "row", {document: row for row, document in enumerate(self.texts)})


def by_item(items: Sequence[str], values: NDArray[Any]) -> dict[str, float]:
    """Values by their items' ids."""
    return dict(zip(items, map(float, values), strict=True))


def groups_of(texts: Mapping[str, str]) -> tuple[tuple[str, ...], ...]:
    """Ids of the same text, where there are several, in reading order."""
    found: dict[str, list[str]] = {}
    for item, text in texts.items():
        found.setdefault(" ".join(text.split()), []).append(item)
    return tuple(tuple(group) for group in found.values() if len(group) > 1)


def need_sklearn() -> None:
    """See that scikit-learn is there; raises MissingExtraError."""
    try:
        import sklearn  # noqa: F401
    except ImportError as error:
        raise MissingExtraError(
            say("Classification and clustering need scikit-learn, which is not installed."),
            say("Install it with: pip install '{extra}'.", extra="embedding-advisor[local]"),
        ) from error
