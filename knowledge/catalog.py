"""The catalog: every model and benchmark task we know of, read from the files in ``knowledge/data``."""

from __future__ import annotations

import datetime as dt
import difflib
import json
from collections.abc import Mapping
from functools import cache, cached_property, lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar
from weakref import WeakValueDictionary

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from knowledge.errors import CatalogError, UnknownModelError
from knowledge.licensing.terms import License
from knowledge.model_card import ModelCard, Price
from knowledge.wording import Text, how_to, say

VERSION = 1

#: The catalog names a model as mteb does; people (and older results) also know these names of the same publisher.
ALSO_PUBLISHED_BY = {"voyage": "mongodb", "voyageai": "mongodb", "dunzhang": "NovaSearch"}

R = TypeVar("R", bound=BaseModel)

#: the catalogs that are in memory: the shipped one, and a user's copy where it is in use
_LOADED: WeakValueDictionary[int, Catalog] = WeakValueDictionary()


class Source(BaseModel):
    """Where figures come from; `date` is the day they were known to hold."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str
    url: str | None = None
    date: dt.date
    license: str
    note: str | None = None


class TaskCard(BaseModel):
    """One benchmark task as published; None (or an empty tuple) is "not known". Lengths are means in characters."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    task: str
    type: str | None = None
    category: str | None = None
    domains: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    main_score: str | None = None
    modalities: tuple[str, ...] = ()
    license: str | None = None
    sample_creation: str | None = None
    years: tuple[int, int] | None = None
    adapted_from: tuple[str, ...] = ()
    superseded_by: str | None = None
    public: bool | None = None
    reference: str | None = None
    benchmarks: tuple[str, ...] = ()
    models_scored: int = 0
    documents: int | None = None
    queries: int | None = None
    document_chars: float | None = None
    query_chars: float | None = None
    samples: int | None = None


class Catalog:
    """The models, tasks, licences, prices and sources of one folder.

    Only the models are read at once, the rest at first use.
    """

    def __init__(self, folder: Path) -> None:
        """Read the models of a folder.

        Raises:
            CatalogError: a file is missing, broken, truncated, or of another version.
        """
        self._folder = folder
        self.licenses: dict[str, License] = _table(folder, "licenses", License)
        self.prices: dict[str, Price] = _table(folder, "prices", Price)
        rows = _lines(folder, "models")
        for row in rows:
            found = self.licenses.get(str(row.get("license")))
            if found:
                row.setdefault("commercial", found.commercial)  # a card may know of a condition its licence does not
                row.setdefault("license_note", found.note)
            row["price"] = self.prices.get(str(row.get("model")).partition(" (")[0])
        self.cards: tuple[ModelCard, ...] = _records(folder, "models", ModelCard, rows)
        self._by_name: dict[str, ModelCard] = {card.model: card for card in self.cards}
        _LOADED[id(self)] = self

    def holds(self, card: ModelCard) -> bool:
        """Whether this very card is one of this catalog's; an equal one of another catalog is not."""
        return self._by_name.get(card.model) is card

    @cached_property
    def tasks(self) -> tuple[TaskCard, ...]:
        """Every benchmark task, by name."""
        return _records(self._folder, "tasks", TaskCard, _lines(self._folder, "tasks"))

    @cached_property
    def sources(self) -> dict[str, Source]:
        """Source id -> where it is."""
        return _table(self._folder, "sources", Source)

    @cached_property
    def _by_lower(self) -> dict[str, list[ModelCard]]:
        """Full names, the parts after the slash, and where no model has that name the aliases, in lower case."""
        found: dict[str, list[ModelCard]] = {}
        for card in self.cards:
            for name in {card.model.lower(), card.name.lower()}:
                found.setdefault(name, []).append(card)
        for card in self.cards:
            for name in card.aliases:
                found.setdefault(name.lower(), [card])
        return found

    def source_of(self, card: ModelCard, field: str) -> Source:
        """Where a figure of a card comes from; raises KeyError for a source id that is not on file."""
        if field == "price" and card.price:
            return self.sources[card.price.source]
        if field in ("commercial", "license_note") and card.license:
            return self.sources[self.licenses[card.license].source]
        return self.sources[card.sources.get(field) or card.sources["*"]]

    def card(self, name: str) -> ModelCard:
        """The card of a model, by its full name or the part after the slash if only one model has it.

        Raises:
            UnknownModelError: no model has that name, or several do; similar names are offered.
        """
        if name in self._by_name:
            return self._by_name[name]
        wanted = name.strip().lower()
        publisher, slash, rest = wanted.partition("/")
        if slash and publisher in ALSO_PUBLISHED_BY and wanted not in self._by_lower:
            wanted = f"{ALSO_PUBLISHED_BY[publisher].lower()}/{rest}"
        found = self._by_lower.get(wanted, [])
        if len(found) == 1:
            return found[0]
        raise UnknownModelError(
            say("“{name}” fits several models of the catalog.", name=name)
            if found
            else say("“{name}” is not in the catalog.", name=name),
            self._did_you_mean(wanted, found),
        )

    def _did_you_mean(self, wanted: str, found: list[ModelCard]) -> Text:
        words = wanted.replace("/", " ").replace("-", " ")
        close = found or (self.search(words, 3) if words.strip() else [])
        close = close or [
            card
            for name in difflib.get_close_matches(wanted[:200], self._by_lower, n=3, cutoff=0.6)
            for card in self._by_lower[name]
        ]
        if not close:
            return how_to("find_model")
        return say("Did you mean {names}?", names=", ".join(dict.fromkeys(card.model for card in close)))

    def search(self, words: str, limit: int = 20) -> list[ModelCard]:
        """The models whose name, publisher or base has all these words, the closest name first.

        Args:
            words: words in any order and case; empty finds every model.
            limit: at most so many.
        """
        wanted = words.lower().split()
        also = {organisation: name for name, organisation in ALSO_PUBLISHED_BY.items()}

        def text(card: ModelCard) -> str:
            names = (card.model, also.get(card.organisation, ""), card.adapted_from or "", *card.aliases)
            return " ".join(names).lower()

        def closeness(card: ModelCard) -> tuple[bool, bool, int, str]:
            name = card.model.lower()
            known_as = " ".join(wanted) in card.aliases
            return (not known_as, not all(word in name for word in wanted), len(name), name)

        hits = [card for card in self.cards if all(word in text(card) for word in wanted)]
        return sorted(hits, key=closeness)[: max(limit, 0)]


