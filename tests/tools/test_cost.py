"""Costs are computed by hand here, and every figure leads back to what it was computed from."""

import datetime as dt
import math

import pytest

from knowledge.candidate import Leg
from knowledge.catalog_in_use import usable_catalog
from knowledge.errors import UserError
from knowledge.model_card import ModelCard, Price
from knowledge.requirements import Requirements, Slot
from knowledge.results import Hardware
from knowledge.results.cost import Crossing, Volume
from knowledge.sizing import GrowthPoint, sizing
from tests.tools.report_fixture import MINILM, make_report
from tests.tools.test_load_decision import under_load
from tools.cost import Stated, costs, volume_of
from tools.cost.break_even import break_even, equal_usd_per_hour
from tools.cost.growth import build_hours, search_ms
from tools.cost.holding import hold, limits, shares_machines
from tools.cost.known import Dense, Known, from_card, from_run
from tools.cost.month import HOURS, SECONDS, month
from tools.cost.point_words import each_points
from tools.cost.range_words import crossings
from tools.cost.rates import Rate
from tools.cost.reference import reference_api
from tools.cost.words import answer, compared, growing
from tools.evidence_list import EvidenceList
from tools.setups import Setup, setup_of

VOLUME = Volume(
    documents=1_000_000,
    queries_per_month=1e6,
    document_tokens=200,
    query_tokens=20,
    peak=4.0,
    machine_usd_per_hour=0.5,
    machine_memory_gb=32.0,
    disk_usd_per_gb_month=0.1,
)
PRICE = Price(usd_per_million_tokens=0.1, date=dt.date(2026, 1, 1), source="list")
OWN = Known(
    spec="st:own",
    model="own",
    hosting="own",
    measured=True,
    documents_per_second=100.0,
    rate=Rate(10.0, "alone"),
    dense=(Dense(128, Setup()),),
    encoder_gb=1.0,
)
API = Known(
    spec="api",
    model="api",
    hosting="api",
    measured=False,
    usd_per_million_tokens=0.1,
    dense=(Dense(128, Setup()),),
)


def at(**changes) -> Volume:
    return VOLUME.model_copy(update=changes)


def test_an_index_takes_what_milvus_says():
    """Milvus's own example: a million vectors of 128 take 640 MB in HNSW, about 131 MB in IVF_SQ8."""
    by_kind = {one.kind: one for one in hold(OWN, 1_000_000, VOLUME).holdings}
    assert by_kind["hnsw"].memory_gb == 0.64
    assert by_kind["ivf_sq8"].memory_gb == pytest.approx(0.131, rel=0.05)
    assert by_kind["diskann"].memory_gb == pytest.approx(0.225 * 0.512, abs=1e-4)
    assert by_kind["diskann"].disk_gb == pytest.approx(2 * 0.512 + 56 * 4e-3, abs=1e-3)


def test_what_does_not_fit_is_kept_in_fewer_bits_then_on_disk_then_in_shards():
    room = 0.9 * 32 - 1
    needs = {}
    for documents in (10, 40_000_000, 90_000_000, 100_000_001):
        choice = hold(OWN, documents, VOLUME)
        needs[documents] = (choice.need, choice.chosen.kind)
    assert needs[10] == ("one machine", "hnsw")
    assert room > 40e6 * 640 / 1e9
    assert needs[40_000_000] == ("one machine", "hnsw")
    assert needs[90_000_000] == ("quantised", "ivf_sq8")
    assert needs[100_000_001][0] == "cluster"
    wide = OWN.__class__(**{**vars(OWN), "dense": (Dense(1024, Setup()),)})
    assert hold(wide, 27_000_000, VOLUME).need == "disk"
    assert hold(wide, 90_000_000, VOLUME).chosen.machines == math.ceil(90e6 * 0.225 * 4096 / 1e9 / room)
    assert limits(OWN, VOLUME)["hnsw"] == int(room * 1e9 / 640)


