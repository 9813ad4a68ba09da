"""What the candidate in use and its challengers score today, query by query."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from knowledge.candidate import Leg, parse_candidate
from knowledge.catalog_in_use import usable_catalog
from knowledge.dataset import Dataset
from knowledge.errors import AdvisorError, ProviderError
from knowledge.progress import OnProgress
from knowledge.results import Consent, Evaluation
from knowledge.results.recheck import AskedAgain, Migration, Recheck, Rescored
from knowledge.wording import Text, say
from tools.evaluate import evaluate, measured_before, obtain, query_scores
from tools.metrics.judgments import treat
from tools.migration import plan_migration
from tools.recheck.asked_again import ask_again, samples
from tools.recheck.decision import Asked, Decision
from tools.recheck.rescored import rescored
from tools.workspace import Workspace

#: new models that are measured without being named
MOST_NEW = 3


@dataclass(frozen=True)
class Again:
    """What was measured today; the fields are those of `Recheck`."""

    asked: tuple[AskedAgain, ...] = ()
    incumbent: Rescored | None = None
    challengers: tuple[Rescored, ...] = ()
    run_id: str | None = None
    migration: Migration | None = None
    skipped: Text | None = None
    failed: int | None = None


#: while an endpoint's new model was not measured, nothing can be compared with it
MEASURE_ANEW = say("Its model was changed: measure it anew (advisor evaluate) before others are compared with it.")


def to_measure(decision: Decision, asked: Asked, seen: Recheck) -> list[str]:
    """Specs that a check measures: the one in use, then those named, then new ones that are predicted to be better."""
    better = [model.spec for model in seen.new_models if model.better and model.spec]
    return list(dict.fromkeys((decision.incumbent.spec, *asked.challengers, *better[:MOST_NEW])))


def measure(
    decision: Decision, asked: Asked, seen: Recheck, workspace: Workspace, consent: Consent, on_progress: OnProgress
) -> Again:
    """Measure what may be measured; what cannot be has its reason.

    Args:
        decision: what was decided.
        asked: what to look at.
        seen: what the catalog says.
        workspace: caches, runs.
        consent: what may be downloaded, and where texts may be sent.
        on_progress: told how far it has come.
    """
    if asked.dataset is None:
        return Again(skipped=say("That takes today's data: --data."))
    incumbent = decision.incumbent.spec
    wanted = to_measure(decision, asked, seen)
    if not asked.measure:  # what was measured before costs nothing
        free = measured_before(asked.dataset, wanted, workspace, list(decision.incumbent.metrics))
        wanted = [spec for spec in wanted if spec in free]
        if incumbent not in free:
            return Again(
                skipped=say(
                    "{spec} was not measured on this data, and that was not agreed to: --measure.", spec=incumbent
                )
            )
    again: tuple[AskedAgain, ...] = ()
    other = False
    try:
        if asked.measure:
            again, other = _endpoints(decision, asked.dataset, workspace, consent)
        if other:  # all of it anew would cost without bound, and what is kept of it is of another model
            loss = next((one.loss for one in again if one.loss), None)
            return Again(again, loss, skipped=MEASURE_ANEW)
        today = _evaluated(decision, asked.dataset, wanted, workspace, consent, on_progress)
    except AdvisorError as error:
        return Again(again, skipped=error.cause, failed=error.exit_code if asked.measure else None)
    found = replace(_compared(decision, asked, today, workspace), asked=again)
    return replace(found, failed=found.failed if asked.measure else None)


def _evaluated(
    decision: Decision,
    dataset: Dataset,
    wanted: Sequence[str],
    workspace: Workspace,
    consent: Consent,
    on_progress: OnProgress,
) -> Evaluation:
    metrics = list(decision.incumbent.metrics)
    return evaluate(
        dataset, wanted, workspace, metrics=metrics, consent=consent, preflight=False, on_progress=on_progress
    )


def _compared(decision: Decision, asked: Asked, today: Evaluation, workspace: Workspace) -> Again:
    """The candidate in use against the decision, the others against it."""
    incumbent, margin = decision.incumbent.spec, decision.margin
    scores, same = query_scores(today, workspace), today.same_queries
    reasons = {one.spec: one.reason for one in today.failed}
    if incumbent not in scores:
        why = reasons.get(incumbent, say("It could not be measured."))
        return Again(run_id=today.run_id, skipped=why, failed=ProviderError.exit_code)
    before, against = query_scores(decision.evaluation, workspace)[incumbent], decision.evaluation.run_id
    own = rescored(incumbent, against, scores[incumbent], before, margin, same=same, worse=True)
    others = [spec for spec in scores if spec != incumbent]
    found = [
        rescored(spec, incumbent, scores[spec], scores[incumbent], margin, same=same, comparisons=len(others))
        for spec in others
    ]
    compared = sorted((one for one in found if one), key=lambda one: -one.difference.mean)
    winner = next((one for one in compared if one.beyond), None)
    plan = None
    if winner is not None and asked.dataset is not None:
        plan = plan_migration(
            today,
            incumbent,
            winner.spec,
            asked.dataset,
            workspace,
            documents=asked.documents,
            thresholds=asked.thresholds,
        )
    return Again(
        incumbent=own,
        challengers=tuple(compared),
        run_id=today.run_id,
        migration=plan,
        skipped=next(iter(reasons.values()), None),
    )


def _endpoints(
    decision: Decision, dataset: Dataset, workspace: Workspace, consent: Consent
) -> tuple[tuple[AskedAgain, ...], bool]:
    """Endpoints of the candidate in use, asked again; and whether what is kept of them is of another model.

    Raises:
        ConsentNeeded: a host was not agreed to.
        ProviderError: one does not answer.
    """
    candidate, decided, treated = parse_candidate(decision.incumbent.spec), decision.evaluation.started, treat(dataset)
    found: list[AskedAgain] = []
    former = False
    for sample in samples(candidate, decided, treated, workspace):
        obtain(sample.resolved, sample.leg, workspace, consent)
        one = ask_again(
            sample,
            decided,
            treated,
            workspace,
            usable_catalog(workspace.home).catalog,
            alone=isinstance(candidate, Leg) and "chunk" not in candidate.options,
            against=decision.evaluation.run_id,
            metric=decision.evaluation.primary,
            margin=decision.margin,
        )
        found.append(one)
        # also where a change was noticed before and taken back: what was kept since is of the model in between
        former = former or one.changed or sample.is_former(workspace)
    return tuple(found), former
