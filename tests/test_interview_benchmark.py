"""The interview's benchmark: its personas are what they claim, and its own driver holds a conversation with them."""

from collections import Counter

import pytest

from agent.advisor import Advisor
from agent.interview import MOST_QUESTIONS
from agent.settings import Settings
from agent.understanding import RuleUnderstanding
from benchmarks.interview.bench import faults, row
from benchmarks.interview.driver import converse
from benchmarks.interview.personas import LANGUAGES, STYLES, invented, is_right, personas
from benchmarks.interview.phrases import Phrase, phrases, read
from knowledge.constraints import CONSTRAINTS, make_constraint
from knowledge.requirements import Requirements

PERSONAS = {persona.id: persona for persona in personas()}


def test_the_personas_are_balanced():
    count = Counter((persona.language, persona.style) for persona in PERSONAS.values())
    assert len(PERSONAS) == sum(count.values()) >= 48
    assert set(count) == {(language, style) for language in LANGUAGES for style in STYLES}
    assert len(set(count.values())) == 1
    held_out = Counter(persona.language for persona in PERSONAS.values() if persona.held_out)
    assert len(set(held_out.values())) <= 1
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


def test_the_phrases_are_many_and_speak_of_what_there_is():
    every, slots = phrases(), set(CONSTRAINTS) | set(Requirements.model_fields) | {"data"}
    tuned = Counter(p.language for p in every if not p.held_out)
    assert set(tuned) == set(LANGUAGES)
    assert min(tuned.values()) >= 260
    assert len({(p.text, p.asked) for p in every}) >= 510  # some short answers are the same in both languages
    assert sum(not p.said for p in every) * 8 > len(every)
    assert set().union(*(p.said for p in every), *({p.asked} for p in every if p.asked)) <= slots


def test_judging_a_phrase():
    def phrase(text, said=(), truth=None, asked=None):
        return Phrase(text, "en", said, truth or Requirements(), asked)

    rules = RuleUnderstanding()
    german = Requirements(constraints=(make_constraint("languages", languages=("de",)),))
    assert read(phrase("German texts", ("languages",), german), rules).right == ("languages",)
    assert read(phrase("English texts", ("languages",), german), rules).wrong == ("languages",)
    assert read(phrase("German texts"), rules).invented == ("languages",)
    # nothing heard is not the same as "it does not matter"
    assert read(phrase("xyzzy", ("latency",)), rules).wrong == ("latency",)
    assert read(phrase("latency does not matter", ("latency",)), rules).right == ("latency",)
    assert read(phrase("no preference", ("latency",), asked="latency"), rules).right == ("latency",)
    # nor is a task that was only assumed one that was understood
    assert read(phrase("xyzzy", ("task",)), rules).wrong == ("task",)
    # what if is no demand
    assert not read(phrase("What if we had a GPU?"), rules).invented


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
