"""The decision: the cheapest candidate that is not measurably worse than the best, and why.

1. Hard constraints, checked against the catalog's facts and what was measured, decide who takes part.
2. Each candidate is compared with the best one, paired by query (`tools.statistics.compare`); queries of the same text
   are one. Whether the winner is within the margin of whichever candidate is truly the best is a stronger claim than
   being tied with the one measured best; the confidence says whether the sample supports it.
   Of one model in other arithmetic (precision, backend) what is known beforehand counts too: see `compare_all`.
3. Among the best and those tied with it, the cheapest wins: money first, then machines for the stated rate where they
   were put under load, p95 latency, the time to encode a document, memory, vector size. Latencies within a factor 1.5
   or one millisecond of the lowest count as equal to it, times to encode within 1.5, memory within 1.25: that is how
   well they repeat on a busy machine. Of equally cheap ones the best wins. The Pareto front is made with the same
   tolerance, and without machines: only the tied are put under load.
4. Where the user says that robustness or correctness matters, it is added to the quality by its weight, and steps 2
   and 3 decide on the sum (`tools.recommend.weights`); else it counts nothing, and it is said at which weight it would.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from knowledge.requirements import Requirements
from knowledge.results import (
    Benchmark,
    Comparison,
    Evaluation,
    FailedCandidate,
    MeasuredCandidate,
    Plan,
    Probes,
    Recommendation,
    Robustness,
    Row,
    Screening,
    Shortlist,
    SpeedOfCandidate,
)
from knowledge.results.service import UnderLoad
from knowledge.wording import Text, join, say
from tools.recommend.background import with_background
from tools.recommend.contest import (
    Contest,
    compare_all,
    decide,
    excluded_by_demands,
    independent,
    is_measurable,
    non_inferior_to_best,
)
from tools.recommend.left_open import next_steps, not_measured
from tools.recommend.load import load_told, machines, rate_flips
from tools.recommend.naming import p_text
from tools.recommend.reasons import headline, reasons
from tools.recommend.sensitivity import what_would_change_it
from tools.recommend.sureness import confidence
from tools.recommend.table import RunEvidence, table, with_standing
from tools.recommend.weights import beside_quality

__all__ = [
    "Decision",
    "contenders",
    "is_measurable",
    "p_text",
    "recommend",
    "recommend_unmeasured",
    "tied_for_load",
    "with_background",
]


@dataclass(frozen=True)
class Decision:
    """A recommendation and the comparisons it rests on."""

    recommendation: Recommendation
    comparisons: tuple[Comparison, ...]


def recommend(
    requirements: Requirements,
    shortlist: Shortlist,
    evaluation: Evaluation,
    scores: Mapping[str, Mapping[str, float]],
    benchmark: Benchmark | None,
    plan: Plan | None = None,
    screening: Screening | None = None,
    *,
    now: dt.datetime,
    probes: Probes | None = None,
    robustness: Robustness | None = None,
    load: UnderLoad | None = None,
) -> Decision:
    """Decide.

    Args:
        requirements: the margin and the hard limits on latency, memory and cost.
        shortlist: what the catalog suggested; what of it was not measured is said.
        evaluation: measured quality.
        scores: per-query scores in the primary metric, {spec: {query: score}}.
        benchmark: measured cost; without it, candidates count as equally costly and the best one wins.
        plan: what had been left out of the measurement, and why.
        screening: who was left out in its rounds.
        now: date of the decision.
        probes: in what share of them candidates are right; counts as much as the user says.
        robustness: what perturbed queries change; likewise.
        load: what the contenders hold, where the user stated a rate: among the tied, fewer machines are cheaper.
    """
    quality = {c.spec: c for c in evaluation.candidates}
    speed = {c.spec: c for c in benchmark.candidates} if benchmark else {}
    excluded = excluded_by_demands(requirements, shortlist, speed, quality)
    scores = independent(scores, evaluation.same_queries)
    beside = beside_quality(requirements, probes, robustness)
    together = beside.weighed(scores)
    taking_part = _cheapest_of_equals_first([spec for spec in quality if spec not in excluded], quality, speed)
    left_out = len(screening.eliminated) if screening else 0
    compared = compare_all(taking_part or list(quality), together, requirements.margin.value, left_out)
    field = Contest(quality, speed, {c.spec: c for c in compared}, excluded, left_out, machines(load))
    evidence = RunEvidence(evaluation, benchmark, load)
    rows = table(field, evidence, load)
    if not taking_part:
        return Decision(
            _nobody(requirements, evaluation, benchmark, rows, evidence, excluded, plan, screening, shortlist, now),
            compared,
        )
    best = compared[0].spec
    tied = [c.spec for c in compared if c.verdict in ("best", "tied")]
    winner = field.cheapest(tied) if benchmark else best
    undecided = tuple(c.spec for c in compared if c.verdict == "undecided")
    others = [spec for spec in tied if spec != winner]
    left = [c.spec for c in compared if c.spec != winner]
    runner_up = field.cheapest(others) if others else (left[0] if left else None)
    rows = tuple(with_standing(row, winner, field) for row in rows)
    recommendation = Recommendation(
        run_id=evaluation.run_id,
        created=now,
        measured=True,
        winner=winner,
        best=best,
        tied=tuple(others),
        undecided=undecided,
        runner_up=runner_up,
        headline=headline(winner, best, field, evaluation.primary, requirements.margin.value),
        reasons=(
            *beside.told(),
            *reasons(winner, best, field, rows, evaluation.primary, requirements, evaluation.preflight),
            *load_told(winner, rows, requirements, load),
        ),
        confidence=confidence(winner, best, field, evaluation, undecided, rows),
        rows=rows,
        evidence=tuple(evidence.found),
        not_measured=not_measured(
            shortlist, evaluation, benchmark, plan, requirements, screening, _passed_over(probes, robustness), load
        ),
        what_would_change_it=(
            *rate_flips(winner, field, together, requirements.margin.value, load),
            *what_would_change_it(winner, field, scores, requirements, evaluation.primary, beside),
        ),
        next_steps=next_steps(evaluation, undecided, field, shortlist, plan),
        primary=evaluation.primary,
        margin=requirements.margin.value,
        weights=dict(beside.weights),
    )
    return Decision(recommendation, compared)


def _passed_over(probes: Probes | None, robustness: Robustness | None) -> list[tuple[Text, FailedCandidate]]:
    """Whom hard cases passed over, with what was not asked of it."""
    altered = [(say("Altered facts"), one) for one in (probes.skipped if probes else ())]
    return altered + [(say("Queries with mistakes"), one) for one in (robustness.skipped if robustness else ())]


def contenders(
    requirements: Requirements,
    shortlist: Shortlist,
    evaluation: Evaluation,
    scores: Mapping[str, Mapping[str, float]],
    benchmark: Benchmark | None,
    screening: Screening | None = None,
) -> tuple[str, ...]:
    """Who takes part, whom `recommend` would choose by quality and cost alone first, then the best, then by quality.

    Args: as for `recommend`.
    """
    quality = {c.spec: c for c in evaluation.candidates}
    speed = {c.spec: c for c in benchmark.candidates} if benchmark else {}
    excluded = excluded_by_demands(requirements, shortlist, speed, quality)
    taking_part = _cheapest_of_equals_first([spec for spec in quality if spec not in excluded], quality, speed)
    if not taking_part:
        return ()
    field = Contest(quality, speed, {}, excluded, len(screening.eliminated) if screening else 0)
    apart = independent(scores, evaluation.same_queries)
    tied = non_inferior_to_best(taking_part, apart, requirements.margin.value, field.left_out)
    first = decide(taking_part, field, apart, requirements.margin.value)
    by_quality = sorted(taking_part, key=lambda spec: -quality[spec].primary_mean)
    return tuple(dict.fromkeys((first, tied[0], *by_quality)))


def tied_for_load(
    requirements: Requirements,
    shortlist: Shortlist,
    evaluation: Evaluation,
    scores: Mapping[str, Mapping[str, float]],
    benchmark: Benchmark | None,
    screening: Screening | None = None,
) -> tuple[str, ...]:
    """Whom load can still tell apart: the best and those tied with it, by quality and cost the first first.

    Args: as for `recommend`.
    """
    order = contenders(requirements, shortlist, evaluation, scores, benchmark, screening)
    if not order:
        return ()
    left_out = len(screening.eliminated) if screening else 0
    apart = independent(scores, evaluation.same_queries)
    tied = set(non_inferior_to_best(order, apart, requirements.margin.value, left_out))
    return tuple(spec for spec in order if spec in tied)


def cheapest_first(specs: Sequence[str], evaluation: Evaluation, benchmark: Benchmark) -> list[str]:
    """The candidates in the order in which they would be taken, were all of them equally good."""
    field = Contest({c.spec: c for c in evaluation.candidates}, {c.spec: c for c in benchmark.candidates}, {}, {})
    left, order = list(specs), []
    while left:
        order.append(field.cheapest(left))
        left.remove(order[-1])
    return order


def _cheapest_of_equals_first(
    specs: list[str], quality: Mapping[str, MeasuredCandidate], speed: Mapping[str, SpeedOfCandidate]
) -> list[str]:
    """The candidates; of those with the highest score, the cheapest comes first: it is the best."""
    highest = max((quality[spec].primary_mean for spec in specs), default=0.0)
    equals = [spec for spec in sorted(specs) if quality[spec].primary_mean >= highest - 1e-12]
    best = Contest(dict(quality), dict(speed), {}, {}).cheapest(equals) if equals else None
    return sorted(specs, key=lambda spec: (spec != best, spec))


def _nobody(
    requirements: Requirements,
    evaluation: Evaluation,
    benchmark: Benchmark | None,
    rows: tuple[Row, ...],
    evidence: RunEvidence,
    excluded: Mapping[str, Text],
    plan: Plan | None,
    screening: Screening | None,
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
        confidence=say("The limits were checked against the catalog's facts and measurements on this machine."),
        rows=rows,
        evidence=tuple(evidence.found),
        not_measured=not_measured(shortlist, evaluation, benchmark, plan, requirements, screening),
        what_would_change_it=(say("Relax the limit that comes closest, or measure on the machine you will use."),),
        primary=evaluation.primary,
        margin=requirements.margin.value,
    )


def recommend_unmeasured(
    requirements: Requirements,
    shortlist: Shortlist,
    run_id: str,
    why: Text,
    next_step: Text,
    *,
    now: dt.datetime,
) -> Recommendation:
    """The answer from published figures alone, which says that it is one.

    Of the models that can be built here, the one of which least is open comes first, then the best prediction: whether
    a demand is met outweighs some points that are good to ±7. Word matching, where it is predicted to do better, needs
    no model at all.

    Args:
        requirements: the margin.
        shortlist: in its order.
        run_id: name of the decision.
        why: what was not measured, and why.
        next_step: how to have it measured.
        now: date of the decision.
    """
    # a model that this program cannot build can never be measured with it, so it is nothing to start with
    built = [pick for pick in shortlist.kept if pick.spec]
    first = min(built, key=lambda pick: len(pick.unknown)) if built else shortlist.kept[0]
    better = [pick for pick in shortlist.beside if pick.spec and pick.predicted.mean > first.predicted.mean]
    first = max((p for p in better if not p.unknown), key=lambda pick: pick.predicted.mean, default=first)
    others = [pick.model for pick in shortlist.kept if pick.model != first.model]
    low = say(
        "Not sure at all: the predicted gap between two such models is good to about ±7 points (80 %), and their "
        "intervals overlap."
    )
    open_demands = (
        say("Not known of it: {unknown}.", unknown=join(list(first.unknown), Text(template="; ")))
        if first.unknown
        else None
    )
    return Recommendation(
        run_id=run_id,
        created=now,
        measured=False,
        winner=first.model,
        best=first.model,
        runner_up=others[0] if others else None,
        headline=say("Nothing was measured. By published figures alone, start with {model}.", model=first.model)
        if first.spec
        else say(
            "Nothing was measured. By published figures alone it would be {model}, which this program cannot run.",
            model=first.model,
        ),
        reasons=first.reasons,
        confidence=join([low, open_demands]) if open_demands else low,
        rows=(),
        evidence=(),
        not_measured=(why,),
        what_would_change_it=(
            say(
                "Your own data: measuring five candidates on 100 to 300 queries is worth more than any "
                "better prediction."
            ),
        ),
        next_steps=(next_step,),
        primary=first.predicted.metric,
        margin=requirements.margin.value,
    )
