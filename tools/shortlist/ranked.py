"""A model that may be measured, and how models are put in order."""

from __future__ import annotations

from dataclasses import dataclass

from knowledge.model_card import ModelCard
from knowledge.results import Prediction
from knowledge.wording import Text

#: predicted points (0 to 1) that a missed wish costs: the smallest predicted gap that usually holds (79 % of pairs)
SOFT_PENALTY = 0.03


@dataclass(frozen=True)
class Ranked:
    """A model that may be measured: its forecast, the wishes it misses, and what decides its place."""

    card: ModelCard
    prediction: Prediction
    missed: tuple[Text, ...] = ()
    unknown: tuple[Text, ...] = ()

    @property
    def order(self) -> tuple[float, str]:
        """Sorts the best first, equals by name."""
        return (SOFT_PENALTY * len(self.missed) - self.prediction.mean, self.card.model)
