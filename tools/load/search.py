"""The highest level that holds: doubled until it breaks, then bisected. Knows nothing of requests or clocks."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from knowledge.results.load import LoadPoint
from knowledge.wording import Text

#: measures one level; raises `LimitReached` where nothing more may be spent
Measure = Callable[[float], Awaitable[LoadPoint]]
#: the search ends when the lowest level that broke is at most so many times the highest that held
CLOSE = 1.1


class LimitReached(Exception):
    """What the user allowed is used up.

    Args:
        limit: which of it, in words.
    """

    def __init__(self, limit: Text) -> None:
        super().__init__(limit)
        self.limit = limit


@dataclass
class Found:
    """The steps of a search in the order they ran, and where they lead.

    Attributes:
        holds: the step at the highest level that held, below all that broke; None where none did.
        breaks: the step at the lowest level that broke; None where none did.
        stopped: the limit that ended the search.
    """

    points: list[LoadPoint] = field(default_factory=list)
    stopped: Text | None = None

    @property
    def breaks(self) -> LoadPoint | None:
        return min((point for point in self.points if point.broke), key=lambda point: point.level, default=None)

    @property
    def holds(self) -> LoadPoint | None:
        limit = self.breaks.level if self.breaks else math.inf
        held = (point for point in self.points if not point.broke and point.level < limit)
        return max(held, key=lambda point: point.level, default=None)


async def search(
    measure: Measure, start: float, *, lowest: float, highest: float, whole: bool = False, found: Found | None = None
) -> Found:
    """Find the highest level that holds.

    Args:
        measure: one level.
        start: the first level.
        lowest: where even this breaks, nothing holds.
        highest: no level above.
        whole: levels are whole numbers.
        found: an earlier search to go on with; None: a new one.
    """
    found = found or Found()
    level = _next(found, lowest, highest, whole) if found.points else start
    try:
        while level is not None:
            found.points.append(await measure(level))
            level = _next(found, lowest, highest, whole)
    except LimitReached as reached:
        found.stopped = reached.limit
    return found


def _next(found: Found, lowest: float, highest: float, whole: bool) -> float | None:
    """The level to measure after these, or None where the answer is close enough."""
    holds, breaks = found.holds, found.breaks
    if breaks is None:
        assert holds
        return min(holds.level * 2, highest) if holds.level < highest else None
    if holds is None:
        below = breaks.level // 2 if whole else breaks.level / 2
        return below if below >= lowest else None
    between = math.sqrt(holds.level * breaks.level)
    if whole:
        between = round(between)
        return between if holds.level < between < breaks.level else None
    return between if breaks.level / holds.level > CLOSE else None
