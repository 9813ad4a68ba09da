"""The licences a model hangs on, one after the other: weights, base models, training data."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Collection, Iterable, Mapping
from functools import cache, cached_property, lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from knowledge.licensing.terms import RANK, USES, LicenseBook, Use, worst
from knowledge.model_card import Commercial as Says
from knowledge.model_card import ModelCard
from knowledge.wording import Text, join, say

if TYPE_CHECKING:
    from knowledge.catalog import Catalog

Part = Literal["weights", "base", "data"]
Status = Literal["allowed", "forbidden", "unknown", "none"]

_COMMERCIAL: tuple[Use, ...] = ("commercial",)
#: whatever the licence of the data says
_UNSETTLED = say(
    "Look up the terms of these data sets. Whether they bind a model trained on them is not settled: ask your lawyer."
)
_API = say("an API under its provider's terms: read them before you sign")
_CLOSED = say("its weights are not published: there is nothing to pass on")
_BEHIND_API = say("the provider answers for what is behind its API")
#: so many names are told of those that decide
_NAMED = 3
_COMMA = Text(template=", ")
_SEMICOLON = Text(template="; ")
_HUB = re.compile(r"^https?://[^/]+/([^/]+/[^/?#]+)/?$")
_STATUS: Mapping[Says, Status] = {"yes": "allowed", "no": "forbidden", "conditional": "unknown", "unknown": "unknown"}
PARTS: Mapping[Part, Text] = {
    "weights": say("weights"),
    "base": say("base model"),
    "data": say("training data"),
}


class Terms(BaseModel):
    """One licence that a verdict rests on: of what it is, what it says on the uses together, and where that is from.

    Attributes:
        license: its id or how the source spells it; None: nobody says.
        source: what says that this is the licence.
        terms: address of the licence's own text.
        date: day on which the licence was looked up; None where nothing is known.
    """

    model_config = ConfigDict(frozen=True)

    about: str
    license: str | None = None
    says: Says = "unknown"
    source: str | None = None
    url: str | None = None
    terms: str | None = None
    date: dt.date | None = None


class Link(BaseModel):
    """One part of the chain: allowed, forbidden, unknown, or "none" where no such part is on file.

    Attributes:
        says: the same with "conditional" kept apart from "unknown"; "yes" where there is no such part.
        evidence: the licences, those that decide first.
        check: what to do where it is not plainly allowed.
    """

    model_config = ConfigDict(frozen=True)

    part: Part
    status: Status
    says: Says
    reason: Text
    evidence: tuple[Terms, ...] = ()
    check: Text | None = None


class Chain(BaseModel):
    """The three links for some uses of one model."""

    model_config = ConfigDict(frozen=True)

    model: str
    uses: tuple[Use, ...]
    weights: Link
    base: Link
    data: Link

    @property
    def links(self) -> tuple[Link, Link, Link]:
        """From the model back to what it was made of."""
        return self.weights, self.base, self.data


class _Stated(BaseModel):
    """A licence in one of the hand-kept files, of a base model or a data set that is not in the catalog."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    license: str
    url: str
    date: dt.date
    also: tuple[str, ...] = ()
    note: str | None = None


class _Step(NamedTuple):
    """A model on the way from a model to its root; `card` is None where it is not in the catalog."""

    name: str
    card: ModelCard | None


