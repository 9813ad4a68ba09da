"""The interview: few questions, each one that matters, none twice."""

from typing import get_args

import pytest

from agent import interview
from agent.descriptions import KINDS, SLOTS, assumptions, slot_name
from agent.hearing import noticed
from agent.interview import DATA, MOST_QUESTIONS, PLAN, next_question, picked, question_text
from agent.state import State
from agent.understanding import RuleUnderstanding
from agent.understanding.base import Asked
from agent.understanding.findings import SLOTS as FIELDS
from agent.understanding.half_read import half_read
from knowledge.catalog import load_catalog
from knowledge.constraints import CONSTRAINTS, Answer, make_constraint
from knowledge.requirements import Requirements, Task
from knowledge.scores import load_scores
from knowledge.wording import say
from tests.score_matrix import card, catalog, matrix
from tools.shortlist import names

KNOWN_TASK = Requirements(task="search")


@pytest.fixture(scope="module")
def real():
    return load_catalog(), load_scores()


def ask(cards, requirements=KNOWN_TASK, asked=()):
    """The question for a catalog whose first six models are the better ones."""
    scores = {made.model: 0.7 if i < 6 else 0.5 for i, made in enumerate(cards)}
    found = next_question(
        requirements, asked, True, catalog(*cards), matrix({("A", "en"): scores, ("B", "en"): scores})
    )
    return found.about if found else None


#: facts that pass every answer to every question
HARMLESS = {
    "license": "MIT",
    "commercial": "yes",
    "languages": ("en", "zh"),
    "dimension": 64,
    "max_tokens": 10**6,
    "parameters": 1000,
    "modalities": ("text", "image", "audio", "video"),
}


@pytest.mark.parametrize(
    ("facts", "question"),
    [
        ({"license": "CC-BY-NC-4.0", "commercial": "no"}, "license"),
        ({"dimension": 4096}, "dimension"),
        ({"languages": ("en",)}, "languages"),
        ({"max_tokens": 128}, "max_tokens"),
        ({}, None),
    ],
)
def test_it_asks_what_splits_the_catalog(facts, question):
    cards = [card(f"p{i}/m{i}", **HARMLESS | (facts if i < 6 else {})) for i in range(12)]
    many = Requirements(task="search", documents=20_000_000)  # so many that a limit to the vectors' length is likely
    known = many.with_constraint(make_constraint("hosting"))  # "it must be a service" would always change all
    assert ask(cards, known) == question
    assert ask(cards, known, asked=[str(question)]) != question or question is None


def interviewed(real, requirements, has_data=False):
    """The questions of a whole interview whose user has no preference."""
    asked = []
    while (question := next_question(requirements, asked, has_data, *real)) is not None:
        asked.append(question.about)
        assert len(asked) < 20
    return asked


@pytest.mark.parametrize("has_data", [True, False])
def test_it_stops(real, has_data):
    asked = interviewed(real, Requirements(), has_data)
    assert len(asked) == len(set(asked)), "nothing is asked twice"
    assert len([about for about in asked if about != "data"]) <= MOST_QUESTIONS
    assert ("data" in asked) is not has_data
    assert has_data or asked[-1] == "data"


def test_it_does_not_ask_what_is_known(real):
    known = Requirements(task="rag")
    for kind, parameters in (("languages", {"languages": ("de",)}), ("license", {}), ("latency", {"p95_ms": 50})):
        known = known.with_constraint(make_constraint(kind, **parameters))
    inferred = known.with_constraint(make_constraint("dimension", max_dimension=512, origin="inferred"))
    asked = interviewed(real, inferred)
    assert not set(asked) & {"task", "languages", "license", "latency", "dimension"}


@pytest.mark.parametrize(
    ("known", "moot"),
    [
        ([("hosting", {"hosting": "self_hosted"})], {"cost", "open_weights"}),
        ([("hosting", {"hosting": "api"})], {"open_weights", "hardware", "memory", "parameters"}),
        ([("hardware", {"ram_gb": 16})], {"memory", "parameters"}),
        ([("memory", {"max_mb": 500})], {"hardware", "parameters"}),
        ([("open_weights", {})], {"cost"}),
    ],
)
def test_what_is_settled_is_not_asked(real, known, moot):
    requirements = KNOWN_TASK
    for kind, parameters in known:
        requirements = requirements.with_constraint(make_constraint(kind, **parameters))
    assert not set(interviewed(real, requirements)) & (moot | {kind for kind, _ in known})


