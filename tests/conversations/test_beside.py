"""Requirements changed beside the chat: what a message is about is said by the door, whatever question is open."""

import pytest

from knowledge.constraints.dimension import DimensionConstraint
from knowledge.constraints.languages import LanguagesConstraint
from knowledge.constraints.latency import LatencyConstraint
from knowledge.errors import UserError


def test_a_bare_value_changes_what_it_is_about_and_the_question_stays_open(talk):
    asked = talk.say("semantic search in our handbook").question
    assert asked not in (None, "dimension")
    talk.say("512", about="dimension")
    assert talk.state["requirements"].constraint(DimensionConstraint).max_dimension == 512
    assert talk.question == asked
    assert talk.event("heard").about == "dimension"
    assert talk.state["asked"].about == asked


def test_the_open_question_itself_can_be_answered_beside_the_chat(talk):
    talk.say("rag over manuals, commercial, self-hosted")
    talk.answer_until("languages")
    talk.say("German, French", about="languages")
    assert talk.state["requirements"].constraint(LanguagesConstraint).languages == ("de", "fr")
    assert talk.question != "languages"


def test_a_demand_is_taken_back(talk):
    talk.say("semantic search in German contracts within 20 ms")
    assert talk.state["requirements"].constraint(LatencyConstraint)
    talk.say("does not matter", about="latency")
    assert talk.state["requirements"].constraint(LatencyConstraint) is None
    assert "latency" in talk.state["settled"]


def test_what_cannot_be_read_changes_nothing_and_is_said(talk):
    talk.say("semantic search in German contracts")
    before = talk.state["requirements"]
    talk.say("qwrtz", about="latency")
    assert talk.state["requirements"] == before
    assert "I could not read that as an answer." in [
        event.text.render("en") for event in talk.events if event.kind == "said"
    ]


def test_an_edit_beside_the_chat_can_be_taken_back_like_any_message(talk):
    talk.say("semantic search in German contracts")
    talk.say("30", about="latency")
    turns = talk.advisor.turns(talk.thread)
    assert turns[-1].about == "latency"
    list(talk.advisor.edit(talk.thread, len(turns), "60"))
    assert talk.state["requirements"].constraint(LatencyConstraint).p95_ms == 60


def test_there_must_be_such_a_requirement(talk):
    with pytest.raises(UserError, match="no requirement called colour"):
        talk.say("red", about="colour")
