"""What was decided, and what a check of it is asked to look at."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from knowledge.dataset import Dataset
from knowledge.requirements import Requirements
from knowledge.results import Evaluation, MeasuredCandidate


@dataclass(frozen=True)
class Decision:
    """What was decided, and by which run.

    Attributes:
        incumbent: of its candidates the one in use.
    """

    evaluation: Evaluation
    incumbent: MeasuredCandidate
    requirements: Requirements
    margin: float

    @property
    def day(self) -> dt.date:
        """On which it was measured."""
        return self.evaluation.started.date()


@dataclass(frozen=True)
class Asked:
    """What to look at beside the catalog.

    Attributes:
        dataset: today's data.
        challengers: specs to measure against the one in use.
        measure: whether anything may be measured that costs time; what the run store has costs none.
        documents: in production, for the plan of a change; None: as many as in the data.
        thresholds: cut-offs on scores that are in use.
    """

    dataset: Dataset | None = None
    challengers: tuple[str, ...] = ()
    measure: bool = False
    documents: int | None = None
    thresholds: tuple[float, ...] = ()