class Rights:
    """What may be done with the models of one catalog, as far as is known."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self.book = LicenseBook(catalog.licenses)
        self._by_name = {card.model.casefold(): card for card in catalog.cards}
        self._bases = {
            spelling.casefold(): entry
            for name, entry in _stated("base_licenses").items()
            for spelling in (name, *entry.also)
        }
        # By what they depend on, not by card: a thousand models have four hundred licences and bases.
        self._base_link = lru_cache(maxsize=8192)(self._base_link_of)
        self._base_licenses = lru_cache(maxsize=8192)(self._base_licenses_of)
        self._data_link = lru_cache(maxsize=8192)(self._data_link_of)
        self._dataset = lru_cache(maxsize=8192)(self._dataset_terms)
        self._in_words = lru_cache(maxsize=8192)(self._weights_in_words)

    # ------------------------------------------------------------ the three links

    def chain(self, card: ModelCard, uses: Collection[Use]) -> Chain:
        """All three links, with reasons."""
        asked = in_order(uses)
        return Chain(
            model=card.model,
            uses=asked,
            weights=self.weights(card, asked),
            base=self.base(card, asked),
            data=self.data(card, asked),
        )

    def weights(self, card: ModelCard, uses: Collection[Use]) -> Link:
        """The licence of the weights themselves."""
        asked = in_order(uses)
        says, reason = self.on_weights(card, asked)
        terms = self._of(card, asked)
        check = None if card.is_api else self._check("weights", [terms], asked, says)
        return Link(part="weights", status=_STATUS[says], says=says, reason=reason, evidence=(terms,), check=check)

    def on_weights(self, card: ModelCard, uses: tuple[Use, ...]) -> tuple[Says, Text]:
        """What the licence of the weights says on all of these uses together, and that in words."""
        says = worst(self._one_use(card, use) for use in uses)
        if card.is_api:
            return says, _CLOSED if says == "no" else _API
        stated = licence_of(card)
        if says == "conditional" and card.license_note and stated:
            asked = self._use_in_words([stated], uses, says)
            return says, say(
                "{license} allows {use} under conditions: {note}",
                license=license_name(stated),
                use=asked,
                note=Text.model_validate(card.license_note),
            )
        return says, self._in_words(stated, uses, says)

    def base(self, card: ModelCard, uses: Collection[Use]) -> Link:
        """The licences of the models it was made from, back to the first."""
        asked = in_order(uses)
        if card.is_api:
            return Link(part="base", status="none", says="yes", reason=_BEHIND_API)
        return self._base_link(card.organisation, card.adapted_from, asked)

    def _base_link_of(self, publisher: str, adapted_from: str | None, uses: tuple[Use, ...]) -> Link:
        found = self._base_terms(publisher, adapted_from, uses)
        if not found:
            reason = (
                say("made from {base} of the same publisher, which the catalog does not have", base=adapted_from)
                if adapted_from
                else say("the catalog names no other model that it was made from")
            )
            return Link(part="base", status="none", says="yes", reason=reason)
        return self._link("base", found, uses)

    def data(self, card: ModelCard, uses: Collection[Use]) -> Link:
        """The licences of the data sets it was trained on.

        Passing on a model passes on no data: at most something made from it, so the data's word on that counts.
        """
        asked = in_order("derivative" if use == "redistribution" else use for use in uses)
        if card.is_api:
            return Link(part="data", status="none", says="yes", reason=_BEHIND_API)
        return self._data_link(card.training_datasets, asked)

    def _data_link_of(self, datasets: tuple[str, ...], uses: tuple[Use, ...]) -> Link:
        if not datasets:
            return Link(
                part="data",
                status="unknown",
                says="unknown",
                reason=say("what it was trained on is not known"),
                check=say("Ask its publisher, or read its paper, for the training data."),
            )
        return self._link("data", [self._dataset(name, uses) for name in datasets], uses)

    # ------------------------------------------------------------ what is known

    def _one_use(self, card: ModelCard, use: Use) -> Says:
        if card.is_api:  # "conditional" is met as long as the terms are: nobody can decide that here
            return "yes" if use == "commercial" else "no"
        if use == "commercial" and card.commercial != "unknown":
            return card.commercial
        return self.book.answer(licence_of(card), use)

    def base_licenses(self, card: ModelCard) -> tuple[str | None, ...]:
        """What is stated as the licence of each model it was made from, nearest first."""
        if card.adapted_from is None or card.is_api:
            return ()
        return self._base_licenses(card.organisation, card.adapted_from)

    def _base_licenses_of(self, publisher: str, adapted_from: str) -> tuple[str | None, ...]:
        return tuple(terms.license for terms in self._base_terms(publisher, adapted_from, ()))

    def _base_terms(self, publisher: str, adapted_from: str | None, uses: tuple[Use, ...]) -> list[Terms]:
        found = []
        for step in self._bases_of(publisher, adapted_from):
            if step.card:
                found.append(self._of(step.card, uses))
                continue
            known = self._bases.get(step.name.casefold())
            says = worst(self.book.answer(known.license, use) for use in uses) if known else "unknown"
            found.append(self._terms(step.name, known, says))
        return found

    def _bases_of(self, publisher: str, adapted_from: str | None) -> list[_Step]:
        """The models it was made from, nearest first; a circle ends where it closes.

        A checkpoint that the same publisher never licensed by itself is no link: who gives out the result may give
        out what it was made from.
        """
        steps: list[_Step] = []
        seen: set[str] = set()
        while adapted_from:
            on_hub = _HUB.match(adapted_from.strip())
            name = on_hub[1] if on_hub else adapted_from.strip()
            if name.casefold() in seen:
                break
            seen.add(name.casefold())
            card = self._by_name.get(name.casefold())
            own = card is None and name.casefold() not in self._bases and _publisher(name) == publisher.casefold()
            if not own:
                steps.append(_Step(card.model if card else name, card))
            publisher, adapted_from = _publisher(name), card.adapted_from if card else None
        return steps

    def _of(self, card: ModelCard, uses: tuple[Use, ...]) -> Terms:
        license_id = licence_of(card)
        on_file = self.book.source(license_id)
        try:
            source = self._catalog.source_of(card, "license")
        except KeyError:
            source = None
        return Terms(
            about=card.model,
            license=license_id,
            says=worst(self._one_use(card, use) for use in uses),
            source=source.title if source and license_id else None,
            url=card.reference if license_id else None,
            terms=on_file.url if on_file else None,
            date=source.date if source and license_id else None,
        )

    def _terms(self, about: str, stated: _Stated | None, says: Says) -> Terms:
        if stated is None:
            return Terms(about=about)
        on_file = self.book.source(stated.license)
        return Terms(
            about=about,
            license=stated.license,
            says=says,
            source=stated.url,
            url=stated.url,
            terms=on_file.url if on_file else None,
            date=stated.date,
        )

    @cached_property
    def _tasks(self) -> Mapping[str, tuple[str | None, tuple[str, ...]]]:
        """Benchmark task, spelled any way -> its licence and the tasks it was made from."""
        return {_plain(task.task): (task.license, task.adapted_from) for task in self._catalog.tasks}

    @cached_property
    def _datasets(self) -> Mapping[str, _Stated]:
        return {
            _plain(spelling): entry
            for name, entry in _stated("dataset_licenses").items()
            for spelling in (name, *entry.also)
        }

    def _dataset_terms(self, name: str, uses: tuple[Use, ...]) -> Terms:
        """The licence of a data set: the hand-kept file's word on it or its origin, else what the benchmark says.

        A translation or a sample is bound by the terms of its origin, whatever licence its maker put on it.
        """
        license_id, seen, queue = None, set(), [_plain(name)]
        while queue:
            spelling = queue.pop(0)
            if spelling in seen:
                continue
            seen.add(spelling)
            stated = self._datasets.get(spelling)
            if stated:
                says = worst(self.book.answer(stated.license, use) for use in uses)
                return self._terms(name, stated, says)
            own, origins = self._tasks.get(spelling, (None, ()))
            license_id = license_id or own
            queue += [_plain(origin) for origin in origins]
        if license_id is None:
            return Terms(about=name)
        source = self._catalog.sources.get("mteb")
        on_file = self.book.source(license_id)
        return Terms(
            about=name,
            license=license_id,
            says=worst(self.book.answer(license_id, use) for use in uses),
            source=source.title if source else None,
            url=source.url if source else None,
            terms=on_file.url if on_file else None,
            date=source.date if source else None,
        )

    # ------------------------------------------------------------ in words

    def _link(self, part: Part, terms: list[Terms], uses: tuple[Use, ...]) -> Link:
        found = sorted(terms, key=lambda one: RANK.index(one.says))
        says = found[0].says
        deciding = [one for one in found if one.says == says]
        asked = self._use_in_words([one.license for one in deciding], uses, says)
        reason = _on_base(deciding[0], asked, says) if part == "base" else _on_data(deciding, len(found), asked, says)
        check = self._check(part, deciding, uses, says)
        return Link(part=part, status=_STATUS[says], says=says, reason=reason, evidence=tuple(found), check=check)

    def _weights_in_words(self, stated: str | None, uses: tuple[Use, ...], says: Says) -> Text:
        return _on_weights(stated, self._use_in_words([stated], uses, says), says)

    def _use_in_words(self, licenses: list[str | None], uses: tuple[Use, ...], says: Says) -> Text:
        """The uses that the answer is about: all where they are allowed, else those that are not."""
        found = [use for use in uses if any(self.book.answer(name, use) == says for name in licenses)]
        return join([USES[use] for use in (found if found and says != "yes" else uses)], _COMMA)

    def _check(self, part: Part, deciding: list[Terms], uses: tuple[Use, ...], says: Says) -> Text | None:
        if part == "data":
            return None if says == "yes" else _UNSETTLED
        license_id = deciding[0].license if deciding else None
        bound = list(dict.fromkeys(c for use in uses for c in self.book.conditions(license_id, use)))
        where = (deciding[0].terms or deciding[0].url) if deciding else None
        match says:
            case "yes":
                return join(bound, _SEMICOLON) if bound else None
            case "no":
                return say("Ask its publisher for another licence.")
            case "conditional" if bound:
                met = join(bound, _SEMICOLON)
                if where:
                    return say("Read {where} and see whether you meet this: {conditions}.", where=where, conditions=met)
                return say("Read its text and see whether you meet this: {conditions}.", conditions=met)
            case _:
                if where:
                    return say("Read {where} for the licence, or ask its publisher.", where=where)
                return say("Ask the publisher of {model} for its licence.", model=deciding[0].about)


def _on_weights(stated: str | None, use: Text, says: Says) -> Text:
    if stated is None:
        return say("its licence is not known")
    name = license_name(stated)
    match says:
        case "yes":
            return say("{license} allows {use}", license=name, use=use)
        case "no":
            return say("{license} forbids {use}", license=name, use=use)
        case "conditional":
            return say("{license} allows {use} under conditions: read it", license=name, use=use)
        case _:
            return say("its licence ({license}) is not known to allow {use}", license=name, use=use)


def _on_base(terms: Terms, use: Text, says: Says) -> Text:
    base = terms.about
    if terms.license is None:
        return say("made from {base}, whose licence is not known", base=base)
    name = license_name(terms.license)
    match says:
        case "yes":
            return say("made from {base}, whose {license} allows {use}", base=base, license=name, use=use)
        case "no":
            return say("made from {base}, whose {license} forbids {use}", base=base, license=name, use=use)
        case "conditional":
            return say(
                "made from {base}, whose {license} allows {use} under conditions",
                base=base,
                license=name,
                use=use,
            )
        case _:
            return say(
                "made from {base}, whose {license} is not known to allow {use}",
                base=base,
                license=name,
                use=use,
            )


def _on_data(deciding: list[Terms], of: int, use: Text, says: Says) -> Text:
    count = len(deciding)
    names = join([_with_license(terms) for terms in deciding[:_NAMED]], _COMMA)
    if count > _NAMED:
        names = say("{names} and {count} more", names=names, count=count - _NAMED)
    match says:
        case "yes":
            return say("all {count} data sets that are named allow {use}", count=of, use=use)
        case "no":
            return say(
                "{use} is forbidden by {count} of its {of} data sets: {names}", count=count, of=of, names=names, use=use
            )
        case "conditional":
            return say(
                "{use} is allowed only under conditions by {count} of its {of} data sets: {names}",
                count=count,
                of=of,
                names=names,
                use=use,
            )
        case _:
            return say(
                "whether {use} is allowed is not known of {count} of its {of} data sets: {names}",
                count=count,
                of=of,
                names=names,
                use=use,
            )


def _with_license(terms: Terms) -> Text:
    stated = license_name(terms.license) if terms.license else say("no licence stated")
    return say("{name} ({license})", name=terms.about, license=stated)


def short_name(license_id: str) -> str:
    """A licence's id as people read it: without the prefix of those that are not on the SPDX list."""
    return license_id.replace("LicenseRef-", "")


