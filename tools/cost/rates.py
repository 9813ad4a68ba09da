"""How many queries a second one machine answers: as a load test found, else by the time of one query, else by size."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from knowledge.results import SpeedOfCandidate
from knowledge.results.cost import RateBasis
from knowledge.results.service import UnderLoad
from knowledge.wording import Text, say
from tools.evidence_list import EvidenceList

#: a machine answers so much of what it can do one after the other: the rest keeps queries from queueing
UTILISATION = 0.7


@dataclass(frozen=True)
class Rate:
    """What one machine answers.

    Attributes:
        per_second: queries; None: not known.
        by: how it is known.
        missed_p95_ms: the limit within which a load test found no rate at all; then no number of such machines holds.
    """

    per_second: float | None = None
    by: RateBasis | None = None
    missed_p95_ms: float | None = None


#: of an API, and where nothing is known
NO_RATE = Rate()


def measured_rate(
    spec: str,
    speed: SpeedOfCandidate,
    load: UnderLoad | None,
    evidence: EvidenceList,
    cites: dict[str, str],
    cite: Callable[[str, Text, float, str], None],
) -> Rate:
    """Of a candidate that was timed.

    A load test goes before the time of one query alone, also where it found that nothing holds: then the time of one
    query must not tell of machines that would.

    Args:
        spec: the candidate.
        speed: its time for one query.
        load: the load test, where there was one.
        evidence: where the figures go.
        cites: of the figures, by field; added to.
        cite: writes down a figure of the benchmark.
    """
    held = load.of(spec) if load else None
    if load is not None and held is not None:
        if not held.holds_qps:
            return Rate(by="load", missed_p95_ms=load.goal_p95_ms)
        what, source = say("queries per second that it holds"), say("load test on this machine")
        cites["queries_per_second"] = evidence.add(
            "measured", spec, what, held.holds_qps, "1/s", source=source, run_id=held.run_id
        )
        return Rate(held.holds_qps, "load")
    if speed.query_p50_ms <= 0:
        return NO_RATE
    cite("query_p50_ms", say("p50 latency"), speed.query_p50_ms, "ms")
    value = UTILISATION * 1000 / speed.query_p50_ms
    cites["queries_per_second"] = evidence.add(
        "computed",
        spec,
        say("queries per second of one machine"),
        value,
        "1/s",
        source=say("one query after the other, {share:.0%} of the time", share=UTILISATION),
        computed_from=(cites["query_p50_ms"],),
    )
    return Rate(value, "alone")
