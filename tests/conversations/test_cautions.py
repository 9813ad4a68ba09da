"""What surprises later is said when it matters: how memory is counted, and what warns of the recommendation."""

import pytest

from knowledge.constraints.memory import RUNTIME_MB, MemoryConstraint
from tools.data_source import DataSource


def test_a_tight_limit_on_memory_says_what_counts(talk, data):
    talk.say("English search, at most 120 MB of memory")
    noted = talk.event("noted")
    assert any("the peak of the whole process" in change.render() for change in noted.changes)
    assert any("整个进程的峰值" in change.render("zh") for change in noted.changes)
    talk.say("just decide", data=DataSource(path=str(data)), specs=["bm25", "static:wordllama?dim=64"])
    notes = " ".join(note.render() for note in talk.event("shortlisted").shortlist.notes)
    assert f"PyTorch with its libraries takes some {RUNTIME_MB} MB" in notes
    assert "only word matching and static models" in notes
    talk.say("yes")
    rows = {row.spec: row for row in talk.state["recommendation"].rows}
    out = rows["static:wordllama?dim=64"]
    assert out.peak_memory_mb > 120
    assert "for the whole process, libraries included; you allow 120" in out.excluded_by.render()
    assert talk.state["recommendation"].winner == "bm25"


@pytest.mark.parametrize(
    ("more", "cautioned"),
    [({}, True), ({"weights_only": True}, False), ({"max_mb": 4096}, False), ({"max_mb": 900}, True)],
)
def test_where_the_libraries_do_not_decide_nothing_is_said_of_them(more, cautioned):
    found = MemoryConstraint(**{"max_mb": 100, **more}).caution()
    assert (found is not None) is cautioned
    assert found is None or ("only word matching" in str(found)) is (more == {})


@pytest.mark.parametrize(("text", "finding"), [("why?", "not to 96"), ("为什么？", "而不是 96")], ids=["en", "zh"])
def test_a_winner_cut_to_a_size_it_was_not_made_for_says_so(talk, data, text, finding):
    talk.say("English search, just decide", data=DataSource(path=str(data)), specs=["static:wordllama?dim=96"])
    talk.say("yes")
    assert talk.state["recommendation"].winner == "static:wordllama?dim=96"
    talk.say(text)
    language = talk.state["language"]
    assert finding in talk.event("said").text.render(language)
    talk.say("also measure static:wordllama?dim=64", specs=["static:wordllama?dim=64"]).say("yes")
    talk.say("why?")
    assert "not to" not in talk.event("said").text.render()


@pytest.mark.parametrize(
    ("opening", "question", "reason"),
    [
        ("English search, commercial, just decide", "why not wordllama?", "its weights derive from LLaMA-2 70B"),
        ("英文搜索，商用，直接决定", "为什么不用 wordllama？", "其权重源自 LLaMA-2 70B"),
        ("Thai search, at most 1 MB of memory, just decide", "why not wordllama?", "its weights take 31 MB"),
    ],
    ids=range(3),
)
def test_why_not_gives_the_reason_of_the_models_own_card(talk, opening, question, reason):
    talk.say(opening)
    talk.say(question)
    assert reason in talk.event("said").text.render(talk.state["language"])
    assert talk.kinds == ["said"], "and nothing that failed is tried again"


def test_no_machine_has_so_little_memory(talk):
    talk.say("English search, no GPU, 100 MB of memory")
    found = talk.state["requirements"].constraint(MemoryConstraint)
    assert found.max_mb == 100
    assert not [c for c in talk.state["requirements"].constraints if c.kind == "hardware"]
