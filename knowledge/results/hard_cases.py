"""What was found when candidates were asked hard cases, as one run."""

from __future__ import annotations

import datetime as dt

from knowledge.results.base import Record
from knowledge.results.data import DatasetSummary
from knowledge.results.probes import Probes
from knowledge.results.robustness import Robustness


class HardCasesRun(Record):
    """Probes and perturbed queries, asked of candidates of one evaluation.

    Attributes:
        evaluation: run in which the candidates were measured.
        candidates: that were asked, in the order given.
        metric: of the perturbed queries.
    """

    run_id: str
    created: dt.datetime
    evaluation: str
    dataset: DatasetSummary
    queries: int
    metric: str
    candidates: tuple[str, ...]
    probes: Probes | None
    robustness: Robustness | None
