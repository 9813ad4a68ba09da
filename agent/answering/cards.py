"""The card behind a name as people write it, and its facts in a line."""

from __future__ import annotations

from knowledge.candidate import parse_candidate
from knowledge.catalog import Catalog
from knowledge.errors import SpecError, UnknownModelError
from knowledge.licensing import short_name
from knowledge.model_card import ModelCard
from knowledge.quantities import parameters
from knowledge.wording import Text, join, say

COMMA = Text(template=", ")


def card_of(name: str, catalog: Catalog) -> ModelCard:
    """The card of a model by its name, or by a spec that builds it, such as ``static:wordllama`` or ``bm25``.

    Raises:
        UnknownModelError: the catalog does not have it; similar names are offered.
    """
    try:
        return catalog.card(name)
    except UnknownModelError:
        try:
            legs = parse_candidate(name).legs
        except SpecError:
            legs = ()
        if len(legs) == 1:
            plain = legs[0].model_copy(update={"options": {}, "revision": None}).spec
            for card in catalog.cards:
                if card.spec == plain:
                    return card
        raise


def facts(card: ModelCard) -> Text:
    """What the catalog knows of a model, in one line."""
    parts: list[Text] = []
    if card.parameters:
        parts.append(parameters(card.parameters))
    if card.dimension:
        parts.append(say("{count} dimensions", count=card.dimension))
    if card.max_tokens:
        parts.append(say("{count} tokens", count=card.max_tokens))
    parts.append(say("licence {license}", license=short_name(card.license) if card.license else "?"))
    if card.languages:
        parts.append(say("{count} languages", count=len(card.languages)))
    if card.superseded_by:
        parts.append(say("superseded by {model}", model=card.superseded_by))
    return say("{model}: {facts}.", model=card.model, facts=join(parts, COMMA))
