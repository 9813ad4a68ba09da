"""Load in a conversation: who is put under load, when what is known is taken again, and what is answered."""

import datetime as dt
from contextlib import closing
from types import SimpleNamespace

import pytest
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from agent.answering.asked_here import asked_here
from agent.answering.load import on_load
from agent.answering.subjects import subject_of
from agent.loading import index_of, load_of, rate_of, with_load
from agent.state import ALLOWED, State
from knowledge.constraints import make_constraint
from knowledge.requirements import Requirements, Slot
from knowledge.results import Plan, PlannedCandidate
from knowledge.wording import say
from tests.tools.report_fixture import MINILM, make_report
from tests.tools.test_load_decision import decide, under_load
from tests.tools.test_recommend import BEST, NEAR, SCORES, evaluation
from tests.tools.test_report_indexes import swept
from tools.run_store import RunStore
from tools.workspace import Workspace


def state(load=None, **requirements):
    made = Requirements(**requirements)
    return State(requirements=made, load=load, evaluation=evaluation(SCORES))


LOADED = under_load({NEAR: 20.0, BEST: 60.0})


@pytest.mark.parametrize(
    ("slot", "rate"),
    [(None, None), (Slot(value=50.0), 50.0), (Slot(value=50.0, origin="assumed"), None), (Slot(value=0.0), None)],
)
def test_only_a_rate_that_somebody_named_counts(slot, rate):
    assert rate_of(Requirements(queries_per_second=slot)) == rate


def test_what_was_found_holds_for_other_rates_but_for_no_other_limit_and_no_other_data():
    assert load_of(state(LOADED, queries_per_second=50.0)) == LOADED
    other = load_of(state(LOADED, queries_per_second=70.0))
    assert (other.rate, other.tested_rate, other.of(BEST).machines(other.rate)) == (70.0, 50.0, 2)
    assert load_of(state(LOADED)) is None
    limit = make_constraint("latency", p95_ms=20)
    assert load_of(state(LOADED, queries_per_second=50.0, constraints=(limit,))) is None
    assert load_of(state(LOADED.model_copy(update={"data": "other"}), queries_per_second=50.0)) is None


def test_the_plan_has_the_minutes_where_there_is_a_rate():
    named = tuple(PlannedCandidate(spec=spec, why=say("x"), minutes=1.0) for spec in (NEAR, BEST))
    plan = Plan(candidates=named, documents=9, queries=9)
    assert with_load(plan, Requirements()).minutes == 2.0
    assert with_load(plan, Requirements(queries_per_second=50)).minutes == pytest.approx(3.0)


@pytest.mark.parametrize(
    "words",
    [
        "how many queries per second does it hold?",
        "will it hold 100 QPS?",
        "can it handle 50 requests a second?",
        "does it hold up under load?",
        "每秒能扛多少查询？",
        "能扛住100 QPS吗？",
    ],
)
def test_questions_about_load_are_known(words):
    assert subject_of(words) == "load"


@pytest.mark.parametrize("words", ["we have 100 qps", "what does it cost at 100 qps?", "what if we have 100 QPS?"])
def test_others_are_not(words):
    assert subject_of(words) != "load"


def test_the_answer_has_the_measured_figure_its_evidence_and_the_machines():
    advice = decide(LOADED)
    asked = state(LOADED, queries_per_second=50.0)
    told = on_load("will it hold 100 QPS?", (), advice, asked).render()
    cited = next(row for row in advice.rows if row.spec == BEST).cites["holds_qps"]
    assert f"holds 60 queries a second with {BEST}" in told
    assert cited in told
    assert "100 queries a second: not one machine, but 2 of them" in told
    assert f"{NEAR}: 20" in told
    enough = on_load("how many queries per second does it hold?", (), advice, asked).render()
    assert "50 queries a second: yes" in enough
    chinese = on_load("能扛住100 QPS吗？", (), advice, asked).render("zh")
    assert "2 台" in chinese
    assert "60" in chinese


def test_where_nothing_was_put_under_load_it_says_so_and_how_to_find_out():
    told = on_load("will it hold 100 QPS?", (), decide(LOADED), state()).render()
    assert "not known" in told
    assert "advisor load --target" in told


def test_before_anything_is_measured_it_says_so_and_not_what_a_note_says_of_something_else():
    question = SimpleNamespace(words="will it hold 50 queries per second?", models=())
    told = asked_here(question, {"requirements": Requirements()}, None)
    assert "Nothing was measured yet" in told.render()


def test_it_survives_a_checkpoint():
    serializer = JsonPlusSerializer(allowed_msgpack_modules=ALLOWED)
    assert serializer.loads_typed(serializer.dumps_typed(LOADED)) == LOADED
    assert isinstance(LOADED.started, dt.datetime)


def test_a_sweep_of_indexes_counts_for_the_winner_whose_vectors_it_searched_on_the_same_data(tmp_path):
    measured = make_report().evaluation
    context = SimpleNamespace(workspace=Workspace(home=tmp_path))
    assert index_of(MINILM, measured, context) is None
    with closing(RunStore(context.workspace.store)) as store:
        for number, (spec, data) in enumerate(
            (
                (MINILM, measured.dataset.hash),
                (f"{MINILM}?dim=128", measured.dataset.hash),
                (MINILM, "other data"),
                ("static:wordllama", measured.dataset.hash),
            )
        ):
            found = swept(run_id=f"index-{number}", spec=spec, data=data).index
            at = dt.datetime(2026, 11, 1 + number, tzinfo=dt.UTC)
            store.save_run(found.run_id, "index", found.model_dump(mode="json"), at)
    for spec, run in (
        (MINILM, "index-0"),
        (f"{MINILM}?index=hnsw&m=8", "index-0"),
        (f"rrf(bm25, {MINILM}?dim=128)", "index-1"),
        (f"{MINILM}?dim=64", None),
        (f"{MINILM}?chunk=50", None),
        ("bm25", None),
        (None, None),
    ):
        found = index_of(spec, measured, context)
        assert (found.run_id if found else None) == run, spec
    judged = measured.dataset.model_copy(update={"hash": "with judgments", "original": measured.dataset.hash})
    assert index_of(MINILM, measured.model_copy(update={"dataset": judged}), context).run_id == "index-0"
