"""What candidates cost and how large they grow: embedding, holding and asking, on one's own machines or by an API.

Every figure is computed from what was measured (speed, memory, bytes), what is published (prices, Milvus's rules) and
what is assumed (`Volume`), and says from which. Nothing is measured here.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence

from knowledge.errors import UserError
from knowledge.model_card import ModelCard
from knowledge.results import Benchmark, Evaluation
from knowledge.results.cost import (
    Assumption,
    BreakEven,
    CostOfCandidate,
    Costs,
    PerPoint,
    Size,
    Volume,
)
from knowledge.results.service import UnderLoad
from knowledge.wording import Text, say
from tools.cost.billed import Cards
from tools.cost.break_even import Over, break_even
from tools.cost.growth import build_hours, search_ms
from tools.cost.holding import hold, limits
from tools.cost.known import Known, from_card, from_run
from tools.cost.ledger import Ledger
from tools.cost.month import embed_hours, embed_usd, month
from tools.cost.texts import Texts
from tools.cost.tokens import TokenCounter
from tools.cost.volume import Stated, volume_of
from tools.evidence_list import EvidenceList
from tools.hardware import usable_cores

#: how many documents the larger sizes are
SIZES = (10_000_000, 100_000_000, 1_000_000_000)
_OVERS: tuple[Over, ...] = ("queries_per_month", "documents")
#: a difference in money below this is none
_NO_MONEY = 0.005

NOT_COUNTED: tuple[Text, ...] = (
    say("people's time: setting up, watching and mending machines of one's own"),
    say("network traffic, backups, and discounts for commitments"),
    say("processor time of the search beside the embedding: a load test over the whole path measures both"),
    say("texts kept beside the vectors"),
)


def costs(
    volume: Volume,
    assumptions: Sequence[Assumption],
    *,
    evaluation: Evaluation | None = None,
    benchmark: Benchmark | None = None,
    specs: Sequence[str] = (),
    published: Mapping[str, ModelCard] | None = None,
    cards: Cards = lambda name: None,
    api: str | None = None,
    load: UnderLoad | None = None,
    counter: TokenCounter | None = None,
    sizes: Sequence[int] = SIZES,
) -> Costs:
    """What these candidates cost.

    Args:
        volume: how much is searched and asked.
        assumptions: where its parts come from.
        evaluation: quality, and lengths of vectors.
        benchmark: speed, memory and bytes.
        specs: of the timed candidates those that count, the recommended one first; none: all.
        published: models of which only the card is known, by the spec to show.
        cards: a model's card by its name; prices and lengths come from it.
        api: of `published` the API that one's own machines are set against where none was measured.
        load: what candidates held under load on this machine; else the time of one query says how many they answer.
        counter: of the tokens that an API bills for the user's texts; None: as many as the volume says.
        sizes: numbers of documents to extrapolate to, for the first candidate and for what it is set against.

    Raises:
        UserError: a candidate that was not timed, or none whose size is known.
    """
    evidence = EvidenceList("EM")
    known = _known(evaluation, benchmark, specs, published or {}, cards, volume, evidence, load, counter)
    cores = benchmark.hardware.cores if benchmark else usable_cores()
    compared = _compared(known, api)
    found = {one.spec: _cost(one, volume, evidence, sizes if one in compared else (), cores) for one in known}
    return Costs(
        computed=dt.datetime.now(dt.UTC),
        run_id=benchmark.run_id if benchmark else None,
        measured=benchmark is not None,
        primary=evaluation.primary if evaluation else "nDCG@10",
        volume=volume,
        assumptions=tuple(assumptions),
        candidates=tuple(found.values()),
        break_even=tuple(_break_evens(compared, volume, found)),
        per_point=tuple(_per_point(list(found.values()), evidence)),
        not_counted=NOT_COUNTED,
        evidence=tuple(evidence.found),
    )


def _known(
    evaluation: Evaluation | None,
    benchmark: Benchmark | None,
    specs: Sequence[str],
    published: Mapping[str, ModelCard],
    cards: Cards,
    volume: Volume,
    evidence: EvidenceList,
    load: UnderLoad | None,
    counter: TokenCounter | None,
) -> list[Known]:
    timed = {one.spec: one for one in benchmark.candidates} if benchmark else {}
    unknown = [spec for spec in specs if spec not in timed]
    if unknown:
        raise UserError(
            say("{spec} was not timed in this run.", spec=unknown[0][:200]),
            say("Take one of: {names}.", names=", ".join(timed) or "–"),
        )
    known = [
        from_run(spec, evaluation, benchmark, timed[spec], cards, evidence, load, counter)
        for spec in specs or timed
        if benchmark
    ]
    known += [
        from_card(spec, card, volume.document_tokens, volume.query_tokens, evidence, counter)
        for spec, card in published.items()
    ]
    sized = [one for one in known if one.bytes_per_document > 0]
    if not sized:
        raise UserError(
            say("Of none of these is it known how large its vectors are."),
            say("Name a model with one vector a text, or have the candidates timed first."),
        )
    return sized


def _cost(known: Known, volume: Volume, evidence: EvidenceList, sizes: Iterable[int], cores: int) -> CostOfCandidate:
    ledger = Ledger(evidence, known, volume)
    at = ledger.size(_size(known, volume.documents, volume, cores))
    found = month(known, volume)
    return CostOfCandidate(
        spec=known.spec,
        model=known.model,
        hosting=known.hosting,
        measured=known.measured,
        quality=known.quality,
        usd_per_million_tokens=known.usd_per_million_tokens,
        tokens=known.tokens,
        documents_per_second=known.documents_per_second,
        queries_per_second=known.rate.per_second,
        rate_by=known.rate.by,
        missed_p95_ms=known.rate.missed_p95_ms,
        machines=found.machines,
        machines_for_queries=found.for_queries,
        machines_for_index=found.choice.chosen.machines,
        machines_usd_per_month=found.machines_usd,
        disk_usd_per_month=found.disk_usd,
        query_tokens_usd_per_month=found.tokens_usd,
        changed_usd_per_month=found.changed_usd,
        reembed_usd_per_month=found.reembed_usd,
        usd_per_month=found.usd,
        at=at,
        sizes=tuple(
            at if documents == at.documents else ledger.size(_size(known, documents, volume, cores))
            for documents in sizes
        ),
        limits=limits(known, volume),
        cites=ledger.month(found, at),
    )


def _size(known: Known, documents: int, volume: Volume, cores: int) -> Size:
    choice = hold(known, documents, volume)
    chosen = choice.chosen.kind
    vectors = documents * sum(one.per_document for one in known.dense)
    dimension = max((one.dimension for one in known.dense), default=0)
    return Size(
        documents=documents,
        embed_hours=embed_hours(known, documents),
        embed_usd=embed_usd(known, documents, volume),
        holdings=choice.holdings,
        chosen=chosen,
        need=choice.need,
        why=choice.why,
        build_hours=build_hours(chosen, vectors, dimension, cores),
        search_ms=search_ms(chosen, vectors, dimension),
    )


def _compared(known: Sequence[Known], api: str | None) -> list[Known]:
    """The first candidate, and the first of the other hosting; a measured API goes first."""
    first = known[0]
    others = [one for one in known if one.hosting != first.hosting]
    others.sort(key=lambda one: (not one.measured, one.spec != api))
    return [first, *others[:1]]


def _break_evens(
    compared: Sequence[Known], volume: Volume, found: Mapping[str, CostOfCandidate]
) -> Iterable[BreakEven]:
    """One's own machines against an API, where both are there."""
    if len(compared) < 2:
        return
    own, api = sorted(compared, key=lambda one: one.hosting != "own")
    for over in _OVERS:
        curve = break_even(own, api, volume, over)
        if curve is not None:
            cites = {one.hosting: found[one.spec].cites["usd_per_month"] for one in (own, api)}
            yield curve.model_copy(update={"cites": cites})


