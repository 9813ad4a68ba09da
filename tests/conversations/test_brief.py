"""Answers are short, the answer itself first; who asks for more gets the rest."""

import pytest

from agent.answering.brief import MOST, lines_of, sentences_of, shortened
from agent.answering.decided_again import alike
from knowledge.wording import Text, join, say

LINES = Text(template="\n")


def said(talk, text):
    talk.say(text, specs=None)
    return [event.text.render(talk.state["language"]) for event in talk.events if event.kind == "said"]


@pytest.mark.parametrize(
    ("why", "more", "hint"), [("why?", "more", "Say “more”"), ("为什么？", "更多", "请说“更多”")], ids=["en", "zh"]
)
def test_what_is_left_out_is_told_to_who_asks_for_more(talk, why, more, hint):
    talk.say("English search, just decide" if more == "more" else "英文搜索，直接决定", specs=None)
    recommendation, language = talk.state["recommendation"], talk.state["language"]
    (answer,) = said(talk, why)
    lines = answer.splitlines()
    assert lines[0] == recommendation.headline.render(language), "the answer itself comes first"
    assert len(lines) <= MOST + 1
    assert hint in lines[-1]
    (rest,) = said(talk, more)
    everything = [*recommendation.reasons, *sentences_of(recommendation.confidence)]
    assert sorted([*lines[1:-1], *rest.splitlines()]) == sorted(line.render(language) for line in everything)
    assert talk.kinds == ["said"]
    (again,) = said(talk, more)
    assert again == say("There is no more to what I said last.").render(language)


@pytest.mark.parametrize("more", ["more", "Details", "tell me more", "the rest please", "更多", "详细一点", "展开说说"])
def test_there_is_no_more_before_anything_was_said(talk, more):
    talk.say("English search")
    asked = talk.question
    talk.say(more)
    assert talk.kinds == ["said", "question"]
    assert talk.question == asked


def test_what_was_changed_meanwhile_has_no_rest(talk):
    talk.say("English search, just decide")
    assert "Say “more”" in said(talk, "why?")[0]
    assert talk.state["more"]
    talk.say("it must be German too")
    assert talk.state["more"] is None


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("what if 20 ms were enough?", "Supposing: p95 of a query at most 20 ms"),
        ("如果必须是 Apache 许可证呢？", "假设：许可证为以下之一：apache-2.0。按公开数据，排在首位的"),
        ("compare bge-m3 and multilingual-e5-small for Chinese", "By published scores BAAI/bge-m3 is the better one"),
        ("how sure are you?", "Not sure: nothing was measured here"),
        ("is the 2 % worth it?", "I do not know what it is worth on your data"),
        ("这 2% 值得吗？", "在你的数据上值不值，我不知道"),
    ],
    ids=range(6),
)
def test_the_verdict_comes_first(talk, text, verdict):
    talk.say("English search, just decide")
    (answer,) = said(talk, text)
    assert answer.startswith(verdict)
    assert len(answer.splitlines()) <= MOST + 1


@pytest.mark.parametrize(
    ("text", "question"), [("redo it with my new data", "data"), ("用我的新数据重做一遍", "data")], ids=["en", "zh"]
)
def test_new_data_that_is_spoken_of_is_asked_for_before_a_decision_too(talk, text, question):
    talk.say("English search")
    for _ in range(2):
        assert talk.say(text).question == question
        assert talk.kinds == ["question"], "nothing of it is called not understood"


def test_lines_and_sentences_come_apart_as_they_were_joined():
    a, b, c = say("yes"), say("no"), Text.model_validate("{0} a\nb")
    assert lines_of(join([a, join([b, c], LINES)], LINES)) == [a, b, c]
    assert sentences_of(join([a, join([b, c])])) == [a, b, c]
    assert lines_of(c) == [c]
    assert lines_of(join([a])) == [a]
    assert shortened(join([a] * (MOST + 1), LINES))[1] is None, "a line is not left out to save a line"
    short, rest = shortened(join([*[a] * MOST, b, c], LINES))
    assert str(rest) == f"{b}\n{c}"
    assert str(short).splitlines() == ["yes"] * MOST + ["Say “more” for the rest."]


def test_those_that_go_for_the_same_kind_of_reason_are_told_of_together():
    reasons = {
        "a": say("its licence {name} is unknown", name="X"),
        "b": say("yes"),
        "c": say("its licence {name} is unknown", name="Y"),
    }
    assert [(names, str(reason)) for names, reason in alike(reasons)] == [
        (["a", "c"], "its licence X is unknown"),
        (["b"], "yes"),
    ]
