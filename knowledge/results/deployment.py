"""What is put into production, and why: one decision for each thing that has to be settled."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from knowledge.results.base import Record
from knowledge.results.evidence import Evidence, Interval
from knowledge.wording import Text, say

Settled = Literal[
    "weights",
    "hosting",
    "chunking",
    "prompts",
    "batching",
    "caching",
    "dimension",
    "precision",
    "index",
    "hybrid",
    "reranking",
    "monitoring",
    "rollback",
]

#: in words
SETTLED: dict[Settled, Text] = {
    "weights": say("Weights"),
    "hosting": say("Hosting"),
    "chunking": say("Chunking"),
    "prompts": say("Prompts"),
    "batching": say("Batching"),
    "caching": say("Caching"),
    "dimension": say("Dimension"),
    "precision": say("Precision"),
    "index": say("Index"),
    "hybrid": say("Hybrid search"),
    "reranking": say("Reranking"),
    "monitoring": say("Monitoring"),
    "rollback": say("Way back"),
}


class Decision(Record):
    """One thing that is settled.

    Attributes:
        cites: ids of the evidence that the reason rests on, of the recommendation or of the plan.
    """

    about: Settled
    choice: Text
    reason: Text
    cites: tuple[str, ...] = ()


class FineTuning(Record):
    """Whether training the encoder on the user's own pairs is worth a try.

    Attributes:
        verdict: try: quality leaves room, and there are pairs enough; later: room, but too few pairs; no: little room;
            impossible: the set-up has no weights that could be trained here.
        quality: of the best candidate that was measured.
        room_below: quality from which on little is left to gain.
        pairs: of queries and right answers that the evaluation did not use; 0 where all of them are its own.
        pairs_needed: fewer are not tried.
        documents: from which queries could be made (`advisor silver`).
        points_low, points_high: of the primary metric, in hundredths; None: unknown.
        hours: of training at the measured speed of this machine; None where no speed was measured.
    """

    verdict: Literal["try", "later", "no", "impossible"]
    quality: Interval
    room_below: float
    pairs: int
    pairs_needed: int
    documents: int
    points_low: float | None = None
    points_high: float | None = None
    gain_source: Text
    hours: float | None = None
    hours_basis: Text | None = None


class DeploymentPlan(Record):
    """The plan. `evidence` holds the figures that the recommendation does not have.

    Attributes:
        differs: in what the files run otherwise than what was measured; empty where nothing does.
        obstacle: why no files are written for it, and which candidate is nearest; None where they are.
    """

    version: Literal[1] = 1
    run_id: str
    created: dt.datetime
    spec: str
    decisions: tuple[Decision, ...]
    fine_tuning: FineTuning | None = None
    differs: tuple[Text, ...] = ()
    obstacle: Text | None = None
    evidence: tuple[Evidence, ...] = ()

    def decision(self, about: Settled) -> Decision | None:
        """The decision about one thing."""
        return next((decision for decision in self.decisions if decision.about == about), None)
