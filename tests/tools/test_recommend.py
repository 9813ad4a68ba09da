"""The decision, on measurements whose right answer is known."""

import datetime as dt

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from knowledge.catalog import Source
from knowledge.constraints import make_constraint
from knowledge.requirements import Requirements
from knowledge.results import (
    Benchmark,
    DatasetSummary,
    Evaluation,
    FailedCandidate,
    Figure,
    Finding,
    Hardware,
    Interval,
    MeasuredCandidate,
    Pick,
    Plan,
    PlannedCandidate,
    Prediction,
    Preflight,
    Rejection,
    Shortlist,
    SpeedOfCandidate,
)
from knowledge.results.plan import NAMED
from knowledge.wording import say
from tools.recommend import recommend, recommend_unmeasured, with_background
from tools.recommend.contest import LATENCY_SLACK_MS, LATENCY_STEP, MEMORY_STEP, dearer, pareto_front
from tools.recommend.reasons import caveats
from tools.recommend.sensitivity import MARGINS
from tools.recommend.table import COSTS, SPEED, WORK

NOW = dt.datetime(2026, 3, 14, 9, 26, tzinfo=dt.UTC)
SUMMARY = DatasetSummary(
    name="d", path="d", hash="0", format="beir", documents=9, queries=200, judgments=200, labels="gold"
)
BEST, NEAR, FAR = "st:a/best", "st:a/near", "bm25"


def shortlist(*kept, rejected=(), requirements=None):
    predicted = Prediction(mean=0.5, low=0.4, high=0.6)
    picks = tuple(Pick(spec=f"st:{model}", model=model, predicted=predicted) for model in kept)
    return Shortlist(requirements=requirements or Requirements(), kept=picks, rejected=tuple(rejected), considered=9)


def evaluation(scores, failed=()):
    """An Evaluation whose per-query scores are {spec: [score, ...]}."""
    measured = []
    for spec, values in scores.items():
        mean = sum(values) / len(values)
        interval = Interval(mean=mean, low=mean - 0.05, high=mean + 0.05)
        measured.append(MeasuredCandidate(spec=spec, metrics={"nDCG@10": mean, "R@100": mean / 2}, interval=interval))
    queries = len(next(iter(scores.values())))
    return Evaluation(
        run_id="evaluation-1",
        started=NOW,
        dataset=SUMMARY,
        candidates=tuple(measured),
        failed=tuple(FailedCandidate(spec=s, reason=say("Memory ran out."), next_step=say("-")) for s in failed),
        store="runs",
        judged_queries=queries,
    )


def benchmark(costs, failed=()):
    """A Benchmark from {spec: (p95 ms, MB, bytes)} or with dollars as a fourth figure."""
    return Benchmark(
        run_id="benchmark-1",
        started=NOW,
        hardware=Hardware(cpu="c", cores=2, memory_gb=3),
        candidates=tuple(
            SpeedOfCandidate(
                spec=spec,
                load_seconds=1,
                query_p50_ms=p95 / 2,
                query_p95_ms=p95,
                query_p99_ms=p95 * 2,
                documents_per_second=100,
                peak_memory_mb=memory,
                bytes_per_vector=size,
                repeats=100,
                usd_per_million_tokens=usd[0] if usd else None,
            )
            for spec, (p95, memory, size, *usd) in costs.items()
        ),
        failed=tuple(FailedCandidate(spec=s, reason=say("It died."), next_step=say("-")) for s in failed),
        documents=9,
        queries=9,
    )


def per_query(scores):
    return {spec: {f"q{i}": value for i, value in enumerate(values)} for spec, values in scores.items()}


def decide(scores, costs=None, requirements=None, found=None, failed=(), slow=(), plan=None):
    """The recommendation for per-query scores and costs."""
    requirements = requirements or Requirements()
    speed = benchmark(costs, failed=slow) if costs is not None else None
    run = evaluation(scores, failed)
    made = recommend(requirements, found or shortlist(), run, per_query(scores), speed, plan, now=NOW)
    return made.recommendation


def wobbling(mean, queries=100, by=0.02, phase=0):
    """Scores around a mean, differing from query to query."""
    return [mean + by * ((i * 7 + phase) % 5 - 2) / 2 for i in range(queries)]


SCORES = {BEST: wobbling(0.80), NEAR: wobbling(0.795, phase=1), FAR: wobbling(0.5)}
COST = {BEST: (40.0, 900.0, 1536.0), NEAR: (10.0, 500.0, 1024.0), FAR: (0.1, 100.0, 300.0)}


