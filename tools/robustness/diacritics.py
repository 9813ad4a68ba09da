"""Accents left out: Müller as Muller, café as cafe."""

from __future__ import annotations

import random
import unicodedata

from knowledge.wording import say

NAME = say("accents left out")
_LETTERS = {"ß": "ss", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "æ": "ae", "œ": "oe", "ı": "i"}
_WHOLE = str.maketrans(_LETTERS)


def perturb(query: str, chance: random.Random) -> str:
    """Latin letters without their marks; in other scripts the marks are letters, and stay."""
    return "".join(map(_plain, query.translate(_WHOLE)))


def _plain(character: str) -> str:
    if character.isascii():
        return character
    base = unicodedata.normalize("NFD", character)[0]
    return base if base.isascii() and base.isalpha() else character
