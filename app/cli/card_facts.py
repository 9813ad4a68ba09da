"""The facts of a model's card in words, in groups."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from knowledge.languages import language_name
from knowledge.licensing import short_name
from knowledge.model_card import ModelCard
from knowledge.wording import Language, Text, join, say

#: so many names of a list are shown; the rest is counted
SHOWN = 12
_COMMA = Text(template=", ")


class Fact(NamedTuple):
    """One line of a card: the field it is from, its name and its value."""

    field: str
    label: str
    value: str


class Group(NamedTuple):
    """Some facts under a heading."""

    heading: str
    facts: tuple[Fact, ...]


class _Field(NamedTuple):
    label: Text
    show: Callable[[Any, Language], str]


def _plain(value: Any, language: Language) -> str:
    return str(value)


def _count(value: int, language: Language) -> str:
    if value >= 1_000_000_000:
        return f"{value / 1e9:.1f} B"
    return (
        f"{value / 1e6:,.0f} M" if value >= 10_000_000 else f"{value / 1e6:.1f} M" if value >= 100_000 else f"{value:,}"
    )


def _number(value: int, language: Language) -> str:
    return f"{value:,}"


def _megabytes(value: float, language: Language) -> str:
    return f"{value / 1000:,.1f} GB" if value >= 10_000 else f"{value:,.0f} MB"


def _yes(value: bool, language: Language) -> str:
    return (say("yes") if value else say("no")).render(language)


def _names(value: tuple[Any, ...], language: Language) -> str:
    return _listed([str(item) for item in value], language)


def _listed(names: list[str], language: Language) -> str:
    shown = Text.model_validate(", ".join(names[:SHOWN]))
    if len(names) <= SHOWN:
        return shown.render(language)
    return say("{names} and {count} more", names=shown, count=len(names) - SHOWN).render(language)


def _languages(value: tuple[str, ...], language: Language) -> str:
    names = _listed([language_name(code, language) for code in value], language)
    return f"{len(value)}: {names}" if len(value) > SHOWN else names


def _quoted(value: str, language: Language) -> str:
    return f"“{value.strip()}”".replace("\n", "⏎")


def _architecture(value: tuple[str, ...], language: Language) -> str:
    return join([_ARCHITECTURES[kind] for kind in value], _COMMA).render(language)


def _modalities(value: tuple[str, ...], language: Language) -> str:
    return join([_MODALITIES[kind] for kind in value], _COMMA).render(language)


def _similarity(value: str, language: Language) -> str:
    return _SIMILARITIES[value].render(language)


def _license(value: str, language: Language) -> str:
    return short_name(value)


def _commercial(value: str, language: Language) -> str:
    return _COMMERCIAL[value].render(language)


def _price(value: Any, language: Language) -> str:
    return say("${price} per million tokens", price=f"{value.usd_per_million_tokens:g}").render(language)


_ARCHITECTURES = {
    "dense": say("one vector per text"),
    "sparse": say("weighted words (sparse)"),
    "late-interaction": say("a vector per token (late interaction)"),
    "cross-encoder": say("scores pairs (cross-encoder)"),
    "hybrid": say("a mixture of two rankings"),
    "router": say("picks among other models"),
}
_MODALITIES = {"text": say("text"), "image": say("images"), "audio": say("audio"), "video": say("video")}
_SIMILARITIES = {"cosine": say("cosine"), "dot": say("dot product"), "maxsim": say("MaxSim, token by token")}
_COMMERCIAL = {
    "yes": say("allowed"),
    "no": say("forbidden"),
    "conditional": say("under conditions"),
    "unknown": say("not known"),
}

#: heading -> field -> its name and how it is shown; where it stands in a group is the order here
GROUPS: tuple[tuple[Text, Mapping[str, _Field]], ...] = (
    (
        say("What it is"),
        {
            "reference": _Field(say("page"), _plain),
            "aliases": _Field(say("also called"), _names),
            "architecture": _Field(say("makes"), _architecture),
            "modalities": _Field(say("embeds"), _modalities),
            "is_api": _Field(say("only as an API"), _yes),
            "pretrained": _Field(say("trained already"), _yes),
            "release_date": _Field(say("released"), _plain),
            "revision": _Field(say("commit"), _plain),
            "adapted_from": _Field(say("made from"), _plain),
            "superseded_by": _Field(say("successor"), _plain),
            "frameworks": _Field(say("formats and libraries"), _names),
            "needs_remote_code": _Field(say("needs its publisher's code"), _yes),
            "note": _Field(say("note"), _plain),
        },
    ),
    (
        say("Size"),
        {
            "parameters": _Field(say("parameters"), _count),
            "active_parameters": _Field(say("of them at work on each token"), _count),
            "embedding_parameters": _Field(say("of them word vectors"), _count),
            "memory_mb": _Field(say("weights as published"), _megabytes),
            "dimension": _Field(say("dimensions"), _number),
            "matryoshka_dimensions": _Field(say("can be cut to"), _names),
        },
    ),
    (
        say("Text"),
        {
            "max_tokens": _Field(say("reads at most (tokens)"), _number),
            "languages": _Field(say("languages it lists"), _languages),
            "similarity": _Field(say("compared by"), _similarity),
            "uses_instructions": _Field(say("follows instructions"), _yes),
            "query_prompt": _Field(say("before a query"), _quoted),
            "document_prompt": _Field(say("before a document"), _quoted),
        },
    ),
    (
        say("Licence and price"),
        {
            "license": _Field(say("licence"), _license),
            "license_text": _Field(say("as its publisher writes it"), _plain),
            "commercial": _Field(say("commercial use"), _commercial),
            "license_note": _Field(say("note on the licence"), _plain),
            "price": _Field(say("price"), _price),
        },
    ),
    (
        say("Training"),
        {
            "training_data_known": _Field(say("training data known"), _yes),
            "training_datasets": _Field(say("trained on"), _names),
        },
    ),
)
#: said in the title, or beside each fact
ELSEWHERE = frozenset({"model", "sources"})


def grouped(card: ModelCard, language: Language) -> list[Group]:
    """What is known of a model; what is not known, or is the usual case and says nothing, is left out."""
    stated = card.model_dump(exclude_defaults=True) | {"architecture": card.architecture, "modalities": card.modalities}
    if card.license and card.license_text and card.license_text.casefold() == card.license.casefold():
        stated.pop("license_text", None)
    if card.is_api:
        stated.pop("frameworks", None)  # "API"
    groups = []
    for heading, fields in GROUPS:
        facts = tuple(
            Fact(name, field.label.render(language), field.show(getattr(card, name), language))
            for name, field in fields.items()
            if name in stated and getattr(card, name) != ()
        )
        if facts:
            groups.append(Group(heading.render(language), facts))
    return groups