#: ids of ours that are no names but words
_IN_WORDS = {
    "Research-only": say("research-only licence"),
    "NVIDIA-model-specific": say("licence file of an NVIDIA model"),
    "API-terms": say("the provider's terms"),
}


def license_name(license_id: str) -> Text:
    """A licence as sentences name it: what is a name in any language, the rest in the reader's words."""
    name = short_name(license_id)
    return _IN_WORDS.get(name) or Text.model_validate(name)


def _publisher(name: str) -> str:
    publisher, slash, _ = name.partition("/")
    return publisher.casefold() if slash else ""


def licence_of(card: ModelCard) -> str | None:
    """The licence string to go by: the id, else what the source wrote, which may be an SPDX expression."""
    return card.license or card.license_text


def in_order(uses: Iterable[Use]) -> tuple[Use, ...]:
    """The uses without doubles, in the order of `USES`."""
    asked = set(uses)
    return tuple(use for use in USES if use in asked)


@lru_cache(maxsize=4)
def rights_of(catalog: Catalog) -> Rights:
    """What is known of the licences of a catalog, with its look-ups made once."""
    return Rights(catalog)


def license_chain(card: ModelCard, catalog: Catalog, uses: Collection[Use] = _COMMERCIAL) -> Chain:
    """What the weights, the base models and the training data of a model say on some uses.

    Args:
        card: the model; it need not be of the catalog.
        catalog: where its base models, data sets and licences are looked up.
        uses: any of "commercial", "redistribution", "derivative".
    """
    return rights_of(catalog).chain(card, uses)


def _plain(name: str) -> str:
    """A data set's name without case and punctuation: `HotPotQA` is HotpotQA."""
    return re.sub(r"[\W_]+", "", name.casefold())


@cache
def _stated(kind: str) -> Mapping[str, _Stated]:
    raw = json.loads((files("knowledge") / "data" / f"{kind}.json").read_text("utf-8"))[kind]
    return {name: _Stated.model_validate(entry) for name, entry in raw.items()}
