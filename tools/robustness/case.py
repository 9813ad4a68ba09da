"""Upper and lower case: as people type who do not care."""

from __future__ import annotations

import random

from knowledge.wording import say

NAME = say("another case")


def perturb(query: str, chance: random.Random) -> str:
    """All in small letters; a query that is so already, in capitals."""
    small = query.lower()
    # ß and its like grow in capitals: a query of another length is another query
    capitals = query.upper()
    return small if small != query else (capitals if len(capitals) == len(query) else query)
