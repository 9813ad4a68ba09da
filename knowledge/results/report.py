"""Everything a rendered report is made of."""

from __future__ import annotations

from typing import Literal

from knowledge.requirements import Requirements
from knowledge.results.base import Record
from knowledge.results.closer_look import HeadToHead, Slices
from knowledge.results.cost import Costs
from knowledge.results.data import DataProfile
from knowledge.results.deployment import DeploymentPlan
from knowledge.results.evaluation import Comparison, Evaluation
from knowledge.results.index_load import IndexLoad
from knowledge.results.next_gain import NextGain
from knowledge.results.plan import Plan
from knowledge.results.probes import Probes
from knowledge.results.rag import Contexts
from knowledge.results.recommendation import Recommendation
from knowledge.results.robustness import Robustness
from knowledge.results.screening import Screening
from knowledge.results.service import UnderLoad
from knowledge.results.shortlist import Shortlist
from knowledge.results.speed import Benchmark


class Report(Record):
    """Everything a rendered report is made of; this is what ``report.json`` holds.

    Attributes:
        slices: quality on parts of the queries; None where nothing was measured, or the queries are too few.
        head_to_head: the winner and its nearest rival, query by query.
        probes: whether the winner and its rivals find what is true; None where the data gave no probes.
        robustness: what they lose on perturbed queries; likewise.
        gains: single changes to the winner; None where the user did not ask for them.
        costs: what the winner and its rivals cost a month, and how that grows; None where nothing was timed.
        load: what the winner and those tied with it hold; None where the user stated no rate.
        index: searches a second against recall of indexes over the winner's vectors; None where nobody swept them.
        contexts: what the winner and its rivals give a language model to read; None where the task is not RAG.
        deployment: what is settled for production, and why; None where no ranking was measured.
    """

    schema_version: Literal[1] = 1
    requirements: Requirements
    profile: DataProfile | None = None
    shortlist: Shortlist
    plan: Plan | None = None
    screening: Screening | None = None
    evaluation: Evaluation | None = None
    comparisons: tuple[Comparison, ...] = ()
    benchmark: Benchmark | None = None
    recommendation: Recommendation
    slices: Slices | None = None
    head_to_head: HeadToHead | None = None
    probes: Probes | None = None
    robustness: Robustness | None = None
    gains: NextGain | None = None
    costs: Costs | None = None
    contexts: Contexts | None = None
    load: UnderLoad | None = None
    index: IndexLoad | None = None
    deployment: DeploymentPlan | None = None
    reproduce: str
    made_by: str
