"""The models that should be measured, those at hand included, and what keeps one of them out."""

from __future__ import annotations

from collections.abc import Iterable

from knowledge.catalog import Catalog
from knowledge.errors import UnknownModelError
from knowledge.model_card import ModelCard
from knowledge.requirements import Requirements
from knowledge.results import PlannedCandidate, Shortlist
from knowledge.wording import Text, say
from tools import hub
from tools.hardware import memory_limit_bytes
from tools.setups.matryoshka import WORDLLAMA

#: word matching, measured first and always
BM25 = "bm25"
#: encoders that installed packages carry: they can be measured on any machine, with or without a hub
PACKAGED = (*(f"st:{model}" for model in hub.PACKAGED), "static:wordllama")
ON_THIS_MACHINE = say("on this machine already")
#: share of the machine's memory that weights may take, the rest being activations, Milvus and everybody else
MEMORY_SHARE = 0.6


def wanted_models(
    requirements: Requirements, shortlist: Shortlist, catalog: Catalog
) -> Iterable[tuple[str | None, str, Text]]:
    """Spec, model and reason of every model that should be measured, the most wanted first."""
    if requirements.incumbent:
        name = requirements.incumbent.value
        card = card_of(catalog, name)
        yield (card.spec if card else f"st:{name}"), (card.model if card else name), say("what you use today")
    for pick in shortlist.kept:
        yield pick.spec, pick.model, say("shortlisted, predicted {mean:.3f}", mean=pick.predicted.mean)
    for pick in shortlist.beside:
        if pick.spec != BM25:
            yield pick.spec, pick.model, say("beside the list: the cheapest static model, far faster than any other")
    for spec in PACKAGED:
        model = spec.split(":", 1)[1]
        if _refusal(card_of(catalog, model), requirements) is None:
            yield spec, model, ON_THIS_MACHINE


def card_of(catalog: Catalog, model: str) -> ModelCard | None:
    """The facts of a model; None where the catalog does not know it."""
    if model == WORDLLAMA.model:
        return WORDLLAMA
    try:
        return catalog.card(model)
    except UnknownModelError:
        return None


def _refusal(card: ModelCard | None, requirements: Requirements) -> Text | None:
    """Why the hard constraints keep a model at hand out; one without a card fails those that need facts."""
    known = card or ModelCard(model="unknown/unknown")
    verdicts = ((constraint, constraint.check(known)) for constraint in requirements.constraints)
    return next((verdict.reason for constraint, verdict in verdicts if constraint.excludes(verdict)), None)


def refused_at_hand(requirements: Requirements, catalog: Catalog) -> Iterable[PlannedCandidate]:
    """The models at hand that break a demand, so that nobody wonders where they are."""
    for spec in PACKAGED:
        model = spec.split(":", 1)[1]
        reason = _refusal(card_of(catalog, model), requirements)
        if reason is not None:
            yield PlannedCandidate(spec=spec, model=model, why=ON_THIS_MACHINE, obstacle=reason)


def too_big(card: ModelCard | None) -> Text | None:
    """Why the weights do not fit into this machine's memory; None where they do, or their size is not known."""
    needed = card.memory_at(4.0) if card else None
    allowed = memory_limit_bytes() / 2**20 * MEMORY_SHARE
    if needed is None or needed <= allowed:
        return None
    return say(
        "its weights take {needed:.0f} MB in fp32, and this machine can spare {allowed:.0f} MB",
        needed=needed,
        allowed=allowed,
    )
