"""“Try set-ups”: single changes to the winner, measured when the user asks for them."""

import json
from pathlib import Path

import pytest

from agent.answering.gains import asks_to_try
from tools.data_source import DataSource

#: one encoder, so that a static model wins
MINE = ["static:wordllama?dim=64", "static:wordllama"]


@pytest.fixture
def decided(talk, data):
    talk.say("English search, just decide", data=DataSource(path=str(data)), specs=MINE)
    talk.say("yes", specs=MINE)
    assert talk.state["recommendation"].winner
    return talk


@pytest.mark.parametrize(
    "text", ["try set-ups", "Try the setups, please", "ok, try some other set-ups", "试试各种设置"]
)
def test_words_that_ask_for_it(text):
    assert asks_to_try(text)


@pytest.mark.parametrize(
    "text", ["try bge-m3", "try it with my data", "set-ups", "what set-ups are there?", "试试 bge"]
)
def test_words_that_do_not(text):
    assert not asks_to_try(text)


def test_it_is_offered_measured_told_and_reported(decided):
    winner = decided.state["recommendation"].winner
    assert "Try set-ups" in [str(answer) for answer in decided.event("reported").answers]
    decided.say("would int8 be enough?", specs=MINE)
    assert "Try set-ups" in str(decided.event("said").text)
    decided.say("is half the dimension enough?", specs=MINE)
    assert "Measured: static:wordllama?dim=64 reaches " in str(decided.event("said").text), "that was measured"
    assert decided.state.get("gains") is None, "a question measures nothing"
    decided.say("try set-ups", specs=MINE)
    found = decided.state["gains"]
    assert found.base == winner
    assert {"storage", "fusion"} <= {change.kind for change in found.changes}
    assert decided.state["status"] == "done"
    report = json.loads(Path(decided.event("reported").json_file).read_text("utf-8"))
    assert report["gains"]["base"] == winner
    assert "Try set-ups" not in [str(answer) for answer in decided.event("reported").answers], "it is done"
    assert "Cheapest next gain" in Path(decided.event("reported").markdown).read_text("utf-8")
    decided.say("would int8 be enough?", specs=MINE)
    told = str(decided.event("said").text)
    assert "stored in int8" in told
    assert "binary" not in told
    decided.say("what would improve it most?", specs=MINE)
    assert str(len(found.changes)) in str(decided.event("said").text) or (
        found.buys_most and found.buys_most in str(decided.event("said").text)
    )
    decided.say("the margin is 5 points", specs=MINE)  # decided anew
    assert decided.state.get("gains") is None


def test_before_there_is_anything_to_change_it_says_so(talk):
    talk.say("try set-ups")
    assert "no recommendation yet" in str(talk.event("said").text)
