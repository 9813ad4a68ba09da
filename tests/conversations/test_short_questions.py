"""Short questions that open a conversation are answered at once where the door would have it so."""

from __future__ import annotations

import pytest

LEGAL = "which model for Chinese legal search on CPU?"


def ask(advisor, thread, text, **more):
    return list(advisor.answer(thread, advisor.put(thread, text, briefly=True, **more)))


def kinds(told):
    return [event.kind for event in told]


@pytest.mark.parametrize("text", [LEGAL, "哪个模型适合中文法律检索，只有CPU？"])
def test_a_short_question_for_a_model_gets_one(advisor, text):
    thread = f"model-{len(text)}"
    told = ask(advisor, thread, text)
    assert kinds(told)[-2:] == ["recommended", "reported"]
    assert "question" not in kinds(told)
    found = advisor.state(thread)["recommendation"]
    assert found.winner
    assert not found.measured
    assert all(evidence.source for evidence in found.evidence)
    requirements = advisor.state(thread)["requirements"]
    assert requirements.domain.value == "legal"
    assert requirements.gpu.value is False
    assert requirements.constraint(type(requirements.constraints[0])).languages == ("zh",)


def test_a_short_question_of_knowledge_is_answered_and_no_more(advisor):
    assert kinds(ask(advisor, "term", "what is nDCG?")) == ["heard", "said"]
    assert kinds(ask(advisor, "term", "and what is MRR?")) == ["heard", "said"]
    assert "recommended" in kinds(ask(advisor, "term", LEGAL))


@pytest.mark.parametrize(
    "text",
    [
        "We build semantic search over English API documentation, no GPU",
        "We have 200,000 English support tickets. What is nDCG?",
        "which embedding model?",
    ],
)
def test_a_description_begins_the_interview(advisor, text):
    assert ask(advisor, f"long-{len(text)}", text)[-1].kind == "question"


@pytest.mark.parametrize("words", ["Measure on my data", "用我的数据测量"])
def test_measuring_after_a_short_answer_begins_the_interview(advisor, words):
    thread = f"measure-{len(words)}"
    ask(advisor, thread, LEGAL)
    told = ask(advisor, thread, words)
    assert told[-1].kind == "question"
    assert told[-1].about != "data"
    assert advisor.state(thread).get("recommendation") is None
    assert advisor.state(thread)["requirements"].domain.value == "legal"
    # once it has begun, a short question is one of many
    told = ask(advisor, thread, "what is nDCG?")
    assert kinds(told) == ["heard", "said", "question"]


def test_without_being_asked_for_it_the_interview_begins_as_ever(advisor):
    assert list(advisor.reply("plain", LEGAL))[-1].kind == "question"


def test_a_message_that_comes_again_is_the_same_message(advisor):
    first = advisor.put("again", "what is nDCG?", key="Ev1")
    assert advisor.put("again", "what is nDCG?", key="Ev1") == first
    told = list(advisor.answer("again", first))
    assert advisor.put("again", "what is nDCG?", key="Ev1") == first
    assert kinds(advisor.answer("again", first)) == kinds(told)
    assert len(advisor.turns("again")) == 1
