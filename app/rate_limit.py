"""How often a caller may ask: as much at once as in a tenth of a minute, then at the pace of the key's rate."""

from __future__ import annotations

import time
from collections.abc import Callable


class RateLimits:
    """The limits of all callers of one server, by owner; each process counts for itself."""

    def __init__(self) -> None:
        self._buckets: dict[str, Bucket] = {}

    def take(self, owner: str, rate: int | None) -> int:
        """Count a request of this owner, who may make `rate` a minute (None: any number).

        Returns:
            the seconds to wait where it is one too many, else 0.
        """
        if rate is None:
            return 0
        found = self._buckets.get(owner)
        if found is None or found.rate != rate:
            found = self._buckets[owner] = Bucket(rate)
        return found.take()


class Bucket:
    """Requests of one caller."""

    def __init__(self, rate: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.rate, self._clock = max(rate, 1), clock
        self._most = max(rate / 10, 1.0)
        self._left, self._seen = self._most, clock()

    def take(self) -> int:
        """Take one; returns the seconds to wait where there is none, else 0."""
        now = self._clock()
        self._left = min(self._left + (now - self._seen) * self.rate / 60, self._most)
        self._seen = now
        if self._left < 1:
            return max(int((1 - self._left) * 60 / self.rate + 0.999), 1)
        self._left -= 1
        return 0
