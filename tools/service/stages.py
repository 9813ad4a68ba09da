"""The stages of a query's way through a service, and how long each took."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from knowledge.wording import Text, say

#: in the order of the way; a candidate has those that it needs
STAGES: dict[str, Text] = {
    "transport": say("transport (loopback)"),
    "queue": say("queue"),
    "tokenise": say("tokenise"),
    "forward": say("forward"),
    "encode": say("encode (tokenising included)"),
    "handover": say("wait for the search"),
    "words": say("word search (in memory)"),
    "milvus": say("Milvus"),
    "scan": say("scan in memory"),
    "fusion": say("fusion and order"),
    "rerank": say("rerank"),
}


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
