"""How long a plan takes: what is read, how fast, and what is left where some of it is known."""

from __future__ import annotations

from collections.abc import Set

from knowledge.candidate import Leg, Rerank, parse_candidate
from knowledge.catalog import Catalog
from knowledge.dataset import Dataset
from knowledge.model_card import ModelCard
from knowledge.results import DataProfile, Plan, PlannedCandidate
from tools import chunking, retrieval
from tools.hardware import seconds_to_encode, usable_cores
from tools.plan.wanted import BM25, card_of
from tools.tasks.effort import scoring_seconds

STATIC_TOKENS_PER_SECOND = 300_000
#: documents a second over those of torch in fp32, by backend and precision: the least of three datasets, rounded down
#: (benchmarks/fast_encode, MiniLM on two AMD EPYC cores, 2026-11-22); a pair that is not here was not measured
FASTER = {("onnx", "int8"): 3.7, ("openvino", "bf16"): 3.0, ("torch", "bf16"): 2.2, ("onnx", "fp32"): 1.8}
LOAD_SECONDS = 12.0
BENCHMARK_SECONDS = 18.0
#: of what reading the texts takes, what hard cases add to it at most (`tools.hard_cases`, benchmarks/robustness)
HARD_CASES = 0.3
TOKENS_PER_DOCUMENT = 200
#: most cross-encoders read 512 tokens of a query and a document together
TOKENS_PER_QUERY, PAIR_TOKENS = 20, 512
#: of a text that word matching reads; and dimensions where nobody knows them
WORDS_PER_TEXT, USUAL_DIMENSION = 100, 768


def tokens_of(dataset: Dataset, profile: DataProfile | None) -> float:
    """Tokens of all documents and queries together."""
    per_document = profile.document_tokens.mean if profile and profile.document_tokens else TOKENS_PER_DOCUMENT
    per_query = profile.query_tokens.mean if profile and profile.query_tokens else 16
    return per_document * len(dataset.documents) + per_query * len(dataset.queries)


def tokens_of_pairs(reranking: Rerank, tokens: float, dataset: Dataset) -> float:
    """What a reranker reads: each query with so many documents, each cut off where such models stop."""
    each = min(tokens / max(len(dataset.documents), 1) + TOKENS_PER_QUERY, PAIR_TOKENS)
    documents = min(retrieval.top_of(reranking), len(dataset.documents))
    return len(dataset.queries) * documents * each


def times_read(leg: Leg) -> float:
    """How many times a leg reads the documents: where its chunks overlap, some tokens are read twice."""
    rules = chunking.rules_of(leg)
    return rules.size / (rules.size - rules.overlap) if rules and rules.size else 1.0


def minutes_of(leg: Leg, card: ModelCard | None, tokens: float) -> float:
    """How long a leg takes to be loaded, to read so many tokens, and to be timed."""
    if leg.backend == "static":
        return (LOAD_SECONDS / 4 + tokens / STATIC_TOKENS_PER_SECOND + BENCHMARK_SECONDS) / 60
    if leg.backend == "openai":
        return (tokens / 20_000 + BENCHMARK_SECONDS) / 60
    parameters = (card.active_parameters or card.parameters if card else None) or 100_000_000
    encoding = seconds_to_encode(parameters, tokens, usable_cores()) / FASTER.get(way_of(leg), 1.0)
    return (LOAD_SECONDS + encoding + BENCHMARK_SECONDS) / 60


def with_scoring(plan: Plan, dataset: Dataset, catalog: Catalog) -> Plan:
    """The plan with the minutes of scoring, where classes or clusters are learnt from vectors."""
    if plan.task == "ranking":
        return plan

    def scored(planned: PlannedCandidate) -> PlannedCandidate:
        seconds = scoring_seconds(dataset.summary, plan.task, _dimension(planned.spec, catalog))
        return planned.model_copy(update={"minutes": round(planned.minutes + seconds / 60, 2)})

    return plan.model_copy(update={"candidates": tuple(map(scored, plan.candidates))})


def _dimension(spec: str, catalog: Catalog) -> int:
    """How long a candidate's vectors are; those of word matching hold few words each."""
    leg = parse_candidate(spec).legs[0]
    if leg.backend == BM25:
        return WORDS_PER_TEXT
    card = card_of(catalog, leg.name)
    return int(leg.options.get("dim", 0)) or (card.dimension if card and card.dimension else USUAL_DIMENSION)


def with_hard_cases(plan: Plan) -> Plan:
    """The plan with what asking hard cases takes, at most; only rankings are asked any."""
    if plan.task != "ranking":
        return plan
    candidates = [
        c.model_copy(
            update={
                "minutes": round(c.minutes + HARD_CASES * _reading(c), 2),
                "usd": round(c.usd * (1 + HARD_CASES), 4),
            }
        )
        for c in plan.candidates
    ]
    return plan.model_copy(update={"candidates": tuple(candidates), "hard_cases": True})


def _reading(planned: PlannedCandidate) -> float:
    """The minutes of a candidate in which it is loaded and reads."""
    return max(0.0, planned.minutes - BENCHMARK_SECONDS / 60)


def without_what_is_known(plan: Plan, measured: Set[str], *, timed: bool) -> Plan:
    """The plan with the minutes that are left to spend.

    Args:
        plan: as if nothing were known.
        measured: the candidates whose quality is in the run store (`tools.evaluate.measured_before`).
        timed: whether all of them have been timed; else all of them will be, together.
    """

    def left(planned: PlannedCandidate) -> PlannedCandidate:
        timing = 0.0 if timed else min(planned.minutes, (LOAD_SECONDS + BENCHMARK_SECONDS) / 60)
        if planned.spec in measured:
            # whoever timed all of them asked the hard cases next
            hard = _reading(planned) * HARD_CASES / (1 + HARD_CASES) if plan.hard_cases and not timed else 0.0
            return planned.model_copy(update={"minutes": round(timing + hard, 2)})
        saved = min(planned.minutes, BENCHMARK_SECONDS / 60) if timed else 0.0
        return planned.model_copy(update={"minutes": round(planned.minutes - saved, 2)})

    return plan.model_copy(update={"candidates": tuple(map(left, plan.candidates))})


def way_of(leg: Leg) -> tuple[str, str]:
    """Backend and precision of an encoder."""
    return leg.options.get("backend", "torch"), leg.options.get("precision", "fp32")