def test_the_cheapest_that_is_not_worse_wins():
    made = decide(SCORES, COST)
    assert (made.winner, made.best, made.tied, made.runner_up) == (NEAR, BEST, (BEST,), BEST)
    assert {row.spec: row.standing for row in made.rows} == {BEST: "tied", NEAR: "winner", FAR: "worse"}
    assert [row.spec for row in made.rows] == [BEST, NEAR, FAR], "the table shows the best quality first"


def test_with_no_margin_only_the_best_will_do():
    made = decide(SCORES, COST, Requirements(margin=0.0))
    assert (made.winner, made.tied) == (BEST, ())


def test_identical_candidates_are_decided_by_cost_alone_where_there_are_queries_enough():
    made = decide(dict.fromkeys((BEST, NEAR), wobbling(0.7, 149)), COST)
    assert (made.winner, made.best, made.tied, made.undecided) == (NEAR, NEAR, (BEST,), ())


def test_equal_scores_on_few_queries_are_no_tie_and_that_is_said():
    made = decide(dict.fromkeys((BEST, NEAR), wobbling(0.7, 3)), COST)
    assert (made.winner, made.tied, made.undecided) == (NEAR, (), (BEST,)), "of equals the cheaper one"
    assert f"{BEST} scores alike on every query, and 3 queries are too few" in str(made.headline)
    assert f"{BEST}: scores alike with {NEAR} on every query" in str(made.confidence)
    assert "were it still so on 149 queries" in str(made.confidence)
    assert any(step.values.get("more") == 146 for step in made.next_steps)
    assert decide(dict.fromkeys((BEST, NEAR), wobbling(0.7, 3)), COST | {NEAR: (90.0, 900.0, 1536.0)}).winner == BEST


def test_equal_scores_with_no_margin_promise_no_number_of_queries():
    made = decide(dict.fromkeys(SCORES, wobbling(0.7)), COST, Requirements(margin=0.0))
    assert made.winner == made.best
    assert len(made.undecided) == 2
    assert "no reasonable number of queries" in str(made.confidence)
    assert "edge of your margin" not in str(made.confidence)
    assert not any("more" in step.values for step in made.next_steps)


def test_no_p_value_is_shown_as_zero():
    made = decide(
        {**SCORES, BEST: wobbling(0.80, 400), NEAR: wobbling(0.795, 400, phase=1), FAR: wobbling(0.5, 400)}, COST
    )
    said = " ".join(map(str, (made.headline, made.confidence, *made.reasons)))
    assert "p < 0.001" in said
    assert "0.000" not in said


ARITHMETIC = f"{BEST}?precision=bf16"


def test_one_model_in_other_arithmetic_is_tied_where_it_scores_alike():
    """Few queries show nothing of two models; of one model in two precisions it is known beforehand."""
    same = wobbling(0.7, 35)
    costs = {BEST: (30.64, 900.0, 1536.0), ARITHMETIC: (10.0, 900.0, 1536.0)}
    made = decide({BEST: same, ARITHMETIC: same}, costs)
    assert (made.winner, made.tied, made.undecided) == (ARITHMETIC, (BEST,), ())
    assert "too few" not in str(made.headline)
    assert f"{BEST}: the same model as {ARITHMETIC} in other arithmetic" in str(made.confidence)
    assert "does not rule out" not in str(made.confidence), "it would say that it may be better than itself"
    assert decide({BEST: same, ARITHMETIC: same}, costs, Requirements(margin=0.0)).undecided, "no loss at all is asked"
    assert decide({BEST: [0.7], ARITHMETIC: [0.7]}, costs).undecided == (BEST,), "one query shows nothing of anything"
    almost = [*same[:-1], same[-1] - 0.6]
    assert decide({BEST: same, ARITHMETIC: almost}, costs).undecided == (ARITHMETIC,), "where they differ, tests decide"
    int8 = f"{BEST}?backend=onnx&precision=int8"
    assert decide({BEST: same, int8: same}, None).undecided == (int8,), "rounded weights are other weights"


def test_one_model_in_other_arithmetic_is_tied_in_the_rule_tried_again():
    same = wobbling(0.7, 35)
    costs = {BEST: (10.0, 900.0, 1536.0), ARITHMETIC: (30.0, 500.0, 1536.0)}
    made = decide({BEST: same, ARITHMETIC: same, FAR: wobbling(0.2, 35)}, costs | {FAR: COST[FAR]})
    assert made.winner == BEST
    assert not any("margin" in text.values for text in made.what_would_change_it if text.values.get("margin", 1) > 0.01)
    assert any(text.values.get("spec") == ARITHMETIC for text in made.what_would_change_it), "under a memory limit"


