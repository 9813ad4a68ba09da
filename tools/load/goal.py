"""Does a step meet the goal, and if not, why."""

from __future__ import annotations

from knowledge.quantities import milliseconds, rate
from knowledge.results.load import Goal, LoadPoint
from knowledge.wording import Text, say

#: answers below which the rate of answers says nothing
_FEW = 20


def why_broken(point: LoadPoint, goal: Goal) -> Text | None:
    """The first reason for which a step does not meet the goal; None where it does."""
    if not point.answered or point.latency is None:
        return say("nothing was answered ({what})", what=_failures(point))
    if point.failed > goal.error_share * point.requests:
        share = 100 * point.failed / point.requests
        return say("{share:.1f} % failed ({what})", share=share, what=_failures(point))
    if point.latency.p95_ms > goal.p95_ms:
        return say("p95 was {time}", time=milliseconds(point.latency.p95_ms))
    if point.offered and point.answered >= _FEW and point.achieved < goal.achieved_share * point.offered:
        return say(
            "it answered {achieved} of {offered} a second", achieved=rate(point.achieved), offered=rate(point.offered)
        )
    return None


def _failures(point: LoadPoint) -> str:
    """Kinds of failures and how many, the most frequent first; kinds are the same in every language."""
    found = {**point.errors, "timeout": point.timeouts, "dropped": point.dropped}
    return ", ".join(f"{kind} × {count}" for kind, count in sorted(found.items(), key=lambda f: -f[1]) if count) or "–"
