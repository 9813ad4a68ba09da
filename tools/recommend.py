"""The decision: the cheapest candidate that is not measurably worse than the best, and why.

1. Hard constraints, checked against what was measured, decide who takes part.
2. Each candidate is compared with the best one, paired by query (`tools.statistics.compare`).
3. Among the best and those tied with it, the cheapest wins: money first, then p95 latency, memory, vector size.
   Latencies within a factor 1.5 count as equal, memory within 1.25: that is how well they repeat on a busy machine.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from knowledge.constraints import Footprint
from knowledge.requirements import Requirements
from knowledge.results import (
    Benchmark,
    Comparison,
    Evaluation,
    Evidence,
    MeasuredCandidate,
    Plan,
    Recommendation,
    Row,
    Shortlist,
    SpeedOfCandidate,
)
from knowledge.wording import Text, join, say
from tools.statistics import compare

LATENCY_STEP = 1.5
MEMORY_STEP = 1.25
METHOD_OF_COMPARISON = "paired randomisation test over queries, Holm-corrected; bootstrap intervals (BCa)"


@dataclass(frozen=True)
class Decision:
    """A recommendation and the comparisons it rests on."""

    recommendation: Recommendation
    comparisons: tuple[Comparison, ...]


@dataclass(frozen=True)
class _Field:
    """The candidates that take part, with all that is known of each."""

    quality: dict[str, MeasuredCandidate]
    speed: dict[str, SpeedOfCandidate]
    comparisons: dict[str, Comparison]
    excluded: dict[str, Text]

    def cheapest(self, specs: Sequence[str]) -> str:
        return min(specs, key=lambda spec: (*_cost(self.speed.get(spec)), -self.quality[spec].primary_mean, spec))


def recommend(
    requirements: Requirements,
    shortlist: Shortlist,
    evaluation: Evaluation,
    scores: Mapping[str, Mapping[str, float]],
    benchmark: Benchmark | None,
    plan: Plan | None = None,
    *,
    now: dt.datetime,
) -> Decision:
    """Decide.

    Args:
        requirements: the margin and the hard limits on latency, memory and cost.
        shortlist: what the catalog suggested; what of it was not measured is said.
        evaluation: measured quality.
        scores: per-query scores in the primary metric, {spec: {query: score}}.
        benchmark: measured cost; without it, candidates count as equally costly and the best one wins.
        plan: what had been left out of the measurement, and why.
        now: date of the decision.
    """
    quality = {c.spec: c for c in evaluation.candidates}
    speed = {c.spec: c for c in benchmark.candidates} if benchmark else {}
    excluded = _excluded(requirements, speed, quality)
    taking_part = [spec for spec in quality if spec not in excluded]
    compared = _compare(taking_part or list(quality), scores, requirements.margin.value)
    field = _Field(quality, speed, {c.spec: c for c in compared}, excluded)
    evidence = _Evidence(evaluation, benchmark)
    rows = _rows(field, evidence)
    if not taking_part:
        return Decision(
            _nobody(requirements, evaluation, benchmark, rows, evidence, excluded, plan, shortlist, now), compared
        )
    best = compared[0].spec
    tied = [c.spec for c in compared if c.verdict in ("best", "tied")]
    winner = field.cheapest(tied) if benchmark else best
    undecided = tuple(c.spec for c in compared if c.verdict == "undecided")
    others = [spec for spec in tied if spec != winner]
    left = [c.spec for c in compared if c.spec != winner]
    runner_up = field.cheapest(others) if others else (left[0] if left else None)
    rows = tuple(_stand(row, winner, field) for row in rows)
    recommendation = Recommendation(
        run_id=evaluation.run_id,
        created=now,
        measured=True,
        winner=winner,
        best=best,
        tied=tuple(others),
        undecided=undecided,
        runner_up=runner_up,
        headline=_headline(winner, best, field, evaluation.primary, requirements.margin.value),
        reasons=_reasons(winner, best, field, evaluation, requirements),
        confidence=_confidence(winner, best, field, evaluation, undecided),
        rows=rows,
        evidence=tuple(evidence.found),
        not_measured=_not_measured(shortlist, evaluation, benchmark, plan),
        what_would_change_it=_what_would_change_it(winner, field, scores, requirements, evaluation.primary),
        next_steps=_next_steps(winner, evaluation, undecided, field),
        primary=evaluation.primary,
        margin=requirements.margin.value,
    )
    return Decision(recommendation, compared)


# ---------------------------------------------------------------- who takes part, who is better


def _excluded(
    requirements: Requirements, speed: Mapping[str, SpeedOfCandidate], quality: Mapping[str, MeasuredCandidate]
) -> dict[str, Text]:
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


def _compare(specs: Sequence[str], scores: Mapping[str, Mapping[str, float]], margin: float) -> tuple[Comparison, ...]:
    import numpy as np

    queries = list(scores[specs[0]])
    return compare({spec: np.array([scores[spec][q] for q in queries]) for spec in specs}, margin)


def _cost(speed: SpeedOfCandidate | None) -> tuple[float, float, float, float]:
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


# ---------------------------------------------------------------- evidence and table


class _Evidence:
    """Collects the figures an answer cites and numbers them."""

    def __init__(self, evaluation: Evaluation, benchmark: Benchmark | None) -> None:
        self.found: list[Evidence] = []
        self._evaluation, self._benchmark = evaluation, benchmark

    def quality(self, about: str, what: str, value: float) -> str:
        run = self._evaluation
        return self._add(
            "measured", about, what, value, "", f"ir-measures on {run.dataset.name}", run.started, run.run_id
        )

    def difference(self, about: str, value: float, cited: tuple[str, ...]) -> str:
        run = self._evaluation
        what = f"difference in {run.primary} to the best"
        return self._add("computed", about, what, value, "", METHOD_OF_COMPARISON, run.started, run.run_id, cited)

    def cost(self, about: str, what: str, value: float, unit: str) -> str:
        run = self._benchmark
        assert run
        source = f"{run.hardware.cpu}, {run.hardware.cores} cores"
        return self._add("measured", about, what, value, unit, source, run.started, run.run_id)

    def _add(
        self,
        kind: str,
        about: str,
        what: str,
        value: float,
        unit: str,
        source: str,
        when: dt.datetime,
        run_id: str,
        computed_from: tuple[str, ...] = (),
    ) -> str:
        name = f"E{len(self.found) + 1}"
        self.found.append(
            Evidence(
                id=name,
                kind=kind,
                about=about,
                what=what,
                value=value,
                unit=unit,
                source=source,
                date=when.date(),
                run_id=run_id,
                computed_from=computed_from,
            )
        )
        return name


def _rows(field: _Field, evidence: _Evidence) -> tuple[Row, ...]:
    """The table, best quality first; standings of those that take part are filled in after the decision."""
    order = sorted(field.quality, key=lambda spec: (-field.quality[spec].primary_mean, spec))
    front = pareto_front({s: _axes(field, s) for s in order if s in field.speed and s not in field.excluded})
    cites: dict[str, dict[str, str]] = {}
    for spec in order:
        measured = field.quality[spec]
        cites[spec] = {name: evidence.quality(spec, name, value) for name, value in measured.metrics.items()}
        cites[spec]["quality"] = cites[spec][next(iter(measured.metrics))]
    best = next((c.best for c in field.comparisons.values()), order[0])
    rows = []
    for spec in order:
        speed, comparison = field.speed.get(spec), field.comparisons.get(spec)
        if comparison and comparison.verdict != "best":
            both = (cites[spec]["quality"], cites[best]["quality"])
            cites[spec]["difference"] = evidence.difference(spec, comparison.difference.mean, both)
        if speed:
            for name, unit in (
                ("query_p95_ms", "ms"),
                ("documents_per_second", "1/s"),
                ("peak_memory_mb", "MB"),
                ("bytes_per_vector", "B"),
            ):
                cites[spec][name] = evidence.cost(spec, name, getattr(speed, name), unit)
        rows.append(
            Row(
                spec=spec,
                standing="excluded" if spec in field.excluded else "undecided",
                quality=field.quality[spec].interval,
                difference=comparison.difference if comparison and comparison.verdict != "best" else None,
                p_different=comparison.p_different if comparison and comparison.verdict != "best" else None,
                metrics=field.quality[spec].metrics,
                query_p95_ms=speed.query_p95_ms if speed else None,
                documents_per_second=speed.documents_per_second if speed else None,
                peak_memory_mb=speed.peak_memory_mb if speed else None,
                bytes_per_vector=speed.bytes_per_vector if speed else None,
                usd_per_million_tokens=speed.usd_per_million_tokens if speed else None,
                on_pareto_front=spec in front,
                excluded_by=field.excluded.get(spec),
                cites=cites[spec],
            )
        )
    return tuple(rows)


def _axes(field: _Field, spec: str) -> tuple[float, ...]:
    speed = field.speed[spec]
    return (-field.quality[spec].primary_mean, speed.query_p95_ms, speed.peak_memory_mb, speed.bytes_per_vector)


def _stand(row: Row, winner: str, field: _Field) -> Row:
    if row.standing == "excluded":
        return row
    verdict = field.comparisons[row.spec].verdict
    standing = "winner" if row.spec == winner else ("tied" if verdict == "best" else verdict)
    return row.model_copy(update={"standing": standing})


# ---------------------------------------------------------------- words


def _headline(winner: str, best: str, field: _Field, metric: str, margin: float) -> Text:
    value = field.quality[winner].primary_mean
    if winner == best:
        return say("Use {winner}: the best measured, {metric} {value:.3f}.", winner=winner, metric=metric, value=value)
    return say(
        "Use {winner}: {metric} {value:.3f}, not worse than the best ({best}, {best_value:.3f}) by more than "
        "{margin:.3f}, and cheaper.",
        winner=winner,
        metric=metric,
        value=value,
        best=best,
        best_value=field.quality[best].primary_mean,
        margin=margin,
    )


def _reasons(
    winner: str, best: str, field: _Field, evaluation: Evaluation, requirements: Requirements
) -> tuple[Text, ...]:
    metric = evaluation.primary
    found = []
    tied = [c for c in field.comparisons.values() if c.verdict == "tied" and c.spec != winner]
    if winner != best:
        c = field.comparisons[winner]
        found.append(
            say(
                "Quality: {difference:+.3f} {metric} against the best, 95 % interval {low:+.3f} to {high:+.3f}; it wins "
                "{wins} queries, loses {losses} and draws {draws}.",
                difference=c.difference.mean,
                metric=metric,
                low=c.difference.low,
                high=c.difference.high,
                wins=c.wins,
                losses=c.losses,
                draws=c.draws,
            )
        )
    elif tied:
        names = ", ".join(c.spec for c in tied)
        found.append(say("Others are no worse by more than the margin, but cost more: {names}.", names=names))
    if winner in field.speed:
        s = field.speed[winner]
        found.append(
            say(
                "Cost on this machine: p95 {p95:.3g} ms a query, {rate:.0f} documents a second, {memory:.0f} MB of memory, "
                "{bytes:.0f} bytes a document in the index.",
                p95=s.query_p95_ms,
                rate=s.documents_per_second,
                memory=s.peak_memory_mb,
                bytes=s.bytes_per_vector,
            )
        )
    if winner != best and best in field.speed and winner in field.speed:
        found.append(_saving(field.speed[winner], field.speed[best], best))
    worse = [c for c in field.comparisons.values() if c.verdict == "worse"]
    if worse:
        c = max(worse, key=lambda c: c.difference.mean)
        found.append(
            say(
                "Measurably worse: {count} candidates; the nearest of them, {spec}, by {difference:.3f} (p = {p:.3f}).",
                count=len(worse),
                spec=c.spec,
                difference=-c.difference.mean,
                p=c.p_different,
            )
        )
    hard = [c.describe() for c in requirements.constraints if c.hard]
    if hard:
        found.append(say("It meets what you asked for: {demands}.", demands=join(hard, Text(template="; "))))
    return tuple(found)


def _saving(winner: SpeedOfCandidate, best: SpeedOfCandidate, name: str) -> Text:
    return say(
        "Against {best} it needs {latency:.2g} times the latency, {memory:.2g} times the memory and {size:.2g} times the "
        "index.",
        best=name,
        latency=winner.query_p95_ms / max(best.query_p95_ms, 1e-9),
        memory=winner.peak_memory_mb / max(best.peak_memory_mb, 1e-9),
        size=winner.bytes_per_vector / max(best.bytes_per_vector, 1e-9),
    )


def _confidence(winner: str, best: str, field: _Field, evaluation: Evaluation, undecided: Sequence[str]) -> Text:
    parts = [
        say(
            "Measured on {queries} queries with a paired test, corrected for {count} comparisons.",
            queries=evaluation.judged_queries,
            count=max(len(field.comparisons) - 1, 0),
        )
    ]
    if winner != best:
        parts.append(
            say(
                "That it is worse than the best by more than the margin is rejected (p = {p:.3f}).",
                p=field.comparisons[winner].p_worse,
            )
        )
    if undecided:
        needed = max(field.comparisons[s].queries_needed or 0 for s in undecided)
        parts.append(
            say(
                "The sample is too small to place {names}; about {needed} queries would settle it.",
                names=", ".join(undecided),
                needed=needed,
            )
        )
    if evaluation.dataset.labels == "silver":
        parts.append(say("The labels are silver, made from the data itself: the order is safer than the level."))
    return join(parts)


def _not_measured(
    shortlist: Shortlist, evaluation: Evaluation, benchmark: Benchmark | None, plan: Plan | None
) -> tuple[Text, ...]:
    found = []
    measured = {c.model for c in evaluation.candidates} | {c.spec for c in evaluation.candidates}
    planned = {p.model: p for p in plan.not_measured} if plan else {}
    for pick in shortlist.kept:
        if pick.model in measured or pick.spec in measured:
            continue
        obstacle = planned[pick.model].obstacle if pick.model in planned else None
        why = obstacle or say("it was not among the candidates to measure")
        found.append(
            say(
                "{model} (predicted {mean:.3f}, {low:.3f} to {high:.3f}): {why}",
                model=pick.model,
                mean=pick.predicted.mean,
                low=pick.predicted.low,
                high=pick.predicted.high,
                why=why,
            )
        )
    for failed in evaluation.failed:
        found.append(say("{spec} failed: {why}", spec=failed.spec, why=failed.reason))
    if benchmark is None:
        found.append(say("Latency, throughput and memory: no benchmark was run."))
    else:
        found.extend(say("The speed of {spec}: {why}", spec=f.spec, why=f.reason) for f in benchmark.failed)
        found.append(
            say(
                "Latency under many users at once, and of an approximate index: the figures are for one query at a "
                "time and an exact scan of {documents} documents.",
                documents=benchmark.documents,
            )
        )
        if not benchmark.hardware.gpus:
            found.append(say("Anything on a GPU: this machine has none."))
    return tuple(found)


def _what_would_change_it(
    winner: str,
    field: _Field,
    scores: Mapping[str, Mapping[str, float]],
    requirements: Requirements,
    metric: str,
) -> tuple[Text, ...]:
    """The decision made again under other margins and limits: where it flips, that is said."""
    found = []
    by_margin = _flip_by_margin(winner, field, scores, requirements.margin.value)
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
        ("query_p95_ms", say("a p95 latency limit under {limit:.3g} ms")),
        ("peak_memory_mb", say("a memory limit under {limit:.3g} MB")),
        ("bytes_per_vector", say("an index limit under {limit:.3g} bytes a document")),
    ):
        flip = _flip_by_limit(winner, field, scores, requirements.margin.value, name)
        if flip:
            limit, spec = flip
            demand = text.model_copy(update={"values": {"limit": limit}})
            loss = field.quality[winner].primary_mean - field.quality[spec].primary_mean
            found.append(
                say(
                    "With {demand} it would be {spec} ({loss:+.3f} {metric}).",
                    demand=demand,
                    spec=spec,
                    loss=-loss,
                    metric=metric,
                )
            )
    for spec, reason in field.excluded.items():
        if field.quality[spec].primary_mean > field.quality[winner].primary_mean:
            found.append(say("{spec} measured higher but is excluded: {reason}.", spec=spec, reason=reason))
    return tuple(found) or (say("Nothing that was measured: it wins under every margin and limit tried."),)


def _flip_by_margin(
    winner: str, field: _Field, scores: Mapping[str, Mapping[str, float]], now: float
) -> tuple[float, str] | None:
    """The margin nearest to today's at which another candidate wins."""
    specs = list(field.comparisons)
    for margin in sorted({0.001, 0.005, 0.01, 0.02, 0.03, 0.05, 0.08, 0.1, 0.15, 0.2}, key=lambda m: abs(m - now)):
        spec = _decide(specs, field, scores, margin)
        if spec != winner:
            return margin, spec
    return None


