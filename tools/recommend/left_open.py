"""What a decision does not rest on, and what to do after reading it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from knowledge.candidate import parse_candidate
from knowledge.requirements import Requirements
from knowledge.results import (
    Benchmark,
    Evaluation,
    FailedCandidate,
    Pick,
    Plan,
    Screening,
    Shortlist,
)
from knowledge.results.service import UnderLoad
from knowledge.wording import Text, how_to, join, say
from tools.recommend.contest import Contest, is_measurable
from tools.recommend.naming import MOST_NAMES, names_of, queries_needed
from tools.rescoring import is_shallow


def not_measured(
    shortlist: Shortlist,
    evaluation: Evaluation,
    benchmark: Benchmark | None,
    plan: Plan | None,
    requirements: Requirements,
    screening: Screening | None = None,
    skipped: Sequence[tuple[Text, FailedCandidate]] = (),
    load: UnderLoad | None = None,
) -> tuple[Text, ...]:
    """What the answer does not rest on, and why; `skipped` are candidates that hard cases of some kind passed over."""
    found: list[Text] = []
    measured = {c.model for c in evaluation.candidates if c.model} | {c.spec for c in evaluation.candidates}
    found += [
        say("{spec}, in full: left out in round {round}: {why}.", spec=gone.spec, round=gone.round, why=gone.reason)
        for gone in (screening.eliminated if screening else ())
    ]
    measured |= {gone.spec for gone in (screening.eliminated if screening else ())}
    planned = {p.model: p for p in plan.not_measured} if plan else {}
    tried = {failed.spec for failed in evaluation.failed}  # told below, with why it failed
    for pick in shortlist.kept:
        if pick.model in measured or pick.spec in measured | tried:
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
    shortlisted = {pick.model for pick in shortlist.kept}
    found.extend(
        say("{model}: {why}", model=p.model or p.spec, why=p.obstacle)
        for p in (plan.not_measured if plan else ())
        if p.obstacle and p.model not in shortlisted and p.model not in measured
    )
    for failed in evaluation.failed:
        found.append(say("{spec} failed: {why}", spec=failed.spec, why=failed.reason))
    found += [
        say("{what}, of {spec}: {why}", what=what, spec=passed_over.spec, why=passed_over.reason)
        for what, passed_over in skipped
    ]
    if benchmark is None:
        found.append(say("Latency, throughput and memory: no benchmark was run."))
        unchecked = [c.describe() for c in requirements.constraints if c.hard and is_measurable(c)]
        if unchecked:
            demands = join(unchecked, Text(template="; "))
            found.append(say("Whether these limits hold, which only a benchmark shows: {demands}.", demands=demands))
    else:
        taking_part = {c.spec for c in evaluation.candidates}
        found.extend(
            say("The speed of {spec}: {why}", spec=f.spec, why=f.reason)
            for f in benchmark.failed
            if f.spec in taking_part
        )
        found.append(_many_users(evaluation, benchmark, load))
        if not benchmark.hardware.gpus:
            found.append(say("Anything on a GPU: this machine has none."))
    return (*found, *evaluation.notes)


def _many_users(evaluation: Evaluation, benchmark: Benchmark, load: UnderLoad | None) -> Text:
    """What is not known of many users at once."""
    if load is not None and load.candidates:
        return say(
            "Speed with many users at once of others than {names}, and over more than {documents:,} documents.",
            names=names_of([one.spec for one in load.candidates]),
            documents=load.documents,
        )
    if benchmark.documents < evaluation.dataset.documents:
        return say(
            "Speed with many users at once, and of searching all your {total:,} documents: one query at a time was "
            "timed, against a sample of {documents} documents, so the latencies are of the model's work and hardly "
            "of the search.",
            total=evaluation.dataset.documents,
            documents=benchmark.documents,
        )
    return say("Speed with many users at once: one query at a time was timed.")


def next_steps(
    evaluation: Evaluation,
    undecided: Sequence[str],
    field: Contest,
    shortlist: Shortlist,
    plan: Plan | None = None,
) -> tuple[Text, ...]:
    """What to do after reading the answer."""
    found: list[Text] = []
    measured = {c.model for c in evaluation.candidates if c.model} | {c.spec for c in evaluation.candidates}
    listed = [pick for pick in shortlist.kept if pick.model not in measured and pick.spec not in measured]
    if listed and len(listed) == len(shortlist.kept):
        found += _unmeasured(listed, named=plan is not None and plan.is_named)
    if field.alone:
        found.append(say("Measure at least one other candidate with it before you rely on the choice."))
    if undecided:
        more = (queries_needed(undecided, field) or 0) - evaluation.judged_queries
        if more > 0:
            found.append(say("Judge about {more:,} more queries to place the undecided candidates.", more=more))
        if evaluation.task == "ranking" and is_shallow(evaluation.primary):
            found.append(
                say("Or judge a few passages on which the candidates disagree. {how}", how=how_to("judge_few"))
            )
    if evaluation.dataset.labels != "gold":
        found.append(say("Check the decision with some dozens of queries that real users asked and somebody judged."))
    found.append(how_to("keep_run", run=evaluation.run_id))
    return tuple(found)


def _unmeasured(listed: Sequence[Pick], *, named: bool) -> Iterator[Text]:
    """What to do where no model of the list was measured: only those that this program can run are worth fetching.

    Where the user named the candidates that is no fault, only what else there is.
    """
    runnable = [pick for pick in listed if pick.spec]
    by_api = [pick.model for pick in runnable if _is_api(pick)]
    here = [pick.model for pick in runnable if not _is_api(pick)]
    if named and runnable:
        yield say(
            "You named what was measured. The shortlist has others that you may name too: {models}.",
            models=", ".join(pick.model for pick in runnable[:MOST_NAMES]),
        )
    elif not runnable and not named:
        yield say(
            "None of the {count} shortlisted models was measured, and this program can run none of them: measure them "
            "with their own tools, or relax what keeps others out ({models}).",
            count=len(listed),
            models=", ".join(pick.model for pick in listed[:MOST_NAMES]),
        )
    elif here:
        yield say(
            "None of the {count} shortlisted models was measured. Fetch one where a model hub is reached ({how}), or "
            "give a folder that holds it, and measure again: {models}.",
            count=len(listed),
            models=", ".join(here[:MOST_NAMES]),
            how=how_to("fetch_listed"),
        )
    if by_api and not named:
        yield say(
            "Shortlisted and run by a provider, who would get your texts and has to be agreed to: {models}.",
            models=", ".join(by_api[:MOST_NAMES]),
        )


def _is_api(pick: Pick) -> bool:
    """Whether nothing of it can be fetched: a provider runs it."""
    return pick.spec is not None and any(leg.backend == "openai" for leg in parse_candidate(pick.spec).legs)
