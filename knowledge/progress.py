"""How far a long step has come, and when it will be done."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Literal

from pydantic import BaseModel, ConfigDict

from knowledge.wording import Text

Stage = Literal["profile", "shortlist", "evaluate", "benchmark", "load", "probe", "recommend", "report", "catalog"]


class Progress(BaseModel):
    """One progress line. `eta_seconds` is None until the first unit is done."""

    model_config = ConfigDict(frozen=True)

    stage: Stage
    label: Text
    done: int
    total: int
    elapsed_seconds: float
    eta_seconds: float | None = None


OnProgress = Callable[[Progress], None]


def ignore(progress: Progress) -> None:
    """The listener of those who do not want to know."""


class Meter:
    """Counts a step's units and tells the listener, at most every `every` seconds and always at the end."""

    def __init__(
        self,
        stage: Stage,
        label: Text,
        total: int,
        listener: OnProgress,
        *,
        every: float = 0.5,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stage, self._label, self._total = stage, label, total
        self._listener, self._every, self._clock = listener, every, clock
        self._start = clock()
        self._told = float("-inf")
        self.done = 0
        self._tell()

    def advance(self, units: int = 1) -> None:
        """Count units as done."""
        self.done += units
        if self.done >= self._total or self._clock() - self._told >= self._every:
            self._tell()

    def _tell(self) -> None:
        now = self._clock()
        self._told = now
        elapsed = now - self._start
        eta = elapsed / self.done * (self._total - self.done) if self.done else None
        self._listener(
            Progress(
                stage=self._stage,
                label=self._label,
                done=self.done,
                total=self._total,
                elapsed_seconds=round(elapsed, 2),
                eta_seconds=None if eta is None else round(max(eta, 0.0), 1),
            )
        )
