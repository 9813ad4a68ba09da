"""Many ways to say each requirement, and many sentences that say none: what is read is right, and nothing is added."""

import tomllib
from pathlib import Path

import pytest

from agent.understanding import Asked, RuleUnderstanding
from agent.understanding.findings import SLOTS, value_of
from knowledge.constraints import CONSTRAINTS
from knowledge.requirements import Requirements

RULES = RuleUnderstanding()
SAYINGS = tomllib.loads((Path(__file__).parent / "sayings.toml").read_text("utf-8"))
#: the one parameter that a saying of the table gives for a kind
PARAMETER = {
    "latency": "p95_ms",
    "cost": "max_usd_per_month",
    "languages": "languages",
    "license": "commercial",
    "hosting": "hosting",
    "dimension": "max_dimension",
    "parameters": "max_millions",
    "max_tokens": "tokens",
    "memory": "max_mb",
    "modality": "modalities",
}
#: what else a sentence about one requirement may well say; about the others, it says nothing else
BESIDE = {
    "task": {"domain", "modality", "documents", "languages", "license", "incumbent", "keyword_match", "hosting"},
    "languages": {"domain", "task"},
    "license": {"domain", "hosting", "open_weights"},
    "hosting": {"license", "domain", "gpu"},
    "incumbent": set(),
    "documents": {"domain", "modality", "languages"},
    "keyword_match": {"task", "domain", "license", "incumbent"},
    "domain": {"license", "languages", "documents", "modality", "task"},
    "hardware": {"gpu"},
}
ASKED_OF_ALL = ("hosting", "license", "latency", "dimension", "hardware", "cost", "max_tokens", "languages", "task")


def read(text, about=None):
    answers = CONSTRAINTS[about].answers if about in CONSTRAINTS else ()
    return RULES.understand(text, Requirements(), Asked(about=about, answers=answers) if about else None)


def known(requirements):
    """What was said, by slot or kind: the value, or the one parameter that counts."""
    slots = {name: getattr(requirements, name) for name in SLOTS}
    found = {name: slot.value for name, slot in slots.items() if slot is not None and slot.origin != "assumed"}
    for constraint in requirements.constraints:
        value = value_of(requirements, constraint.kind)
        found[constraint.kind] = value[PARAMETER[constraint.kind]] if constraint.kind in PARAMETER else value
    return found


@pytest.mark.parametrize(
    ("about", "value", "text"),
    [(entry["about"], entry["value"], text) for entry in SAYINGS["saying"] for text in entry["said"]],
)
def test_a_saying_is_read(about, value, text):
    found = known(read(text).requirements)
    got = found.pop(about, None)
    if about == "languages":
        assert sorted(got or ()) == sorted(value)
    elif about == "hardware":
        assert {name: got and got[name] for name in value} == value
    else:
        assert got == value
    assert set(found) <= BESIDE.get(about, set())


@pytest.mark.parametrize(
    ("about", "value", "text"),
    [(entry["about"], entry["value"], text) for entry in SAYINGS["reply"] for text in entry["said"]],
)
def test_a_reply_is_read_where_it_was_asked_for(about, value, text):
    understood = read(text, about)
    assert understood.answered
    assert known(understood.requirements)[about] == value


@pytest.mark.parametrize("text", SAYINGS["cross_lingual"][0]["said"])
def test_who_asks_in_another_language_than_that_of_the_texts(text):
    assert read(text).requirements.constraint(CONSTRAINTS["languages"]).cross_lingual


@pytest.mark.parametrize("text", SAYINGS["within_languages"][0]["said"])
def test_who_asks_in_the_languages_of_the_texts(text):
    assert not read(text).requirements.constraint(CONSTRAINTS["languages"]).cross_lingual


@pytest.mark.parametrize("about", ["documents", "dimension", "latency", "max_tokens", "memory", "cost", "hosting"])
@pytest.mark.parametrize(
    "text", ["1 more time please", "2 of us decide that", "ask me 1 more question", "再说1遍", "我们2个人定"]
)
def test_a_number_of_something_else_is_no_answer(text, about):
    assert known(read(text, about).requirements) == {}


@pytest.mark.parametrize("about", ASKED_OF_ALL)
@pytest.mark.parametrize("text", SAYINGS["answers"]["no_preference"])
def test_no_preference_answers_every_question(text, about):
    understood = read(text, about)
    assert understood.answered or understood.intent == "decide"
    assert set(known(understood.requirements)) <= ({"license"} if about == "license" else set())


@pytest.mark.parametrize("text", SAYINGS["answers"]["no_data"])
def test_no_data(text):
    understood = read(text, "data")
    assert understood.intent == "decline"
    assert understood.changes == ()


@pytest.mark.parametrize("text", SAYINGS["silent"]["said"])
def test_what_says_nothing(text):
    assert set(known(read(text).requirements)) <= {"domain"}
