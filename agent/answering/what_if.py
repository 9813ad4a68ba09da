"""“What if …?”: the decision made again under other demands, from what is stored; nothing is measured and nothing kept.

What was measured holds for the data and the machine it was measured on. So where texts of another kind are supposed,
only the shortlist is made again, and where another machine is, the decision goes by quality alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from agent.answering.brief import LINES
from agent.answering.measured import costs_of, difference, pair_of, row_of, scores_of, verdict
from agent.answering.relative import Relative, read_relative
from agent.descriptions import describe_change
from agent.understanding.base import Understood
from knowledge.candidate import Leg, parse_candidate
from knowledge.constraints import CONSTRAINTS, Footprint, Verdict, make_constraint
from knowledge.constraints.hardware import HardwareConstraint
from knowledge.errors import NothingLeftError
from knowledge.requirements import Requirements
from knowledge.results import Evaluation, Recommendation, Shortlist
from knowledge.wording import Text, join, say
from tools.recommend import recommend
from tools.shortlist import shortlist

if TYPE_CHECKING:
    from agent.context import Context
    from agent.state import State

COMMA = Text(template=", ")
#: other texts than those that were measured
OTHER_TEXTS = frozenset(("languages", "task", "domain", "modality"))
BYTES_PER_NUMBER = 4  # float32, as benchmarks store vectors


@dataclass(frozen=True)
class Supposed:
    """What is supposed, against what is.

    Attributes:
        demands: what is different, in words.
        slots: what of the requirements is different.
        relative: whether it is a share of what there is, so that the words alone say nothing later.
        too_large: measured candidates over a relative limit on storage, with the reason.
        smaller: a set-up that would keep that limit and was not measured.
    """

    before: Requirements
    after: Requirements
    demands: tuple[Text, ...]
    slots: frozenset[str]
    relative: bool = False
    too_large: dict[str, Text] = field(default_factory=dict)
    smaller: Text | None = None

    @property
    def on_another_machine(self) -> bool:
        """Whether a GPU is supposed: what was timed here says nothing of its speed."""
        machine = self.after.constraint(HardwareConstraint)
        named = "hardware" in self.slots and machine is not None and machine.gpu_gb is not None
        return named or ("gpu" in self.slots and self.after.gpu is not None and self.after.gpu.value)


def what_if(understood: Understood, state: State, context: Context) -> Text:
    """What would be different, why, and what of it would have to be measured."""
    words = understood.question.words if understood.question else ""
    supposed = _supposed(understood, read_relative(words), state, context)
    if supposed is None:
        return say("I did not understand what would be different. Say it like “what if 50 ms were enough?”.")
    if isinstance(supposed, Text):
        return supposed
    before = state.get("shortlist") or _list(supposed.before, context)
    after = _list(supposed.after, context)
    evaluation, recommendation = state.get("evaluation"), state.get("recommendation")
    parts: list[Text] = []
    if evaluation and recommendation:
        if supposed.slots & OTHER_TEXTS:
            parts.append(_other_texts(evaluation))
        else:
            # nothing on the catalog's list keeps the demands, yet something measured may
            parts += _decided_again(supposed, after or before, evaluation, recommendation, state, context)
    elif after is not None:
        parts.append(_by_published_figures(before, after))
    if after is None:
        parts += _nothing_left(supposed.after, context)
    outcome, *evidence = [*parts, *_lists(supposed, before, after, evaluation, context)]
    evidence += [supposed.smaller] if supposed.smaller else []
    evidence += [c for d in supposed.after.constraints if d.kind in supposed.slots and (c := d.caution())]
    opening = say("Supposing: {demands}. {outcome}", demands=join(list(supposed.demands), COMMA), outcome=outcome)
    return join([opening, _how_to_have_it(supposed, recommendation), *evidence], LINES)


def _how_to_have_it(supposed: Supposed, recommendation: Recommendation | None) -> Text:
    """That nothing was changed, and what to say to have it so."""
    demand = next((c.describe() for c in supposed.after.constraints if c.kind in supposed.slots), None)
    told = say("Say it without “what if” and I work with it.")
    if supposed.relative and demand:
        told = say("Say “{demand}” and I work with it.", demand=demand)
    if recommendation is None or recommendation.winner is None:
        return told
    stays = say("Nothing was changed: the recommendation stays {model}.", model=recommendation.winner)
    return join([stays, told])


def _by_published_figures(before: Shortlist | None, after: Shortlist) -> Text:
    """Who would head the list, against who does, where nothing was measured."""
    old, new = before.kept[0].model if before else None, after.kept[0]
    if old is None:
        return say(
            "By published figures {model} would head the list; now no model meets your demands.", model=new.model
        )
    if old == new.model:
        return say("By published figures {model} would still head the list.", model=old)
    return say(
        "By published figures {model} (predicted {mean:.3f}) would head the list instead of {old}.",
        model=new.model,
        mean=new.predicted.mean,
        old=old,
    )


def _list(requirements: Requirements, context: Context) -> Shortlist | None:
    try:
        return shortlist(requirements, context.catalog, context.scores)
    except NothingLeftError:
        return None


def _nothing_left(requirements: Requirements, context: Context) -> Iterator[Text]:
    try:
        shortlist(requirements, context.catalog, context.scores)
    except NothingLeftError as error:
        yield join([error.cause, error.next_step])


# ---------------------------------------------------------------- what is supposed


def _supposed(understood: Understood, wish: Relative | None, state: State, context: Context) -> Supposed | Text | None:
    """What is supposed; a sentence where that cannot be told, None where nothing was understood."""
    before, after = state["requirements"], understood.requirements
    slots = frozenset(change.slot for change in understood.changes)
    # who names a GPU says that there is one
    told = [change for change in understood.changes if not (change.slot == "gpu" and "hardware" in slots)]
    demands = tuple(describe_change(change, after) for change in told)
    if wish is None:
        return Supposed(before, after, demands, slots) if understood.changes else None
    recommendation = state.get("recommendation")
    winner = row_of(recommendation.winner, recommendation) if recommendation and recommendation.winner else None
    if wish.of == "storage":
        base = winner.bytes_per_vector if winner else None
        if base is None:
            return _shorter_vectors(before, after, wish, state, context)
        limit = base * wish.share
        sizes = {row.spec: row.bytes_per_vector for row in (recommendation.rows if recommendation else ())}
        too_large = {
            spec: say("{count:,.0f} bytes per document, you would allow {limit:,.0f}", count=size, limit=limit)
            for spec, size in sizes.items()
            if size is not None and size > limit
        }
        dimension = max(1, int(limit / BYTES_PER_NUMBER))
        assert winner
        demand = say(
            "at most {limit:,.0f} bytes per document in the index, instead of the {now:,.0f} of {model} "
            "({dimension:,} dimensions)",
            limit=limit,
            now=base,
            model=winner.spec,
            dimension=dimension,
        )
        made = after.with_constraint(make_constraint("dimension", max_dimension=dimension, because=str(demand)))
        smaller = _smaller(winner.spec, dimension, set(sizes), context)
        return Supposed(
            before, made, (*demands, demand), slots | {"dimension"}, relative=True, too_large=too_large, smaller=smaller
        )
    name, parameter = {"memory": ("memory", "max_mb"), "latency": ("latency", "p95_ms")}[wish.of]
    held = before.constraint(CONSTRAINTS[name])
    now = getattr(winner, {"memory": "peak_memory_mb", "latency": "query_p95_ms"}[wish.of]) if winner else None
    now = now if now is not None else getattr(held, parameter, None)
    if now is None:
        return say(
            "There is nothing yet that it could be a share of: neither a limit of yours nor a measured figure. Say it "
            "as a number, such as “what if 50 ms were enough?”."
        )
    limit = float(f"{now * wish.share:.3g}")
    made = after.with_constraint(make_constraint(name, **{parameter: limit}, because="relative"))
    demand = next(c.describe() for c in made.constraints if c.kind == name)
    return Supposed(before, made, (*demands, demand), slots | {name}, relative=True)


def _shorter_vectors(
    before: Requirements, after: Requirements, wish: Relative, state: State, context: Context
) -> Supposed | Text:
    """A share of the vectors' length, where no index was measured: of the limit there is, or of the first model's."""
    held = before.constraint(CONSTRAINTS["dimension"])
    listed = state.get("shortlist") or _list(before, context)
    first = context.catalog.card(listed.kept[0].model) if listed else None
    now = getattr(held, "max_dimension", None) or (first.dimension if first else None)
    if now is None:
        return say("How long the vectors are now is not known. Say it as a number, such as “at most 512 dimensions”.")
    limit = max(1, int(now * wish.share))
    demand = say("at most {limit:,} dimensions instead of {now:,}", limit=limit, now=now)
    if held is None and first is not None:
        demand = say(
            "at most {limit:,} dimensions instead of the {now:,} of {model}", limit=limit, now=now, model=first.model
        )
    made = after.with_constraint(make_constraint("dimension", max_dimension=limit, because=str(demand)))
    return Supposed(before, made, (demand,), frozenset(("dimension",)), relative=True)


def _smaller(spec: str, dimension: int, measured: set[str], context: Context) -> Text | None:
    """The same model with its vectors cut to fit, which would have to be measured."""
    leg = parse_candidate(spec)
    if not isinstance(leg, Leg) or leg.backend == "bm25":
        return None
    cut = leg.model_copy(update={"options": leg.options | {"dim": str(dimension)}}).spec
    if cut in measured:
        return None
    card = next((c for c in context.catalog.cards if c.model == leg.name), None)
    if card and any(size <= dimension for size in card.matryoshka_dimensions):
        return say(
            "The same model with shorter vectors, which it is made for, would have to be measured: {spec}.", spec=cut
        )
    return say(
        "The same model with shorter vectors, which it is not known to be made for, would have to be measured: {spec}.",
        spec=cut,
    )


# ---------------------------------------------------------------- decided again


def _other_texts(evaluation: Evaluation) -> Text:
    return say(
        "What run {run} measured was measured on {data}; on other texts it would have to be measured again.",
        run=evaluation.run_id,
        data=evaluation.dataset.name,
    )


def _decided_again(
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
    for specs, reason in _alike(reasons):
        if len(specs) == 1:
            yield say("Falls out: {spec}: {reason}.", spec=specs[0], reason=reason)
        else:
            yield say("Fall out: {models}; the first of them: {reason}.", models=", ".join(specs), reason=reason)


def _alike(reasons: dict[str, Text]) -> list[tuple[list[str], Text]]:
    """The names by kind of reason, each kind with the reason of its first."""
    groups: dict[str, list[str]] = {}
    for name, reason in reasons.items():
        groups.setdefault(reason.template, []).append(name)
    return [(names, reasons[names[0]]) for names in groups.values()]


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


# ---------------------------------------------------------------- shortlists


def _lists(
    supposed: Supposed,
    before: Shortlist | None,
    after: Shortlist | None,
    evaluation: Evaluation | None,
    context: Context,
) -> Iterator[Text]:
    """The shortlist as it would be, against the one there is: who comes, who goes and why."""
    if after is None:
        return
    now = [pick.model for pick in before.kept] if before else []
    then = [pick.model for pick in after.kept]
    added, gone = [m for m in then if m not in now], [m for m in now if m not in then]
    if not added and not gone:
        yield say("The shortlist would stay the same.")
        yield from _meets(supposed, after, context)
        yield from _unmeasured(then, evaluation)
        return
    picks = {pick.model: pick for pick in after.kept}
    named = [say("{model} (predicted {mean:.3f})", model=model, mean=picks[model].predicted.mean) for model in added]
    if len(added) < len(then):
        yield say("The shortlist would be: {models}.", models=", ".join(then))
    if added:
        yield say("New, and to be measured: {models}.", models=join(named, COMMA))
    reasons = {rejection.model: rejection.reason for rejection in after.rejected}
    for models, reason in _alike({model: reasons[model] for model in gone if model in reasons}):
        if len(models) == 1:
            yield say("Gone: {model}: {reason}.", model=models[0], reason=reason)
        else:
            yield say("Gone: {models}; the first of them: {reason}.", models=", ".join(models), reason=reason)
    beside = [model for model in gone if model not in reasons]
    if beside:
        yield say("Gone: {models}.", models=", ".join(beside))
    yield from _meets(supposed, after, context, told_if_all=False)


def _unmeasured(models: Sequence[str], evaluation: Evaluation | None) -> Iterator[Text]:
    """Which of the list an evaluation has not measured."""
    if evaluation is not None:
        legs = {leg.name for c in evaluation.candidates for leg in parse_candidate(c.spec).legs}
        measured = legs | {c.model for c in evaluation.candidates}
        left = [model for model in models if model not in measured]
        if left:
            yield say("Not measured of it: {models}.", models=", ".join(left))


def _meets(supposed: Supposed, listed: Shortlist, context: Context, *, told_if_all: bool = True) -> Iterator[Text]:
    """Whether those on the list meet what is supposed, or what about that is open."""
    cards = [context.catalog.card(pick.model) for pick in listed.kept]
    for constraint in supposed.after.constraints:
        if constraint.kind not in supposed.slots:
            continue
        verdicts = [(card.model, constraint.check(card)) for card in cards]
        still_open = [
            say("{model}: {why}", model=", ".join(models), why=reason)
            for models, reason in _alike({model: v.reason for model, v in verdicts if v.outcome == "unknown"})
        ]
        if still_open:
            yield say("Open until it is measured: {reasons}.", reasons=join(still_open, Text(template="; ")))
        elif told_if_all and all(v.outcome == "met" for _, v in verdicts):
            yield say("All of its models keep to “{demand}”.", demand=constraint.describe())