def test_documents_a_second_decide_where_latency_does_not():
    same = wobbling(0.7, 149)
    slow, fast = "st:a/a", "st:a/b"
    timed = benchmark({slow: (30.31, 900.0, 1536.0), fast: (30.64, 900.0, 1536.0)})
    rates = {slow: 89.0, fast: 167.0}
    timed = timed.model_copy(
        update={
            "candidates": tuple(c.model_copy(update={"documents_per_second": rates[c.spec]}) for c in timed.candidates)
        }
    )
    scores = {slow: same, fast: same}
    made = recommend(Requirements(), shortlist(), evaluation(scores), per_query(scores), timed, now=NOW).recommendation
    assert made.winner == fast
    assert {row.spec for row in made.rows if row.on_pareto_front} == {fast}


def test_a_candidate_measured_alone_has_won_against_nobody():
    made = decide({FAR: wobbling(0.6)}, COST)
    assert made.winner == FAR
    assert [row.standing for row in made.rows] == ["alone"]
    assert "was measured alone" in str(made.headline)
    assert "measured alone" in str(made.confidence)
    (change,) = made.what_would_change_it
    assert str(change).startswith("Measuring others")
    assert any("at least one other candidate" in str(step) for step in made.next_steps)
    both = decide({FAR: wobbling(0.6), BEST: wobbling(0.2)}, COST)
    assert not any("alone" in str(text) for text in (both.headline, both.confidence, *both.what_would_change_it))


def test_what_is_cheaper_is_so_beyond_the_noise():
    cheap = (0.0, 10.0, 0.1, 500.0, 1024.0)
    assert dearer((0.0, 14.0, 0.14, 600.0, 1024.0), cheap) is None
    assert dearer((0.0, 15.1, 0.01, 50.0, 64.0), cheap) is True
    assert dearer((0.0, 14.0, 0.05, 900.0, 1024.0), cheap) is False, "half the time to encode comes before memory"
    assert dearer((0.0, 14.0, 0.1, 500.0, 1025.0), cheap) is True


def test_differences_that_round_to_nothing_have_no_sign():
    made = decide({BEST: wobbling(0.8), NEAR: [v - 1e-5 for v in wobbling(0.8)]}, COST)
    (quality,) = (str(text) for text in made.reasons if "Quality:" in text.template)
    assert "Quality: 0.0 points" in quality
    assert "-0.0" not in quality
    assert "+0.0" not in quality


def test_what_an_api_runs_is_not_fetched_from_a_hub():
    listed = shortlist("a/api", "b/built")
    mixed = listed.model_copy(
        update={"kept": (listed.kept[0].model_copy(update={"spec": "openai:api"}), listed.kept[1])}
    )
    steps = [str(step) for step in decide({FAR: wobbling(0.6)}, COST, found=mixed).next_steps]
    (fetch,) = (step for step in steps if "--download" in step)
    assert "a/api" not in fetch
    (agree,) = (step for step in steps if "get your texts" in step)
    assert "a/api" in agree


def test_what_failed_was_among_the_candidates():
    listed = shortlist("a/api", "b/built")
    tried = listed.model_copy(update={"kept": (listed.kept[0].model_copy(update={"spec": "openai:api"}),)})
    run = evaluation({FAR: wobbling(0.6)}, failed=("openai:api",))
    made = recommend(Requirements(), tried, run, per_query({FAR: wobbling(0.6)}), benchmark(COST), now=NOW)
    told = [str(text) for text in made.recommendation.not_measured]
    assert [text for text in told if "api" in text] == ["openai:api failed: Memory ran out."], told


def test_who_named_the_candidates_is_not_told_that_the_shortlist_was_not_measured():
    named = Plan(candidates=(PlannedCandidate(spec=FAR, why=NAMED),), documents=9, queries=9)
    chosen, asked = (
        " ".join(map(str, decide({FAR: wobbling(0.6)}, COST, found=shortlist("b/built"), plan=plan).next_steps))
        for plan in (None, named)
    )
    assert "None of the 1 shortlisted" in chosen
    assert "None of the" not in asked
    assert "You named what was measured. The shortlist has others that you may name too: b/built." in asked


