"""“What does it cost a month at 10 million documents?”: answered with the question's numbers, which change nothing."""

import re

import pytest

from agent.answering.costs import supposed
from agent.answering.measured import corpus_rate
from agent.answering.subjects import ids_in, subject_of
from agent.answers import answer, as_question_of_knowledge
from agent.understanding.rules import RuleUnderstanding
from knowledge.requirements import Slot
from tools.cost import Stated

MONEY = ["what does it cost per month at 10 million documents?", "1000万文档每月多少钱？"]
HOSTING = [
    "self-host or API?",
    "when does self-hosting pay off?",
    "is it cheaper on our own servers than through an API?",
    "where is the break-even?",
    "自建还是用 API 划算？",
    "自建还是用API？",
    "用 API 还是自己部署？",
    "什么时候自托管更便宜？",
]
SIZE = [
    "how many machines would 1 billion documents take?",
    "can one machine hold 100 million vectors?",
    "what happens at 100 million documents?",
    "what changes when we grow to 100M documents?",
    "1亿篇文档会怎样？",
    "does 1 亿条向量 need a cluster?",
    "10 亿条向量要几台机器？",
    "一台机器放得下 5000 万文档吗？",
]


def told(words, answered, kind="decided", **needs):
    state, context = answered.state(kind), answered.context
    state = state | {"requirements": state["requirements"].model_copy(update=needs)}
    understood = RuleUnderstanding().understand(words, state["requirements"], None)
    read = as_question_of_knowledge(understood, words, context, state["requirements"])
    assert read.intent == "question"
    return str(answer(read, state, context))


@pytest.mark.parametrize(
    ("subject", "words"),
    [("money", w) for w in MONEY] + [("hosting", w) for w in HOSTING] + [("size", w) for w in SIZE],
)
def test_it_is_known_what_is_asked(subject, words):
    assert subject_of(words) == subject


@pytest.mark.parametrize(
    "words",
    [
        "which models handle 8k tokens?",
        "it must be self-hosted, is that noted?",
        "what does it cost to embed a million documents through an API?",
        "is a 7B model too large?",
        "we have 10 million documents",
    ],
)
def test_what_is_about_something_else_is_left_alone(words):
    assert subject_of(words) not in ("hosting", "size", "money")


@pytest.mark.parametrize(
    ("words", "stated"),
    [
        (MONEY[0], Stated(documents=10_000_000)),
        (MONEY[1], Stated(documents=10_000_000)),
        ("what would 50 qps cost per month?", Stated(queries_per_month=50 * 730 * 3600.0, peak=1.0)),
        ("每天 20 万次查询要花多少钱", Stated(queries_per_month=200_000 * (730 / 24))),
        (
            "what does it cost for 10M documents at $0.5 an hour",
            Stated(documents=10_000_000, machine_usd_per_hour=0.5),
        ),
        ("how much does it cost?", Stated()),
    ],
)
def test_the_numbers_of_a_question(words, stated):
    assert supposed(words) == stated


def test_a_supposed_size_counts_for_its_answer_and_no_longer(answered):
    before = answered.state("decided")["requirements"]
    said = told(MONEY[0], answered)
    assert "at 10 million documents" in said
    assert not ids_in(said), "these figures stand in no report"
    assert answered.state("decided")["requirements"] == before
    now = told("what does it cost per month?", answered)
    assert "at 30 documents" in now
    assert ids_in(now)


def test_what_if_with_money_is_answered_in_money(answered):
    said = told("what if we had 50 million documents, what would it cost a month?", answered)
    assert "at 50 million documents" in said


@pytest.mark.parametrize("words", HOSTING)
def test_own_machines_or_an_api(answered, words):
    said = told(words, answered)
    assert "openai:text-embedding-3-small" in said
    assert "not measured" in said
    assert "queries a month" in said


@pytest.mark.parametrize("words", SIZE)
def test_what_a_size_takes(answered, words):
    assert "One such machine holds about" in told(words, answered)


def test_unmeasured_it_says_so(answered):
    assert "nothing was measured" in told("what does it cost per month?", answered, "unmeasured")


def test_hours_are_told_alike_by_all_answers(answered):
    state = dict(answered.state("decided"))
    row = state["recommendation"].rows[0]
    assert corpus_rate(row, state) is not None
    timed = tuple(
        one.model_copy(update={"corpus_per_second": 7.0}) if one.spec == row.spec else one
        for one in state["benchmark"].candidates
    )
    state["benchmark"] = state["benchmark"].model_copy(update={"candidates": timed})
    assert corpus_rate(row, state) == 7.0, "as the cost counts it"
    assert corpus_rate(row, state | {"benchmark": None}) == row.documents_per_second


def test_a_machine_has_the_price_that_was_said_in_the_conversation(answered):
    """730 hours at 0.4 dollars; what a question supposes goes before it."""
    needs = {"machine_usd_per_hour": Slot[float](value=0.4)}
    stated, supposed_now = "what does it cost per month?", "what does it cost per month at $0.4 an hour?"
    for kind in ("decided", "unmeasured"):
        lines = (told(stated, answered, kind, **needs), told(supposed_now, answered, kind))
        first, again = (re.sub(r" \(E[GMPQRX]?\d+\)", "", said).splitlines()[:2] for said in lines)
        assert first == again
        assert "$" in first[0]
    assert "one machine: $365" in told("what does it cost per month at $0.5 an hour?", answered, **needs)


def test_the_index_has_one_size_in_all_answers(answered):
    needs = {"documents": Slot[int](value=10_000_000)}
    size = re.search(
        r"the index takes ([\d.]+ \w+) of memory", told("what does it cost per month?", answered, **needs)
    )[1]
    for words in ("how do I deploy it?", "is it worth it?"):
        assert f"{size} of memory (" in told(words, answered, **needs), words
