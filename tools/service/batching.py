"""Dynamic batching: who waits while one batch is encoded goes together into the next."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

from tools.service.settings import MOST_WAITING, Settings

T = TypeVar("T")


class Full(Exception):
    """Too many wait already."""


class Waiting(Generic[T]):
    """A queue that is left in batches.

    Attributes:
        settings: may be changed at any time.
    """

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.perf_counter) -> None:
        self.settings = settings
        self._items: deque[tuple[float, T]] = deque()
        self._came = asyncio.Event()
        self._clock = clock

    def __len__(self) -> int:
        return len(self._items)

    def put(self, item: T) -> None:
        """Queue up.

        Raises:
            Full: `MOST_WAITING` wait already.
        """
        if len(self._items) >= MOST_WAITING:
            raise Full
        self._items.append((self._clock(), item))
        self._came.set()

    async def batch(self) -> list[tuple[float, T]]:
        """Those that go together, in the order in which they came: each with the second in which it did.

        It is there when `max_batch` wait, or when the first of them has waited for `max_wait_ms`.
        """
        while not self._items:
            self._came.clear()
            await self._came.wait()
        until = self._items[0][0] + self.settings.max_wait_ms / 1000
        while len(self._items) < self.settings.max_batch and (left := until - self._clock()) > 0:
            self._came.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._came.wait(), left)
        return [self._items.popleft() for _ in range(min(self.settings.max_batch, len(self._items)))]
