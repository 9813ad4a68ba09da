"""The stages of a query's way through a service, and how long each took."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from knowledge.results.service import STAGES


class Stages:
    """Milliseconds of each stage, for the queries of one batch: each of them waits for the whole of it."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self.ms: dict[str, float] = {}
        self._clock = clock

    def add(self, name: str, seconds: float) -> None:
        """Count time to a stage."""
        assert name in STAGES, name
        self.ms[name] = self.ms.get(name, 0.0) + seconds * 1000

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count what the block takes to a stage."""
        begun = self._clock()
        yield
        self.add(name, self._clock() - begun)
