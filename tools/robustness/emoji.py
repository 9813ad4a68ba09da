"""Emoji, as in a chat."""

from __future__ import annotations

import random

from knowledge.wording import say
from tools.robustness.base import lists

NAME = say("emoji")


def perturb(query: str, chance: random.Random) -> str:
    """One or two emoji behind the query."""
    return f"{query} {''.join(chance.sample(lists()['emoji'], chance.choice((1, 2))))}"
