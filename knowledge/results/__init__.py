"""What each stage finds, in flow order; one stage, one file. Times are in seconds unless the name says otherwise."""

from knowledge.results.base import Record
from knowledge.results.closer_look import Duel, HeadToHead, Hit, Routed, Routing, Slice, Slices, SliceScore
from knowledge.results.data import DataProfile, DatasetSummary, Lengths
from knowledge.results.evaluation import Comparison, Evaluation, FailedCandidate, MeasuredCandidate
from knowledge.results.evidence import Evidence, Interval
from knowledge.results.hard_cases import HardCasesRun
from knowledge.results.index_gap import IndexGap
from knowledge.results.labels import Gap, Judging, Label, PairToJudge, Place
from knowledge.results.plan import Consent, Plan, PlannedCandidate
from knowledge.results.preflight import Finding, Preflight, RecallByCut, Truncation
from knowledge.results.probes import ProbeExample, ProbeKind, Probes, ProbeScore, RerankerGain
from knowledge.results.rag import Contexts, ContextScore, RagEstimate, RagJudgement, RagScore
from knowledge.results.recommendation import Recommendation, Row
from knowledge.results.report import Report
from knowledge.results.robustness import Perturbation, QueryChange, Robustness
from knowledge.results.screening import AdaptiveEvaluation, Elimination, EncodeWork, Parity, Round, Screened, Screening
from knowledge.results.shortlist import (
    Admitted,
    Clash,
    Figure,
    Obstacle,
    Pick,
    Prediction,
    Rejection,
    Relaxation,
    Shortlist,
)
from knowledge.results.silver import SilverQueries
from knowledge.results.speed import Benchmark, Hardware, SpeedOfCandidate
from knowledge.results.usage import Usage

__all__ = [
    "AdaptiveEvaluation",
    "Admitted",
    "Benchmark",
    "Clash",
    "Comparison",
    "Consent",
    "ContextScore",
    "Contexts",
    "DataProfile",
    "DatasetSummary",
    "Duel",
    "Elimination",
    "EncodeWork",
    "Evaluation",
    "Evidence",
    "FailedCandidate",
    "Figure",
    "Finding",
    "Gap",
    "HardCasesRun",
    "Hardware",
    "HeadToHead",
    "Hit",
    "IndexGap",
    "Interval",
    "Judging",
    "Label",
    "Lengths",
    "MeasuredCandidate",
    "Obstacle",
    "PairToJudge",
    "Parity",
    "Perturbation",
    "Pick",
    "Place",
    "Plan",
    "PlannedCandidate",
    "Prediction",
    "Preflight",
    "ProbeExample",
    "ProbeKind",
    "ProbeScore",
    "Probes",
    "QueryChange",
    "RagEstimate",
    "RagJudgement",
    "RagScore",
    "RecallByCut",
    "Recommendation",
    "Record",
    "Rejection",
    "Relaxation",
    "Report",
    "RerankerGain",
    "Robustness",
    "Round",
    "Routed",
    "Routing",
    "Row",
    "Screened",
    "Screening",
    "Shortlist",
    "SilverQueries",
    "Slice",
    "SliceScore",
    "Slices",
    "SpeedOfCandidate",
    "Truncation",
    "Usage",
]
