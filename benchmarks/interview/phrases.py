"""The phrases: single messages, what each truly says, and whether it was understood."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agent import interview
from agent.hearing import named_data, read_choice
from agent.understanding import Asked, Understanding, Understood
from agent.understanding.findings import SLOTS
from benchmarks.interview.personas import LANGUAGES, invented, is_right, truth_of
from knowledge.constraints import CONSTRAINTS
from knowledge.requirements import Requirements
from knowledge.wording import Language


@dataclass(frozen=True)
class Phrase:
    """One message that a user could send.

    Attributes:
        said: the slots that it speaks of, also to say that they do not matter; empty where it says nothing of any.
        truth: all that is known after it; what is in it and not in `said` may be found or not.
        asked: what the advisor had just asked, if anything.
        before: what was known before.
        data: the path that it hands over.
        held_out: not looked at when the rules were written.
        round: in which round of writing it came.
    """

    text: str
    language: Language
    said: tuple[str, ...]
    truth: Requirements
    asked: str | None = None
    before: Requirements = field(default_factory=Requirements)
    data: str | None = None
    held_out: bool = False
    round: int = 1


@dataclass(frozen=True)
class Reading:
    """What became of a phrase: slots that it speaks of and that were read right or wrong, and slots made up."""

    phrase: Phrase
    found: Requirements
    right: tuple[str, ...]
    wrong: tuple[str, ...]
    invented: tuple[str, ...]


def phrases() -> tuple[Phrase, ...]:
    """All of them, in the order of the files."""
    return tuple(
        _phrase(raw, language)
        for language in LANGUAGES
        for raw in tomllib.loads((Path(__file__).parent / f"phrases_{language}.toml").read_text("utf-8"))["phrase"]
    )


def _phrase(raw: dict[str, Any], language: Language) -> Phrase:
    return Phrase(
        text=raw["text"],
        language=language,
        said=tuple(raw["said"]),
        truth=truth_of(raw["truth"]),
        asked=raw.get("asked"),
        before=truth_of(raw.get("before", {})),
        data=raw.get("data"),
        held_out=raw.get("held_out", False),
        round=raw.get("round", 1),
    )


def read(phrase: Phrase, understanding: Understanding) -> Reading:
    """Have it understood as the conversation does, and judge it."""
    asked = None if phrase.asked is None else question(phrase.asked)
    understood = understanding.understand(phrase.text, phrase.before, asked)
    understood = read_choice(understood, phrase.text, asked, stopped=False)
    only_asks = understood.question is not None and understood.question.kind == "what_if"
    found = phrase.before if only_asks else understood.requirements
    right = tuple(about for about in phrase.said if _is_understood(about, phrase, understood, found, asked))
    return Reading(
        phrase=phrase,
        found=found,
        right=right,
        wrong=tuple(about for about in phrase.said if about not in right),
        invented=tuple(about for about in _invented(phrase, found) if about not in phrase.said),
    )


def question(about: str) -> Asked:
    """The question as the interview puts it, with its suggested answers where it has some."""
    if about == "data":
        return interview.DATA
    slot = interview.SLOT_QUESTIONS.get(about)
    made = CONSTRAINTS.get(about)
    return Asked(about=about, answers=slot[1] if slot else made.answers if made else ())


def _is_understood(
    about: str, phrase: Phrase, understood: Understood, found: Requirements, asked: Asked | None
) -> bool:
    if about == "data":
        source = named_data(understood, asked, phrase.text)
        declined = understood.answered or understood.intent == "decline"
        return declined if phrase.data is None else source is not None and source.path == phrase.data
    return is_right(about, found, phrase.truth) and _is_heard(about, understood, found, asked)


def _is_heard(about: str, understood: Understood, found: Requirements, asked: Asked | None) -> bool:
    """Whether anything was made of what it says of a slot: who heard nothing is not right that it does not matter."""
    if about in understood.indifferent_to or any(change.slot == about for change in understood.changes):
        return True
    return (asked is not None and asked.about == about and understood.answered) or _is_told(about, found)


def _is_told(about: str, found: Requirements) -> bool:
    told = getattr(found, about) if about in SLOTS else found.constraint(CONSTRAINTS[about])
    return told is not None and told.origin != "assumed"


def _invented(phrase: Phrase, found: Requirements) -> Iterator[str]:
    yield from invented(found, phrase.truth)
    for about in ("task", "margin"):  # a persona always has these
        if _is_told(about, found) and not _is_told(about, phrase.truth):
            yield about
