"""Two models against each other, one model's standing, and what a gain is worth: on measurements, else published."""

import pytest

from agent.answering.comparison import compare_models, languages_in
from agent.answering.deployment import deployment
from agent.answering.measured import Pair, difference, left_out, named, pair_of, row_of, verdict
from agent.answering.models import _equal_when_rounded, about
from agent.answering.published import duel
from agent.answering.worth import _conclusion, _costs, _of_a_thousand, worth
from agent.state import State
from knowledge.constraints import make_constraint
from knowledge.quantities import storage
from knowledge.requirements import Requirements
from knowledge.results import Comparison, Elimination, EncodeWork, Interval, Rejection, Row, Screening
from knowledge.wording import say

A, B = "BAAI/bge-m3", "intfloat/multilingual-e5-large"


@pytest.fixture
def state(answered):
    return answered.state("decided")


@pytest.fixture
def context(answered):
    return answered.context


NOTHING = State(requirements=Requirements())


def test_published_scores_of_shared_tasks_in_the_language_asked_for(context):
    found = duel(A, B, ("zh",), Requirements(), context)
    scores = context.scores
    for task in found.tasks:
        columns = [
            c
            for c in range(len(scores.column_task))
            if scores.tasks[scores.column_task[c]].group == task.group
            and scores.languages[scores.column_language[c]] == "zh"
        ]
        assert columns, task.group
    answer = str(compare_models([A, B], "compare bge-m3 and multilingual-e5-large for Chinese", NOTHING, context))
    assert f"Tasks like yours in Chinese that both were run on: {len(found.tasks)} (" in answer
    assert "not measured on your data" in answer
    assert context.catalog.sources[scores.source].title in answer
    assert "Licence: MIT | MIT" in answer
    assert answer != str(compare_models([A, B], "compare bge-m3 and multilingual-e5-large", NOTHING, context))


def test_the_verdict_does_not_depend_on_the_order(context):
    one, other = (
        duel(A, "Qwen/Qwen3-Embedding-8B", ("en",), Requirements(), context),
        duel("Qwen/Qwen3-Embedding-8B", A, ("en",), Requirements(), context),
    )
    assert one.better == other.better == "Qwen/Qwen3-Embedding-8B"
    assert one.interval.mean == pytest.approx(-other.interval.mean)


def test_no_shared_task_is_said(context):
    answer = str(compare_models([A, "jinaai/jina-clip-v1"], "compare them for Xhosa?", NOTHING, context))
    assert "No published task of this kind in Xhosa" in answer


def test_published_bm25_says_nothing_of_languages_that_it_did_not_cut_into_words(context):
    words = "mteb/baseline-bm25s"
    found = duel(A, words, ("zh",), Requirements(), context)
    assert (found.tasks, found.unread) == ((), ("zh",))
    both = duel(words, A, ("en", "zh"), Requirements(), context)
    assert (both.languages, both.unread) == (("en",), ("zh",))
    assert both.tasks == duel(words, A, ("en",), Requirements(), context).tasks
    anywhere = duel(A, words, (), Requirements(), context)
    assert anywhere.tasks
    assert {"zh", "ja"} <= set(anywhere.unread)
    answer = compare_models([A, words], "为什么不用 bge-m3？中文", State(requirements=Requirements()), context).render(
        "zh"
    )
    assert "中文的 BM25 公开成绩不作数" in answer
    assert "平均 0.0" not in answer


def test_few_tasks_are_no_verdict(context):
    found = duel(A, B, ("th",), Requirements(), context)
    assert (found.interval is None) == (len(found.tasks) < 5)


def test_measured_candidates_are_compared_by_query(state, context):
    pair = pair_of("bm25", "static:wordllama?dim=64", state, context)
    rows = {row.spec: row for row in state["recommendation"].rows}
    c = pair.comparison
    assert rows[c.spec].quality.mean <= rows[c.best].quality.mean
    assert c.difference.mean == pytest.approx(rows[c.spec].quality.mean - rows[c.best].quality.mean, abs=1e-9)
    answer = str(compare_models(["bm25", "static:wordllama?dim=64"], "compare them", state, context))
    assert "Measured on your data" in answer
    assert "Published" not in answer
    assert str(difference(pair, "nDCG@10")) in answer


def test_of_another_language_than_the_data_both_are_told(state, context):
    words = "compare bm25 and static:wordllama for Chinese"
    answer = str(compare_models(["bm25", "static:wordllama"], words, state, context))
    assert "Your data is in English, so this says nothing certain of Chinese" in answer
    assert "ublished" in answer


