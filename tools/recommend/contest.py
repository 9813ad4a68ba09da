"""Who takes part, who is better, and who is cheapest among equals."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from knowledge.candidate import parse_candidate
from knowledge.constraints import ConstraintBase, Footprint
from knowledge.constraints.dimension import DimensionConstraint
from knowledge.requirements import Requirements
from knowledge.results import Comparison, MeasuredCandidate, Shortlist, SpeedOfCandidate
from knowledge.wording import Text, say
from tools.statistics import Scores, by_text, compare

#: latencies and memory within such a factor count as equal: so well do they repeat on a busy machine
LATENCY_STEP = 1.5
MEMORY_STEP = 1.25
#: a difference of a millisecond is lost in any network, and in the noise of the timing
LATENCY_SLACK_MS = 1.0


#: for money, latency, memory and vector size: up to which figure one counts as equal to the lowest
EQUAL: tuple[Callable[[float], float], ...] = (
    lambda usd: usd,
    lambda ms: max(ms * LATENCY_STEP, ms + LATENCY_SLACK_MS),
    lambda mb: mb * MEMORY_STEP,
    lambda size: size,
)


@dataclass(frozen=True)
class Contest:
    """The candidates that take part, with all that is known of each; so many more were left out in screening."""

    quality: dict[str, MeasuredCandidate]
    speed: dict[str, SpeedOfCandidate]
    comparisons: dict[str, Comparison]
    excluded: dict[str, Text]
    left_out: int = 0

    def cheapest(self, specs: Sequence[str]) -> str:
        """The cheapest: money decides, then latency, memory, vector size; of equally cheap ones the best.

        At each step those that count as equal to the lowest figure stay. What was not measured counts as dearest.
        """
        left = list(specs)
        for place, equal in enumerate(EQUAL):
            lowest = min(cost(self.speed.get(spec))[place] for spec in left)
            left = [spec for spec in left if cost(self.speed.get(spec))[place] <= equal(lowest)]
        return min(left, key=lambda spec: (-self.quality[spec].primary_mean, spec))


def is_measurable(constraint: ConstraintBase) -> bool:
    """Whether a demand is about something that a benchmark measures."""
    return type(constraint).check_measured is not ConstraintBase.check_measured


def excluded_by_demands(
    requirements: Requirements,
    shortlist: Shortlist,
    speed: Mapping[str, SpeedOfCandidate],
    quality: Mapping[str, MeasuredCandidate],
) -> dict[str, Text]:
    """Candidates that break a hard demand, with the reason: by their models' facts, or by what was measured.

    Where others were timed, one that could not be is out too: nothing shows that it keeps within a hard limit.
    """
    hard = [constraint for constraint in requirements.constraints if constraint.hard]
    kinds = {constraint.kind for constraint in hard}
    refused = {r.model: r for r in shortlist.rejected if r.constraint in kinds}
    limit = requirements.constraint(DimensionConstraint)
    found: dict[str, Text] = {}
    for spec, measured in quality.items():
        models = [*(leg.name for leg in parse_candidate(spec).legs), measured.model]
        broken = (refused[model] for model in models if model in refused)
        # its card says that it is not made to be cut; what was cut to fit and measured keeps the demand all the same
        reason = next(
            (r.reason for r in broken if not (r.constraint == "dimension" and _is_short(spec, measured, limit))), None
        )
        if reason is None and speed:
            reason = _broken_limit(hard, speed.get(spec))
        if reason is not None:
            found[spec] = reason
    return found


def _is_short(spec: str, measured: MeasuredCandidate, limit: DimensionConstraint | None) -> bool:
    """Whether the vectors that were measured keep to the limit, whatever the model's own are like."""
    legs = [leg for leg in parse_candidate(spec).legs if leg.backend != "bm25"]
    sizes = [int(leg.options["dim"]) if "dim" in leg.options else None for leg in legs]
    if len(legs) == 1 and sizes == [None]:
        sizes = [measured.dimension]
    return limit is not None and all(size is not None and size <= limit.max_dimension for size in sizes)


def _broken_limit(hard: Sequence[ConstraintBase], speed: SpeedOfCandidate | None) -> Text | None:
    for constraint in filter(is_measurable, hard):
        if speed is None:
            return say("whether it keeps to “{demand}” could not be measured", demand=constraint.describe())
        verdict = constraint.check_measured(_footprint(speed))
        if verdict and verdict.outcome == "violated":
            return verdict.reason
    return None


def _footprint(speed: SpeedOfCandidate) -> Footprint:
    return Footprint(
        query_p95_ms=speed.query_p95_ms,
        peak_memory_mb=speed.peak_memory_mb,
        bytes_per_vector=speed.bytes_per_vector,
        usd_per_million_tokens=speed.usd_per_million_tokens,
    )


def compare_all(
    specs: Sequence[str], scores: Mapping[str, Mapping[str, float]], margin: float, left_out: int = 0
) -> tuple[Comparison, ...]:
    """These candidates against the best of them, on the same queries; of more, so many were left out on the way."""
    return compare(by_query(specs, scores), margin, others=left_out)


def independent(
    scores: Mapping[str, Mapping[str, float]], same_queries: Sequence[Sequence[str]]
) -> Mapping[str, Mapping[str, float]]:
    """The scores with queries of the same text taken for one: a text asked five times is not five observations."""
    return {spec: by_text(values, same_queries) for spec, values in scores.items()} if same_queries else scores


def by_query(specs: Sequence[str], scores: Mapping[str, Mapping[str, float]]) -> dict[str, Scores]:
    """Each candidate's scores in the same order of queries, shape (queries,)."""
    import numpy as np

    queries = list(scores[specs[0]])
    return {spec: np.array([scores[spec][q] for q in queries]) for spec in specs}


def cost(speed: SpeedOfCandidate | None) -> tuple[float, float, float, float]:
    """What a candidate costs, to be compared in this order; what was not measured counts as most expensive."""
    if speed is None:
        return (math.inf, math.inf, math.inf, math.inf)
    return (
        speed.usd_per_million_tokens or 0.0,
        speed.query_p95_ms,
        speed.peak_memory_mb,
        speed.bytes_per_vector,
    )


def pareto_front(points: Mapping[str, tuple[float, ...]]) -> set[str]:
    """Names no other point beats: at least as good in everything and better in something (all axes: less is better)."""

    def beaten(name: str) -> bool:
        return any(
            all(a <= b for a, b in zip(other, points[name], strict=True)) and other != points[name]
            for other in points.values()
        )

    return {name for name in points if not beaten(name)}


def axes(field: Contest, spec: str) -> tuple[float, ...]:
    """Quality, money, latency, memory and vector size, each so that less is better."""
    return (-field.quality[spec].primary_mean, *cost(field.speed[spec]))
