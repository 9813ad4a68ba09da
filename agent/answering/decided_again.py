"""The rule of the decision over what is stored, under other demands: who would win, who falls out, and by what."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from agent.answering.measured import costs_of, difference, pair_of, row_of, scores_of, verdict
from agent.answering.supposing import Supposed
from agent.loading import load_of
from knowledge.constraints import Footprint, Verdict
from knowledge.results import Evaluation, Recommendation, Shortlist
from knowledge.wording import Text, join, say
from tools.recommend import recommend

if TYPE_CHECKING:
    from agent.context import Context
    from agent.state import State


def decided_again(
    supposed: Supposed,
    listed: Shortlist | None,
    evaluation: Evaluation,
    recommendation: Recommendation,
    state: State,
    context: Context,
) -> list[Text]:
    """The rule of the decision over the stored measurements, with what changed and by which figure."""
    scores = scores_of(evaluation, context)
    if scores is None or listed is None:
        return [say("The per-query scores of run {run} are gone: measure again to decide.", run=evaluation.run_id)]
    fitting = tuple(c for c in evaluation.candidates if c.spec not in supposed.too_large)
    again: Recommendation | None = None
    if fitting:
        again = recommend(
            supposed.after,
            listed,
            evaluation.model_copy(update={"candidates": fitting}),
            {c.spec: scores[c.spec] for c in fitting},
            None if supposed.on_another_machine else state.get("benchmark"),
            state.get("plan"),
            state.get("screening"),
            now=context.now(),
            probes=state.get("probes"),
            robustness=state.get("robustness"),
            load=None if supposed.on_another_machine else load_of(state, supposed.after),
        ).recommendation
    out = {row.spec: row.excluded_by for row in again.rows if row.excluded_by} if again else {}
    out |= supposed.too_large
    if not supposed.on_another_machine:
        out = {spec: _by_measurement(spec, supposed, recommendation) or why for spec, why in out.items()}
    was_out = {row.spec for row in recommendation.rows if row.excluded_by}
    parts = _outcome(again, recommendation, len(evaluation.candidates), supposed, state, context)
    parts += _fall_out({spec: why for spec, why in out.items() if spec not in was_out})
    back = [row.spec for row in recommendation.rows if row.excluded_by and row.spec not in out]
    if back:
        parts.append(say("Would take part again: {models}.", models=", ".join(back)))
    if supposed.on_another_machine:
        parts.append(
            say(
                "How fast they are on that machine is not known: the timings of run {run} are of {cpu}. Time them "
                "there before a limit is relied on.",
                run=evaluation.run_id,
                cpu=_timed_on(state),
            )
        )
    if "documents" in supposed.slots and state.get("benchmark"):
        parts.append(
            say("Speed and memory were measured with {count:,} documents.", count=evaluation.dataset.documents)
        )
    return parts


def _fall_out(reasons: dict[str, Text]) -> Iterator[Text]:
    """Who falls out; those that do for the same kind of reason in one line."""
    for specs, reason in alike(reasons):
        if len(specs) == 1:
            yield say("Falls out: {spec}: {reason}.", spec=specs[0], reason=reason)
        else:
            yield say("Fall out: {models}; the first of them: {reason}.", models=", ".join(specs), reason=reason)


def _by_measurement(spec: str, supposed: Supposed, recommendation: Recommendation) -> Text | None:
    """The measured figure that breaks what is supposed; it tells more than an estimate by the model's size."""
    verdicts = _measured_verdicts(spec, supposed, recommendation)
    return next((found.reason for found in verdicts if found.outcome == "violated"), None)


def _kept(spec: str, supposed: Supposed, recommendation: Recommendation) -> Iterator[Text]:
    """The measured figures that keep to what is supposed."""
    for found in _measured_verdicts(spec, supposed, recommendation):
        if found.outcome == "met":
            yield say("{spec}: {reason}.", spec=spec, reason=found.reason)


def _measured_verdicts(spec: str, supposed: Supposed, recommendation: Recommendation) -> Iterator[Verdict]:
    row = row_of(spec, recommendation)
    for constraint in supposed.after.constraints:
        if row and constraint.hard and constraint.kind in supposed.slots:
            found = constraint.check_measured(
                Footprint(
                    query_p95_ms=row.query_p95_ms,
                    peak_memory_mb=row.peak_memory_mb,
                    bytes_per_vector=row.bytes_per_vector,
                    usd_per_million_tokens=row.usd_per_million_tokens,
                )
            )
            if found is not None:
                yield found


def _timed_on(state: State) -> Text:
    found = state.get("benchmark")
    return Text.model_validate(found.hardware.cpu) if found else say("no machine: nothing was timed")


def _outcome(
    again: Recommendation | None,
    recommendation: Recommendation,
    count: int,
    supposed: Supposed,
    state: State,
    context: Context,
) -> list[Text]:
    """Who would win, against who does; where that is somebody else, what it gives up and saves."""
    if again is None or again.winner is None:
        return [say("None of the {count} measured candidates would be left.", count=count)]
    new, old = again.winner, recommendation.winner
    run = recommendation.run_id
    if new == old:
        if supposed.on_another_machine:
            return [say("By the quality that run {run} measured it would still be {model}.", run=run, model=new)]
        said = say("By what run {run} measured it would still be {model}.", run=run, model=new)
        return [join([said, *_kept(new, supposed, recommendation)])]
    value = next(row.quality.mean for row in again.rows if row.spec == new)
    if old is None:
        return [
            say(
                "By what run {run} measured it would be {model}, {metric} {value:.3f}; now nothing meets your demands.",
                run=run,
                model=new,
                metric=again.primary,
                value=value,
            )
        ]
    if supposed.on_another_machine:
        said = say(
            "By the quality that run {run} measured, speed left aside, it would be {model} ({metric} {value:.3f}) "
            "instead of {old}.",
            run=run,
            model=new,
            metric=again.primary,
            value=value,
            old=old,
        )
    else:
        said = say(
            "By what run {run} measured it would be {model} ({metric} {value:.3f}) instead of {old}.",
            run=run,
            model=new,
            metric=again.primary,
            value=value,
            old=old,
        )
    parts = [said]
    pair = pair_of(new, old, state, context)
    if pair:
        parts += [difference(pair, again.primary), verdict(pair, supposed.after.margin.value)]
    rows = [row_of(spec, recommendation) for spec in (new, old)]
    costs = [cost for row in rows if row and (cost := costs_of(row))]
    shown = costs if len(costs) == 2 and not supposed.on_another_machine else []
    return [*parts, *shown]


def alike(reasons: dict[str, Text]) -> list[tuple[list[str], Text]]:
    """The names by kind of reason, each kind with the reason of its first."""
    groups: dict[str, list[str]] = {}
    for name, reason in reasons.items():
        groups.setdefault(reason.template, []).append(name)
    return [(names, reasons[names[0]]) for names in groups.values()]
