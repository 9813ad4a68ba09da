"""What was measured before is neither estimated nor asked about again."""

import pytest

from tests.animals import write_dataset
from tools.data_source import DataSource


@pytest.fixture
def decided(talk, data):
    talk.say("English search, just decide", data=DataSource(path=str(data)))
    assert talk.question == "plan"
    return talk.say("yes")


def test_a_changed_limit_is_decided_at_once_where_all_is_measured(decided):
    first = decided.state["recommendation"]
    decided.say("every query within 5 seconds")
    assert decided.question is None
    assert "planned" not in decided.kinds
    assert "All of that was measured before" in str(decided.event("said").text)
    again = decided.state["recommendation"]
    assert again.run_id != first.run_id
    assert {row.spec for row in again.rows} == {row.spec for row in first.rows}
    assert decided.state["plan"].minutes == 0


def test_what_is_new_is_asked_for_and_only_that_takes_its_time(decided):
    decided.say("every query within 5 seconds", specs=["bm25", "static:wordllama", "static:wordllama?dim=32"])
    assert decided.question == "plan"
    minutes = {c.spec: c.minutes for c in decided.event("planned").plan.candidates}
    assert minutes["static:wordllama?dim=32"] > 0
    assert minutes["static:wordllama"] < 1


def test_other_data_is_asked_for_again(decided, tmp_path):
    other = write_dataset(tmp_path / "others")
    corpus = other / "corpus.jsonl"
    corpus.write_text(corpus.read_text("utf-8").replace("it feeds at dawn", "it hunts at dusk"), "utf-8")
    decided.say("", data=DataSource(path=str(other)))
    assert decided.question == "plan"
