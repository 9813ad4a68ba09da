"""The API that one's own machines are set against where none was measured."""

from __future__ import annotations

from collections.abc import Iterable

from knowledge.model_card import ModelCard
from knowledge.requirements import Requirements


def reference_api(requirements: Requirements, cards: Iterable[ModelCard]) -> ModelCard | None:
    """The cheapest API with a price on file that breaks no hard demand; of equals one that can be measured here.

    None where no API meets the demands, as where texts must not leave one's own machines.
    """
    possible = [card for card in cards if _embeds_text(card) and not _refused(card, requirements)]
    return min(possible, key=_order, default=None)


def _embeds_text(card: ModelCard) -> bool:
    known = card.price is not None and card.dimension is not None
    return known and card.is_api and "text" in card.modalities and "dense" in card.architecture


def _refused(card: ModelCard, requirements: Requirements) -> bool:
    return any(one.excludes(one.check(card)) for one in requirements.constraints)


def _order(card: ModelCard) -> tuple[float, bool, bool, str]:
    assert card.price
    return card.price.usd_per_million_tokens, card.spec is None, card.superseded_by is not None, card.model
