"""The cheapest next gain: which single change to a candidate buys most, and which saves most at no measurable loss."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from knowledge.candidate import Leg, parse_candidate
from knowledge.catalog_in_use import usable_catalog
from knowledge.dataset import Dataset
from knowledge.errors import AdvisorError, UserError
from knowledge.measured_task import NAMES, measured_task
from knowledge.progress import OnProgress, ignore
from knowledge.results import Consent, Plan, PlannedCandidate
from knowledge.results.next_gain import NextGain
from knowledge.results.plan import NAMED
from knowledge.wording import say
from tools import encoders
from tools.encoders import Resolved
from tools.evaluate import NO_CONSENT, evaluate, query_scores
from tools.next_gain.changes import Planned, changes, dense_legs
from tools.next_gain.costs import costs, texts_of
from tools.next_gain.ranking import ranked
from tools.plan import plan_named
from tools.plan.minutes import FASTER, way_of
from tools.retrieval import parse
from tools.run_store import keep_run, new_run_id
from tools.setups.matryoshka import card_of
from tools.vector_cache import VectorCache
from tools.workspace import Workspace

#: minutes of encoding that a change may take to be tried
MINUTES = 10.0


def plan_gains(
    dataset: Dataset, base: str, workspace: Workspace, *, also: Sequence[str] = (), minutes: float = MINUTES
) -> tuple[list[Planned], Plan]:
    """The changes that would be measured, and what that would cost.

    Args:
        dataset: what they are measured on.
        base: the candidate's spec; its encoder is at hand.
        workspace: caches, keys.
        also: further candidates, each one change to the base, such as a reranker over it.
        minutes: of encoding, above which a change is left out.

    Raises:
        SpecError: the base or one of `also` cannot be read.
        UserError: the data is for something else than a search.
        AdvisorError: the base cannot be measured here.
    """
    task = measured_task(dataset.summary)
    if task not in ("ranking", None):
        raise UserError(
            say("Set-ups of a search can be tried, and this is about something else."),
            say(
                "{name} has labels for {task}: compare candidates on it in an evaluation.",
                name=dataset.summary.name,
                task=NAMES[task],
            ),
        )
    candidate = parse([base])[0]
    resolved = {leg: encoders.resolve(leg, workspace) for leg in dense_legs(candidate)}
    found = changes(candidate, _lengths(resolved, dataset, workspace), len(dataset.documents), workspace)
    found = _fastest_only(found)
    named = parse(also) if also else []
    found += [Planned("named", c, NAMED) for c in named if c != candidate]
    catalog = usable_catalog(workspace.home).catalog
    plan = plan_named([base, *(one.candidate.spec for one in found)], dataset, workspace, catalog)
    estimates = {planned.spec: planned for planned in plan.candidates}
    whole = _vectors_known(resolved, dataset, workspace)
    kept: list[Planned] = []
    planned: list[PlannedCandidate] = []
    left_out = list(plan.not_measured)
    for one in (Planned("named", candidate, say("what is changed")), *found):
        estimate = estimates.get(one.candidate.spec)
        if estimate is None:
            continue
        # the base and what differs from it in set-up or fusion alone has read everything
        shared = whole and (one.candidate == candidate or one.kind not in ("precision", "named"))
        cost = estimate.model_copy(update={"why": one.what, "minutes": 0.1 if shared else estimate.minutes})
        if cost.minutes > minutes and one.candidate != candidate:
            why = say("encoding would take {minutes:.0f} minutes", minutes=cost.minutes)
            left_out.append(cost.model_copy(update={"obstacle": why}))
            continue
        kept.append(one)
        planned.append(cost)
    return kept[1:], plan.model_copy(update={"candidates": tuple(planned), "not_measured": tuple(left_out)})


def next_gain(
    dataset: Dataset,
    base: str,
    workspace: Workspace,
    *,
    margin: float,
    also: Sequence[str] = (),
    minutes: float = MINUTES,
    consent: Consent = NO_CONSENT,
    on_progress: OnProgress = ignore,
) -> NextGain:
    """Measure single changes to a candidate against it.

    Args:
        dataset: documents, queries and judgments.
        base: the candidate's spec.
        workspace: caches, keys, Milvus.
        margin: loss in the primary metric that counts as none.
        also: further candidates, each one change to the base, such as a reranker over it.
        minutes: of encoding, above which a change is not tried.
        consent: what may be downloaded and sent.
        on_progress: told how far it has come.

    Raises:
        SpecError: the base or one of `also` cannot be read.
        UserError: nothing can be changed, or the data is for something else than a search.
        AdvisorError: the base cannot be measured.
    """
    started = dt.datetime.now(dt.UTC)
    candidate = parse_candidate(base)
    tried, _ = plan_gains(dataset, base, workspace, also=also, minutes=minutes)
    if not tried:
        raise UserError(
            say("There is nothing to change in {spec} that could be measured here.", spec=candidate.spec),
            say("Start from a candidate with an encoder, or name changes yourself."),
        )
    specs = [candidate.spec, *(one.candidate.spec for one in tried)]
    # each encoder was looked at when the base was chosen; its set-ups are not other encoders
    evaluation = evaluate(dataset, specs, workspace, consent=consent, preflight=False, on_progress=on_progress)
    failed = {one.spec: one for one in evaluation.failed}
    if candidate.spec in failed:
        raise AdvisorError(failed[candidate.spec].reason, failed[candidate.spec].next_step)
    measured = [one for one in tried if one.candidate.spec not in failed]
    spent = costs(candidate, measured, dataset, workspace, on_progress)
    found = ranked(
        candidate,
        measured,
        evaluation,
        query_scores(evaluation, workspace),
        spent,
        margin=margin,
        run_id=new_run_id("gains", started),
        started=started,
    )
    keep_run(workspace.store, "gains", found.run_id, found)
    return found


def _fastest_only(found: list[Planned]) -> list[Planned]:
    """Of the ways to run the encoder faster the fastest: each has to read every text anew."""
    ways = [one for one in found if one.kind == "precision"]
    fastest = max(ways, key=lambda one: FASTER.get(way_of(dense_legs(one.candidate)[0]), 1.0), default=None)
    return [one for one in found if one.kind != "precision" or one is fastest]


def _lengths(resolved: dict[Leg, Resolved], dataset: Dataset, workspace: Workspace) -> dict[Leg, int]:
    """How long vectors are as their encoders give them: from the cache, else from the card; not known, not there."""
    found: dict[Leg, int] = {}
    for leg, of in resolved.items():
        first = next(iter(texts_of(leg, dataset)), "")
        cache, card = VectorCache(workspace.vectors, of.key("document")), card_of(leg, workspace)
        if not cache.missing([first]):
            found[leg] = int(cache.get([first]).shape[1])
        elif card and card.dimension:
            found[leg] = card.dimension
    return found


def _vectors_known(resolved: dict[Leg, Resolved], dataset: Dataset, workspace: Workspace) -> bool:
    """Whether the base has read every document already."""
    return not any(
        VectorCache(workspace.vectors, of.key("document")).missing(texts_of(leg, dataset))
        for leg, of in resolved.items()
    )


__all__ = ["MINUTES", "next_gain", "plan_gains"]
