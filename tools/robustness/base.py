"""What a perturbation of queries is."""

from __future__ import annotations

import json
import random
import re
from functools import cache
from importlib.resources import files
from typing import Any, Protocol

from knowledge.wording import Text

HAN = re.compile(r"[\u3400-\u9fff]")
KANA = re.compile(r"[\u3040-\u30ff]")
WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")


_ENGLISH = re.compile(
    r"\b(?:the|and|are|what|which|how|does|did|with|from|when|where|who|why|by|for|after|between|not|have|has|been|this|"
    r"that|there|their|than|should|would|could|my|your|can)\b",
    re.IGNORECASE,
)


class Kind(Protocol):
    """A way in which queries come differently: one module of this package.

    Attributes:
        NAME: as the user reads it.
    """

    NAME: Text

    def perturb(self, query: str, chance: random.Random) -> str:
        """The query as it would come then; itself where this does not touch it."""


@cache
def lists() -> dict[str, Any]:
    """The word lists of all kinds."""
    found: dict[str, Any] = json.loads((files("knowledge") / "data" / "perturbations.json").read_text("utf-8"))
    return found


def is_chinese(text: str) -> bool:
    """Whether a text is written in Chinese characters for the most part, and is not Japanese."""
    han = len(HAN.findall(text))
    return han >= 2 and han >= 0.3 * sum(c.isalpha() for c in text) and not KANA.search(text)


def is_latin(text: str) -> bool:
    """Whether a text is written in Latin letters for the most part."""
    letters = [c for c in text if c.isalpha()]
    return bool(letters) and sum(c < "\u0250" for c in letters) >= 0.7 * len(letters)


def is_english(text: str) -> bool:
    """Whether a text has a word that only English has; a list of keywords may belong to any language."""
    return is_latin(text) and _ENGLISH.search(text) is not None