def load_catalog(folder: Path | None = None) -> Catalog:
    """The catalog in `folder`, by default the one shipped with the program; each is read once.

    Raises:
        CatalogError: a file is missing, broken, truncated, or of another version.
    """
    return _shipped() if folder is None else _copy(folder)


def catalog_of(card: ModelCard) -> Catalog:
    """The catalog that a card is from, where its base models are on file; the shipped one for a card made by hand."""
    shipped = _shipped()
    if shipped.holds(card):
        return shipped
    loaded = (catalog for reference in _LOADED.valuerefs() if (catalog := reference()))
    return next((catalog for catalog in loaded if catalog.holds(card)), shipped)


@cache
def _shipped() -> Catalog:
    return Catalog(Path(str(files("knowledge") / "data")))


@lru_cache(maxsize=2)
def _copy(folder: Path) -> Catalog:
    return Catalog(folder)


def _broken(file: Path, why: str) -> CatalogError:
    return CatalogError(
        say("The catalog file {file} is broken: {why}.", file=str(file), why=why),
        say("Reinstall the program, or build the catalog again with: advisor catalog build."),
    )


def _read(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise _broken(file, str(error)) from error


def _checked(file: Path, header: Any, kind: str) -> Mapping[str, Any]:
    if not isinstance(header, dict) or header.get("format") != kind:
        raise _broken(file, f"not a file of {kind}")
    if header.get("version") != VERSION:
        raise CatalogError(
            say(
                "The catalog file {file} is of version {found}, not {wanted}.",
                file=str(file),
                found=str(header.get("version")),
                wanted=VERSION,
            ),
            say("Reinstall the program, or build the catalog again with: advisor catalog build."),
        )
    return header


def _lines(folder: Path, kind: str) -> list[dict[str, Any]]:
    """The rows of a file of JSON lines, whose first line says how many there are."""
    file = folder / f"{kind}.jsonl"
    head, _, body = _read(file).partition("\n")
    try:
        header = _checked(file, json.loads(head), kind)
        rows: list[dict[str, Any]] = json.loads("[" + body.rstrip("\n").replace("\n", ",") + "]")
    except ValueError as error:
        raise _broken(file, str(error)) from error
    if len(rows) != header.get("rows"):
        raise _broken(file, f"{len(rows)} rows instead of {header.get('rows')}")
    if not all(isinstance(row, dict) for row in rows):
        raise _broken(file, "a row is not an object")
    return rows


def _table(folder: Path, kind: str, record: type[R]) -> dict[str, R]:
    """The entries of a JSON file, by their id."""
    file = folder / f"{kind}.json"
    try:
        entries = _checked(file, json.loads(_read(file)), kind).get(kind)
    except ValueError as error:
        raise _broken(file, str(error)) from error
    if not isinstance(entries, dict):
        raise _broken(file, f"no {kind} in it")
    try:
        return {key: record.model_validate(entry) for key, entry in entries.items()}
    except ValidationError as error:
        raise _broken(file, _first(error)) from error


def _records(folder: Path, kind: str, record: type[R], rows: list[dict[str, Any]]) -> tuple[R, ...]:
    try:
        return TypeAdapter(tuple[record, ...]).validate_python(rows)  # type: ignore[valid-type]
    except ValidationError as error:
        line = int(error.errors(include_url=False)[0]["loc"][0]) + 2  # below the header, counted from 1
        raise _broken(folder / f"{kind}.jsonl", f"line {line}: {_first(error)}") from error


def _first(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
