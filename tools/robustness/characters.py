"""Traditional and simplified Chinese characters."""

from __future__ import annotations

import json
import random
from functools import cache
from importlib.resources import files

from knowledge.wording import say
from tools.robustness.base import is_chinese

NAME = say("traditional or simplified characters")


def perturb(query: str, chance: random.Random) -> str:
    """A Chinese query in the other characters, as far as a character has one other form that is usual."""
    if not is_chinese(query):
        return query
    traditional, simplified = _tables()
    other = query.translate(traditional)
    return other if other != query else query.translate(simplified)


@cache
def _tables() -> tuple[dict[int, str], dict[int, str]]:
    pairs = json.loads((files("knowledge") / "data" / "hanzi_variants.json").read_text("utf-8"))
    one, other = pairs["simplified"], pairs["traditional"]
    return str.maketrans(dict(zip(one, other, strict=True))), str.maketrans(dict(zip(other, one, strict=True)))
