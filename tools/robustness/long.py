"""Very long queries: the question in a letter's worth of politeness."""

from __future__ import annotations

import random

from knowledge.wording import say
from tools.robustness.base import is_chinese, is_english, lists

NAME = say("very long")


def perturb(query: str, chance: random.Random) -> str:
    """The query with a greeting before and thanks behind it, in English and Chinese."""
    if not (is_chinese(query) or is_english(query)):
        return query
    of = lists()["fillers"]["zh" if is_chinese(query) else "en"]
    return f"{chance.choice(of['before'])}{query}{chance.choice(of['after'])}"
