"""What is always measured beside the list: word matching, and the cheapest static model that meets the demands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from knowledge.evidence import Forecast, wanted_modalities
from knowledge.languages import language_code
from knowledge.model_card import ModelCard
from knowledge.requirements import Requirements
from knowledge.wording import Text, say
from tools.shortlist.demands import Refusal, is_beside, is_candidate
from tools.shortlist.ranked import Ranked

BM25 = say("Beside the list because it needs no model: what does not beat word matching is not worth its cost.")
STATIC = say(
    "Beside the list because it is the cheapest kind of model: a table of word vectors, as fast as reading the text."
)


def is_static(card: ModelCard) -> bool:
    """Whether it only looks words up: no parameter computes, or its spec says so."""
    return is_candidate(card) and (card.active_parameters == 0 or (card.spec or "").startswith("static:"))


def baseline(requirements: Requirements, cards: Sequence[ModelCard], seen: Forecast) -> Ranked | None:
    """BM25, where the task is one of searching texts."""
    found = next((card for card in cards if is_beside(card, requirements)), None)
    return Ranked(found, seen.predictions[found.model]) if found else None


def cheapest_static(admitted: Sequence[Ranked], seen: Forecast) -> Ranked | None:
    """The smallest static model that this program can build and that knows the language.

    Of those with scores in the language, only those run on at least half as many groups of tasks as any of them count:
    the smallest of all were made for one domain and run on a handful.
    """
    usable = [
        entry
        for entry in admitted
        if is_static(entry.card) and entry.card.spec and entry.card.parameters and _knows_language(entry.card, seen)
    ]
    most = max((seen.groups_in_language[entry.card.model] for entry in usable), default=0)
    tested = [entry for entry in usable if seen.groups_in_language[entry.card.model] >= max(most / 2, 1)]
    return min(tested or usable, key=lambda entry: (entry.card.parameters or 0, entry.card.model), default=None)


def _knows_language(card: ModelCard, seen: Forecast) -> bool:
    """By its list of languages (natural ones), or by having been run in each."""
    listed = {code for code in map(language_code, card.languages) if code}
    return seen.groups_in_language[card.model] > 0 or not seen.languages or listed >= set(seen.languages)


def why_none(
    requirements: Requirements, cards: Sequence[ModelCard], rejected: Sequence[Refusal], names: Mapping[str, Text]
) -> Text | None:
    """The note where no static model is beside the list; None where texts are not what is searched.

    Args:
        requirements: for what is searched.
        cards: of the catalog.
        rejected: with the constraint that did it.
        names: the demands by kind.
    """
    if "text" not in wanted_modalities(requirements):
        return None
    static = {card.model for card in cards if is_static(card)}
    blocked = Counter(one.constraint for one in rejected if one.model in static and one.constraint in names)
    if not blocked:
        return say("No static model is beside the list: none is known to know the language.")
    kind, count = max(blocked.items(), key=lambda found: (found[1], found[0]))
    return say(
        "No static model is beside the list: {count} of {all} do not meet “{demand}”.",
        count=count,
        all=len(static),
        demand=names[kind],
    )
