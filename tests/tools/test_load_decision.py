"""Load in the decision: machines among the tied, what is said of them, and the rate at which it flips."""

import datetime as dt

import pytest

from knowledge.candidate import parse_candidate
from knowledge.constraints import make_constraint
from knowledge.requirements import Requirements
from knowledge.results.load import Goal, Latency, Limits, LoadPoint, LoadTest, LoadTexts
from knowledge.results.service import RateHeld, ServiceSettings, Tuning, TuningStep, UnderLoad
from knowledge.results.speed import Hardware
from knowledge.wording import say
from tests.tools.test_recommend import BEST, COST, FAR, NEAR, NOW, SCORES, benchmark, evaluation, per_query, shortlist
from tools.recommend import recommend, tied_for_load
from tools.service.contenders import enough_for, goal_for, held
from tools.service.settings import Settings
from tools.service.tuning import _Point, _Search, ways
from tools.service.words import notes_on_tuning, tuned


def under_load(holds, *, rate=50.0, stated=False, at_least=(), goal=100.0):
    """What candidates hold: {spec: queries a second, or None}."""
    return UnderLoad(
        run_id="under-load-1",
        started=NOW,
        data="0",
        rate=rate,
        goal_p95_ms=goal,
        stated=stated,
        documents=9,
        candidates=tuple(
            RateHeld(spec=spec, run_id=f"load-{i}", holds_qps=qps, p95_ms=42.0, at_least=spec in at_least)
            for i, (spec, qps) in enumerate(holds.items())
        ),
    )


def decide(load, requirements=None):
    run = evaluation(SCORES)
    speed = benchmark(COST)
    requirements = requirements or Requirements(queries_per_second=load.rate)
    return recommend(requirements, shortlist(), run, per_query(SCORES), speed, now=NOW, load=load).recommendation


def test_of_the_tied_the_one_that_takes_fewer_machines_wins_though_its_single_query_is_slower():
    without = recommend(
        Requirements(), shortlist(), evaluation(SCORES), per_query(SCORES), benchmark(COST), now=NOW
    ).recommendation
    assert without.winner == NEAR
    made = decide(under_load({NEAR: 20.0, BEST: 60.0}))
    assert made.winner == BEST
    rows = {row.spec: row for row in made.rows}
    assert (rows[NEAR].holds_qps, rows[NEAR].machines) == (20.0, 3)
    assert (rows[BEST].holds_qps, rows[BEST].machines) == (60.0, 1)
    assert (rows[FAR].holds_qps, rows[FAR].machines) == (None, None), "it was not put under load"


def test_load_over_far_fewer_documents_than_there_will_be_is_said_to_be():
    load = under_load({NEAR: 60.0, BEST: 60.0})  # over nine documents
    said = [
        any("You name" in str(reason) for reason in decide(load, Requirements(documents=count)).reasons)
        for count in (2_000_000, 18, 17)
    ]
    assert said == [True, True, False]


def test_every_figure_of_load_has_its_evidence():
    made = decide(under_load({NEAR: 20.0, BEST: 60.0}))
    by_id = {one.id: one for one in made.evidence}
    row = next(row for row in made.rows if row.spec == NEAR)
    assert by_id[row.cites["holds_qps"]].value == 20.0
    assert by_id[row.cites["holds_qps"]].run_id == "load-0"
    machines = by_id[row.cites["machines"]]
    assert machines.value == 3
    assert machines.computed_from == (row.cites["holds_qps"],)
    told = next(reason.render() for reason in made.reasons if reason.render().startswith("Load:"))
    assert next(row for row in made.rows if row.spec == BEST).cites["holds_qps"] in told


def test_who_does_not_hold_the_rate_is_priced_in_machines_and_not_left_out():
    made = decide(under_load({NEAR: 20.0, BEST: 12.0}))
    assert made.winner == NEAR
    told = [reason.render() for reason in made.reasons if "Load" in reason.render()]
    assert "so 3 of these machines are needed" in told[0]
    assert f"{BEST} would take 5 machines" in told[1]
    assert {row.standing for row in made.rows if row.spec == BEST} == {"tied"}