def test_a_set_up_of_its_own_is_held_as_it_was_measured():
    setup = setup_of(Leg(backend="st", name="x", options={"store": "int8", "rescore": "4"}))
    known = OWN.__class__(**{**vars(OWN), "dense": (Dense(128, setup),), "on_disk": 512.0})
    (only,) = hold(known, 1_000_000, VOLUME).holdings
    assert (only.kind, only.memory_gb, only.disk_gb) == ("measured", 0.128, 0.64)


def test_a_month_by_hand():
    found = month(OWN, VOLUME)
    assert found.for_queries == 1  # a million a month, four times the mean, is 1.5 a second
    assert found.machines_usd == 0.5 * HOURS
    assert found.disk_usd == pytest.approx((0.512 + 0.64) * 0.1)
    assert found.reembed_usd == pytest.approx(1e6 / 100 / 3600 * 0.5 / 12)
    assert found.usd == pytest.approx(found.machines_usd + found.disk_usd + found.reembed_usd)
    api = month(API, VOLUME)
    assert api.tokens_usd == pytest.approx(1e6 * 20 / 1e6 * 0.1)
    assert api.reembed_usd == pytest.approx(1e6 * 200 / 1e6 * 0.1 / 12)
    assert month(API, at(changed_per_month=0.5)).changed_usd == pytest.approx(10.0)
    assert month(OWN, at(machine_usd_per_hour=None)).usd is None
    busy = month(OWN, at(queries_per_month=25 * SECONDS / 4, replicas=2))
    assert (busy.for_queries, busy.machines) == (3, 3)
    assert month(OWN, at(replicas=4)).machines == 4


def test_an_encoder_too_large_to_share_gets_machines_of_its_own():
    large = OWN.__class__(**{**vars(OWN), "encoder_gb": 25.0})
    assert not shares_machines(large, VOLUME)
    assert month(large, VOLUME).machines == 2


@pytest.mark.parametrize("over", ["queries_per_month", "documents"])
def test_the_cheaper_one_changes_where_the_curve_says(over):
    curve = break_even(OWN, API, VOLUME, over)
    assert curve
    for crossing in curve.crossings:
        before, beyond = (at(**{over: type(VOLUME.documents)(crossing.x * f)}) for f in (1 - 1e-6, 1 + 1e-6))
        ahead = [month(OWN, v).usd <= month(API, v).usd for v in (before, beyond)]
        assert ahead[0] != ahead[1] or over == "documents"
        assert crossing.cheaper_beyond == ("own" if ahead[1] else "api")
    for point in curve.points[::7]:
        volume = at(**{over: point.x})
        assert point.own_usd == pytest.approx(month(OWN, volume).usd, rel=0.02)


def test_the_crossing_by_hand():
    """One machine is needed either way; a second one for queries costs more than their tokens: there it is."""
    curve = break_even(OWN, API, VOLUME, "queries_per_month")
    second_machine = 10.0 / 4 * SECONDS
    assert second_machine * 20 / 1e6 * 0.1 < 0.5 * HOURS
    first = curve.crossings[0]
    assert first.x == pytest.approx(second_machine, rel=1e-6)
    assert first.cheaper_beyond == "api"
    assert curve.cheaper_now == "own"


def test_at_the_equal_price_both_cost_the_same():
    volume = at(queries_per_month=100 * SECONDS)
    price = equal_usd_per_hour(OWN, API, volume)
    assert price
    both = [month(known, volume.model_copy(update={"machine_usd_per_hour": price})).usd for known in (OWN, API)]
    assert both[0] == pytest.approx(both[1])
    assert equal_usd_per_hour(OWN, API, VOLUME) is None, "as many machines on both sides"


def test_the_cheapest_api_that_meets_the_demands_is_compared(tmp_path):
    catalog = usable_catalog(tmp_path).catalog
    free = reference_api(Requirements(), catalog.cards)
    assert free.is_api
    assert free.price.usd_per_million_tokens == min(
        c.price.usd_per_million_tokens for c in catalog.cards if c.is_api and c.price and c.dimension
    )
    assert free.spec, "of equals one that can be measured here"
    hosted = {"constraints": [{"kind": "hosting", "hosting": "self_hosted"}]}
    assert reference_api(Requirements.model_validate(hosted), catalog.cards) is None


# ---------------------------------------------------------------- the volume


