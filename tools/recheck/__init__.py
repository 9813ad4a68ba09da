"""Is a decision still the best: new models, data that moved, and what the candidates score today, query by query.

It looks, and measures only what it was allowed to. An alert is raised where the user's margin is beaten beyond chance,
and nowhere else: a check that cries wolf is turned off.
"""

from __future__ import annotations

import datetime as dt

from knowledge.catalog_in_use import usable_catalog
from knowledge.dataset import Dataset
from knowledge.progress import OnProgress, ignore
from knowledge.requirements import Requirements
from knowledge.results import Consent
from knowledge.results.recheck import DataDrift, Recheck
from knowledge.wording import Text, say
from tools.data_baseline import baseline_of, drift, keep_baseline, kept_baseline
from tools.recheck.decision import Asked, Decision
from tools.recheck.measured import Again, measure
from tools.recheck.news import news
from tools.recheck.rescored import change_in_words, changed_in_words
from tools.run_store import RunStore, keep_run, new_run_id
from tools.workspace import Workspace


def recheck(
    decision: Decision,
    asked: Asked,
    workspace: Workspace,
    *,
    consent: Consent,
    on_progress: OnProgress = ignore,
) -> Recheck:
    """Look at a decision again, and keep what was found: the next check compares with this one too.

    Args:
        decision: what was decided.
        asked: what to look at.
        workspace: caches, runs, the catalog.
        consent: what may be downloaded, and where texts may be sent.
        on_progress: told how far measuring has come.
    """
    seen = glance_at(decision, workspace)
    moved, why_no_drift = _drift(decision, asked.dataset, workspace, seen.run_id, seen.created.date())
    again = measure(decision, asked, seen, workspace, consent, on_progress)
    found = seen.model_copy(
        update={
            "dataset": asked.dataset.summary.hash if asked.dataset else None,
            "drift": moved,
            "drift_skipped": why_no_drift,
            "asked_again": again.asked,
            "incumbent_change": again.incumbent,
            "challengers": again.challengers,
            "measuring_skipped": again.skipped,
            "evaluation": again.run_id,
            "migration": again.migration,
            "failed": again.failed,
            "alert": _alert(decision, again),
        }
    )
    keep_run(workspace.store, "recheck", found.run_id, found)
    return found


def glance_at(decision: Decision, workspace: Workspace) -> Recheck:
    """`glance` at a decision whose run is at hand."""
    return glance(
        decision.evaluation.run_id,
        decision.day,
        decision.incumbent.spec,
        workspace,
        requirements=decision.requirements,
        margin=decision.margin,
        metric=decision.evaluation.primary,
    )


def glance(
    run_id: str,
    decided: dt.date,
    incumbent: str,
    workspace: Workspace,
    *,
    requirements: Requirements,
    margin: float,
    metric: str,
) -> Recheck:
    """What the catalog alone says of a decision, at once; nothing is measured or kept.

    Args:
        run_id: of the decision.
        decided: its day.
        incumbent: spec of what is in use.
        workspace: where runs and the catalog are.
        requirements: that a new model has to meet.
        margin: that it has to be better by, in the metric.
        metric: the decision's.
    """
    created = dt.datetime.now(dt.UTC)
    in_use = usable_catalog(workspace.home)
    last = last_recheck(run_id, workspace)
    known = {m.model: m.known_since or last.created.date() for m in last.new_models} if last else {}
    new = news(decided, incumbent, requirements, margin, in_use, workspace.home, known)
    return Recheck(
        run_id=new_run_id("recheck", created),
        created=created,
        decision=run_id,
        decided=decided,
        incumbent=incumbent,
        metric=metric,
        margin=margin,
        last=last.run_id if last else None,
        catalog=in_use.manifest.built.date(),
        new_models=new.models,
        new_in_catalog=new.in_catalog,
        models_skipped=new.skipped,
    )


def last_recheck(decision: str, workspace: Workspace) -> Recheck | None:
    """The latest check of a decision; None where there was none that this version can read."""
    if not workspace.store.exists():
        return None
    runs = RunStore(workspace.store)
    try:
        for run in runs.runs("recheck"):
            if run.payload.get("decision") == decision:
                try:
                    return Recheck.model_validate(run.payload)
                except ValueError:  # of a later version
                    continue
    finally:
        runs.close()
    return None


def _drift(
    decision: Decision, dataset: Dataset | None, workspace: Workspace, run_id: str, today: dt.date
) -> tuple[DataDrift | None, Text | None]:
    if dataset is None:
        return None, say("That takes today's data: --data.")
    runs = RunStore(workspace.store)
    try:
        then = kept_baseline(decision.evaluation.dataset.hash, runs)
        if then is None and dataset.summary.hash == decision.evaluation.dataset.hash:
            then = keep_baseline(dataset, runs, run_id, decision.day)
    finally:
        runs.close()
    if then is None:
        return None, say("What the data was like when it was decided was not kept; run this once with that data.")
    return drift(then, baseline_of(dataset, today)), None


def _alert(decision: Decision, again: Again) -> tuple[Text, ...]:
    told = [changed_in_words(one) for one in again.asked if one.changed]
    told += [
        say(
            "{spec} beats {incumbent} by {change} of {metric} on your queries, more than your margin of {margin:.1f}.",
            spec=one.spec,
            incumbent=decision.incumbent.spec,
            change=change_in_words(one.difference),
            metric=decision.evaluation.primary,
            margin=100 * decision.margin,
        )
        for one in again.challengers
        if one.beyond
    ]
    fallen = again.incumbent
    if fallen is not None and fallen.beyond:
        told.append(
            say(
                "{incumbent} lost: {change} of {metric} against the decision on the same queries, more than your "
                "margin of {margin:.1f}.",
                incumbent=decision.incumbent.spec,
                change=change_in_words(fallen.difference),
                metric=decision.evaluation.primary,
                margin=100 * decision.margin,
            )
        )
    return tuple(told)


__all__ = ["Asked", "Decision", "glance", "last_recheck", "recheck"]