def test_a_hard_limit_that_breaks_under_the_rate_is_said():
    limit = make_constraint("latency", p95_ms=50, hard=True)
    requirements = Requirements(queries_per_second=50, constraints=(limit,))
    made = decide(under_load({NEAR: 20.0, BEST: 12.0}, stated=True, goal=50.0), requirements)
    told = next(reason.render() for reason in made.reasons if "Load" in reason.render())
    assert "breaks your limit of 50 ms" in told
    nothing = decide(under_load({NEAR: None, BEST: None}, stated=True, goal=50.0), requirements)
    told = next(reason.render() for reason in nothing.reasons if "Load" in reason.render())
    assert "not even at the lowest rate" in told
    row = next(row for row in nothing.rows if row.spec == nothing.winner)
    assert (row.holds_qps, row.machines) == (0.0, None)


def test_the_rate_from_which_another_is_cheaper_is_said_and_true():
    load = under_load({NEAR: 60.0, BEST: 90.0})
    made = decide(load)
    assert made.winner == NEAR, "both take one machine, and its single query is faster"
    flip = next(text.render() for text in made.what_would_change_it if text.render().startswith("Above"))
    assert flip == f"Above 60 queries a second it would be {BEST}: 1 machine there, where {NEAR} takes 2 machines."
    assert decide(under_load({NEAR: 60.0, BEST: 90.0}, rate=60.0)).winner == NEAR
    assert decide(under_load({NEAR: 60.0, BEST: 90.0}, rate=61.0)).winner == BEST


def test_what_was_not_brought_to_break_flips_nothing():
    made = decide(under_load({NEAR: 400.0, BEST: 400.0}, at_least=(NEAR, BEST)))
    assert not any(text.render().startswith("Above") for text in made.what_would_change_it)
    assert any("at least 400" in reason.render() for reason in made.reasons)


def test_only_the_best_and_those_tied_with_it_are_put_under_load():
    run = evaluation(SCORES)
    found = tied_for_load(Requirements(), shortlist(), run, per_query(SCORES), benchmark(COST))
    assert found == (NEAR, BEST)


@pytest.mark.parametrize(
    ("limit", "alone", "goal"), [(20.0, (500.0,), 20.0), (None, (5.0, 10.0), 100.0), (None, (50.0, 80.0), 240.0)]
)
def test_the_limit_is_the_users_or_follows_from_the_slowest(limit, alone, goal):
    assert goal_for(limit, alone) == goal


def test_the_search_ends_where_nobody_needs_to_know_more():
    assert (enough_for(1), enough_for(50)) == (100, 400)


def point(rate, p95, broke=False, **more):
    latency = Latency(count=9, p50_ms=p95 / 2, p95_ms=p95, p99_ms=p95 * 2, p999_ms=p95 * 3, max_ms=p95 * 4)
    why = say("p95 was {time}", time="x") if broke else None
    return LoadPoint(
        loop="open",
        rate=rate,
        offered=rate,
        seconds=1,
        requests=9,
        answered=9,
        achieved=rate,
        latency=latency,
        broke=why,
        parts={"forward": latency},
        **more,
    )


def load_test(points, repeats=(), **more):
    return LoadTest(
        run_id="load-1",
        started=NOW,
        target="bm25",
        machine=Hardware(cpu="c", cores=2, memory_gb=3),
        loop="open",
        goal=Goal(),
        limits=Limits(),
        texts=LoadTexts.model_construct(origin="queries", count=3, tokens=None, sent=9, most_sent=3),
        cold_ms=1,
        warm=Latency(count=1, p50_ms=1, p95_ms=1, p99_ms=1, p999_ms=1, max_ms=1),
        points=tuple(points),
        repeats=tuple(repeats),
        **more,
    )


