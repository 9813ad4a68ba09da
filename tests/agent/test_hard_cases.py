"""Hard cases in a conversation: who is asked, what is answered from the records, what a weight is read from."""

import pytest

from agent.answering.hard_cases import on_mistakes, on_truth
from agent.answering.subjects import subject_of
from agent.probing import with_rerankers
from agent.state import ALLOWED, State, cleared
from agent.understanding.rules import RuleUnderstanding
from knowledge.requirements import Requirements
from tests.tools.test_weights import BEST, FAR, NEAR, decide, probes, robustness

STATE = State(probes=probes({BEST: 0.55, NEAR: 0.9}), robustness=robustness({BEST: -0.2, NEAR: -0.01}))


@pytest.mark.parametrize(
    ("text", "about", "weight"),
    [
        ("semantic search for our shop; users make lots of typos", "robustness", 0.3),
        ("negation matters for us: it is a medical search", "correctness", 0.3),
        ("用户常打错字，做商品搜索", "robustness", 0.3),
        ("我们的医疗搜索里否定很重要", "correctness", 0.3),
        ("what about typos?", "robustness", None),
        ("does it understand negation?", "correctness", None),
        ("能分清否定吗", "correctness", None),
        ("sorry for the typos, search in German", "robustness", None),
        ("semantic search for our shop", "robustness", None),
    ],
)
def test_what_matters_is_read_and_a_question_is_no_demand(text, about, weight):
    found = RuleUnderstanding().understand(text, Requirements(), None).requirements
    slot = getattr(found, about)
    assert (slot.value if slot else None) == weight
    if slot:
        assert slot.origin == "inferred"
        assert "0.3" in slot.because


@pytest.mark.parametrize(
    ("question", "subject"),
    [
        ("does it understand negation?", "truth"),
        ("can it tell true from false?", "truth"),
        ("能分清否定吗", "truth"),
        ("what about typos?", "mistakes"),
        ("错别字怎么办？", "mistakes"),
        ("is it robust against misspelled queries?", "mistakes"),
        ("what is a hard negative?", None),
        ("how do I get ground truth?", None),
        ("which models support traditional Chinese?", None),
    ],
)
def test_questions_about_hard_cases_are_told_from_others(question, subject):
    assert subject_of(question) == subject


def test_answers_come_from_the_records():
    advice = decide()
    truth = str(on_truth(advice, STATE))
    assert "finds the topic, not the truth" in truth
    assert "unit 55%" in truth
    assert f"{NEAR}, share of probes right: unit 90%" in truth
    mistakes = str(on_mistakes(advice, STATE))
    assert "typing mistakes -20.0 (-21.0 to -19.0)" in mistakes
    assert f"{NEAR}, points of nDCG@10: typing mistakes -1.0; -1.0 on average." in mistakes
    assert "did not try" in str(on_truth(advice, State()))
    assert "did not try" in str(on_mistakes(advice, State()))
    assert "too few altered facts" in str(on_truth(advice, State(robustness=STATE["robustness"]))), "it was tried"
    assert "Too few of your queries" in str(on_mistakes(advice, State(probes=STATE["probes"])))
    assert "真假" in on_truth(advice, STATE).render("zh")
    assert "打字错误" in on_mistakes(advice, STATE).render("zh")


def test_rerankers_of_who_is_asked_are_asked_too():
    reranked, other = f"rerank({BEST}, ce:a/b)?top=20", f"rerank({FAR}, ce:a/b)"
    assert with_rerankers((BEST, NEAR), (BEST, NEAR, FAR, other, reranked)) == (BEST, NEAR, reranked)


def test_they_are_kept_with_the_conversation_and_go_with_what_they_depend_on():
    names = {name for _, name in ALLOWED}
    assert {"Probes", "Robustness"} <= names
    emptied = cleared(STATE)
    assert (emptied["probes"], emptied["robustness"]) == (None, None)
