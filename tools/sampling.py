"""Some of many texts, evenly spread over all of them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


def spread(items: Sequence[T], count: int) -> list[T]:
    """At most `count` items, evenly spread."""
    if count <= 0:
        return []
    return list(islice(items[:: max(1, -(-len(items) // count))], count))


def within(texts: Sequence[str], characters: int) -> list[str]:
    """All texts, or as many, evenly spread, as a budget of characters allows; at least one where there is one."""
    total = sum(map(len, texts))
    if total <= characters:
        return list(texts)
    return spread(texts, max(1, int(len(texts) * characters / total)))