def test_what_is_said_goes_first_and_all_else_says_where_it_comes_from():
    report = make_report()
    hardware = Hardware(cpu="x", cores=2, memory_gb=15.5)
    volume, assumptions = volume_of(Stated(documents=7, peak=2), report.requirements, report.profile, None, hardware)
    origin = {one.key: one.origin for one in assumptions}
    assert set(origin) == set(Volume.model_fields)
    assert (volume.documents, origin["documents"]) == (7, "stated")
    assert (volume.machine_usd_per_hour, origin["machine_usd_per_hour"]) == (0.1323, "published")
    assert volume.document_tokens == report.profile.document_tokens.mean
    assert origin["queries_per_month"] == "assumed"
    asked = Requirements(queries_per_second=Slot[float](value=2.0))
    assert volume_of(Stated(), asked)[0].queries_per_month == 2 * SECONDS
    assert volume_of(Stated(), asked)[0].peak == 1
    assert volume_of(Stated(queries_per_month=5), asked)[0].peak == 4
    priced = Requirements(machine_usd_per_hour=Slot[float](value=0.4))
    volume, assumptions = volume_of(Stated(), priced, hardware=hardware)
    assert volume.machine_usd_per_hour == 0.4
    assert {one.key: one.origin for one in assumptions}["machine_usd_per_hour"] == "stated"
    assert volume_of(Stated(machine_usd_per_hour=0.5), priced)[0].machine_usd_per_hour == 0.5
    gpu = Hardware(cpu="x", cores=8, memory_gb=60, gpus=("NVIDIA H200",))
    assert volume_of(Stated(), hardware=gpu)[0].machine_usd_per_hour is None


@pytest.mark.parametrize(
    "wrong",
    [{"documents": 0}, {"queries_per_month": -1.0}, {"changed_per_month": 1.5}, {"peak": 0.5}, {"documents": 10**14},
     {"queries_per_month": math.nan}, {"machine_usd_per_hour": math.inf}],
)  # fmt: skip
def test_a_number_that_is_not_possible_is_refused(wrong):
    with pytest.raises(UserError) as error:
        volume_of(Stated(**wrong))
    assert str(error.value.next_step)


# ---------------------------------------------------------------- a whole calculation


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    report = make_report()
    catalog = usable_catalog(tmp_path_factory.mktemp("home")).catalog
    volume, assumptions = volume_of(Stated(documents=10_000_000, machine_memory_gb=32), report.requirements)
    volume = volume.model_copy(update={"machine_usd_per_hour": 0.3})
    api = catalog.card("openai/text-embedding-3-small")
    cards = {card.model: card for card in catalog.cards}
    return costs(
        volume,
        assumptions,
        evaluation=report.evaluation,
        benchmark=report.benchmark,
        specs=[report.recommendation.winner, MINILM],
        published={"openai:text-embedding-3-small": api},
        cards=cards.get,
    )


def test_every_figure_is_evidence_and_leads_back(found):
    known = {one.id: one for one in found.evidence}
    assert len(known) == len(found.evidence)
    assert all(id in known for one in found.evidence for id in one.computed_from)
    assert {one.kind for one in found.evidence} == {"measured", "published", "computed"}
    for one in found.candidates:
        assert {"machines", "usd_per_month", "machines_usd_per_month"} <= set(one.cites)
        for name, id in one.cites.items():
            value = getattr(one, name, None)
            assert value is None or known[id].value == pytest.approx(value)
            assert known[id].kind != "computed" or known[id].computed_from, name
        parts = known[one.cites["usd_per_month"]].computed_from
        assert sum(known[id].value for id in parts) == pytest.approx(one.usd_per_month)
        for size in (one.at, *one.sizes):
            assert known[size.cites["memory_gb"]].value == size.holding.memory_gb
    measured = known[found.candidates[0].cites["documents_per_second"]]
    assert measured.run_id == make_report().benchmark.run_id


def test_a_fusion_keeps_the_bytes_of_its_words(found):
    """1,872 bytes were measured: 1,536 of 384 numbers, and 336 of words, which no index makes smaller."""
    by_kind = {one.kind: one.memory_gb for one in found.candidates[0].at.holdings}
    assert by_kind["hnsw"] == pytest.approx((1536 + 128 + 336) / 100)
    assert by_kind["ivf_sq8"] == pytest.approx((384 + 8 + 336) / 100)


