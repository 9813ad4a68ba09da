"""Which models are worth measuring, and what kept the others out."""

from __future__ import annotations

from typing import Literal

from knowledge.requirements import Requirements
from knowledge.results.base import Record
from knowledge.wording import Text


class Figure(Record):
    """One published score (0 to 1; correlations may be negative), as the benchmark reports it.

    Attributes:
        trained: the model's card says that it was trained on the task, or on a near-duplicate of it.
        suspect: stands out so far that it may be a mistake.
    """

    task: str
    language: str
    metric: str
    score: float
    trained: bool = False
    suspect: bool = False


class Prediction(Record):
    """Expected score on the user's task, with an interval (80 %) and the figures it rests on."""

    mean: float
    low: float
    high: float
    level: float = 0.8
    metric: str = "nDCG@10"
    tasks_in_language: int = 0
    tasks_in_all: int = 0


class Pick(Record):
    """A model kept, with the spec that would build it (None: no backend here builds it).

    Attributes:
        reasons: the most telling first.
        figures: the published scores that tell most about the user's task.
    """

    spec: str | None
    model: str
    predicted: Prediction
    reasons: tuple[Text, ...] = ()
    unknown: tuple[Text, ...] = ()
    figures: tuple[Figure, ...] = ()


class Rejection(Record):
    """A model left out, by the constraint that did it."""

    model: str
    constraint: str
    reason: Text


class Shortlist(Record):
    """The models kept, best prediction first, and each model rejected with its reason.

    Attributes:
        beside: what to measure with them and takes none of their places: word matching, and the cheapest static model.
        considered: all models; each is kept, beside or rejected.
    """

    requirements: Requirements
    kept: tuple[Pick, ...]
    beside: tuple[Pick, ...] = ()
    rejected: tuple[Rejection, ...]
    considered: int
    notes: tuple[Text, ...] = ()


class Obstacle(Record):
    """A hard demand, and how many models it alone leaves out."""

    kind: str
    demand: Text
    excluded: int


class Admitted(Record):
    """A model that a relaxation would admit, with the facts that break the demands it gives up."""

    model: str
    predicted: Prediction
    breaks: tuple[Text, ...]


class Relaxation(Record):
    """One way to give up as few demands as possible: some of them, or as much of their numbers as it takes.

    Attributes:
        kinds: of the demands it changes.
        models: how many it would admit.
        best: of these, those run in the user's language first, then by prediction.
    """

    kinds: tuple[str, ...]
    how: Literal["drop", "loosen"]
    change: Text
    models: int
    best: tuple[Admitted, ...]


class Clash(Record):
    """Why no model is left: what each hard demand leaves out, which few already leave none, and what could give.

    Attributes:
        considered: models that could be on a list at all.
        together: kinds of the smallest set of demands that no model meets.
    """

    considered: int
    obstacles: tuple[Obstacle, ...]
    together: tuple[str, ...]
    relaxations: tuple[Relaxation, ...]
