"""What would change the decision: it is made again under other margins and limits, and where it flips is said."""

from __future__ import annotations

import math
from collections.abc import Mapping

from knowledge.quantities import points
from knowledge.requirements import Requirements
from knowledge.wording import Text, say
from tools.recommend.contest import Contest, decide
from tools.recommend.weights import NOTHING, Beside, flips

MARGINS = (0.001, 0.005, 0.01, 0.02, 0.03, 0.05, 0.08, 0.1, 0.15, 0.2)


def what_would_change_it(
    winner: str,
    field: Contest,
    scores: Mapping[str, Mapping[str, float]],
    requirements: Requirements,
    metric: str,
    beside: Beside = NOTHING,
) -> tuple[Text, ...]:
    """The decision made again under other margins, limits and weights: where it flips, that is said."""
    if field.alone:
        return (say("Measuring others: nothing was compared with it, so any of them may be better or cheaper."),)
    found = []
    together = beside.weighed(scores)
    by_margin = _flip_by_margin(winner, field, together, requirements.margin.value)
    if by_margin:
        margin, spec = by_margin
        found.append(
            say(
                "With a margin of {margin:.3f} instead of {now:.3f} {metric} it would be {spec}.",
                margin=margin,
                now=requirements.margin.value,
                metric=metric,
                spec=spec,
            )
        )
    for name, text in (
        ("query_p95_ms", say("a p95 latency limit of {limit:,.10g} ms")),
        ("peak_memory_mb", say("a memory limit of {limit:,.10g} MB")),
        ("bytes_per_vector", say("a limit of {limit:,.10g} bytes a document in the index")),
    ):
        flip = _flip_by_limit(winner, field, together, requirements.margin.value, name)
        if flip:
            limit, spec = flip
            demand = text.model_copy(update={"values": {"limit": limit}})
            loss = field.quality[winner].primary_mean - field.quality[spec].primary_mean
            found.append(
                say(
                    "With {demand} it would be {spec} ({loss} points of {metric}).",
                    demand=demand,
                    spec=spec,
                    loss=points(-loss),
                    metric=metric,
                )
            )
    found.extend(flips(winner, field, scores, requirements.margin.value, beside))
    for spec, reason in field.excluded.items():
        if field.quality[spec].primary_mean > field.quality[winner].primary_mean:
            found.append(say("{spec} measured higher but is excluded: {reason}.", spec=spec, reason=reason))
    return tuple(found) or (say("Nothing that was measured: it wins under every margin and limit tried."),)


def _flip_by_margin(
    winner: str, field: Contest, scores: Mapping[str, Mapping[str, float]], now: float
) -> tuple[float, str] | None:
    """The margin nearest to today's at which another candidate wins."""
    specs = list(field.comparisons)
    for margin in sorted(MARGINS, key=lambda margin: abs(margin - now)):
        spec = decide(specs, field, scores, margin)
        if spec != winner:
            return margin, spec
    return None


def _flip_by_limit(
    winner: str, field: Contest, scores: Mapping[str, Mapping[str, float]], margin: float, name: str
) -> tuple[float, str] | None:
    """What wins under a limit a tenth below what the winner needs, so that no repetition brings it back in."""
    if winner not in field.speed:
        return None
    limit = _three_digits_down(float(getattr(field.speed[winner], name)) / 1.1)
    allowed = [s for s in field.comparisons if s in field.speed and getattr(field.speed[s], name) <= limit]
    return (limit, decide(allowed, field, scores, margin)) if allowed else None


def _three_digits_down(value: float) -> float:
    """The value as it is shown, never more than it is: what the sentence says is what was tried."""
    if value <= 0:
        return value
    step = 10.0 ** (math.floor(math.log10(value)) - 2)
    return float(f"{math.floor(value / step) * step:.12g}")
