"""Which part of a candidate is billed by the token, and how many tokens that are for a text of the user's."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from knowledge.candidate import Candidate, Leg, parse_candidate
from knowledge.model_card import ModelCard
from knowledge.results import Evaluation, Usage
from knowledge.results.cost import TokenCount
from knowledge.wording import say
from tools.cost.tokens import TokenCounter
from tools.evidence_list import EvidenceList

Cards = Callable[[str], ModelCard | None]


def card_of(leg: Leg, cards: Cards) -> ModelCard | None:
    """The card of a leg's model, where it is of the catalog."""
    name = f"openai/{leg.name}" if leg.backend == "openai" and "/" not in leg.name else leg.name
    return None if leg.backend == "bm25" else cards(name)


def tokens_of(
    candidate: Candidate, cards: Cards, evaluation: Evaluation | None, counter: TokenCounter
) -> dict[str, TokenCount]:
    """What the one API of a candidate bills; empty where there are several, whose tokens are no two alike."""
    billed = [leg for leg in candidate.legs if _is_billed(leg, cards)]
    if len(billed) != 1:
        return {}
    (leg,) = billed
    card = card_of(leg, cards)
    return counter.of(card.model if card else leg.name, leg, _usage(leg, cards, evaluation))


def _is_billed(leg: Leg, cards: Cards) -> bool:
    card = card_of(leg, cards)
    return leg.backend == "openai" or (card is not None and card.is_api)


def _usage(leg: Leg, cards: Cards, evaluation: Evaluation | None) -> dict[str, Usage]:
    """What the endpoint reported of this model: vectors are kept, so only one of its candidates had them made."""
    found: list[dict[str, Usage]] = []
    for one in evaluation.candidates if evaluation else ():
        billed = [other for other in parse_candidate(one.spec).legs if _is_billed(other, cards)]
        if one.usage and len(billed) == 1 and billed[0].name == leg.name:
            found.append(one.usage)
    return max(found, key=lambda usage: sum(of.tokens for of in usage.values()), default={})


def cite_tokens(tokens: Mapping[str, TokenCount], spec: str, evidence: EvidenceList, cites: dict[str, str]) -> None:
    """Write them down as evidence, each with how it is known."""
    what = {"document": say("tokens of a document, mean"), "query": say("tokens of a query, mean")}
    for kind, one in tokens.items():
        cites[f"{kind}_tokens"] = evidence.add(
            "measured" if one.how in ("reported", "counted") else "computed",
            spec,
            what[kind],
            one.mean,
            "tokens",
            source=one.because,
        )
