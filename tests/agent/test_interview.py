"""The interview: few questions, each one that matters, none twice."""

import pytest

from agent import interview
from agent.descriptions import KINDS, SLOTS, assumptions, slot_name
from agent.interview import DATA, MOST_QUESTIONS, PLAN, next_question, picked, question_text
from agent.understanding.findings import SLOTS as FIELDS
from knowledge.catalog import load_catalog
from knowledge.constraints import CONSTRAINTS, make_constraint
from knowledge.requirements import Requirements
from knowledge.scores import load_scores
from tests.score_matrix import card, catalog, matrix

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
    known = KNOWN_TASK.with_constraint(make_constraint("hosting"))  # "it must be a service" would always change all
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