def test_the_decisions_own_comparison_is_preferred(state, context):
    best = state["recommendation"].best
    other = next(row.spec for row in state["recommendation"].rows if row.spec != best)
    assert pair_of(best, other, state, context).corrected
    assert pair_of(best, best, state, context) is None
    assert pair_of("nobody", best, state, context) is None


def test_an_unknown_model_and_a_known_one(context):
    answer = str(compare_models(["no/such-model-9", A], "compare them", NOTHING, context))
    assert "not in the catalog" in answer
    assert "568 million parameters" in answer


def test_a_hard_demand_rules_one_out(answered, context):
    requirements = Requirements().with_constraint(make_constraint("parameters", max_millions=100))
    from tools.shortlist import shortlist

    listed = shortlist(requirements, context.catalog, context.scores)
    found = State(requirements=requirements, shortlist=listed)
    answer = str(compare_models([A, B], "compare them", found, context))
    assert f"Your demands rule {A} out: 568 million parameters" in answer
    why = str(about("bge-m3", "why_not", found, context))
    assert "(size of the model)" in why
    assert "Without that demand" in why


@pytest.mark.parametrize(
    ("words", "models", "languages"),
    [
        ("compare bge-m3 and e5-base for Chinese", ("bge-m3", "e5-base"), ("zh",)),
        ("对比 bge-m3 和 e5-base 的中文效果", ("bge-m3", "e5-base"), ("zh",)),
        ("compare german-bert-x and bge-m3", ("german-bert-x", "bge-m3"), ()),
        ("compare them in German and Dutch", (), ("de", "nl")),
        ("compare them for Xhosa", (), ("xh",)),
        ("", (), ()),
    ],
)
def test_languages_asked_for(words, models, languages):
    assert languages_in(words, models) == languages


def test_set_ups_that_are_spelled_out(state):
    found = state["recommendation"]
    words = "compare bm25 and rrf(bm25, static:wordllama)"
    assert named(words, ("bm25", "static:wordllama"), found) == ("bm25", "rrf(bm25, static:wordllama)")
    assert named("why not static:wordllama?dim=64", ("static:wordllama?dim=64",), found) == ("static:wordllama?dim=64",)
    assert named("why not bge-m3", ("bge-m3",), found) == ("bge-m3",)
    assert named("why not bge-m3", ("bge-m3",), None) == ("bge-m3",)


def test_left_out_in_a_round():
    gone = Elimination(
        spec="st:BAAI/bge-m3",
        round=2,
        kind="worse",
        against="bm25",
        difference=-0.1,
        bound=-0.05,
        level=0.99,
        queries=50,
        reason=say("It was not measured."),
    )
    screening = Screening(
        primary="nDCG@10",
        margin=0.02,
        rounds=(),
        eliminated=(gone,),
        winner="bm25",
        best="bm25",
        survivors=("bm25",),
        end="settled",
        work=EncodeWork(spent_seconds=1.0),
    )
    assert "round 2" in str(next(left_out("baai/bge-m3", screening)))
    assert not list(left_out("e5", screening))
    assert not list(left_out("e5", None))


@pytest.mark.parametrize("spec", ["bm25", "static:wordllama", "static:wordllama?dim=64", "rrf(bm25, static:wordllama)"])
def test_every_measured_candidate_has_its_standing(state, context, spec):
    answer = str(about(spec, "why_not", state, context))
    row = row_of(spec, state["recommendation"])
    assert answer.startswith(f"{spec}: measured {row.quality.mean:.3f}")
    words = {
        "winner": "It is the recommendation.",
        "tied": "not cheaper",
        "undecided": "too small to tell",
        "worse": "measurably worse",
        "excluded": "It is excluded",
    }
    assert words[row.standing] in answer


def test_on_the_list_and_not_measured(state, context, answered):
    first = state["shortlist"].kept[0].model
    assert "It was not measured." in str(about(first, "why_not", state, context))
    unmeasured = answered.state("unmeasured")
    winner = unmeasured["recommendation"].winner
    assert "By published figures alone it is the recommendation" in str(about(winner, "why_not", unmeasured, context))


def test_what_a_gain_is_worth(state, context):
    decided = state["recommendation"]
    other = decided.runner_up if decided.best == decided.winner else decided.best
    answer = str(worth(state, context))
    assert decided.winner in answer
    assert other in answer
    pair = pair_of(decided.winner, other, state, context)
    assert str(difference(pair, decided.primary)) in answer
    assert str(_of_a_thousand(pair)) in answer
    assert " against " in answer
    assert worth(NOTHING, context) is None


