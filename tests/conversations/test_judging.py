"""Pairs judged in a conversation: offered where the labels leave it open, asked one by one, and decided anew."""

import json
from pathlib import Path

import pytest

from agent.advisor import Advisor
from agent.interview import picked
from agent.judging import is_pair, read_reply
from agent.settings import Settings
from tests.conversations.conftest import Talk
from tools.data_source import DataSource
from tools.label_store import LabelStore

SPECS = ["bm25", "bm25?b=0", "bm25?k1=0"]


@pytest.fixture(scope="module")
def few(tmp_path_factory) -> Path:
    """Ten queries with one right answer each, and more passages that would do as well: too few to tell."""
    folder = tmp_path_factory.mktemp("few") / "data"
    folder.mkdir()
    documents = [
        {"_id": f"d{i}-{j}", "text": f"Topic{i} part{j} " + " ".join(f"word{(i * j + k) % 9}" for k in range(j + 2))}
        for i in range(10)
        for j in range(6)
    ]
    queries = [{"_id": f"q{i}", "text": f"topic{i} word{i} word{i + 2} <script>alert({i})</script>"} for i in range(10)]
    (folder / "corpus.jsonl").write_text("\n".join(map(json.dumps, documents)), "utf-8")
    (folder / "queries.jsonl").write_text("\n".join(map(json.dumps, queries)), "utf-8")
    rows = "".join(f"q{i}\td{i}-{i % 6}\t1\n" for i in range(10))
    (folder / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\n" + rows, "utf-8")
    return folder


def decided(talk: Talk, few: Path, words: str = "English search, just decide") -> Talk:
    talk.say(words, data=DataSource(path=str(few)), specs=SPECS)
    if talk.question == "plan":
        talk.say("yes", specs=SPECS)
    return talk


def labels(home: Path, talk: Talk):
    store = LabelStore(home / "runs.sqlite")
    try:
        return store.given(talk.state["data"].read().summary.hash)  # what was judged before makes another of it
    finally:
        store.close()


def test_an_open_decision_is_offered_pairs_and_decided_anew_with_the_answers(talk, few, home):
    decided(talk, few)
    first = talk.state["recommendation"]
    assert first.undecided
    offered = talk.event("reported")
    assert "a few passages to judge" in str(offered.offer)
    assert [str(answer) for answer in offered.answers] == ["Judge a few pairs"], "word matching has no set-ups to try"
    assert any("advisor judge" in str(step) for step in first.next_steps)
    talk.say("Judge a few pairs", specs=SPECS)
    assert is_pair(talk.question)
    asked = talk.event("question")
    assert "Query: topic" in str(asked.text)
    assert [str(answer) for answer in asked.answers] == ["Yes, it answers it", "No", "Not sure", "Stop judging"]
    talk.say("not sure", specs=SPECS).say("yes", specs=SPECS).say("2", specs=SPECS)
    assert is_pair(talk.question)
    assert [label.grade for label in labels(home, talk)] == [None, 1, 0]
    talk.say("what is nDCG?", specs=SPECS)  # a question between does not end it
    assert talk.event("said")
    assert is_pair(talk.state["asked"].about)
    talk.say("qwertz", specs=SPECS)
    assert is_pair(talk.state["asked"].about)
    assert len(labels(home, talk)) == 3
    talk.say("stop", specs=SPECS)
    assert talk.kinds[:2] == ["said", "said"]
    assert "would be taken" in str(talk.events[1].text)
    again = talk.state["recommendation"]
    assert again.run_id != first.run_id
    assert talk.kinds[-1] == "reported"
    assert talk.state["evaluation"].dataset.given == 2
    assert is_pair(talk.say("judge some more", specs=SPECS).question)
    assert talk.say("stop", specs=SPECS).kinds == ["said"]  # nothing new was judged
    assert talk.state["recommendation"] == again


@pytest.mark.parametrize("words", ["yes", "ok", "好"])
def test_a_yes_to_the_offer_is_taken(advisor, few, words):
    talk = decided(Talk(advisor, f"offer-{words}"), few)
    assert talk.event("reported").offer
    assert is_pair(talk.say(words, specs=SPECS).question)


def test_a_yes_to_nothing_is_answered(advisor, few):
    talk = decided(Talk(advisor, "offer-later"), few)
    talk.say("what is nDCG?", specs=SPECS)
    for words in ("yes", "no"):  # another thing was said since the offer
        talk.say(words, specs=SPECS)
        assert talk.kinds == ["said"], "silence looks like a hang"
        assert "Nothing waits" in str(talk.event("said").text)


def test_in_chinese(advisor, few):
    talk = decided(Talk(advisor, "zh-judging"), few, "英文检索，直接推荐")
    (answer,) = talk.event("reported").answers
    assert answer.render("zh") == "判断几对"
    talk.say("判断几对", specs=SPECS)
    assert is_pair(talk.question)
    assert "这段文字回答了这个查询吗" in talk.event("question").text.render("zh")
    assert picked("不确定", talk.state["asked"]).parameters["grade"] is None
    open_pair = talk.say("不确定", specs=SPECS).question
    assert is_pair(open_pair)
    assert "已判断" in talk.events[1].text.render("zh")
    for words in ("判断几对", "judge a few"):  # a pair is open: it is put again, and nothing is taken for an answer
        assert talk.say(words, specs=SPECS).question == open_pair
        assert talk.kinds == ["question"]


def test_another_process_goes_on_where_one_was_killed(few, home, advisor):
    talk = decided(Talk(advisor, "resumed"), few)
    talk.say("let me judge some passages", specs=SPECS).say("no", specs=SPECS)
    waiting = talk.event("question").text
    known = len(labels(home, talk))
    with Advisor(Settings(home=home, offline=True)) as other:
        assert other.state("resumed")["asked"].words == waiting
        events = list(other.reply("resumed", "yes"))
        assert is_pair(events[-1].about)
        assert events[-1].text != waiting
    assert len(labels(home, talk)) == known + 1


def test_before_anything_is_measured_it_says_nothing_of_pairs(talk):
    talk.say("English search, and I want to judge some passages")
    talk.say("judge a few pairs")
    assert not any(map(is_pair, talk.asked))


def test_new_data_ends_it(advisor, few, data):
    talk = decided(Talk(advisor, "ended"), few)
    assert is_pair(talk.say("judge a few pairs", specs=SPECS).question)
    talk.say("", data=DataSource(path=str(data)), specs=SPECS)
    assert talk.question == "plan"


@pytest.mark.parametrize(
    ("words", "reply"),
    [
        ("Yes.", "yes"),
        ("y", "yes"),
        ("是的", "yes"),
        ("相关", "yes"),
        ("No!", "no"),
        ("it doesn’t", "no"),
        ("不是", "no"),
        ("不相关。", "no"),
        ("I don't know", "unsure"),
        ("不确定", "unsure"),
        ("?", "unsure"),
        ("skip", "skip"),
        ("that's enough", "stop"),
        ("停止判断", "stop"),
        ("back", "back"),
        ("2", 2),
        ("no, rather on a GPU", None),
        ("why?", None),
        ("", None),
    ],
)
def test_answers_are_read_by_rules_in_both_languages(words, reply):
    assert read_reply(words) == reply