def test_larger_sizes_are_of_the_first_and_of_what_it_is_compared_with(found):
    assert [bool(one.sizes) for one in found.candidates] == [True, False, True]
    first = found.candidates[0]
    hours = [size.embed_hours for size in first.sizes]
    assert hours == pytest.approx([documents / first.documents_per_second / 3600 for documents in (1e7, 1e8, 1e9)])


def test_money_for_a_point_by_hand(found):
    winner, other = found.candidates[:2]
    (point,) = found.per_point
    assert point.points == pytest.approx(100 * (winner.quality - other.quality))
    assert point.usd_per_month == pytest.approx(winner.usd_per_month - other.usd_per_month)
    if point.usd_per_month > 0.005:
        assert point.usd_per_point == pytest.approx(point.usd_per_month / point.points)


def test_it_is_said_in_both_languages(found):
    lines = [*answer(found), *compared(found), *growing(found.candidates[0])]
    assert all(line.render(language).strip() for line in lines for language in ("en", "zh"))
    assert "10 million documents" in str(lines[0])
    assert str(lines[0]).startswith(found.candidates[0].spec)


def test_two_crossings_say_who_is_cheaper_between_them(found):
    curve = found.break_even[0].model_copy(
        update={"crossings": (Crossing(x=3e6, cheaper_beyond="own"), Crossing(x=5e7, cheaper_beyond="api"))}
    )
    line = str(compared(found.model_copy(update={"break_even": (curve,)}))[1])
    assert line.startswith(
        "Up to 3 million queries a month the API would be cheaper, from there to 50 million your own"
    )
    assert line.endswith("beyond that the API again.")


def test_costs_that_differ_by_less_than_is_assumed_are_not_ranked(found):
    own, api = (found.candidate(name) for name in (found.break_even[0].own, found.break_even[0].api))
    for theirs, told in ((104.0, "About the same"), (110.0, "Your own machines: ")):
        costs = (own.model_copy(update={"usd_per_month": 100.0}), api.model_copy(update={"usd_per_month": theirs}))
        curve = found.break_even[0].model_copy(update={"cheaper_now": "own"})
        changed = found.model_copy(update={"candidates": costs, "break_even": (curve,)})
        assert str(compared(changed)[0]).startswith(told)


def test_a_candidate_that_was_not_timed_is_refused():
    report = make_report()
    volume, assumptions = volume_of(Stated())
    with pytest.raises(UserError, match="was not timed"):
        costs(volume, assumptions, benchmark=report.benchmark, specs=["bm25?k1=3"])
    with pytest.raises(UserError, match="how large its vectors"):
        costs(volume, assumptions, published={"x": ModelCard(model="a/x")})


def test_published_facts_alone():
    evidence = EvidenceList("EM")
    card = ModelCard(
        model="a/x",
        dimension=768,
        is_api=True,
        price=Price(usd_per_million_tokens=0.2, source="s", date=dt.date(2026, 1, 1)),
    )
    known = from_card("x?dim=256", card, 100, 10, evidence)
    assert (known.hosting, known.usd_per_million_tokens, known.encoder_gb) == ("api", 0.2, 0.0)
    own = from_card("st:a/y?dim=256", ModelCard(model="a/y", dimension=768, parameters=10**8), 100, 10, evidence)
    assert own.dense[0].dimension == 256
    assert own.documents_per_second * 10 == pytest.approx(own.rate.per_second / 0.7)
    assert all(one.kind in ("published", "computed") for one in evidence.found)


def test_chunks_count_as_the_vectors_they_are():
    report = make_report()
    speed = report.benchmark.candidates[1].model_copy(
        update={"spec": f"{MINILM}?chunk=50", "bytes_per_vector": 3 * 1536.0}
    )
    measured = report.evaluation.candidates[1].model_copy(update={"spec": speed.spec, "dimension": 384})
    evaluation = report.evaluation.model_copy(update={"candidates": (measured,)})
    known = from_run(speed.spec, evaluation, report.benchmark, speed, lambda name: None, EvidenceList())
    assert (known.dense[0].dimension, known.dense[0].per_document) == (384, 3.0)