def test_models_that_this_program_cannot_run_are_not_offered_for_download():
    listed = shortlist("a/api", "b/built")
    unbuilt = listed.model_copy(update={"kept": (listed.kept[0].model_copy(update={"spec": None}), listed.kept[1])})
    (step,) = (str(s) for s in decide({FAR: wobbling(0.6)}, COST, found=unbuilt).next_steps if "--download" in str(s))
    assert "b/built" in step
    assert "a/api" not in step
    none = listed.model_copy(update={"kept": (listed.kept[0].model_copy(update={"spec": None}),)})
    steps = " ".join(map(str, decide({FAR: wobbling(0.6)}, COST, found=none).next_steps))
    assert "can run none of them" in steps
    assert "--download" not in steps
    made = recommend_unmeasured(Requirements(), none, "s", say("Everything."), say("Do it."), now=NOW)
    assert "which this program cannot run" in str(made.headline)


def test_what_was_timed_is_said_in_plain_words():
    run = evaluation(SCORES)
    run = run.model_copy(update={"dataset": SUMMARY.model_copy(update={"documents": 1200})})
    made = recommend(Requirements(), shortlist(), run, per_query(SCORES), benchmark(COST), now=NOW).recommendation
    (timed,) = (str(text) for text in made.not_measured if "many users" in str(text))
    assert "all your 1,200 documents" in timed
    assert "sample of 9 documents" in timed
    assert "exact scan" not in timed


def test_few_queries_leave_it_undecided_and_say_how_many_would_do():
    scores = {BEST: [1.0, 0.0, 0.9, 0.4, 1.0, 0.3], NEAR: [0.6, 0.3, 0.9, 0.0, 0.9, 0.5]}
    made = decide(scores, COST)
    assert made.winner == BEST
    assert made.undecided == (NEAR,)
    needed = made.confidence.values["p1"].values["needed"]
    assert needed > 6
    assert any(step.values.get("more") == needed - 6 for step in made.next_steps)


def test_on_the_edge_of_the_margin_no_number_of_queries_is_promised():
    scores = {BEST: [1.0, 0.0, 0.9, 0.4] * 10, NEAR: [0.5, 0.5, 0.91, 0.39] * 10}  # as good: the margin itself
    made = decide(scores, COST, Requirements(margin=0.0))
    assert made.undecided == (BEST,)
    assert "no reasonable number" in str(made.confidence)
    assert not any("more" in step.values for step in made.next_steps)


def test_fractions_of_a_millisecond_decide_nothing():
    costs = {BEST: (0.1, 900.0, 1536.0), NEAR: (0.9, 500.0, 1024.0), FAR: (0.1, 100.0, 300.0)}
    assert decide(SCORES, costs).winner == NEAR


def test_a_busy_machine_is_told():
    assert "busy" not in str(decide(SCORES, COST).confidence)
    calm = benchmark(COST)
    first = calm.candidates[0].model_copy(update={"noise": 2.5})
    busy = calm.model_copy(update={"candidates": (first, *calm.candidates[1:])})
    made = recommend(Requirements(), shortlist(), evaluation(SCORES), per_query(SCORES), busy, now=NOW)
    assert "2.5 times" in str(made.recommendation.confidence)


def test_a_single_query_decides_nothing_and_promises_nothing():
    made = decide({BEST: [0.9], NEAR: [0.8]}, COST)
    assert made.winner == BEST
    assert made.undecided == (NEAR,)
    assert "needed" not in str(made.confidence.values)
    assert "no reasonable number" not in str(made.confidence), "more queries would do"


def test_the_confidence_says_what_the_sample_can_show():
    found = str(decide({**SCORES, FAR: wobbling(0.5, phase=3)}, COST).confidence)
    assert "all 3 pairs" in found
    assert "smallest difference to the best that such a sample shows in four of five cases" in found
    assert "Whichever candidate is truly the best, this one is shown not to be worse" in found
    noisy = {BEST: [1.0, 0.0, 0.9, 0.4] * 5, NEAR: [0.6, 0.3, 0.8, 0.2] * 5}
    assert "does not rule out that another candidate is better" in str(decide(noisy, COST).confidence)


@pytest.mark.parametrize(("queries", "said"), [(60, "up to 5% of all queries can go unseen among 60"), (300, None)])
def test_what_few_queries_cannot_show_is_said_of_a_tie(queries, said):
    made = decide({BEST: wobbling(0.7, queries), NEAR: wobbling(0.698, queries, phase=1)}, COST)
    assert made.winner == NEAR
    assert ("can go unseen" in str(made.confidence)) == (said is not None)
    assert said is None or said in str(made.confidence)


