"""Answers to questions: from what is known, whatever stage the conversation is in."""

import pytest

from agent.answers import answer
from agent.graph import make_context
from agent.settings import Settings
from agent.state import State
from agent.understanding.base import Question, Understood
from agent.understanding.language import reply_language
from agent.understanding.rules import RuleUnderstanding
from knowledge.requirements import Requirements
from knowledge.results import Interval, Plan, PlannedCandidate, Row
from knowledge.wording import say
from tools.shortlist import shortlist


@pytest.fixture(scope="module")
def context(tmp_path_factory):
    return make_context(Settings(home=tmp_path_factory.mktemp("home"), offline=True))


def ask(context, kind, *models, **state):
    understood = Understood(requirements=Requirements(), intent="question", question=Question(kind=kind, models=models))
    return answer(understood, State(requirements=Requirements(), **state), context)


def row(spec, standing, **more):
    return Row(spec=spec, standing=standing, quality=Interval(mean=0.5, low=0.4, high=0.6), **more)


class Decided:
    """As much of a recommendation as answers look at."""

    rows = (
        row("rrf(bm25, st:BAAI/bge-m3)", "winner"),
        row("st:BAAI/bge-m3?dim=256", "undecided"),
        row("st:BAAI/bge-m3", "worse", difference=Interval(mean=-0.1, low=-0.2, high=0.0), p_different=0.01),
        row("bm25", "excluded", excluded_by=say("too slow")),
    )


@pytest.mark.parametrize("kind", ["why_not", "why", "what_if", "show_model", "compare", "other"])
@pytest.mark.parametrize("models", [(), ("bge-m3",), ("no/such-model", "bge-m3"), ("<b>{x}</b>",)])
def test_every_question_has_an_answer_in_both_languages(context, kind, models):
    found = ask(context, kind, *models)
    assert found.render("en")
    assert found.render("zh")


def test_a_model_on_the_shortlist_and_one_that_is_not(context):
    found = shortlist(Requirements(), context.catalog, context.scores)
    first, rejected = found.kept[0].model, found.rejected[0]
    assert "1" in str(ask(context, "why_not", first, shortlist=found))
    assert str(rejected.reason) in str(ask(context, "why_not", rejected.model, shortlist=found))
    blocked = PlannedCandidate(spec="st:x", model=first, why=say("you named it"), obstacle=say("the hub is down"))
    plan = Plan(candidates=(), not_measured=(blocked,), documents=1, queries=1)
    assert "the hub is down" in str(ask(context, "why_not", first, shortlist=found, plan=plan))


def test_of_several_set_ups_the_plainest_answers_for_the_model(context):
    found = str(ask(context, "why_not", "bge-m3", recommendation=Decided))
    assert found.startswith("st:BAAI/bge-m3: measured")
    assert "0.100" in found
    assert "rrf" in str(ask(context, "why_not", "rrf(bm25, st:BAAI/bge-m3)", recommendation=Decided))
    assert "too slow" in str(ask(context, "why_not", "bm25", recommendation=Decided))


def test_what_if_names_what_would_change(context):
    def what_if(text):
        return str(answer(RuleUnderstanding().understand(text, Requirements(), None), state, context))

    state = State(requirements=Requirements(), shortlist=shortlist(Requirements(), context.catalog, context.scores))
    assert "New: " in what_if("what if the documents were Chinese?")
    assert "without" in what_if("what if it were Thai, commercial, at most 2 dimensions?")
    assert "New: " not in what_if("what if?")


@pytest.mark.parametrize(
    ("known", "text", "language"),
    [
        (None, "", "en"),
        (None, "我要搜索中文文档", "zh"),
        (None, "search", "en"),
        ("zh", "", "zh"),
        ("zh", "2", "zh"),
        ("zh", "/data/some folder/corpus.jsonl", "zh"),
        ("zh", "bge-m3", "zh"),
        ("zh", "yes please", "zh"),
        ("zh", "please answer in English now", "en"),
        ("en", "", "en"),
        ("en", "直接决定", "zh"),
    ],
)
def test_the_language_of_the_reply(known, text, language):
    assert reply_language(text, known) == language