def test_what_does_not_matter_is_not_asked(real):
    first = next_question(KNOWN_TASK, [], True, *real).about
    assert next_question(KNOWN_TASK, [], True, *real, settled=[first]).about != first


def test_no_question_after_the_one_for_data(real):
    assert next_question(KNOWN_TASK, ["data"], True, *real) is None


def test_the_machine_is_asked_for_once(real):
    size = {"hardware", "memory", "parameters"}
    assert len(size & set(interviewed(real, KNOWN_TASK))) <= 1


@pytest.mark.parametrize(
    ("task", "words"),
    [
        ("classification", "How fast must one text be classified?"),
        ("similarity", "How fast must two texts be compared?"),
        ("search", "How fast must one query be answered?"),
    ],
)
def test_what_is_asked_fits_the_task(real, task, words):
    settled = [kind for kind in CONSTRAINTS if kind != "latency"]
    found = next_question(Requirements(task=task), (), True, *real, settled=settled)
    assert found.about == "latency"
    assert str(interview.asking(found)) == words
    for made in CONSTRAINTS.values():
        assert set(made.questions) <= set(get_args(Task))


def test_no_latency_where_nobody_waits(real):
    assert "latency" in interviewed(real, Requirements(task="search"))
    assert "latency" not in interviewed(real, Requirements(task="clustering"))


def test_the_task_is_not_asked_of_who_searches_for_exact_words(real):
    assert "task" not in interviewed(real, Requirements(keyword_match=True))
    assert "task" in interviewed(real, Requirements(keyword_match=False))


def test_lists_are_remembered_and_belong_to_their_catalog(real, monkeypatch):
    cards, scores = real
    requirements = Requirements(task="rag", documents=4321)
    first = next_question(requirements, [], False, cards, scores)
    made = []

    def counting(*arguments):
        made.append(arguments)
        return names(*arguments)

    monkeypatch.setattr(interview, "names", counting)
    assert next_question(requirements, [], False, cards, scores) == first
    in_other_words = requirements.model_copy(update={"summary": "in other words"})
    assert next_question(in_other_words, [], False, cards, scores) == first
    assert not made
    few = catalog(*cards.cards[:40])
    next_question(requirements, [], False, few, scores)
    assert made
    assert all(catalog_of is few for _, catalog_of, *_ in made)


def test_no_machine_is_suggested_that_is_not_there(real):
    without = Requirements(task="search", gpu=False)
    assert not set(interviewed(real, without)) & {"hardware", "memory", "parameters"}
    there = Requirements(task="search", gpu=True)
    suggested = dict(interview._open(there, set()))["hardware"]
    named = [answer.parameters for answer in suggested if answer.parameters]
    assert named
    assert all("gpu_gb" in parameters for parameters in named)


def test_demands_that_clash_end_the_questions(real):
    clashing = KNOWN_TASK
    for kind, parameters in (("hosting", {}), ("memory", {"max_mb": 0.001})):
        clashing = clashing.with_constraint(make_constraint(kind, **parameters))
    assert next_question(clashing, [], False, *real) is None


def test_a_machine_with_a_gpu_changes_what_a_latency_demand_means(real):
    """Else the question for the machine would look worth nothing."""
    slow = KNOWN_TASK.with_constraint(make_constraint("latency", p95_ms=100))
    card = next(a for a in CONSTRAINTS["hardware"].answers if a.parameters and "gpu_gb" in a.parameters)
    assert interview._answered(slow, "hardware", card).constraint(CONSTRAINTS["latency"]).gpu


def test_who_has_said_nothing_is_asked_for_the_language_early(real):
    assert "languages" in interviewed(real, Requirements())[:2]


@pytest.mark.parametrize("about", [*CONSTRAINTS, *interview.SLOT_QUESTIONS, "data", "plan"])
def test_every_question_has_its_words(about):
    assert question_text(about).render("zh") != question_text(about).render("en")


@pytest.mark.parametrize(
    ("said", "choice"),
    [
        ("1", 0),
        (" 2. ", 1),
        ("2。", 1),
        ("yes, measure", 0),
        ("不用，直接给结论", 1),
        ("3", None),
        ("0", None),
        ("-1", None),
        ("yes", None),
        ("", None),
        ("²", None),
        ("1" * 5000, None),
        ("１", 0),
    ],
)
def test_picked(said, choice):
    assert picked(said, PLAN) == (None if choice is None else PLAN.answers[choice])
    assert picked("stdlib", DATA) is None


