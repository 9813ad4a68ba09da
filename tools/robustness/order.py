"""Words in another order, as in a list of keywords."""

from __future__ import annotations

import random

from knowledge.wording import say

NAME = say("another order of words")
FEWEST = 4


def perturb(query: str, chance: random.Random) -> str:
    """The words shuffled, where a script has blanks between them and there are a few."""
    words = query.split()
    if len(words) < FEWEST:
        return query
    shuffled = words[:]
    for _ in range(3):  # a shuffle may end where it began
        chance.shuffle(shuffled)
        if shuffled != words:
            break
    return " ".join(shuffled)
