"""Typing mistakes: neighbouring keys and letters, and in Chinese other characters of the same reading."""

from __future__ import annotations

import random
from functools import cache

from knowledge.wording import say
from tools.robustness.base import WORD, is_chinese, is_latin, lists

NAME = say("typing mistakes")
#: one word in so many, one at least; a shorter word is left alone
EVERY, SHORTEST = 4, 4
#: one character in so many Chinese ones
EVERY_HAN = 8


def perturb(query: str, chance: random.Random) -> str:
    """The query with a mistake in every fourth word, or in every eighth Chinese character."""
    if is_chinese(query):
        return _homophones(query, chance)
    return _letters(query, chance) if is_latin(query) else query


def _letters(query: str, chance: random.Random) -> str:
    words = [match for match in WORD.finditer(query) if len(match.group()) >= SHORTEST]
    if not words:
        return query
    chosen = chance.sample(words, max(1, len(words) // EVERY))
    for match in sorted(chosen, key=lambda m: -m.start()):
        query = query[: match.start()] + _mistyped(match.group(), chance) + query[match.end() :]
    return query


def _mistyped(word: str, chance: random.Random) -> str:
    """Two letters swapped, one left out, one doubled, or a neighbour on the keyboard; the first letter stays."""
    at = chance.randrange(1, len(word) - 1)
    how = chance.choice(("swapped", "missing", "doubled", "neighbour"))
    if how == "swapped" and word[at] != word[at + 1]:
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    if how == "doubled":
        return word[:at] + word[at] * 2 + word[at + 1 :]
    near: str | None = lists()["keyboard"].get(word[at].lower())
    if how == "neighbour" and near:
        return word[:at] + chance.choice(near) + word[at + 1 :]
    return word[:at] + word[at + 1 :]


@cache
def _of_one_reading() -> dict[str, str]:
    """Character -> others of its reading; one of several groups belongs to the first."""
    found: dict[str, str] = {}
    for group in lists()["homophones"]:
        for character in group:
            others = "".join(dict.fromkeys(c for c in group if c != character))
            if others:
                found.setdefault(character, others)
    return found


def _homophones(query: str, chance: random.Random) -> str:
    same = _of_one_reading()
    places = [i for i, character in enumerate(query) if character in same]
    if not places:
        return query
    written = list(query)
    for place in chance.sample(places, min(len(places), max(1, len(query) // EVERY_HAN))):
        written[place] = chance.choice(same[query[place]])
    return "".join(written)
