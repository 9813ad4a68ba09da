"""Who takes part, who is better, and who is cheapest among equals."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from knowledge.candidate import parse_candidate, same_weights
from knowledge.constraints import ConstraintBase, Footprint
from knowledge.constraints.dimension import DimensionConstraint
from knowledge.requirements import Requirements
from knowledge.results import Comparison, MeasuredCandidate, Row, Shortlist, SpeedOfCandidate
from knowledge.wording import Text, say
from tools.statistics import EQUAL_SCORES, Scores, by_text, compare, non_inferior

#: latencies and memory within such a factor count as equal: so well do they repeat on a busy machine
LATENCY_STEP = 1.5
MEMORY_STEP = 1.25
#: nothing is divided by less
_LEAST = 1e-9
#: a difference of a millisecond is lost in any network, and in the noise of the timing
LATENCY_SLACK_MS = 1.0
#: the same weights in another floating-point precision differed by less (benchmarks/fast_encode: by 0.15 points at
#: most); with a smaller margin only queries can tell
ARITHMETIC = 0.002


#: for money, latency, time to encode a document, memory and vector size: up to which figure one counts as equal
EQUAL: tuple[Callable[[float], float], ...] = (
    lambda usd: usd,
    lambda ms: max(ms * LATENCY_STEP, ms + LATENCY_SLACK_MS),
    lambda seconds: seconds * LATENCY_STEP,
    lambda mb: mb * MEMORY_STEP,
    lambda size: size,
)


@dataclass(frozen=True)
class Contest:
    """The candidates that take part, with all that is known of each; so many more were left out in screening.

    Attributes:
        machines: like this one that the stated rate takes, of those that were put under load; empty where none was.
    """

    quality: dict[str, MeasuredCandidate]
    speed: dict[str, SpeedOfCandidate]
    comparisons: dict[str, Comparison]
    excluded: dict[str, Text]
    left_out: int = 0
    machines: Mapping[str, float] = field(default_factory=dict)

    @property
    def alone(self) -> bool:
        """Whether a single candidate was measured, so that nothing is decided against any other."""
        return len(self.quality) == 1 and not self.left_out

    def cheapest(self, specs: Sequence[str]) -> str:
        """The cheapest: money decides, then machines, latency, time to encode, memory, vector size; of equals the best.

        At each step those that count as equal to the lowest figure stay. What was not measured counts as dearest.
        """
        left = list(specs)
        costs = {spec: self.costs(spec) for spec in left}
        for place, equal in enumerate((EQUAL[0], lambda machines: machines, *EQUAL[1:])):
            lowest = min(costs[spec][place] for spec in left)
            left = [spec for spec in left if costs[spec][place] <= equal(lowest)]
        return min(left, key=lambda spec: (-self.quality[spec].primary_mean, spec))

    def costs(self, spec: str) -> tuple[float, ...]:
        """`cost` of a candidate, with the machines that its load takes after the money."""
        money, *others = cost(self.speed.get(spec))
        return (money, self.machines.get(spec, math.inf) if self.machines else 1.0, *others)


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
    legs = [leg for leg in parse_candidate(spec).searched if leg.backend != "bm25"]
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
    """These candidates against the best of them, on the same queries; of more, so many were left out on the way.

    The best's own weights in other arithmetic, scoring alike on every query, are tied with it whatever the number of
    queries: the tests ask what queries could still show of two candidates of which nothing is known, but of these it
    is known.
    """
    found = compare(by_query(specs, scores), margin, others=left_out)
    return tuple(
        one.model_copy(update={"verdict": "tied", "same_weights": True, "queries_needed": None})
        if one.verdict == "undecided" and _is_the_same(one, margin)
        else one
        for one in found
    )


def non_inferior_to_best(
    specs: Sequence[str], scores: Mapping[str, Mapping[str, float]], margin: float, left_out: int = 0
) -> tuple[str, ...]:
    """The best and those tied with it, best first: what `compare_all` calls so, without the rest of its work."""
    values = by_query(specs, scores)
    found = non_inferior(values, margin, others=left_out)
    best = values[found[0]]
    alike = (
        spec
        for spec in specs
        if spec not in found
        and len(best) > 1
        and margin >= ARITHMETIC
        and abs(values[spec] - best).max() <= EQUAL_SCORES
        and same_weights(spec, found[0])
    )
    return (*found, *alike)


def decide(specs: Sequence[str], field: Contest, scores: Mapping[str, Mapping[str, float]], margin: float) -> str:
    """The rule of `recommend`, among these candidates only."""
    tied = non_inferior_to_best(specs, scores, margin, field.left_out)
    return field.cheapest(tied) if field.speed else tied[0]


def _is_the_same(one: Comparison, margin: float) -> bool:
    """Whether it is the best in other arithmetic, and nothing that was measured tells the two apart."""
    alike = one.wins + one.losses == 0 and one.draws > 1
    return alike and margin >= ARITHMETIC and same_weights(one.spec, one.best)


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


def cost(of: SpeedOfCandidate | Row | None) -> tuple[float, ...]:
    """What a candidate costs, to be compared in this order; what was not measured counts as most expensive."""
    if of is None or of.query_p95_ms is None:
        return (math.inf,) * len(EQUAL)
    rate = of.documents_per_second or 0.0
    return (
        of.usd_per_million_tokens or 0.0,
        of.query_p95_ms,
        1 / rate if rate > 0 else math.inf,
        math.inf if of.peak_memory_mb is None else of.peak_memory_mb,
        math.inf if of.bytes_per_vector is None else of.bytes_per_vector,
    )


def dearer(one: Sequence[float], other: Sequence[float]) -> bool | None:
    """Whether the first costs more, by the first cost in which they differ by more than it repeats; None: in none."""
    for a, b, equal in zip(one, other, EQUAL, strict=True):
        if a > equal(b):
            return True
        if b > equal(a):
            return False
    return None


def pareto_front(points: Mapping[str, tuple[float, ...]]) -> set[str]:
    """Names no other point beats; a point is a quality and its costs (`cost`).

    One beats another that is at least as good, costs no more in anything by more than the cost repeats, and is better,
    or costs less in something by more than that. Of two that are equally good the one with the lower costs taken
    together beats: else three could beat one another in a circle, as "about equal" is no order.
    """

    def beats(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
        if one[0] < other[0] or any(a > equal(b) for a, b, equal in zip(one[1:], other[1:], EQUAL, strict=True)):
            return False
        if one[0] > other[0]:
            return True
        less = any(b > equal(a) for a, b, equal in zip(one[1:], other[1:], EQUAL, strict=True))
        return less and _together(one[1:], other[1:]) < 0

    return {name for name in points if not any(beats(other, points[name]) for other in points.values())}


def _together(one: Sequence[float], other: Sequence[float]) -> float:
    """By how much the first costs more, all costs taken together: the sum of the logarithms of their ratios."""
    shares = (math.log(max(a, _LEAST) / max(b, _LEAST)) for a, b in zip(one, other, strict=True) if a != b)
    return sum(shares)


def point(field: Contest, spec: str) -> tuple[float, ...]:
    """Quality, of which more is better, and money, latency, time to encode, memory and vector size."""
    return (round(field.quality[spec].primary_mean, 12), *cost(field.speed[spec]))
