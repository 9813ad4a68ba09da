"""What a probe is, and the change of one fact that it is made of."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal, Protocol

from knowledge.wording import Text

Language = Literal["en", "zh"]
#: a number between 0 and 1 that is always the same for the same words
Draw = Callable[[str], float]


@dataclass(frozen=True)
class Change:
    """One fact of a sentence, and what is put in its place.

    Attributes:
        start, end: where it stands in the sentence.
        new: what is put there.
        everywhere: every other mention of it in the passage has to be changed too, such as a name's.
        old_said, new_said: the same in other words, for a query that does not repeat the passage; None: none is sure.
    """

    start: int
    end: int
    new: str
    everywhere: bool = False
    old_said: str | None = None
    new_said: str | None = None

    def old(self, sentence: str) -> str:
        """The fact as it stands."""
        return sentence[self.start : self.end]

    def put(self, sentence: str, words: str) -> str:
        """The sentence with these words in the fact's place."""
        return sentence[: self.start] + words + sentence[self.end :]


@dataclass(frozen=True)
class Source:
    """What surrounds a sentence.

    Attributes:
        language: of the passage.
        passage: that it stands in.
        draw: a number between 0 and 1 that is always the same for the same words.
        names: those of our lists that the corpus mentions.
        symbols: names such as IL-6 or GTX980 that the corpus mentions more than once.
    """

    language: Language
    passage: str
    draw: Draw
    names: frozenset[str] = frozenset()
    symbols: tuple[str, ...] = ()


class Kind(Protocol):
    """A kind of fact: one module of this package.

    Attributes:
        NAME: as the user reads it.
        OF_QUERIES: whether a query and a relevant passage that share the fact make a probe: a question has a number or
            a name in common with its answer, but no truth that a negation could turn.
    """

    NAME: Text
    OF_QUERIES: bool

    def change(self, sentence: str, source: Source) -> Change | None:
        """The change of one fact of a sentence; None where there is none, or no rule is sure."""


@cache
def words(language: Language) -> dict[str, Any]:
    """The word lists of a language."""
    found: dict[str, Any] = json.loads(
        (files("knowledge") / "data" / f"counterfactuals_{language}.json").read_text("utf-8")
    )
    return found


@cache
def mention(fact: str) -> re.Pattern[str]:
    """What finds a fact where it stands by itself: no part of another word or number.

    Chinese has no blanks: there only a letter or a digit beside one makes it another word.
    """
    before = r"(?<![A-Za-z0-9_])(?<!\d[.,])" if re.match(r"\w", fact, re.ASCII) else ""
    after = r"(?![A-Za-z0-9_])(?![.,]\d)" if re.search(r"\w\Z", fact, re.ASCII) else ""
    return re.compile(before + re.escape(fact) + after)