def test_every_requirement_has_a_name():
    assert set(SLOTS) == set(FIELDS)
    assert set(KINDS) == set(CONSTRAINTS)
    assert str(slot_name("release_date")) == "release_date", "a new constraint needs no entry here"


def test_assumptions():
    nothing_said = assumptions(Requirements())
    assert "0.02" in str(nothing_said)
    assert all(str(slot_name(kind)) in str(nothing_said) for kind in CONSTRAINTS)
    said = Requirements(task="rag", margin=0.01, constraints=(make_constraint("license"),))
    assert "licence" not in str(assumptions(said))
    assert "0.0" not in str(assumptions(said))
    assert assumptions(said).render("zh") != assumptions(said).render("en")


@pytest.mark.parametrize(
    ("said", "about", "named"),
    [
        ("Semantic search. Latency is important to us, too.", "latency", "Latency is important to us"),
        ("RAG. Our boss worries about the licence", "license", "Our boss worries about the licence"),
        ("做检索，延迟方面比较敏感", "latency", "延迟方面比较敏感"),
        ("Semantic search for recipes", "latency", ""),
        ("a fast bike shop of any size", "parameters", ""),
        ("is latency important?", "latency", ""),
        ("", "hosting", ""),
    ],
)
def test_what_speaks_of_it_and_was_not_enough_is_named(said, about, named):
    half = half_read([said], about)
    assert (half.words, half.likely) == (named, None)
    put = Asked(about=about, half_read=named)
    for language in ("en", "zh"):
        text = interview.asking(put).render(language)
        assert text.endswith(question_text(about).render(language))
        assert (named in text) is True
        assert (text == question_text(about).render(language)) is (not named)


@pytest.mark.parametrize(
    ("heard", "about", "words", "value"),
    [
        (["the size of our vectors, 300"], "dimension", "", None),
        (["a bowling club", "we have many of the same, sadly"], "task", "we have many of the same", "deduplication"),
        (["保龄球馆", "来来回回好几遍，烦"], "task", "来来回回好几遍", "deduplication"),
        (["it is for films"], "task", "", None),
    ],
)
def test_what_words_probably_mean_is_offered(heard, about, words, value):
    half = half_read(heard, about)
    got = half.likely.value if half.likely else None
    assert (half.words, got) == (words, value)


def test_the_interview_names_it(real):
    known, heard = Requirements(task="search"), ["We have 2,000 laws", "latency matters to our lawyers"]
    asked, questions = [], {}
    while (question := next_question(known, asked, True, *real, heard=heard)) is not None:
        asked.append(question.about)
        questions[question.about] = question.half_read
    assert questions["latency"] == "latency matters to our lawyers"
    assert {half for about, half in questions.items() if about != "latency"} == {""}


@pytest.mark.parametrize(("reply", "task"), [("yes", "clustering"), ("对", "clustering"), ("1", "clustering")])
def test_a_yes_confirms_what_is_offered(real, reply, task):
    asked = next_question(
        Requirements(), ["latency", "languages", "hosting"], True, *real, heard=["only piles, please"]
    )
    assert asked.about == "task"
    assert asked.half_read == "only piles"
    assert asked.answers[0] == asked.likely
    assert len({str(answer.parameters) for answer in asked.answers}) == len(asked.answers)
    for language in ("en", "zh"):
        assert asked.likely.label.render(language) in interview.asking(asked).render(language)
    understood = RuleUnderstanding().understand(reply, Requirements(), asked)
    assert understood.answered
    assert understood.requirements.task.value == task


def test_another_answer_than_what_is_offered(real):
    likely = Answer(label=say("Clustering"), parameters={"value": "clustering"})
    asked = Asked(about="task", answers=(likely,), half_read="piles", likely=likely)
    read = RuleUnderstanding().understand("no, we classify letters", Requirements(), asked)
    assert read.requirements.task.value == "classification"
    assert RuleUnderstanding().understand("no", Requirements(), asked).requirements.task.origin == "assumed"


def test_what_the_user_wrote_is_kept_for_later_questions():
    rules, state = RuleUnderstanding(), State()
    for text in ["latency matters", "why not bge-m3?", *["x" * 900] * 20, "the last one"]:
        state["message"] = text
        state["heard"] = noticed(rules.understand(text, Requirements(), None), state)["heard"]
        if text == "why not bge-m3?":
            assert state["heard"] == ["latency matters"]  # who asks states nothing
    assert state["heard"][-1] == "the last one"
    assert len(state["heard"]) <= 12
    assert max(map(len, state["heard"])) <= 500
