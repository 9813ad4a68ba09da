"""What to measure, and what that would cost: shown before anything is spent, and agreed to or not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from knowledge.candidate import Leg, parse_candidate
from knowledge.catalog import Catalog
from knowledge.dataset import Dataset
from knowledge.errors import AdvisorError
from knowledge.measured_task import MeasuredTask, measured_task
from knowledge.model_card import ModelCard
from knowledge.requirements import Requirements, Task
from knowledge.results import DataProfile, Plan, PlannedCandidate, Shortlist
from knowledge.results.plan import NAMED
from knowledge.wording import Text, say
from tools import encoders, leg_use, retrieval
from tools.encoders import Resolved, openai
from tools.plan.minutes import (
    minutes_of,
    times_read,
    tokens_of,
    tokens_of_pairs,
    with_hard_cases,
    with_scoring,
    without_what_is_known,
)
from tools.plan.variants import variants_of
from tools.plan.wanted import BM25, PACKAGED, card_of, refused_at_hand, too_big, wanted_models
from tools.setups.matryoshka import not_trained_for
from tools.workspace import Workspace

__all__ = ["BM25", "PACKAGED", "make_plan", "plan_named", "without_what_is_known"]


def make_plan(
    requirements: Requirements,
    shortlist: Shortlist,
    dataset: Dataset,
    profile: DataProfile | None,
    workspace: Workspace,
    catalog: Catalog,
    *,
    most: int = 8,
    specs: Sequence[str] = (),
    also: Sequence[str] = (),
) -> Plan:
    """Choose the candidates: BM25, the shortlist and what is beside it, models at hand, and cheaper variants.

    Of all these, what can run here; the rest is named with its obstacle.

    Args:
        requirements: the incumbent joins; hard constraints hold for models at hand too.
        shortlist: in its order.
        dataset: its size decides the minutes.
        profile: token lengths, where known.
        workspace: where models may be.
        catalog: cards of the models at hand.
        most: candidates at most; the shortlist comes first.
        specs: what the user wants measured instead; then nothing else is.
        also: what the user wants measured besides, whatever `most` says.

    Raises:
        SpecError: one of `specs` cannot be read.
        AdvisorError: why the first of `specs` cannot be measured, when none of them can.
    """
    tokens = tokens_of(dataset, profile)
    task = measured_task(dataset.summary, requirements.task.value) or "ranking"
    if specs:
        return with_hard_cases(_as_asked(specs, tokens, dataset, workspace, catalog, task))
    chosen: list[PlannedCandidate] = [
        PlannedCandidate(spec=BM25, why=say("word matching: what any embedding has to beat"), minutes=0.1)
    ]
    blocked: list[PlannedCandidate] = []
    bases: list[tuple[Leg, Resolved, ModelCard | None]] = []
    for spec, model, why in wanted_models(requirements, shortlist, catalog):
        if spec is None:
            blocked.append(
                PlannedCandidate(
                    spec=model,
                    model=model,
                    why=why,
                    obstacle=say("no backend here can run it (an API, or an architecture of its own)"),
                )
            )
            continue
        card = card_of(catalog, model)
        try:
            leg = parse_candidate(spec)
            if not isinstance(leg, Leg) or any(leg.spec == base.spec for base, _, _ in bases):
                continue
            resolved = encoders.resolve(leg, workspace)
        except AdvisorError as error:
            blocked.append(PlannedCandidate(spec=spec, model=model, why=why, obstacle=error.cause))
            continue
        obstacle = too_big(card) or _no_key(resolved, workspace)
        if obstacle:
            blocked.append(PlannedCandidate(spec=spec, model=model, why=why, obstacle=obstacle))
            continue
        bases.append((leg, resolved, card))
        chosen.append(_planned(leg, resolved, card, why, tokens))
    blocked.extend(refused_at_hand(requirements, catalog))
    for candidate, why, cost in variants_of(bases, tokens):
        if task != "ranking" and not isinstance(candidate, Leg):
            continue  # rankings can be fused, vectors cannot
        cut = not_trained_for(candidate, card_of(catalog, candidate.name)) if isinstance(candidate, Leg) else ()
        chosen.append(PlannedCandidate(spec=candidate.spec, why=why, minutes=cost, notes=tuple(cut)))
    named, unable, _ = _named(also, tokens, dataset, workspace, catalog)
    mine, asked = {planned.spec for planned in chosen[:most]}, {planned.spec for planned in named}
    made = Plan(
        candidates=(*chosen[:most], *(planned for planned in named if planned.spec not in mine)),
        not_measured=(*(one for one in blocked if one.spec not in asked), *unable),
        documents=len(dataset.documents),
        queries=_scored(dataset, task),
        silver=dataset.summary.silver is not None and task == "ranking",
        task=task,
    )
    return with_hard_cases(with_scoring(made, dataset, catalog))


def plan_named(
    specs: Sequence[str],
    dataset: Dataset,
    workspace: Workspace,
    catalog: Catalog,
    *,
    most: int | None = None,
    task: Task | MeasuredTask | None = None,
) -> Plan:
    """The plan for measuring these candidates and no others.

    Args:
        specs: the candidates.
        dataset: its size decides the minutes.
        workspace: where models may be.
        catalog: cards of the models.
        most: documents that are encoded at most; None: all of them.
        task: what for; None: what the data has labels for.

    Raises:
        SpecError: one of them cannot be read.
        AdvisorError: why the first of them cannot be measured, when none of them can.
    """
    tokens = tokens_of(dataset, None)
    if most is not None and len(dataset.documents) > most:
        tokens *= most / len(dataset.documents)
    return _as_asked(specs, tokens, dataset, workspace, catalog, measured_task(dataset.summary, task) or "ranking")


def _scored(dataset: Dataset, task: MeasuredTask) -> int:
    """How many queries, texts or pairs are judged by."""
    data = dataset.summary
    if task == "ranking":
        return len(dataset.queries)
    if task == "clustering":
        return data.labelled
    return data.tested or (data.labelled if task == "classification" else data.pairs)


def _as_asked(
    specs: Sequence[str],
    tokens: float,
    dataset: Dataset,
    workspace: Workspace,
    catalog: Catalog,
    task: MeasuredTask,
) -> Plan:
    """The plan for candidates that the user named."""
    chosen, blocked, failures = _named(specs, tokens, dataset, workspace, catalog)
    if not chosen:
        raise failures[0]
    made = Plan(
        candidates=tuple(chosen),
        not_measured=tuple(blocked),
        documents=len(dataset.documents),
        queries=_scored(dataset, task),
        silver=dataset.summary.silver is not None and task == "ranking",
        task=task,
    )
    return with_scoring(made, dataset, catalog)


def _named(
    specs: Sequence[str], tokens: float, dataset: Dataset, workspace: Workspace, catalog: Catalog
) -> tuple[list[PlannedCandidate], list[PlannedCandidate], list[AdvisorError]]:
    """Of the candidates that the user named, those that can be measured, and those that cannot with the reasons."""
    why = NAMED
    chosen: list[PlannedCandidate] = []
    blocked: list[PlannedCandidate] = []
    failures: list[AdvisorError] = []
    for candidate in dict.fromkeys(parse_candidate(spec) for spec in specs):
        try:
            legs = [_leg_as_asked(leg, why, tokens, workspace, catalog) for leg in candidate.searched]
            for reranking in retrieval.rerankings(candidate):
                read = tokens_of_pairs(reranking, tokens, dataset)
                legs.append(_leg_as_asked(reranking.reranker, why, read, workspace, catalog))
        except AdvisorError as error:
            failures.append(error)
            blocked.append(PlannedCandidate(spec=candidate.spec, why=why, obstacle=error.cause))
            continue
        chosen.append(
            PlannedCandidate(
                spec=candidate.spec,
                model=legs[0].model if len(legs) == 1 else None,
                why=why,
                minutes=round(sum(leg.minutes for leg in legs), 2),
                download_gb=sum(leg.download_gb for leg in legs),
                usd=sum(leg.usd for leg in legs),
                sends_text_to=next((leg.sends_text_to for leg in legs if leg.sends_text_to), None),
                notes=tuple(dict.fromkeys(note for leg in legs for note in leg.notes)),
            )
        )
    return chosen, blocked, failures


def _leg_as_asked(leg: Leg, why: Text, tokens: float, workspace: Workspace, catalog: Catalog) -> PlannedCandidate:
    if leg.backend == BM25:
        return PlannedCandidate(spec=leg.spec, why=why, minutes=0.1)
    resolved = encoders.resolve(leg, workspace)
    found = _planned(leg, resolved, card_of(catalog, resolved.model), why, tokens * times_read(leg))
    missing = _no_key(resolved, workspace)  # whoever names it may set one before he agrees
    return found if missing is None else found.model_copy(update={"notes": (*found.notes, missing)})


def _no_key(resolved: Resolved, workspace: Workspace) -> Text | None:
    if not openai.lacks_key(resolved, workspace):
        return None
    return say("{host} wants a key, and none is set (OPENAI_API_KEY)", host=resolved.endpoint or "")


def _planned(leg: Leg, resolved: Resolved, card: ModelCard | None, why: Text, tokens: float) -> PlannedCandidate:
    price = card.price.usd_per_million_tokens if card and card.price else 0.0
    return PlannedCandidate(
        spec=leg.spec,
        model=resolved.model,
        why=why,
        minutes=round(minutes_of(leg, card, tokens), 2),
        download_gb=round((resolved.download_bytes or 0) / 1e9, 3),
        usd=round(price * tokens / 1e6, 4) if resolved.endpoint else 0.0,
        sends_text_to=resolved.endpoint,
        notes=(*not_trained_for(leg, card), *_for_production(leg, resolved)),
    )


def _for_production(leg: Leg, resolved: Resolved) -> Iterable[Text]:
    """What whoever wants to deploy the candidate should know before it is measured."""
    if resolved.note is not None:
        yield resolved.note
    if not leg_use.runs_in_files(leg):
        yield say("no files can be written to deploy it: it makes a vector for each token")