def test_deployment_has_the_facts_of_the_recommended(state, context, answered):
    answer = str(deployment(state, context))
    row = row_of(state["recommendation"].winner, state["recommendation"])
    assert f"Recommended here: {row.spec}" in answer
    assert f"{storage(row.bytes_per_vector)} per document" in answer
    unmeasured = answered.state("unmeasured")
    model = unmeasured["recommendation"].winner
    answer = str(deployment(unmeasured, context))
    assert f"By the catalog, nothing measured: {model}" in answer
    assert f"{context.catalog.card(model).dimension} dimensions" in answer
    assert deployment(NOTHING, context) is None


def test_a_thousand_queries_are_told_for_the_better_one():
    compared = Comparison(
        spec="low",
        best="high",
        difference=Interval(mean=-0.1, low=-0.2, high=0.0),
        p_different=0.01,
        p_worse=0.9,
        wins=10,
        losses=30,
        draws=60,
        verdict="worse",
    )
    told = str(_of_a_thousand(Pair(compared, corrected=True, queries=100)))
    assert "high would rank about 300 better and 100 worse" in told


def compared_alike(**changes):
    return Comparison(
        spec="low",
        best="high",
        difference=Interval(mean=0.0, low=0.0, high=0.0),
        p_different=1.0,
        p_worse=0.5,
        wins=0,
        losses=0,
        draws=35,
        verdict="undecided",
    ).model_copy(update=changes)


def timed(spec, ms, rate=100.0, memory=500.0):
    return Row(
        spec=spec,
        standing="undecided",
        quality=Interval(mean=0.5, low=0.4, high=0.6),
        query_p95_ms=ms,
        documents_per_second=rate,
        peak_memory_mb=memory,
        bytes_per_vector=1536.0,
    )


def test_where_nothing_differs_that_is_said():
    pair = Pair(compared_alike(), corrected=True, queries=35)
    assert str(difference(pair, "nDCG@10")) == "low and high score the same in nDCG@10 on every one of 35 queries."
    assert "0 better" not in str(_of_a_thousand(pair))
    tiny = compared_alike(wins=1, losses=1, draws=33, difference=Interval(mean=-1e-5, low=-2e-4, high=1e-4))
    told = str(difference(Pair(tiny, corrected=True, queries=35), "nDCG@10"))
    assert told.startswith("low and high differ by less than 0.1 points of nDCG@10 (95 % interval 0.0 to 0.0)")
    same = compared_alike(verdict="tied", same_weights=True)
    assert "counts as a tie" in str(verdict(Pair(same, corrected=True, queries=35), 0.02))


def test_a_cost_within_the_noise_is_no_cost(state):
    winner, other = timed("low", 30.64), timed("high", 30.31)
    (told,) = _costs(winner, other)
    assert str(told).startswith("The two cost the same")
    pair = Pair(compared_alike(), corrected=True, queries=35)
    told = str(_conclusion(pair, winner, other, None, state["recommendation"]))
    assert "no cost to weigh" in told
    assert "not worth it" not in told
    assert "low is not worth it" in str(_conclusion(pair, winner, other, True, state["recommendation"]))
    slower = timed("low", 31.0, rate=50.0)
    (told,) = _costs(slower, other)
    assert "50 documents per second against 100 documents per second" in str(told)
    assert "p95" not in str(told), "within the noise of timing"


@pytest.mark.parametrize(
    ("high", "corrected", "told"), [(-0.011, True, True), (0.011, True, False), (-0.011, False, False)]
)
def test_an_interval_without_zero_that_decides_nothing_is_explained(high, corrected, told):
    compared = Comparison(
        spec="low",
        best="high",
        difference=Interval(mean=-0.07, low=-0.13, high=high),
        p_different=0.09,
        p_worse=0.9,
        wins=10,
        losses=30,
        draws=60,
        verdict="undecided",
        queries_needed=400,
    )
    found = str(verdict(Pair(compared, corrected=corrected, queries=100), 0.02))
    assert ("corrected for all candidates compared, and asks about your margin of 0.02" in found) is told


@pytest.mark.parametrize(
    ("place", "mean", "words"), [(1, "0.63", "held for another kind"), (46, "0.63", "as rounded"), (46, "0.62", "")]
)
def test_equal_rounded_predictions_are_explained(state, place, mean, words):
    reason = say(
        "number {place} of {total} that meet your demands: predicted {mean}, the last place has {last}",
        place=place,
        total=46,
        mean=mean,
        last="0.63",
    )
    rejection = Rejection(model="a/b", constraint="rank", reason=reason)
    found = " ".join(map(str, _equal_when_rounded(rejection, state["shortlist"])))
    assert (words in found) if words else not found
