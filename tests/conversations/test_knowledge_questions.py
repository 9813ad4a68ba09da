"""Questions about the field in the middle of a conversation: answered from the notes, changing nothing."""

import pytest


def said(talk, language="en"):
    return " ".join(event.text.render(language) for event in talk.events if event.kind == "said")


@pytest.mark.parametrize(
    ("text", "note"),
    [("what is Matryoshka?", "matryoshka"), ("ColBERT", "late-interaction"), ("how do I deploy it?", "deployment")],
)
def test_an_answer_changes_nothing_and_the_question_stays_open(talk, text, note):
    talk.say("English search")
    asked, requirements = talk.question, talk.state["requirements"]
    assert talk.say(text).kinds == ["said", "question"]
    assert f"“{note}”" in said(talk)
    assert talk.question == asked
    assert talk.state["requirements"] == requirements


def test_chinese(talk):
    talk.say("中文合同检索，商用")
    talk.say("混合检索怎么做？")
    assert "笔记“hybrid-rrf”" in said(talk, "zh")
    talk.say("红烧肉怎么做？")
    assert "我不知道" in said(talk, "zh")


def test_beside_the_decision(talk, data):
    talk.say(f"English search, just decide. The data is in {data}")
    talk.say("yes")
    decided = talk.state["recommendation"]
    assert talk.say("is the 2 % worth it?").kinds == ["said"]
    assert decided.primary in said(talk)
    talk.say("how do I deploy it?")
    assert decided.winner in said(talk)
    assert f"run {decided.run_id}" in said(talk)
    assert talk.say("why?").kinds == ["said"]
    assert "“" not in said(talk), "the reasons, not a note"
    assert talk.state["recommendation"] == decided


@pytest.mark.parametrize("text", ["thanks", "ok cool", "数据", "qwertz uiop"])
def test_small_talk_is_no_question(talk, text):
    talk.say("English search")
    talk.say(text)
    assert "note “" not in said(talk)