def test_a_question_asked_many_times_is_one_observation():
    """Ten texts, each asked thirty times: three hundred queries seem to show a tie, ten do not."""
    scores = {BEST: wobbling(0.7, 10, 0.1) * 30, NEAR: wobbling(0.7, 10, 0.1, phase=1) * 30}
    run = evaluation(scores)
    assert (
        recommend(Requirements(), shortlist(), run, per_query(scores), benchmark(COST), now=NOW).comparisons[1].verdict
        == "tied"
    )
    same = tuple(tuple(f"q{i + 10 * j}" for j in range(30)) for i in range(10))
    run = run.model_copy(update={"same_queries": same})
    made = recommend(Requirements(), shortlist(), run, per_query(scores), benchmark(COST), now=NOW)
    other = made.comparisons[1]
    assert (other.verdict, other.wins + other.losses + other.draws) == ("undecided", 10)
    assert other.difference.mean == pytest.approx(sum(scores[NEAR]) / 300 - sum(scores[BEST]) / 300)


def test_notes_and_warnings_of_the_evaluation_reach_the_reader():
    noted = evaluation(SCORES).model_copy(update={"notes": (say("Memory ran out."),), "warnings": (say("It died."),)})
    made = recommend(Requirements(), shortlist(), noted, per_query(SCORES), benchmark(COST), now=NOW).recommendation
    assert "Memory ran out." in [str(text) for text in made.not_measured]
    assert "It died." in str(made.confidence)


@pytest.mark.parametrize(
    "demand", [make_constraint("latency", p95_ms=20), make_constraint("memory", max_mb=600)], ids=lambda c: c.kind
)
def test_a_hard_limit_excludes_the_best_by_what_was_measured(demand):
    made = decide(SCORES, COST, Requirements(constraints=(demand,)))
    assert made.winner == made.best == NEAR
    assert {row.spec: row.standing for row in made.rows}[BEST] == "excluded"
    assert made.rows[0].excluded_by is not None
    assert any(text.values.get("reason") == made.rows[0].excluded_by for text in made.what_would_change_it)
    # a wish excludes nobody
    soft = demand.model_copy(update={"hard": False})
    assert decide(SCORES, COST, Requirements(constraints=(soft,))).best == BEST


def test_a_hard_demand_on_facts_excludes_what_was_measured_all_the_same():
    """The incumbent and what the user names are measured whatever they are, but not recommended against a demand."""
    requirements = Requirements(constraints=(make_constraint("license"),))
    rejected = [Rejection(model="a/best", constraint="license", reason=say("may not be sold"))]
    made = decide(SCORES, COST, requirements, shortlist(rejected=rejected))
    assert made.best == NEAR
    assert str(made.rows[0].excluded_by) == "may not be sold"
    # for what else the shortlist rejects a model (its rank, too little evidence), a measurement knows better
    rejected = [Rejection(model="a/best", constraint="rank", reason=say("number 6"))]
    assert decide(SCORES, COST, requirements, shortlist(rejected=rejected)).best == BEST


def test_what_could_not_be_timed_does_not_slip_through_a_limit():
    costs = {spec: cost for spec, cost in COST.items() if spec != BEST}
    limited = Requirements(constraints=(make_constraint("latency", p95_ms=1000),))
    assert decide(SCORES, costs, limited, slow=[BEST]).best == NEAR
    unlimited = decide(SCORES, costs, slow=[BEST])
    assert unlimited.best == BEST
    assert unlimited.winner == NEAR
    assert any(text.values.get("spec") == BEST for text in unlimited.not_measured)


def test_nobody_left():
    made = decide(SCORES, COST, Requirements(constraints=(make_constraint("latency", p95_ms=0.01),)))
    assert made.winner is None
    assert made.best is None
    assert all(row.standing == "excluded" for row in made.rows)
    assert len(made.reasons) == 3


def test_without_a_benchmark_the_best_wins_and_the_gap_is_named():
    demand = make_constraint("latency", p95_ms=5)
    made = decide(SCORES, None, Requirements(constraints=(demand,)))
    assert made.winner == BEST
    assert all(row.query_p95_ms is None for row in made.rows)
    assert len([text for text in made.not_measured if "benchmark" in text.template]) == 2
    assert not any("demands" in text.values for text in made.reasons), "an unchecked limit is not called met"


