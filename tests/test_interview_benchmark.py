"""The interview's benchmark: its personas are what they claim, and its own driver holds a conversation with them."""

from collections import Counter

import pytest

from agent.advisor import Advisor
from agent.interview import MOST_QUESTIONS
from agent.settings import Settings
from benchmarks.interview.bench import faults, row
from benchmarks.interview.driver import converse
from benchmarks.interview.personas import LANGUAGES, STYLES, invented, is_right, personas
from knowledge.constraints import CONSTRAINTS, make_constraint
from knowledge.requirements import Requirements

PERSONAS = {persona.id: persona for persona in personas()}


def test_the_personas_are_balanced():
    count = Counter((persona.language, persona.style) for persona in PERSONAS.values())
    assert len(PERSONAS) == sum(count.values()) >= 48
    assert set(count) == {(language, style) for language in LANGUAGES for style in STYLES}
    assert len(set(count.values())) == 1
    assert sum(persona.held_out for persona in PERSONAS.values()) * 4 == len(PERSONAS)
    assert all(
        persona.later for persona in PERSONAS.values() if persona.style == "changing" and "task" not in persona.id
    )


def test_the_personas_speak_of_what_there_is():
    slots = set(CONSTRAINTS) | set(Requirements.model_fields) | {"data"}
    for persona in PERSONAS.values():
        messages = [persona.opening, *persona.later, *persona.answers.values()]
        assert set().union(*(message.said for message in messages), persona.answers) <= slots, persona.id


def test_judging():
    truth = Requirements(task="rag", constraints=(make_constraint("languages", languages=("de", "en")),))
    same = Requirements(task="rag", constraints=(make_constraint("languages", languages=("en", "de")),))
    soft = Requirements(task="rag", constraints=(make_constraint("languages", languages=("en", "de"), hard=False),))
    more = same.with_constraint(make_constraint("latency", p95_ms=5))
    assert is_right("languages", same, truth)
    assert not is_right("languages", soft, truth)
    assert not is_right("languages", Requirements(), truth)
    assert is_right("latency", same, truth)
    assert not is_right("latency", more, truth)
    assert list(invented(more, truth)) == ["latency"]
    assert not list(invented(same, truth))


@pytest.fixture(scope="module")
def advisor(tmp_path_factory):
    with Advisor(Settings(home=tmp_path_factory.mktemp("home"), offline=True)) as found:
        yield found


@pytest.mark.parametrize("name", ["en-terse-legal", "zh-chatty-gov", "en-change-language", "zh-change-gpu"])
def test_the_driver(advisor, name):
    talk = converse(advisor, PERSONAS[name])
    assert talk.turns[0] == ("user", PERSONAS[name].opening.text)
    assert talk.asked
    assert len(talk.asked) <= MOST_QUESTIONS + 1  # and the one for data
    assert not talk.repeated
    assert not talk.already_said
    assert not talk.wrong + talk.invented, talk.turns
    assert talk.overlap >= 4
    assert faults(talk) == ""
    assert "100.0%" in row("one", [talk])
