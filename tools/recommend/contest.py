"""Who takes part, who is better, and who is cheapest among equals."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from knowledge.constraints import Footprint
from knowledge.requirements import Requirements
from knowledge.results import Comparison, MeasuredCandidate, SpeedOfCandidate
from knowledge.wording import Text
from tools.statistics import compare

#: latencies and memory within such a factor count as equal: so well do they repeat on a busy machine
LATENCY_STEP = 1.5
MEMORY_STEP = 1.25


@dataclass(frozen=True)
class Contest:
    """The candidates that take part, with all that is known of each."""

    quality: dict[str, MeasuredCandidate]
    speed: dict[str, SpeedOfCandidate]
    comparisons: dict[str, Comparison]
    excluded: dict[str, Text]

    def cheapest(self, specs: Sequence[str]) -> str:
        return min(specs, key=lambda spec: (*cost(self.speed.get(spec)), -self.quality[spec].primary_mean, spec))


def excluded_by_limits(
    requirements: Requirements, speed: Mapping[str, SpeedOfCandidate], quality: Mapping[str, MeasuredCandidate]
) -> dict[str, Text]:
    """Candidates that break a hard limit by what was measured, with the reason."""
    found: dict[str, Text] = {}
    for spec in quality:
        footprint = _footprint(speed[spec]) if spec in speed else Footprint()
        for constraint in requirements.constraints:
            verdict = constraint.check_measured(footprint)
            if verdict and constraint.hard and verdict.outcome == "violated":
                found[spec] = verdict.reason
                break
    return found


def _footprint(speed: SpeedOfCandidate) -> Footprint:
    return Footprint(
        query_p95_ms=speed.query_p95_ms,
        peak_memory_mb=speed.peak_memory_mb,
        bytes_per_vector=speed.bytes_per_vector,
        usd_per_million_tokens=speed.usd_per_million_tokens,
    )


def compare_all(
    specs: Sequence[str], scores: Mapping[str, Mapping[str, float]], margin: float
) -> tuple[Comparison, ...]:
    """These candidates against the best of them, on the same queries."""
    import numpy as np

    queries = list(scores[specs[0]])
    return compare({spec: np.array([scores[spec][q] for q in queries]) for spec in specs}, margin)


def cost(speed: SpeedOfCandidate | None) -> tuple[float, float, float, float]:
    """What a candidate costs, to be compared in this order; what was not measured counts as most expensive."""
    if speed is None:
        return (math.inf, math.inf, math.inf, math.inf)
    return (
        speed.usd_per_million_tokens or 0.0,
        _step(speed.query_p95_ms, LATENCY_STEP),
        _step(speed.peak_memory_mb, MEMORY_STEP),
        speed.bytes_per_vector,
    )


def _step(value: float, factor: float) -> float:
    """The value on a scale whose steps are a factor apart, so that noise does not decide."""
    return math.floor(math.log(max(value, 1e-3)) / math.log(factor))


def pareto_front(points: Mapping[str, tuple[float, ...]]) -> set[str]:
    """Names no other point beats: at least as good in everything and better in something (all axes: less is better)."""

    def beaten(name: str) -> bool:
        return any(
            all(a <= b for a, b in zip(other, points[name], strict=True)) and other != points[name]
            for other in points.values()
        )

    return {name for name in points if not beaten(name)}


def axes(field: Contest, spec: str) -> tuple[float, ...]:
    """Quality, latency, memory and vector size, each so that less is better."""
    speed = field.speed[spec]
    return (-field.quality[spec].primary_mean, speed.query_p95_ms, speed.peak_memory_mb, speed.bytes_per_vector)
