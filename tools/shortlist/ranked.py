"""A model that may be measured, and how models are put in order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from knowledge.model_card import ModelCard
from knowledge.results import Prediction
from knowledge.wording import Text

#: predicted points (0 to 1) that a missed wish costs: the smallest predicted gap that usually holds (79 % of pairs)
SOFT_PENALTY = 0.03

#: what a place is held for, where it is held for something: a broadly tested model, a clearly smaller one
Slot = Literal["broad", "small"]


@dataclass(frozen=True)
class Ranked:
    """A model that may be measured: its forecast, the wishes it misses, and what decides its place.

    Attributes:
        prediction: at the size of vectors that it would be used at.
        missed: a reason for each wish that it misses.
        penalty: what these cost it, and the next, in predicted points (0 to 1).
        doubt: of the penalty, what a latency costs that is probably over the user's limit.
        cut: the size that its vectors are to be cut to; None: its own.
        loss: predicted points that cutting costs; they are taken off `prediction`.
    """

    card: ModelCard
    prediction: Prediction
    missed: tuple[Text, ...] = ()
    unknown: tuple[Text, ...] = ()
    penalty: float = 0.0
    doubt: float = 0.0
    cut: int | None = None
    loss: float = 0.0

    @property
    def order(self) -> tuple[float, str]:
        """Sorts the best first, equals by name."""
        return (self.penalty - self.prediction.mean, self.card.model)
