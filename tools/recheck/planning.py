"""What a recheck would do and cost, before it does any of it."""

from __future__ import annotations

from knowledge.candidate import Leg, parse_candidate
from knowledge.catalog import Catalog
from knowledge.dataset import Dataset
from knowledge.errors import AdvisorError
from knowledge.results import Plan
from knowledge.results.plan import PlannedCandidate
from knowledge.results.recheck import Recheck, RecheckPlan
from knowledge.wording import Text, say
from tools import encoders
from tools.evaluate import measured_before
from tools.metrics.judgments import treat
from tools.plan import plan_named
from tools.recheck.asked_again import planned, samples
from tools.recheck.decision import Asked, Decision
from tools.recheck.measured import MEASURE_ANEW, to_measure
from tools.sending import price_of
from tools.text_counts import estimated_tokens
from tools.vector_cache import VectorCache
from tools.workspace import Workspace


def plan_recheck(
    decision: Decision, asked: Asked, seen: Recheck, workspace: Workspace, catalog: Catalog, *, webhook: str | None
) -> RecheckPlan:
    """What `tools.recheck.recheck` would do with the same arguments; nothing is measured, sent or kept.

    Args:
        decision: what was decided.
        asked: what to look at.
        seen: what the catalog says of it (`glance`).
        workspace: what is kept, and so costs nothing.
        catalog: cards and prices.
        webhook: host that would be told of an alert.
    """
    incumbent = decision.incumbent.spec
    plan = RecheckPlan(
        decision=decision.evaluation.run_id,
        incumbent=incumbent,
        new_models=tuple(model.model for model in seen.new_models if model.better),
        webhook=webhook,
    )
    if asked.dataset is None:
        return plan.model_copy(update={"not_measured": say("That takes today's data: --data.")})
    if not asked.measure:
        return plan.model_copy(update={"not_measured": say("That takes a consent: --measure.")})
    treated = treat(asked.dataset)
    again = samples(parse_candidate(incumbent), decision.evaluation.started, treated, workspace)
    former = any(sample.is_former(workspace) for sample in again)
    measured, why = (None, MEASURE_ANEW) if former else _measured(decision, asked, seen, workspace, catalog)
    return plan.model_copy(
        update={
            "asked_again": tuple(planned(sample, catalog) for sample in again),
            "measured": measured,
            "not_measured": why,
        }
    )


def _measured(
    decision: Decision, asked: Asked, seen: Recheck, workspace: Workspace, catalog: Catalog
) -> tuple[Plan | None, Text | None]:
    assert asked.dataset is not None
    wanted = to_measure(decision, asked, seen)
    metrics = list(decision.incumbent.metrics)
    free = measured_before(asked.dataset, wanted, workspace, metrics)
    left = [spec for spec in wanted if spec not in free]
    try:
        found = plan_named(left, asked.dataset, workspace, catalog) if left else None
    except AdvisorError as error:
        return None, error.cause
    candidates = [_without_kept(one, asked.dataset, workspace, catalog) for one in (found.candidates if found else ())]
    if found is None or not any(candidates):
        return None, say("All that this takes was measured or embedded before.")
    return found.model_copy(update={"candidates": tuple(one for one in candidates if one)}), None


def _without_kept(
    one: PlannedCandidate, dataset: Dataset, workspace: Workspace, catalog: Catalog
) -> PlannedCandidate | None:
    """An endpoint is paid for texts whose vectors are not kept, and for no others; None where all are."""
    leg = parse_candidate(one.spec)
    if one.sends_text_to is None or not isinstance(leg, Leg):
        return one
    resolved = encoders.resolve(leg, workspace)
    texts = [*dataset.documents.values(), *dataset.queries.values()]
    missing = VectorCache(workspace.vectors, resolved.key("document")).missing(texts)
    if not missing:
        return None
    share = len(missing) / max(len(set(texts)), 1)
    usd, _ = price_of(resolved.model, catalog)
    tokens = sum(map(estimated_tokens, missing))
    return one.model_copy(
        update={"minutes": round(one.minutes * share, 2), "usd": round((usd or 0.0) * tokens / 1e6, 4)}
    )
