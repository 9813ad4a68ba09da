"""Who gets the places: evidence in the language, caps by publisher and family, one broadly tested, one small model."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache

from knowledge.evidence import Forecast
from knowledge.model_card import ModelCard
from knowledge.requirements import Requirements
from knowledge.results import Rejection
from knowledge.wording import Text, say
from tools.shortlist.ranked import Ranked, Slot
from tools.shortlist.reasons import language_of

PER_PUBLISHER = 2
PER_FAMILY = 2
NOT_BUILT_HERE = 1
#: a clearly smaller size: at most so much of the largest model's parameters ...
SMALL = 1 / 4
#: ... and worth a place while its prediction is within so many points (0 to 1) of the first one's
WITHIN = 0.10
#: ... of a list of at least so many places: in a shorter one it would stand for a third of all that is measured
SHORTEST_WITH_SMALL = 4

#: a shorter field than this relaxes the rule on evidence
_ENOUGH = 10

# How a publisher marks another copy of the same weights: settings in brackets, or a precision at the end.
_COPY = re.compile(r"(?: \(.*\)|[-_](?:int[48]|fp8|fp16|bf16|nvfp4|gguf|awq|gptq))+$", re.IGNORECASE)


def proven(
    admitted: Sequence[Ranked], seen: Forecast, requirements: Requirements, k: int
) -> tuple[list[Ranked], list[Rejection], list[Text]]:
    """Those with enough evidence in the language, rejections for the rest, and a note where the rule was relaxed."""
    field, notes = field_of(admitted, seen, k)
    kept = {entry.card.model for entry in field}
    language = language_of(requirements, seen)
    rejected = [
        Rejection(
            model=entry.card.model,
            constraint="evidence",
            reason=say(
                "too few groups of benchmark tasks behind it: {found} in {language}, {all} in all",
                found=seen.groups_in_language[entry.card.model],
                language=language,
                all=seen.groups_in_all[entry.card.model],
            ),
        )
        for entry in admitted
        if entry.card.model not in kept
    ]
    return field, rejected, notes


def field_of(admitted: Sequence[Ranked], seen: Forecast, k: int) -> tuple[list[Ranked], list[Text]]:
    """Those with enough evidence in the language, and a note where the rule was relaxed."""

    def inlanguage_of(entry: Ranked) -> int:
        return seen.groups_in_language[entry.card.model]

    def in_all(entry: Ranked) -> int:
        return seen.groups_in_all[entry.card.model]

    # Each step is taken while fewer models than this are left. Models never run in the language come in only where
    # the list could not be filled without them.
    steps: list[tuple[int, Callable[[Ranked], bool], Text | None]] = [
        (1, lambda e: inlanguage_of(e) >= 2 or (inlanguage_of(e) >= 1 and in_all(e) >= 15), None),
        (
            _ENOUGH,
            lambda e: inlanguage_of(e) >= 1,
            say("Few models are left, so one group of benchmark tasks in the language was enough evidence."),
        ),
        (
            k,
            lambda e: in_all(e) >= 1,
            say("Too few models were ever run in the language; some are placed by their scores in other languages."),
        ),
        (k, lambda e: True, say("Too few models were ever run on such tasks; some are placed by size and age alone.")),
    ]
    # A step that admits nobody new is no relaxation, and its note would say something untrue.
    field: list[Ranked] = []
    notes: list[Text] = []
    for enough, suffices, note in steps:
        wider = [entry for entry in admitted if suffices(entry)] if len(field) < enough else field
        if len(wider) > len(field):
            field, notes = wider, [note] if note else []
    return field, notes


def choose(
    ranked: Sequence[Ranked], seen: Forecast, k: int, cards: Mapping[str, ModelCard]
) -> tuple[list[tuple[Ranked, Slot | None]], list[Rejection]]:
    """The first `k` of a ranking under the rules 4 to 6.

    Returns:
        The chosen, in order, each with what its place is held for; and why the others, in order, are not among them.
    """
    roots = roots_of(ranked, cards)
    chosen, slots = chosen_of(ranked, seen, k, roots)
    kept = {entry.card.model for entry in chosen}
    # A place that is held for something else was not to be had for a better prediction.
    last = min((e.prediction.mean for e in chosen if e.card.model not in slots), default=chosen[0].prediction.mean)
    rejected = [
        Rejection(
            model=entry.card.model,
            constraint="rank",
            reason=_capped(entry, chosen, roots, NOT_BUILT_HERE) or _behind(entry, place, len(ranked), last),
        )
        for place, entry in enumerate(ranked, 1)
        if entry.card.model not in kept
    ]
    return [(entry, slots.get(entry.card.model)) for entry in chosen], rejected


def roots_of(ranked: Sequence[Ranked], cards: Mapping[str, ModelCard]) -> dict[str, str]:
    """For each model, the one that it was made from in the first place."""
    return {entry.card.model: _root(entry.card, cards) for entry in ranked}


def chosen_of(
    ranked: Sequence[Ranked], seen: Forecast, k: int, roots: Mapping[str, str]
) -> tuple[list[Ranked], dict[str, Slot]]:
    """The first `k` of a ranking under the rules 4 to 6, in order, and by model what a place is held for."""
    chosen: list[Ranked] = []
    for not_built in (NOT_BUILT_HERE, k):
        for entry in ranked:
            # A model that is on the list is a copy of itself, so it is not taken twice.
            if len(chosen) < k and not _capped(entry, chosen, roots, not_built):
                chosen.append(entry)
    slots: dict[str, Slot] = {}
    broad = _broad(ranked, seen)
    if 1 < k == len(chosen) and not any(entry.card.model in broad for entry in chosen):
        others = chosen[:-1]
        fitting = (e for e in ranked if e.card.model in broad and not _capped(e, others, roots, NOT_BUILT_HERE))
        tested = next(fitting, None)
        if tested:
            chosen, slots[tested.card.model] = [*others, tested], "broad"
    smaller = _small(ranked, chosen, broad, roots) if SHORTEST_WITH_SMALL <= k == len(chosen) else None
    if smaller:
        chosen, slots[smaller[1].card.model] = smaller[0], "small"
    chosen.sort(key=lambda entry: entry.order)
    return chosen, slots


def _behind(entry: Ranked, place: int, total: int, last: float) -> Text:
    """Why a model that nothing speaks against has no place."""
    values: dict[str, str | int | float | Text] = {
        "place": place,
        "total": total,
        "mean": f"{entry.prediction.mean:.2f}",
        "last": f"{last:.2f}",
    }
    if entry.missed:
        return say(
            "number {place} of {total} that meet your demands, missing a wish ({wish}): predicted {mean}, "
            "the last place has {last}",
            wish=entry.missed[0],
            **values,
        )
    return say(
        "number {place} of {total} that meet your demands: predicted {mean}, the last place has {last}", **values
    )


def _small(
    ranked: Sequence[Ranked], chosen: Sequence[Ranked], broad: frozenset[str], roots: Mapping[str, str]
) -> tuple[list[Ranked], Ranked] | None:
    """The chosen with a clearly smaller model in the place of the last one; None where they have one, or none is near.

    The only broadly tested model keeps its place, and the first one too.
    """
    largest = max((entry.card.parameters or 0 for entry in chosen), default=0)

    def is_small(entry: Ranked) -> bool:
        return 0 < (entry.card.parameters or 0) <= largest * SMALL

    if any(map(is_small, chosen)):
        return None
    tested = [entry for entry in chosen if entry.card.model in broad]
    leaving = next((e for e in reversed(chosen[1:]) if [e] != tested), None)
    if leaving is None:
        return None
    others = [entry for entry in chosen if entry is not leaving]
    near = chosen[0].prediction.mean - WITHIN
    fitting = (
        entry
        for entry in ranked
        if is_small(entry) and entry.prediction.mean >= near and not _capped(entry, others, roots, NOT_BUILT_HERE)
    )
    found = next(fitting, None)
    return ([*others, found], found) if found else None


def _capped(entry: Ranked, chosen: Sequence[Ranked], roots: Mapping[str, str], not_built: int) -> Text | None:
    """Why no more of this kind may join the chosen; None where it may."""
    card = entry.card
    for other in chosen:
        if _original(other.card.model) == _original(card.model):
            return say("another copy of {model}, which is on the list", model=other.card.model)
    if sum(other.card.organisation == card.organisation for other in chosen) >= PER_PUBLISHER:
        return say("two models of {publisher} are on the list already", publisher=card.organisation)
    root = roots[card.model]
    if sum(roots[other.card.model] == root for other in chosen) >= PER_FAMILY:
        return say("two models made from {model} are on the list already", model=root)
    if card.spec is None and sum(other.card.spec is None for other in chosen) >= not_built:
        if card.needs_remote_code:
            return say(
                "it runs only with code of its publisher's, which is not run here, and one model that cannot be built "
                "is on the list already"
            )
        return say("this program cannot build it, and one such model is on the list already")
    return None


@cache
def _original(model: str) -> str:
    """The name without what marks another copy of the same weights."""
    return _COPY.sub("", model)


def _root(card: ModelCard, cards: Mapping[str, ModelCard]) -> str:
    """The model of the catalog that a model was made from in the first place; itself if none."""
    passed = {card.model}
    while card.adapted_from and card.adapted_from in cards and card.adapted_from not in passed:
        card = cards[card.adapted_from]
        passed.add(card.model)
    return card.model


def _broad(ranked: Sequence[Ranked], seen: Forecast) -> frozenset[str]:
    """The models run on at least half as many groups of tasks in the language as any of these was."""
    most = max((seen.groups_in_language[entry.card.model] for entry in ranked), default=0)
    return frozenset(e.card.model for e in ranked if seen.groups_in_language[e.card.model] >= max(most / 2, 1))
