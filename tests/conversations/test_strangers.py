"""Those who come in from other machines hand their data over: the paths that they name are not looked at."""

import pytest

from agent.advisor import Advisor
from agent.settings import Settings
from tests.conversations.conftest import Talk
from tools.data_source import DataSource


@pytest.fixture
def stranger(tmp_path):
    with Advisor(Settings(home=tmp_path, offline=True), reads_paths=False) as advisor:
        yield Talk(advisor, "stranger")


@pytest.mark.parametrize("known", [True, False])
def test_a_path_is_not_read_and_nobody_learns_whether_it_is_there(stranger, data, known):
    stranger.say("semantic search in English", specs=None)
    stranger.answer_until("data")
    stranger.say(str(data) if known else "/no/such/folder", specs=None)
    assert stranger.state.get("data") is None
    assert stranger.state.get("profile") is None
    assert "profiled" not in stranger.kinds
    said = " ".join(event.text.render("en") for event in stranger.events if event.kind == "said")
    assert "I read no files of this machine for you" in said


def test_what_is_handed_over_and_the_sample_are_read(stranger, data):
    stranger.say("semantic search in English", data=DataSource(path=str(data), untrusted=True))
    assert stranger.state["profile"].dataset.documents