def test_what_failed_and_what_was_not_tried_is_named():
    made = decide(SCORES, COST, found=shortlist("a/best", "b/untried"), failed=["st:c/broken"])
    named = [text.values for text in made.not_measured]
    assert {"b/untried"} == {values["model"] for values in named if "model" in values}
    assert "st:c/broken" in [values.get("spec") for values in named]


def test_money_outweighs_speed():
    costs = {BEST: (1.0, 1.0, 1.0, 0.13), NEAR: (900.0, 900.0, 900.0)}
    made = decide({BEST: SCORES[BEST], NEAR: SCORES[NEAR]}, costs)
    assert made.winner == NEAR
    assert all(row.on_pareto_front for row in made.rows), "money is an axis of the front"


@pytest.mark.parametrize(
    ("cost", "wins"),
    [
        ((14.9, 900.0, 2000.0), False),  # within the noise of latency and memory, and larger in the index
        ((14.9, 900.0, 1000.0), True),  # equal for all that can be told, but smaller
        ((15.1, 100.0, 1000.0), False),  # slower by more than the noise
        ((10.0, 1126.0, 1000.0), False),  # takes more memory than noise explains
        ((10.0, 1124.0, 1000.0), True),
    ],
)
def test_differences_within_the_noise_do_not_decide(cost, wins):
    same = wobbling(0.7, 149)
    made = decide({"st:a/a": same, "st:a/b": same}, {"st:a/a": (10.0, 900.0, 1536.0), "st:a/b": cost})
    assert (made.winner == "st:a/b") is wins


def test_the_pareto_front_by_hand():
    def costs(latency, seconds=1.0, memory=100.0):
        return (0.0, latency, seconds, memory, 64.0)

    points = {
        "good": (0.9, *costs(50.0)),
        "fast": (0.5, *costs(1.0)),
        "beaten": (0.5, *costs(3.0)),
        "middle": (0.7, *costs(9.0)),
        "twin": (0.7, *costs(9.0)),
        "as fast": (0.5, *costs(1.9)),  # within the noise of the timing
        "lucky": (0.6, *costs(10.0, memory=99.0)),  # less memory only within its noise
        "worst": (0.4, *costs(99.0)),
        "encodes": (0.4, *costs(99.0, seconds=0.1)),
    }
    assert pareto_front(points) == {"good", "fast", "as fast", "middle", "twin", "encodes"}
    circle = {n: (0.5, 0.0, *of, 64.0) for n, of in zip("abc", permuted(100.0, 190.0, 140.0), strict=True)}
    assert pareto_front(circle), "of three that would beat each other in a circle, not all are beaten"
    made = decide(SCORES, COST | {NEAR: (41.0, 901.0, 1537.0)})
    assert {row.spec for row in made.rows if row.on_pareto_front} == {BEST, FAR}


def test_every_figure_has_its_evidence():
    costs = COST | {BEST: (40.0, 900.0, 1536.0, 0.02)}
    decision = recommend(Requirements(), shortlist(), evaluation(SCORES), per_query(SCORES), benchmark(costs), now=NOW)
    made, compared = decision.recommendation, {c.spec: c for c in decision.comparisons}
    evidence = {item.id: item for item in made.evidence}
    assert len(evidence) == len(made.evidence)
    assert all(source in evidence for item in made.evidence for source in item.computed_from)
    for row in made.rows:
        figures = {"quality": row.quality.mean, **row.metrics} | {name: getattr(row, name) for name in COSTS}
        for fields, of in ((SPEED, benchmark(costs)), (WORK, evaluation(SCORES))):
            (found,) = (c for c in of.candidates if c.spec == row.spec)
            figures |= {name: value for name in fields if (value := getattr(found, name)) is not None}
        if row.difference:
            figures["difference"] = row.difference.mean
            figures["difference_low"], figures["difference_high"] = row.difference.low, row.difference.high
            figures["p_different"] = row.p_different
            figures["p_worse"] = compared[row.spec].p_worse
        figures["p_within"] = compared[row.spec].p_within
        if row.usd_per_million_tokens is not None:
            figures["usd_per_million_tokens"] = row.usd_per_million_tokens
        assert set(row.cites) == set(figures)
        for name, value in figures.items():
            cited = evidence[row.cites[name]]
            assert cited.value == value, (row.spec, name)
            assert cited.about == row.spec
    cited_in_reasons = [text.values["evidence"] for text in made.reasons if "evidence" in text.values]
    assert cited_in_reasons
    tested = [text.values["evidence"] for text in made.confidence.values.values() if "evidence" in text.values]
    assert [str(evidence[id].what).startswith("p of worse") for id in tested] == [True, True]
    (nearest,) = (text for text in made.reasons if "Measurably worse" in text.template)
    assert {float(evidence[id].value) for id in nearest.values["evidence"].split(", ")} == {
        compared[FAR].difference.mean,
        compared[FAR].p_different,
    }
    assert all(name in evidence for names in cited_in_reasons for name in names.split(", "))


