"""What the decisions of a plan rest on: the report, the candidate, and what was measured of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from knowledge.candidate import Candidate
from knowledge.results import Evaluation, MeasuredCandidate, Report, Row
from knowledge.results.deployment import FineTuning
from tools.evidence_list import EvidenceList


@dataclass
class Grounds:
    """Of one measured candidate.

    Attributes:
        row: of the recommendation, where it has one.
        tuning: whether fine-tuning is worth trying; None: the question does not arise.
        evidence: figures that a decision cites and the recommendation does not have.
    """

    report: Report
    evaluation: Evaluation
    candidate: Candidate
    measured: MeasuredCandidate
    row: Row | None
    tuning: FineTuning | None
    evidence: EvidenceList = field(default_factory=lambda: EvidenceList("ED"))

    def cites(self, *columns: str) -> tuple[str, ...]:
        """The evidence of the row's columns, of those that have any."""
        cites = self.row.cites if self.row else {}
        return tuple(cites[column] for column in columns if column in cites)

    @property
    def primary(self) -> str:
        """The metric that decides."""
        return self.evaluation.primary
