"""Where measuring everything would take long, the conversation leaves losers out on the way, and says so."""

import json

import pytest

from agent.nodes import work
from knowledge.constraints.memory import MemoryConstraint
from tests.animals import CANDIDATES
from tests.tiny_models import make_st


@pytest.fixture
def long(monkeypatch):
    monkeypatch.setattr(work, "SCREENING_MINUTES", 0.0)


def test_losers_are_left_out_and_the_report_says_on_what_evidence(long, talk, data, tmp_path):
    random = f"st:{make_st(tmp_path / 'random')}"  # weights by chance: it can only lose
    specs = [*CANDIDATES, random]
    talk.say(f"Semantic search over English animal facts, on our own machines. My data: {data}", specs=specs)
    talk.say("just decide", specs=specs)
    assert talk.question == "plan"
    talk.say("yes", specs=specs)
    state = talk.state
    assert state["status"] == "done"
    screening = state["screening"]
    assert screening.end == "settled"
    gone = {e.spec for e in screening.eliminated}
    measured = {c.spec for c in state["evaluation"].candidates}
    assert random in gone
    assert not gone & measured
    assert gone | measured == {c.spec for c in state["plan"].candidates}
    advice = state["recommendation"]
    assert advice.winner in measured
    unmeasured = " ".join(text.render() for text in advice.not_measured)
    assert all(spec in unmeasured for spec in gone)
    assert "Only" not in advice.headline.render().split()[0], "it was compared, with those that went"
    reported = talk.event("reported")
    with open(reported.json_file, encoding="utf-8") as file:
        assert {e["spec"] for e in json.load(file)["screening"]["eliminated"]} == gone
    with open(reported.markdown, encoding="utf-8") as file:
        assert "Left out in the rounds" in file.read()


def test_where_a_limit_has_to_be_timed_everybody_is_measured(long, talk, data):
    talk.say(f"Semantic search over English animal facts, at most 2 GB of memory. My data: {data}").say("just decide")
    talk.say("yes")
    state = talk.state
    assert state["requirements"].constraint(MemoryConstraint)
    assert state["screening"] is None
    assert {c.spec for c in state["evaluation"].candidates} == {c.spec for c in state["plan"].candidates}


def test_where_a_model_was_named_that_breaks_a_demand_everybody_is_measured(long, talk, data):
    talk.say(f"Semantic search over English animal facts, for commercial use. My data: {data}").say("just decide")
    talk.say("yes")
    state = talk.state
    assert "wordllama" in {r.model for r in state["shortlist"].rejected if r.constraint == "license"}
    assert state["screening"] is None, "it might send home whom it should not"
