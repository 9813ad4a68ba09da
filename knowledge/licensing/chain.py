"""The licences a model hangs on, one after the other: weights, base models, training data."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

from knowledge.licensing.links import Chain, Link, Part, Status, Terms
from knowledge.licensing.stated import StatedLicenses, licence_of
from knowledge.licensing.terms import RANK, USES, LicenseBook, Use, worst
from knowledge.licensing.words import COMMA, license_name, on_base, on_data, on_weights
from knowledge.model_card import Commercial as Says
from knowledge.model_card import ModelCard
from knowledge.wording import Text, join, say

if TYPE_CHECKING:
    from knowledge.catalog import Catalog

_COMMERCIAL: tuple[Use, ...] = ("commercial",)
#: whatever the licence of the data says
_UNSETTLED = say(
    "Look up the terms of these data sets. Whether they bind a model trained on them is not settled: ask your lawyer."
)
_API = say("an API under its provider's terms: read them before you sign")
_CLOSED = say("its weights are not published: there is nothing to pass on")
_BEHIND_API = say("the provider answers for what is behind its API")
_SEMICOLON = Text(template="; ")
_STATUS: Mapping[Says, Status] = {"yes": "allowed", "no": "forbidden", "conditional": "unknown", "unknown": "unknown"}


class Rights:
    """What may be done with the models of one catalog, as far as is known."""

    def __init__(self, catalog: Catalog) -> None:
        self.book = LicenseBook(catalog.licenses)
        self._stated = StatedLicenses(catalog, self.book)
        # By what they depend on, not by card: a thousand models have four hundred licences and bases.
        self._base_link = lru_cache(maxsize=8192)(self._base_link_of)
        self._base_licenses = lru_cache(maxsize=8192)(self._base_licenses_of)
        self._data_link = lru_cache(maxsize=8192)(self._data_link_of)
        self._dataset = lru_cache(maxsize=8192)(self._stated.of_dataset)
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
        terms = self._stated.of_model(card, asked)
        check = None if card.is_api else self._check("weights", [terms], asked, says)
        return Link(part="weights", status=_STATUS[says], says=says, reason=reason, evidence=(terms,), check=check)

    def on_weights(self, card: ModelCard, uses: tuple[Use, ...]) -> tuple[Says, Text]:
        """What the licence of the weights says on all of these uses together, and that in words."""
        says = worst(self._stated.says(card, use) for use in uses)
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
        found = self._stated.of_bases(publisher, adapted_from, uses)
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

    def base_licenses(self, card: ModelCard) -> tuple[str | None, ...]:
        """What is stated as the licence of each model it was made from, nearest first."""
        if card.adapted_from is None or card.is_api:
            return ()
        return self._base_licenses(card.organisation, card.adapted_from)

    def _base_licenses_of(self, publisher: str, adapted_from: str) -> tuple[str | None, ...]:
        return tuple(terms.license for terms in self._stated.of_bases(publisher, adapted_from, ()))

    # ------------------------------------------------------------ in words

    def _link(self, part: Part, terms: list[Terms], uses: tuple[Use, ...]) -> Link:
        found = sorted(terms, key=lambda one: RANK.index(one.says))
        says = found[0].says
        deciding = [one for one in found if one.says == says]
        asked = self._use_in_words([one.license for one in deciding], uses, says)
        reason = on_base(deciding[0], asked, says) if part == "base" else on_data(deciding, len(found), asked, says)
        check = self._check(part, deciding, uses, says)
        return Link(part=part, status=_STATUS[says], says=says, reason=reason, evidence=tuple(found), check=check)

    def _weights_in_words(self, stated: str | None, uses: tuple[Use, ...], says: Says) -> Text:
        return on_weights(stated, self._use_in_words([stated], uses, says), says)

    def _use_in_words(self, licenses: list[str | None], uses: tuple[Use, ...], says: Says) -> Text:
        """The uses that the answer is about: all where they are allowed, else those that are not."""
        found = [use for use in uses if any(self.book.answer(name, use) == says for name in licenses)]
        return join([USES[use] for use in (found if found and says != "yes" else uses)], COMMA)

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