# ---------------------------------------------------------------- growth


def test_growth_is_extrapolated_from_what_was_measured():
    growth = sizing().growth
    if growth is None:
        pytest.skip("no growth on record")
    for kind, points in growth.kinds.items():
        last: GrowthPoint = points[-1]
        hours = build_hours(kind, last.vectors, growth.dimension, growth.cores)
        assert hours * 3600 == pytest.approx(last.build_seconds, rel=0.4)
        assert search_ms(kind, last.vectors, growth.dimension) == pytest.approx(last.search_ms, rel=0.4)
        assert build_hours(kind, last.vectors * 10, growth.dimension, growth.cores) > 10 * hours
        assert build_hours(kind, last.vectors, growth.dimension, 2 * growth.cores) == pytest.approx(hours / 2)
    assert build_hours("diskann", 1e9, 384, 2) is None


def under_load_costs(held):
    """Costs of the winner and the runner-up, where a load test found this of each that is here."""
    report = make_report()
    advice = report.recommendation
    volume, assumptions = volume_of(Stated(machine_memory_gb=32, machine_usd_per_hour=0.3), report.requirements)
    return costs(
        volume,
        assumptions,
        evaluation=report.evaluation,
        benchmark=report.benchmark,
        specs=[advice.winner, advice.runner_up],
        published={"api": ModelCard(model="a/api", is_api=True, dimension=384, price=PRICE)},
        load=under_load(
            {spec: qps for spec, qps in zip((advice.winner, advice.runner_up), held, strict=True) if qps != "none"}
        ),
    )


def test_what_holds_no_rate_has_no_price_for_queries():
    """The load test says that more machines do not help, so no number of machines may have a price beside it."""
    found = under_load_costs((None, 60.0))
    first, second = found.candidates[:2]
    assert (first.machines, first.usd_per_month, first.queries_per_second) == (None, None, None)
    assert first.missed_p95_ms == 100.0
    assert second.usd_per_month is not None
    assert not found.per_point
    assert not found.break_even
    told = " ".join(map(str, [*answer(found), *compared(found), *each_points(found)]))
    assert "no rate kept p95 under 100 ms" in told
    assert "cheaper" not in told
    assert "costs about" not in told


def test_machines_counted_in_different_ways_are_not_set_beside_each_other_in_silence():
    mixed = " ".join(map(str, each_points(under_load_costs((60.0, "none")))))
    assert "by the load test" in mixed
    assert "by the time of one query alone" in mixed
    assert "different ways" not in " ".join(map(str, each_points(under_load_costs((60.0, 40.0)))))
    assert "different ways" in " ".join(map(str, each_points(under_load_costs((None, "none")))))


RANGES = [
    # there and back within the step of one machine is left out, and said
    ([(4.1e8, "own"), (4.12e8, "api"), (8.1e8, "own")], "Up to 810 million documents the API would be cheaper, beyond"),
    (
        [(1e6, "own"), (2e6, "api"), (8e6, "own")],
        "Up to 1 million documents the API would be cheaper, from there to 2 million your own machines, from there to "
        "8 million the API, beyond that your own machines.",
    ),
    (
        [(1e6, "own"), (2e6, "api"), (8e6, "own"), (9e6, "api"), (11e6, "own")],
        "Between 1 million and 11 million documents the cheaper one changes with each machine that is added (5 times): "
        "over 80% of that range it is the API. Below it is the API, beyond it your own machines.",
    ),
    ([(5e6, "own"), (5.1e6, "api")], "the API is cheaper. In ranges narrower than 5 %"),
]


@pytest.mark.parametrize(("at", "told"), RANGES)
def test_ranges_say_who_is_cheaper_in_each(found, at, told):
    curve = found.break_even[1].model_copy(
        update={"crossings": tuple(Crossing(x=x, cheaper_beyond=who) for x, who in at)}
    )
    assert told in str(crossings(curve))
    assert crossings(curve).render("zh")
