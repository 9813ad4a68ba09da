"""What is known of a candidate that its cost follows from: measured where it was, else published."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from knowledge.candidate import Candidate, Leg, parse_candidate
from knowledge.errors import SpecError
from knowledge.fit import OVERHEAD_GB
from knowledge.model_card import ModelCard
from knowledge.results import Benchmark, Evaluation, MeasuredCandidate, SpeedOfCandidate
from knowledge.results.cost import Hosting, TokenCount
from knowledge.results.service import UnderLoad
from knowledge.wording import Text, say
from tools import encoders
from tools.chunking import rules_of
from tools.cost.billed import Cards, card_of, cite_tokens, tokens_of
from tools.cost.rates import NO_RATE, UTILISATION, Rate, measured_rate
from tools.cost.tokens import TokenCounter
from tools.evidence_list import EvidenceList
from tools.hardware import seconds_to_encode, usable_cores
from tools.setups import Setup, setup_of

#: bytes in a MB of measured memory, and in a GB of this module
MB, GB = 2.0**20, 1e9
_LIST = say("the provider's price list, as the catalog has it")


@dataclass(frozen=True)
class Dense:
    """Vectors of one encoder: so many of this length for each document, as this set-up holds them."""

    dimension: int
    setup: Setup
    per_document: float = 1.0

    def bytes(self, setup: Setup) -> float:
        """Bytes a document in another set-up."""
        return setup.bytes(self.dimension) * self.per_document


@dataclass(frozen=True)
class Known:
    """One candidate.

    Attributes:
        dense: its single vectors; empty where their length is not known, or where it has none.
        other_bytes: bytes a document of all else that is searched: words, weights, vectors of tokens.
        on_disk: bytes a document that are read for a few documents only.
        encoder_gb: memory of the process that encodes.
        rate: queries a second of one machine.
        tokens: that an API bills, by kind of text; empty: as the volume has them.
        cites: of the figures, by field.
    """

    spec: str
    model: str | None
    hosting: Hosting
    measured: bool
    quality: float | None = None
    usd_per_million_tokens: float | None = None
    documents_per_second: float | None = None
    rate: Rate = NO_RATE
    dense: tuple[Dense, ...] = ()
    other_bytes: float = 0.0
    on_disk: float = 0.0
    encoder_gb: float = 0.0
    tokens: dict[str, TokenCount] = field(default_factory=dict)
    cites: dict[str, str] = field(default_factory=dict)

    @property
    def bytes_per_document(self) -> float:
        """Bytes a document as its own set-up holds it, with what lies on disk."""
        return self.other_bytes + sum(one.bytes(one.setup) for one in self.dense)

    @property
    def can_be_indexed(self) -> bool:
        """Whether all its vectors are whole and in float32, so that any index may hold them."""
        return bool(self.dense) and all(one.setup.plain for one in self.dense)


def from_run(
    spec: str,
    evaluation: Evaluation | None,
    benchmark: Benchmark,
    speed: SpeedOfCandidate,
    cards: Cards,
    evidence: EvidenceList,
    load: UnderLoad | None = None,
    counter: TokenCounter | None = None,
) -> Known:
    """A candidate that was timed, with its quality and what it held under load where these were measured."""
    measured = next((c for c in evaluation.candidates if c.spec == spec), None) if evaluation else None
    candidate = parse_candidate(spec)
    cites: dict[str, str] = {}

    def cite(name: str, what: Text, value: float, unit: str) -> None:
        hardware = benchmark.hardware
        source = say("{cpu}, {n} cores", cpu=hardware.cpu, n=hardware.cores)
        date, run = benchmark.started.date(), benchmark.run_id
        cites[name] = evidence.add("measured", spec, what, value, unit, source=source, date=date, run_id=run)

    price = _price(candidate, cards, speed.usd_per_million_tokens, spec, evidence, cites)
    tokens: dict[str, TokenCount] = {}
    if price is not None and counter is not None:
        tokens = tokens_of(candidate, cards, evaluation, counter)
        cite_tokens(tokens, spec, evidence, cites)
    cite("bytes_per_vector", say("bytes per vector"), speed.bytes_per_vector, "B")
    encoded, rate = speed.corpus_per_second or speed.documents_per_second or None, NO_RATE
    if price is None:
        cite("documents_per_second", say("documents encoded per second"), encoded or 0.0, "1/s")
        cite("peak_memory_mb", say("peak memory"), speed.peak_memory_mb, "MB")
        rate = measured_rate(spec, speed, load, evidence, cites, cite)
    dense, other = _dense(candidate, speed, measured, cards)
    return Known(
        spec=spec,
        model=measured.model if measured else None,
        hosting="own" if price is None else "api",
        measured=True,
        quality=measured.primary_mean if measured else None,
        usd_per_million_tokens=price,
        documents_per_second=encoded if price is None else None,
        rate=rate,
        dense=dense,
        other_bytes=other,
        on_disk=speed.bytes_rescored,
        encoder_gb=speed.peak_memory_mb * MB / GB if price is None else 0.0,
        tokens=tokens,
        cites=cites,
    )


def _price(
    candidate: Candidate,
    cards: Cards,
    told: float | None,
    spec: str,
    evidence: EvidenceList,
    cites: dict[str, str],
) -> float | None:
    """What an API asks for a million tokens, all its encoders together; None where nothing of it is an API."""
    found = [card.price for leg in candidate.legs if (card := card_of(leg, cards)) and card.is_api and card.price]
    value = told or sum(one.usd_per_million_tokens for one in found) or None
    if value is not None:
        date: dt.date | None = min((one.date for one in found), default=None)
        what = say("price per million tokens")
        cites["usd_per_million_tokens"] = evidence.add("published", spec, what, value, "USD", source=_LIST, date=date)
    return value


def _dense(
    candidate: Candidate, speed: SpeedOfCandidate, measured: MeasuredCandidate | None, cards: Cards
) -> tuple[tuple[Dense, ...], float]:
    """The single vectors, and bytes a document of all else; no vectors where they cannot be told from the rest."""
    legs = [leg for leg in candidate.searched if leg.backend != "bm25"]
    whole = speed.bytes_per_vector
    if any(encoders.backend(leg.backend).FORM != "dense" for leg in legs):
        return (), whole
    found: list[Dense] = []
    for leg in legs:
        setup, card = setup_of(leg), card_of(leg, cards)
        dimension = setup.dim or (measured.dimension if measured and len(legs) == 1 else None)
        dimension = dimension or (card.dimension if card else None)
        if dimension is None:
            return (), whole
        found.append(Dense(dimension, setup))
    if any(rules_of(leg) for leg in candidate.searched):
        if len(candidate.searched) > 1 or not found:
            return (), whole
        (one,) = found  # several chunks a document, so many vectors
        return (Dense(one.dimension, one.setup, whole / one.bytes(one.setup)),), 0.0
    other = whole - sum(one.bytes(one.setup) for one in found)
    return (tuple(found), max(other, 0.0)) if other > -1 else ((), whole)


def from_card(
    spec: str,
    card: ModelCard,
    document_tokens: float,
    query_tokens: float,
    evidence: EvidenceList,
    counter: TokenCounter | None = None,
) -> Known:
    """A model of which only published facts are known: its length, its size, its price.

    Args:
        spec: what it is called in the result.
        card: its facts.
        document_tokens: of a document, for the time that its size makes likely on this machine.
        query_tokens: the same of a query.
        evidence: where the figures go.
        counter: of the tokens that an API bills.
    """
    cites: dict[str, str] = {}

    def cite(name: str, what: Text, value: float, unit: str = "") -> None:
        cites[name] = evidence.add("published", spec, what, value, unit, source=say("the catalog's card"))

    price = None
    tokens: dict[str, TokenCount] = {}
    if card.is_api and card.price:
        price = card.price.usd_per_million_tokens
        what, date = say("price per million tokens"), card.price.date
        cites["usd_per_million_tokens"] = evidence.add("published", spec, what, price, "USD", source=_LIST, date=date)
        tokens = counter.of(card.model) if counter else {}
        cite_tokens(tokens, spec, evidence, cites)
    dense: tuple[Dense, ...] = ()
    if card.dimension and "dense" in card.architecture:
        cite("dimension", say("dimensions"), card.dimension)
        cites["bytes_per_vector"] = cites["dimension"]
        dense = (Dense(_asked_dimension(spec) or card.dimension, Setup()),)
    rate = per_second = None
    if not card.is_api and card.parameters:
        cite("parameters", say("parameters"), card.parameters)
        running = card.active_parameters if card.active_parameters is not None else card.parameters
        rate, per_second = (
            1 / seconds_to_encode(max(running, 1), max(tokens, 1.0), usable_cores())
            for tokens in (document_tokens, query_tokens)
        )
        per_second *= UTILISATION
        how = say("two operations a parameter and token, on {n} cores; nothing was timed", n=usable_cores())
        for name, what, value in (
            ("documents_per_second", say("documents encoded per second"), rate),
            ("queries_per_second", say("queries per second of one machine"), per_second),
        ):
            base = (cites["parameters"],)
            cites[name] = evidence.add("computed", spec, what, value, "1/s", source=how, computed_from=base)
    return Known(
        spec=spec,
        model=card.model,
        hosting="api" if card.is_api else "own",
        measured=False,
        usd_per_million_tokens=price,
        documents_per_second=rate,
        rate=Rate(per_second, "size") if per_second else NO_RATE,
        dense=dense,
        encoder_gb=0.0 if card.is_api else (card.parameters or 0) * 4 / GB + OVERHEAD_GB["cpu"],
        tokens=tokens,
        cites=cites,
    )


def _asked_dimension(spec: str) -> int | None:
    """The length that a spec cuts vectors to."""
    try:
        candidate = parse_candidate(spec)
    except SpecError:
        return None
    return setup_of(candidate).dim if isinstance(candidate, Leg) and candidate.backend != "bm25" else None