@pytest.mark.parametrize("scores", [SCORES, {**SCORES, NEAR: wobbling(0.77, phase=1)}], ids=["tied", "worse"])
def test_what_would_change_it_is_true(scores):
    """Each statement applied: the decision made again says the same."""
    made = decide(scores, COST)
    applied = 0
    for text in made.what_would_change_it:
        if "margin" in text.values:
            changed = decide(scores, COST, Requirements(margin=text.values["margin"]))
        elif "demand" in text.values:
            limit = text.values["demand"].values["limit"]
            demand = text.values["demand"].template
            if "latency" in demand:
                constraint = make_constraint("latency", p95_ms=limit)
                changed = decide(scores, COST, Requirements(constraints=(constraint,)))
            elif "memory" in demand:
                constraint = make_constraint("memory", max_mb=limit)
                changed = decide(scores, COST, Requirements(constraints=(constraint,)))
            else:
                left = {spec for spec, cost in COST.items() if cost[2] <= limit}
                changed = decide({s: v for s, v in scores.items() if s in left}, {s: COST[s] for s in left})
        else:
            continue
        applied += 1
        assert changed.winner == text.values["spec"] != made.winner, str(text)
    assert applied >= 3


def test_where_nothing_changes_it_that_is_said():
    made = decide({FAR: wobbling(0.9), BEST: wobbling(0.2)}, COST)
    assert made.winner == FAR
    (only,) = made.what_would_change_it
    assert not only.values


def test_unmeasured():
    why = say("Everything: no dataset was given.")
    found = shortlist("a/best", "b/other")
    made = recommend_unmeasured(Requirements(), found, "shortlist-1", why, say("Memory ran out."), now=NOW)
    assert (made.measured, made.winner, made.tied, made.runner_up) == (False, "a/best", (), "b/other")
    assert made.not_measured == (why,)
    assert not made.evidence


SOURCE = Source(title="scores", date=dt.date(2026, 1, 2), license="x")


def test_predictions_rest_on_the_published_figures():
    figure = Figure(task="Task", language="eng", metric="nDCG@10", score=0.4)
    picks = [pick.model_copy(update={"figures": (figure,)}) for pick in shortlist("a/best", "b/other").kept]
    found = shortlist().model_copy(update={"kept": (picks[0],), "beside": (picks[1],)})
    made = with_background(decide(SCORES, COST), found, SOURCE)
    evidence = {item.id: item for item in made.evidence}
    assert len(evidence) == len(made.evidence)
    for model in ("a/best", "b/other"):
        predicted = evidence[made.cites[f"predicted/{model}"]]
        assert (predicted.kind, predicted.about, predicted.value, predicted.date) == (
            "computed",
            model,
            0.5,
            SOURCE.date,
        )
        (published,) = (evidence[id] for id in predicted.computed_from)
        assert (published.kind, published.about, published.value) == ("published", model, 0.4)
        assert str(published.what) == "nDCG@10, Task (eng)"


def test_unmeasured_prefers_what_is_known_to_meet_the_demands():
    doubt = say("its size is not known, so its latency is to be measured")
    found = shortlist("a/best", "b/other")

    def made(*doubts, word_matching=0.4):
        kept = tuple(p.model_copy(update={"unknown": d}) for p, d in zip(found.kept, doubts, strict=True))
        words = kept[0].predicted.model_copy(update={"mean": word_matching})
        beside = (kept[0].model_copy(update={"model": "bm25", "spec": "bm25", "predicted": words, "unknown": ()}),)
        short = found.model_copy(update={"kept": kept, "beside": beside})
        return recommend_unmeasured(Requirements(), short, "s", say("Everything."), say("Do it."), now=NOW)

    assert made((), ()).winner == "a/best"
    assert made((doubt,), ()).winner == "b/other"
    both = made((doubt,), (doubt, doubt))
    assert both.winner == "a/best"
    assert "Not known of it: its size is not known" in str(both.confidence)
    words = made((doubt,), (doubt,), word_matching=0.6)
    assert words.winner == "bm25"


