"""Models that came since a decision, meet its demands, and are predicted to be better than what is in use."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from knowledge.candidate import Leg, parse_candidate
from knowledge.catalog import Catalog, load_catalog
from knowledge.catalog_in_use import CatalogInUse, shipped_folder
from knowledge.errors import CatalogError, UnknownModelError
from knowledge.evidence import forecast
from knowledge.manifest import parse_manifest
from knowledge.requirements import Requirements
from knowledge.results.recheck import NewModel
from knowledge.wording import Text, say
from tools.shortlist.demands import screened

#: so many are listed; the best predictions first
MOST = 10


@dataclass(frozen=True)
class News:
    """What is new.

    Attributes:
        models: those that meet the demands, the best prediction first; at most `MOST`.
        in_catalog: all that are new in the catalog.
        skipped: why nothing could be told.
    """

    models: tuple[NewModel, ...] = ()
    in_catalog: int = 0
    skipped: Text | None = None


def news(
    decided: dt.date,
    incumbent: str,
    requirements: Requirements,
    margin: float,
    in_use: CatalogInUse,
    home: Path,
    known: Mapping[str, dt.date] | None = None,
) -> News:
    """Models of the catalog in use that are new since a day.

    New is what the catalog of that day lacks, where a copy of it is still here; else what was released after it.

    Args:
        decided: the day.
        incumbent: spec of what is in use.
        requirements: hard demands exclude, as in a shortlist.
        margin: a prediction has to be better by more.
        in_use: today's catalog.
        home: the user's folder, with copies of catalogs.
        known: models that an earlier check told of, with its day.
    """
    cards = in_use.catalog.cards
    before = _catalog_of(decided, home)
    old = {card.model for card in before.cards} if before is not None else None
    new = [
        card
        for card in cards
        if (card.model not in old if old is not None else card.release_date is not None and card.release_date > decided)
    ]
    if not new:
        return News(in_catalog=0)
    seen = forecast(in_use.scores, requirements, cards)
    admitted, _ = screened(requirements, cards, seen)
    names = {card.model for card in new}
    own = _model_of(incumbent, in_use.catalog)
    base = seen.predictions[own].mean if own in seen.predictions else None
    found = []
    for entry in sorted((one for one in admitted if one.card.model in names), key=lambda one: one.order):
        gain = None if base is None else entry.prediction.mean - base
        found.append(
            NewModel(
                model=entry.card.model,
                spec=entry.card.spec,
                released=entry.card.release_date,
                predicted=entry.prediction,
                gain=gain,
                better=gain is not None and gain > margin,
                known_since=(known or {}).get(entry.card.model),
            )
        )
    skipped = None
    if base is None:
        skipped = say(
            "Nothing is published of {spec}, so no new model is predicted to be better: measure one.", spec=incumbent
        )
    return News(tuple(found[:MOST]), len(new), skipped)


def _model_of(spec: str, catalog: Catalog) -> str | None:
    candidate = parse_candidate(spec)
    if not isinstance(candidate, Leg):
        return None
    if candidate.backend == "bm25":
        return next((card.model for card in catalog.cards if card.spec == "bm25"), None)
    try:
        return catalog.card(candidate.name).model
    except UnknownModelError:
        return None


def _catalog_of(day: dt.date, home: Path) -> Catalog | None:
    """The latest catalog that was built by that day; None where none is left."""
    copies = (home / "catalog").iterdir() if (home / "catalog").is_dir() else ()
    found: list[tuple[dt.datetime, Path | None]] = []
    for folder in (None, *copies):
        if folder is not None and (not folder.is_dir() or folder.name.startswith("building-")):
            continue
        try:
            built = parse_manifest(folder or shipped_folder()).built
        except CatalogError:
            continue
        if built.date() <= day:
            found.append((built, folder))
    if not found:
        return None
    folder = max(found, key=lambda one: one[0])[1]
    try:
        return load_catalog(folder)
    except CatalogError:
        return None