def test_a_load_test_in_short_stands_at_the_rate_that_is_held():
    found = held(
        load_test(
            [point(10, 5), point(40, 90, broke=True), point(20, 8)],
            [point(20, 7), point(20, 9), point(20, 30)],
            holds_qps=20.0,
            breaks_qps=40.0,
            spread=0.1,
        )
    )
    assert (found.holds_qps, found.at_least, found.p95_ms) == (20.0, False, 9)
    assert found.curve[0] == (10, 5)
    assert found.curve[-1] == (40, 90)
    assert found.parts == {"forward": (4.5, 9, 18)}
    nothing = held(load_test([point(40, 90, broke=True), point(20, 70, broke=True)], breaks_qps=20.0))
    assert (nothing.holds_qps, nothing.p95_ms) == (None, 70), "the lowest that was tried"
    assert held(load_test([point(40, 9)], [point(40, 9)], holds_qps=40.0)).at_least


class Bench:
    """Rates that settings hold, as a table of effects that multiply; counts what was measured."""

    def __init__(self, **effects):
        self.effects, self.seen = effects, []

    def __call__(self, at, factor):
        self.seen.append(at)
        qps = 100.0
        for name, of in self.effects.items():
            value = at.candidate.spec if name == "way" else getattr(at.settings, name)
            qps *= of.get(value, 1.0)
        settings = ServiceSettings(**at.settings.model_dump())
        return TuningStep(factor=factor, spec=at.candidate.spec, settings=settings, holds_qps=qps, p95_ms=9)


def searched(bench, clock=lambda: 0.0):
    search = _Search(bench, until=1.0, clock=clock)
    best = search.run(_Point(parse_candidate("bm25"), Settings()))
    return search, best


def test_each_factor_goes_on_from_the_best_so_far():
    bench = Bench(max_batch={64: 1.5, 4: 0.5}, max_wait_ms={2.0: 1.3, 8.0: 0.7})
    search, best = searched(bench)
    assert (best.settings.max_batch, best.settings.max_wait_ms) == (64, 2.0)
    assert search.steps[search.best].holds_qps == pytest.approx(195.0)
    assert all(at.settings.max_batch == 64 for at in bench.seen if at.settings.max_wait_ms)
    assert not any(at.settings.max_batch == 1 for at in bench.seen), "4 was clearly worse: smaller ones are not tried"


def test_what_is_within_the_noise_changes_nothing():
    search, best = searched(Bench(max_batch={64: 1.05, 4: 0.95, 1: 1.02}))
    assert (best.settings, search.best) == (Settings(), 0)


def test_no_time_left_is_said_by_factor():
    times = iter([0.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0])
    search, _ = searched(Bench(), clock=lambda: next(times))
    assert set(search.not_tried) == {"max_batch", "max_wait_ms"}
    found = Tuning(
        run_id="tuning-1",
        started=dt.datetime.now(dt.UTC),
        target="bm25",
        goal_p95_ms=50,
        seconds=1,
        steps=tuple(search.steps),
        best=search.best,
        not_tried=tuple(search.not_tried),
    )
    assert "nothing that was tried holds clearly more" in tuned(found).render()
    assert any("No time was left for" in note.render() for note in notes_on_tuning(found))


def test_what_was_not_measured_is_not_said_to_hold_nothing():
    why = say("the limit of {seconds:g} seconds was reached", seconds=2)
    settings = ServiceSettings(max_batch=1, max_wait_ms=0, searches=1)
    step = TuningStep(factor="start", spec="bm25", settings=settings, failed=why)
    found = Tuning(run_id="t", started=NOW, target="bm25", goal_p95_ms=50, seconds=2, steps=(step,), best=0)
    assert str(tuned(found)) == "No setting was measured: the limit of 2 seconds was reached."


def test_ways_change_the_encoder_and_nothing_else():
    candidate = parse_candidate("rerank(rrf(bm25, st:a/b?dim=64), ce:c/d)?top=5")
    for way in ways(candidate):
        assert way.legs[0] == candidate.legs[0]
        assert way.reranker == candidate.reranker
        assert way.base.parts[1].options.items() > candidate.base.parts[1].options.items()
    assert ways(parse_candidate("bm25")) == []


def test_what_is_not_known_of_many_users_follows_from_who_was_put_under_load():
    told = " ".join(text.render() for text in decide(under_load({NEAR: 20.0, BEST: 60.0})).not_measured)
    assert f"many users at once of others than {NEAR}, {BEST}" in told
    assert "one query at a time was timed" not in told
