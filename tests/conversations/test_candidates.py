"""Candidates named in a conversation: these and no others, these too, and those that the plan chooses again."""

import pytest

from agent.candidates import read_candidates
from tools.data_source import DataSource

POTION = "static:wordllama?dim=64"


def planned(talk):
    return [candidate.spec for candidate in talk.event("planned").plan.candidates]


@pytest.fixture
def ready(talk, data):
    """At the plan, its candidates chosen by the plan."""
    talk.say("English search, just decide", data=DataSource(path=str(data)), specs=None)
    assert talk.question == "plan"
    return talk


def tell(talk, text):
    return talk.say(text, specs=None)


@pytest.mark.parametrize(
    "text",
    [
        "candidates bm25 and static:wordllama?dim=64 only",
        "just compare bm25 with static:wordllama?dim=64",
        "只比较 bm25 和 static:wordllama?dim=64",
        "只测 bm25、static:wordllama?dim=64。",
    ],
)
def test_these_and_no_others(ready, text):
    mine = planned(ready)
    assert tell(ready, text).question == "plan"
    assert planned(ready) == ["bm25", POTION]
    assert "said" in ready.kinds
    assert tell(ready, "measure static:wordllama too").question == "plan"
    assert planned(ready) == ["bm25", POTION, "static:wordllama"]
    tell(ready, "还是全部都测" if "只" in text else "all of them again")
    assert planned(ready) == mine, "it can be taken back"


def test_these_too(ready):
    mine = planned(ready)
    tell(ready, "measure static:wordllama?dim=96 too")
    assert planned(ready) == [*mine, "static:wordllama?dim=96"]
    tell(ready, "也测一下 rrf(bm25, static:wordllama?dim=64)")
    assert planned(ready) == [*mine, "static:wordllama?dim=96", "rrf(bm25, static:wordllama?dim=64)"]
    tell(ready, "恢复全部")
    assert planned(ready) == mine


def test_a_demand_in_the_same_message_counts(talk, data):
    tell(talk, "English search, commercial; only measure bm25 and static:wordllama?dim=64")
    assert talk.state["specs"] == ["bm25", POTION]
    assert talk.state["requirements"].languages == ("en",)
    assert talk.question not in (None, "plan"), "the interview goes on"
    asked = talk.question
    assert tell(talk, "just compare bm25 with static:wordllama").question == asked, "the open question stays open"
    assert "requirements" not in talk.kinds
    talk.say("just decide", data=DataSource(path=str(data)), specs=None)
    assert planned(talk) == ["bm25", "static:wordllama"]


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("foo:bar", "SpecError"),
        ("static:wordllama?speed=9", "SpecError"),
        ("no-such/model-v9", "UnknownModelError"),
        ("google/gemini-embedding-2-preview", "SpecError"),
        ("st:nobody/has-this-model", "HubUnreachableError"),
    ],
    ids=range(5),
)
def test_what_cannot_be_measured_is_said_and_changes_nothing(ready, name, error):
    before = ready.state["plan"]
    tell(ready, f"just compare bm25 with {name}")
    assert ready.event("failed").error == error
    assert ready.event("failed").next_step.render()
    assert ready.question == "plan"
    assert ready.state["plan"] == before
    assert not ready.state.get("specs")


def test_after_a_decision_only_what_is_new_is_measured(ready):
    tell(ready, "just compare bm25 with static:wordllama?dim=64")
    tell(ready, "yes")
    assert ready.state["recommendation"].measured
    assert tell(ready, "also measure static:wordllama").question == "plan"
    assert "shortlisted" not in {event.kind for event in ready.events}, (
        "no demand changed: the list is not read out again"
    )
    tell(ready, "yes")
    rows = {row.spec for row in ready.state["recommendation"].rows}
    assert rows == {"bm25", POTION, "static:wordllama"}


def test_without_data_a_decision_stays_and_data_is_asked_for(talk, data):
    tell(talk, "English search, just decide")
    before = talk.state["recommendation"]
    assert tell(talk, "just compare bm25 with static:wordllama?dim=64").question == "data"
    assert talk.state["recommendation"] == before
    assert tell(talk, str(data)).question == "plan"
    assert planned(talk) == ["bm25", POTION]


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        (
            "German contracts, no GPU, only measure bm25 and bge-m3, nothing leaves",
            "German contracts, no GPU; nothing leaves",
        ),
        ("中文客服，没有 GPU，只比较 bm25 和 bge-m3", "中文客服，没有 GPU"),
        ("search. just compare bm25, and bge-m3. in English", "search; in English"),
        ("candidates bm25 and bge-m3 only", ""),
    ],
)
def test_what_else_a_message_says_is_kept(text, rest):
    named = read_candidates(text, narrowed=False)
    assert (named.how, named.names, named.rest) == ("only", ("bm25", "bge-m3"), rest)


def test_demands_beside_the_candidates_are_heard(talk):
    talk.say("semantic search in German contracts, no GPU, just compare bm25 with static:wordllama?dim=64", specs=None)
    requirements = talk.state["requirements"]
    assert talk.state["specs"] == ["bm25", "static:wordllama?dim=64"]
    assert requirements.languages == ("de",)
    assert requirements.gpu is not None
    assert not requirements.gpu.value


@pytest.mark.parametrize(
    "text",
    [
        "compare bm25 and bge-m3",
        "we only use bm25 today",
        "why did you only compare bm25?",
        "为什么只比较 bm25？",
        "我们只用 bm25",
        "比较 bm25 和 bge-m3 的中文表现",
        "we evaluated only bm25 so far",
        "I just want to test search over documents",
        "should I only consider bm25?",
        "it must only handle German",
        "all of them again",
    ],
)
def test_other_words_name_no_candidates(text):
    assert read_candidates(text, narrowed=False) is None