def _per_point(found: Sequence[CostOfCandidate], evidence: EvidenceList) -> Iterable[PerPoint]:
    """The first against each other one, in money and in quality."""
    first = next(iter(found), None)
    if first is None or first.quality is None or first.usd_per_month is None:
        return
    for other in found[1:]:
        if other.quality is None or other.usd_per_month is None or other.quality == first.quality:
            continue
        better, worse = (first, other) if first.quality > other.quality else (other, first)
        assert better.quality is not None
        assert worse.quality is not None
        points = 100 * (better.quality - worse.quality)
        money = (better.usd_per_month or 0.0) - (worse.usd_per_month or 0.0)
        each = money / points if money > _NO_MONEY else None
        cites = {}
        if each is not None:
            cites["usd_per_point"] = evidence.add(
                "computed",
                better.spec,
                say("dollars a month for each point over {other}", other=worse.spec),
                each,
                "USD",
                source=say("what it costs more a month, over the points by which it measured better"),
                computed_from=(better.cites["usd_per_month"], worse.cites["usd_per_month"]),
            )
        yield PerPoint(
            better=better.spec, other=worse.spec, points=points, usd_per_month=money, usd_per_point=each, cites=cites
        )


__all__ = ["NOT_COUNTED", "SIZES", "Cards", "Stated", "Texts", "TokenCounter", "costs", "volume_of"]