MEANS = st.floats(0.1, 0.9)


def permuted(*values):
    """The values begun at each of them in turn: three axes on which a is before b, b before c and c before a."""
    return [values[i:] + values[:i] for i in range(len(values))]


COSTS_OF_ONE = st.tuples(st.floats(0.05, 500), st.floats(50, 4000), st.floats(64, 8192), st.sampled_from([0.0, 0.02]))


@given(
    found=st.lists(st.tuples(MEANS, st.sampled_from([0.0, 0.05, 0.3]), COSTS_OF_ONE), min_size=1, max_size=4),
    queries=st.integers(1, 40),
    margin=st.sampled_from([0.0, *MARGINS]),
    limit=st.sampled_from([None, 20.0, 200.0]),
)
@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
def test_it_is_right_by_its_own_table(found, queries, margin, limit):
    scores = {f"st:a/m{i}": wobbling(mean, queries, by, i) for i, (mean, by, _) in enumerate(found)}
    costs = {f"st:a/m{i}": cost for i, (_, _, cost) in enumerate(found)}
    demands = (make_constraint("latency", p95_ms=limit),) if limit else ()
    made = decide(scores, costs, Requirements(margin=margin, constraints=demands))
    rows = {row.spec: row for row in made.rows}
    assert set(rows) == set(scores)
    assert all((limit is not None and costs[s][0] > limit) == (rows[s].standing == "excluded") for s in rows)
    if made.winner is None:
        assert all(row.standing == "excluded" for row in made.rows)
        return
    standings = [row.standing for row in made.rows]
    won = "alone" if len(made.rows) == 1 else "winner"
    assert standings.count(won) == 1
    assert rows[made.winner].standing == won
    assert rows[made.best].standing in (won, "tied")
    taking_part = [row for row in made.rows if row.standing != "excluded"]
    assert rows[made.best].quality.mean == max(row.quality.mean for row in taking_part)
    assert set(made.tied) == {spec for spec, row in rows.items() if row.standing == "tied"}
    assert set(made.undecided) == {spec for spec, row in rows.items() if row.standing == "undecided"}
    assert not any(cheaper(rows[spec], rows[made.winner]) for spec in made.tied)


def cheaper(one, other):
    """Clearly cheaper in the first of money, latency and memory in which they clearly differ."""
    steps = (("usd_per_million_tokens", 1.0), ("query_p95_ms", LATENCY_STEP), ("peak_memory_mb", MEMORY_STEP))
    for name, factor in steps:
        a, b = getattr(one, name) or 0.0, getattr(other, name) or 0.0
        if a * factor < b and (name != "query_p95_ms" or a + LATENCY_SLACK_MS < b):
            return True
        if b < a:  # the other is ahead, if only within the noise: what follows may decide for it
            return False
    return False


def test_what_was_cut_to_fit_and_measured_keeps_to_a_limit_that_its_card_breaks():
    requirements = Requirements(constraints=(make_constraint("dimension", max_dimension=64),))
    reason = say("384 dimensions, you allow 64, and it is not known to be made for cutting")
    found = shortlist(rejected=[Rejection(model="a/best", constraint="dimension", reason=reason)])
    cut, long, fused = f"{BEST}?dim=64", f"{BEST}?dim=128", f"rrf(bm25, {BEST}?dim=64)"
    scores = {BEST: wobbling(0.8), cut: wobbling(0.7), long: wobbling(0.75), fused: wobbling(0.72)}
    made = decide(scores, requirements=requirements, found=found)
    assert {row.spec for row in made.rows if row.excluded_by} == {BEST, long}
    assert made.winner == fused


def test_what_warns_of_the_winner_is_among_the_reasons():
    cut = f"{BEST}?dim=64"
    warns = Finding(check="dimension", severity="warns", finding=say("no"), remedy=say("yes"))
    notes = Finding(check="limits", severity="notes", finding=say("yes"))
    checked = (Preflight(spec=cut, findings=(warns, notes)), Preflight(spec=BEST, findings=(notes,)))
    assert [str(text) for text in caveats(f"rrf(bm25, {cut})", checked)] == ["Before you rely on it: no yes"]
    assert caveats(BEST, checked) == []
