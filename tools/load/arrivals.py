"""When requests come, and what they ask: scheduled ahead from a seed, so that a test can be run again."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence

from knowledge.results.load import Arrivals


def arrivals(kind: Arrivals, rate: float, seconds: float, *, seed: int) -> Iterator[float]:
    """The moments at which requests are due, in seconds from the start, ascending, before `seconds`.

    Args:
        kind: poisson: independent of each other, as many users are; constant: evenly spaced.
        rate: a second, on average.
        seconds: how long.
        seed: of the former.
    """
    gaps = random.Random(seed)
    now, number = 0.0, 0
    while True:
        now = now + gaps.expovariate(rate) if kind == "poisson" else number / rate
        number += 1
        if now >= seconds:
            return
        yield now


class TextOrder:
    """The user's texts without end: shuffled, all of them before one comes again, shuffled anew each time."""

    def __init__(self, texts: Sequence[str], seed: int) -> None:
        assert texts
        self._texts = list(texts)
        self._seeded = random.Random(seed)
        self._left: list[int] = []
        self._sent: Counter[int] = Counter()

    def next(self) -> str:
        """The next text."""
        if not self._left:
            self._left = list(range(len(self._texts)))
            self._seeded.shuffle(self._left)
        number = self._left.pop()
        self._sent[number] += 1
        return self._texts[number]

    @property
    def sent(self) -> int:
        """Texts taken so far."""
        return self._sent.total()

    @property
    def most_sent(self) -> int:
        """How often the same one was taken at most."""
        return max(self._sent.values(), default=0)