def _flip_by_limit(
    winner: str, field: _Field, scores: Mapping[str, Mapping[str, float]], margin: float, name: str
) -> tuple[float, str] | None:
    """What wins when the limit is just below what the winner needs."""
    if winner not in field.speed:
        return None
    limit = float(getattr(field.speed[winner], name))
    allowed = [s for s in field.comparisons if s in field.speed and getattr(field.speed[s], name) < limit / 1.1]
    return (limit, _decide(allowed, field, scores, margin)) if allowed else None


def _decide(specs: Sequence[str], field: _Field, scores: Mapping[str, Mapping[str, float]], margin: float) -> str:
    compared = _compare(specs, scores, margin)
    tied = [c.spec for c in compared if c.verdict in ("best", "tied")]
    return field.cheapest(tied) if field.speed else compared[0].spec


def _next_steps(winner: str, evaluation: Evaluation, undecided: Sequence[str], field: _Field) -> tuple[Text, ...]:
    found = []
    if undecided:
        needed = max(field.comparisons[s].queries_needed or 0 for s in undecided)
        more = max(needed - evaluation.judged_queries, 0)
        if more:
            found.append(say("Judge about {more} more queries to place the undecided candidates.", more=more))
    if evaluation.dataset.labels != "gold":
        found.append(say("Check the decision with some dozens of queries that real users asked and somebody judged."))
    found.append(
        say(
            "Keep the run id {run}: the same command next month tells whether the answer still holds.",
            run=evaluation.run_id,
        )
    )
    return tuple(found)


