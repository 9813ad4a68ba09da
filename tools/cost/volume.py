"""How much is searched and asked, and what machines cost: as the user said, else as found, else assumed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields

from knowledge.errors import UserError
from knowledge.requirements import Requirements, Slot
from knowledge.results import DataProfile, DatasetSummary, Hardware
from knowledge.results.cost import Assumption, Origin, Volume
from knowledge.sizing import sizing
from knowledge.wording import Text, say
from tools.cost.month import SECONDS
from tools.cost.texts import Texts

#: where nobody said otherwise
DOCUMENTS, QUERIES_PER_MONTH = 1_000_000, 1_000_000
DOCUMENT_TOKENS, QUERY_TOKENS = 200.0, 20.0
MEMORY_GB = 32.0
_GIB = 2**30 / 1e9
#: no volume beyond this is meant
_MOST = 1e13
_LEAST: Mapping[str, float] = {"documents": 1, "replicas": 1, "peak": 1, "machine_memory_gb": 0.1}

_WHAT: dict[str, tuple[Text, str]] = {
    "documents": (say("documents"), ""),
    "queries_per_month": (say("queries in a month"), ""),
    "document_tokens": (say("tokens of a document, mean"), ""),
    "query_tokens": (say("tokens of a query, mean"), ""),
    "replicas": (say("copies of the index"), ""),
    "changed_per_month": (say("share of the documents that changes in a month"), ""),
    "reembeddings_per_year": (say("times a year that all is embedded anew, as for a new model"), ""),
    "peak": (say("queries in the busiest second over the mean"), ""),
    "machine_usd_per_hour": (say("price of a machine"), "USD/h"),
    "machine_memory_gb": (say("memory of a machine"), "GB"),
    "disk_usd_per_gb_month": (say("price of a fast disk, a GB and month"), "USD"),
}
_SAID = say("you said so")
_AS_NEEDED = say("as you said what you need")
_NOBODY_SAID = say("nobody said; say it and it counts")


@dataclass(frozen=True)
class Stated:
    """What the user said of the volume; None: nothing. The fields are those of `Volume`."""

    documents: int | None = None
    queries_per_month: float | None = None
    document_tokens: float | None = None
    query_tokens: float | None = None
    replicas: int | None = None
    changed_per_month: float | None = None
    reembeddings_per_year: float | None = None
    peak: float | None = None
    machine_usd_per_hour: float | None = None
    machine_memory_gb: float | None = None
    disk_usd_per_gb_month: float | None = None

    def checked(self) -> Stated:
        """The same, where all of it is possible.

        Raises:
            UserError: a number that is too small, too large or none.
        """
        for one in fields(self):
            value, least = getattr(self, one.name), _LEAST.get(one.name, 0)
            if value is not None and not least <= value <= _MOST:
                raise UserError(
                    say("{value:,.6g} is not possible for: {what}.", value=value, what=_WHAT[one.name][0]),
                    say("Give a number from {least:g} to {most:,.0f}.", least=least, most=_MOST),
                )
        if self.changed_per_month is not None and self.changed_per_month > 1:
            raise UserError(
                say(
                    "{value:,.6g} is not possible for: {what}.",
                    value=self.changed_per_month,
                    what=_WHAT["changed_per_month"][0],
                ),
                say("Give a share from 0 to 1: 0.05 is five in a hundred."),
            )
        return self


@dataclass
class _Found:
    """The volume as it comes together."""

    values: dict[str, float | None] = field(default_factory=dict)
    assumptions: list[Assumption] = field(default_factory=list)

    def take(self, key: str, value: float | None, origin: Origin, because: Text) -> None:
        what, unit = _WHAT[key]
        self.values[key] = value
        self.assumptions.append(Assumption(key=key, what=what, value=value, unit=unit, origin=origin, because=because))


def volume_of(
    stated: Stated,
    requirements: Requirements | None = None,
    profile: DataProfile | None = None,
    dataset: DatasetSummary | None = None,
    hardware: Hardware | None = None,
    texts: Texts | None = None,
) -> tuple[Volume, tuple[Assumption, ...]]:
    """The volume, and where each part of it comes from.

    Args:
        stated: what was said for this calculation; it goes before all else.
        requirements: their number of documents and of queries a second, and their price of a machine.
        profile: token lengths, where the texts themselves are not at hand.
        dataset: its number of documents, where nobody said how many there will be.
        hardware: the machine whose speed was measured; its memory counts, and the list price of one like it.
        texts: the user's: their lengths.

    Raises:
        UserError: a stated number is not possible.
    """
    stated = stated.checked()
    found = _Found()
    defaults = _defaults(requirements, dataset, hardware) | _lengths(requirements, profile, texts)
    if requirements is not None and requirements.queries_per_second and stated.queries_per_month is None:
        defaults |= _at_a_rate(requirements.queries_per_second)
    priced = requirements.machine_usd_per_hour if requirements else None
    if priced is not None:
        defaults["machine_usd_per_hour"] = (priced.value, "stated", _AS_NEEDED)
    for key, (value, origin, because) in defaults.items():
        said = getattr(stated, key)
        if said is not None:
            found.take(key, said, "stated", _SAID)
        else:
            found.take(key, value, origin, because)
    values = found.values | {key: int(found.values[key] or 0) for key in ("documents", "replicas")}
    return Volume.model_validate(values), tuple(found.assumptions)


_Default = tuple[float | None, Origin, Text]


def _defaults(
    requirements: Requirements | None,
    dataset: DatasetSummary | None,
    hardware: Hardware | None,
) -> dict[str, _Default]:
    guess = _NOBODY_SAID
    defaults: dict[str, _Default] = {
        "documents": _documents(requirements, dataset),
        "queries_per_month": (QUERIES_PER_MONTH, "assumed", guess),
        "replicas": (1, "assumed", guess),
        "changed_per_month": (0.0, "assumed", guess),
        "reembeddings_per_year": (1.0, "assumed", guess),
        "peak": (4.0, "assumed", guess),
    }
    return defaults | _machine(hardware)


def _lengths(
    requirements: Requirements | None, profile: DataProfile | None, texts: Texts | None
) -> dict[str, _Default]:
    """Mean tokens of a text: of those at hand, as the profile has it, as the user said; else assumed."""
    found: dict[str, _Default] = {}
    for kind, assumed in (("document", DOCUMENT_TOKENS), ("query", QUERY_TOKENS)):
        key = f"{kind}_tokens"
        some = getattr(texts, kind) if texts else None
        profiled = getattr(profile, key) if profile else None
        said = getattr(requirements, key) if requirements else None
        if texts is not None and some is not None and some.counted:
            because = say("of your texts in {name}, as this program estimates tokens", name=texts.name)
            found[key] = round(some.estimated_tokens, 1), "measured", because
        elif profile is not None and profiled is not None:
            because = say("of your texts in {name}, as this program estimates tokens", name=profile.dataset.name)
            found[key] = profiled.mean, "measured", because
        elif said is not None and said.origin == "stated":
            found[key] = float(said.value), "stated", _AS_NEEDED
        else:
            found[key] = assumed, "assumed", _NOBODY_SAID
    return found


def _at_a_rate(rate: Slot[float]) -> dict[str, _Default]:
    """Queries of who said how many a second there are: that is what has to be held, so it is the busiest second too."""
    because = say("your {rate:g} queries a second, all day", rate=rate.value)
    origin: Origin = "assumed" if rate.origin == "assumed" else "stated"
    return {"queries_per_month": (rate.value * SECONDS, origin, because), "peak": (1.0, origin, because)}


def _documents(requirements: Requirements | None, dataset: DatasetSummary | None) -> _Default:
    slot = requirements.documents if requirements else None
    if slot is not None:
        origin: Origin = "assumed" if slot.origin == "assumed" else "stated"
        return slot.value, origin, _AS_NEEDED
    if dataset is not None and dataset.documents:
        return dataset.documents, "measured", say("as many as your data has now")
    return DOCUMENTS, "assumed", _NOBODY_SAID


def _machine(hardware: Hardware | None) -> dict[str, _Default]:
    rules = sizing()
    disk = rules.disk_usd_per_gb_month
    found: dict[str, _Default] = {
        "disk_usd_per_gb_month": (disk.value, "published", rules.source(disk).cited),
        "machine_usd_per_hour": (
            None,
            "assumed",
            say("no list price is on file for such a machine: say what it costs"),
        ),
        "machine_memory_gb": (MEMORY_GB, "assumed", _NOBODY_SAID),
    }
    if hardware is None:
        return found
    found["machine_memory_gb"] = (
        round(hardware.memory_gb * _GIB, 2),
        "measured",
        say("of the machine that the speed holds for: {cpu}, {n} cores", cpu=hardware.cpu, n=hardware.cores),
    )
    like = rules.machine_like(hardware.cores, hardware.memory_gb, hardware.gpus)
    if like is not None:
        because = say(
            "{name} is the cheapest listed machine with as much; {source}",
            name=like.name,
            source=rules.source(like).cited,
        )
        found["machine_usd_per_hour"] = (like.usd_per_hour, "published", because)
    return found
