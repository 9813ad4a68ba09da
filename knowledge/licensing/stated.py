"""Which licence is stated for a model, for what it was made from, and for the data it was trained on."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Mapping
from functools import cache, cached_property
from importlib.resources import files
from typing import TYPE_CHECKING, NamedTuple

from pydantic import BaseModel, ConfigDict

from knowledge.licensing.links import Terms
from knowledge.licensing.terms import LicenseBook, Use, worst
from knowledge.model_card import Commercial as Says
from knowledge.model_card import ModelCard

if TYPE_CHECKING:
    from knowledge.catalog import Catalog

_HUB = re.compile(r"^https?://[^/]+/([^/]+/[^/?#]+)/?$")


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


class StatedLicenses:
    """What the catalog and the hand-kept files state, each as `Terms` with what they say on some uses together."""

    def __init__(self, catalog: Catalog, book: LicenseBook) -> None:
        self._catalog, self._book = catalog, book
        self._by_name = {card.model.casefold(): card for card in catalog.cards}
        self._bases = {
            spelling.casefold(): entry
            for name, entry in _stated("base_licenses").items()
            for spelling in (name, *entry.also)
        }

    def says(self, card: ModelCard, use: Use) -> Says:
        """What the licence of a model's weights says on one use."""
        if card.is_api:  # "conditional" is met as long as the terms are: nobody can decide that here
            return "yes" if use == "commercial" else "no"
        if use == "commercial" and card.commercial != "unknown":
            return card.commercial
        return self._book.answer(licence_of(card), use)

    def of_model(self, card: ModelCard, uses: tuple[Use, ...]) -> Terms:
        """The licence of a model's weights."""
        license_id = licence_of(card)
        on_file = self._book.source(license_id)
        try:
            source = self._catalog.source_of(card, "license")
        except KeyError:
            source = None
        return Terms(
            about=card.model,
            license=license_id,
            says=worst(self.says(card, use) for use in uses),
            source=source.title if source and license_id else None,
            url=card.reference if license_id else None,
            terms=on_file.url if on_file else None,
            date=source.date if source and license_id else None,
        )

    def of_bases(self, publisher: str, adapted_from: str | None, uses: tuple[Use, ...]) -> list[Terms]:
        """The licences of the models it was made from, nearest first."""
        found = []
        for step in self._bases_of(publisher, adapted_from):
            if step.card:
                found.append(self.of_model(step.card, uses))
                continue
            known = self._bases.get(step.name.casefold())
            says = worst(self._book.answer(known.license, use) for use in uses) if known else "unknown"
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

    def of_dataset(self, name: str, uses: tuple[Use, ...]) -> Terms:
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
                says = worst(self._book.answer(stated.license, use) for use in uses)
                return self._terms(name, stated, says)
            own, origins = self._tasks.get(spelling, (None, ()))
            license_id = license_id or own
            queue += [_plain(origin) for origin in origins]
        if license_id is None:
            return Terms(about=name)
        source = self._catalog.sources.get("mteb")
        on_file = self._book.source(license_id)
        return Terms(
            about=name,
            license=license_id,
            says=worst(self._book.answer(license_id, use) for use in uses),
            source=source.title if source else None,
            url=source.url if source else None,
            terms=on_file.url if on_file else None,
            date=source.date if source else None,
        )

    def _terms(self, about: str, stated: _Stated | None, says: Says) -> Terms:
        if stated is None:
            return Terms(about=about)
        on_file = self._book.source(stated.license)
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


def _publisher(name: str) -> str:
    publisher, slash, _ = name.partition("/")
    return publisher.casefold() if slash else ""


def licence_of(card: ModelCard) -> str | None:
    """The licence string to go by: the id, else what the source wrote, which may be an SPDX expression."""
    return card.license or card.license_text


def _plain(name: str) -> str:
    """A data set's name without case and punctuation: `HotPotQA` is HotpotQA."""
    return re.sub(r"[\W_]+", "", name.casefold())


@cache
def _stated(kind: str) -> Mapping[str, _Stated]:
    raw = json.loads((files("knowledge") / "data" / f"{kind}.json").read_text("utf-8"))[kind]
    return {name: _Stated.model_validate(entry) for name, entry in raw.items()}