def _nobody(
    requirements: Requirements,
    evaluation: Evaluation,
    benchmark: Benchmark | None,
    rows: tuple[Row, ...],
    evidence: _Evidence,
    excluded: Mapping[str, Text],
    plan: Plan | None,
    shortlist: Shortlist,
    now: dt.datetime,
) -> Recommendation:
    return Recommendation(
        run_id=evaluation.run_id,
        created=now,
        measured=True,
        winner=None,
        best=None,
        headline=say("None of the {count} measured candidates meets your hard limits.", count=len(rows)),
        reasons=tuple(say("{spec}: {reason}.", spec=spec, reason=reason) for spec, reason in excluded.items()),
        confidence=say("The limits were checked against measurements on this machine."),
        rows=rows,
        evidence=tuple(evidence.found),
        not_measured=_not_measured(shortlist, evaluation, benchmark, plan),
        what_would_change_it=(say("Relax the limit that comes closest, or measure on the machine you will use."),),
        primary=evaluation.primary,
        margin=requirements.margin.value,
    )


def recommend_unmeasured(
    requirements: Requirements, shortlist: Shortlist, run_id: str, why: Text, *, now: dt.datetime
) -> Recommendation:
    """The answer from published figures alone, which says that it is one."""
    first = shortlist.kept[0]
    evidence = tuple(
        Evidence(
            id=f"E{i}",
            kind="computed",
            about=pick.model,
            what=f"predicted {pick.predicted.metric}",
            value=pick.predicted.mean,
            source="prediction from MTEB scores, snapshot of 2026-08-20",
            date=dt.date(2026, 8, 20),
        )
        for i, pick in enumerate(shortlist.kept, start=1)
    )
    return Recommendation(
        run_id=run_id,
        created=now,
        measured=False,
        winner=first.model,
        best=first.model,
        tied=tuple(p.model for p in shortlist.kept[1:] if p.predicted.high >= first.predicted.mean),
        runner_up=shortlist.kept[1].model if len(shortlist.kept) > 1 else None,
        headline=say("Nothing was measured. By published figures alone, start with {model}.", model=first.model),
        reasons=first.reasons,
        confidence=say(
            "Low: predictions for two of the top five are good to about ±7 points (80 %), and the intervals overlap."
        ),
        rows=(),
        evidence=evidence,
        not_measured=(why,),
        what_would_change_it=(
            say(
                "Your own data: measuring five candidates on 100 to 300 queries is worth more than any "
                "better prediction."
            ),
        ),
        next_steps=(say("Give a dataset with queries and judgments, and ask again."),),
        primary=first.predicted.metric,
        margin=requirements.margin.value,
    )
