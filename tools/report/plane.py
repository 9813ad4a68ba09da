"""What all drawings with axes have in common: sizes, margins, axes with their ticks, and where a value lies.

Lengths are in SVG user units.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

#: widths of drawings for screens, and for phones or several beside each other on paper
WIDE, NARROW = 760.0, 360.0
#: between two labels below an axis
APART = 58.0


@dataclass(frozen=True)
class Tick:
    """A labelled place on an axis."""

    value: float
    label: str


@dataclass(frozen=True)
class Axis:
    """One axis: what it shows, its range, its ticks."""

    key: str
    title: str
    low: float
    high: float
    ticks: tuple[Tick, ...]
    log: bool = True

    def place(self, value: float) -> float:
        """Where a value lies, 0 at the low end to 1 at the high end."""
        if self.log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)


@dataclass(frozen=True)
class Plane:
    """A drawing's area within its margins, which each kind of drawing has its own of."""

    width: float
    height: float

    LEFT: ClassVar[float] = 64.0
    RIGHT: ClassVar[float] = 34.0
    TOP: ClassVar[float] = 26.0
    BOTTOM: ClassVar[float] = 50.0

    @property
    def right(self) -> float:
        return self.width - self.RIGHT

    @property
    def bottom(self) -> float:
        return self.height - self.BOTTOM

    def across(self, axis: Axis, value: float) -> float:
        """The x coordinate of a value."""
        return round(self.LEFT + axis.place(value) * (self.right - self.LEFT), 1)

    def up(self, axis: Axis, value: float) -> float:
        """The y coordinate of a value."""
        return round(self.bottom - axis.place(value) * (self.bottom - self.TOP), 1)

    def roomy(self, axis: Axis, apart: float = APART) -> tuple[Tick, ...]:
        """As many ticks of an axis below the area as have room for their labels."""
        shown: list[Tick] = []
        for tick in axis.ticks:
            if not shown or self.across(axis, tick.value) - self.across(axis, shown[-1].value) >= apart:
                shown.append(tick)
        return tuple(shown)


def log_ticks(values: list[float], at_most: int = 8) -> tuple[float, float, list[float]]:
    """Range with some air, and round ticks (1, 2, 5 or powers of ten) within it, for positive values."""
    low, high = min(values) / 1.5, max(values) * 1.5
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for steps in ((1, 2, 5), (1, 3), (1,)):
        ticks = [s * 10.0**d for d in decades for s in steps if low <= s * 10.0**d <= high]
        if len(ticks) <= at_most:
            break
    return low, high, ticks


def linear_ticks(values: list[float], about: int = 5) -> tuple[float, float, list[float]]:
    """Range with some air and about so many round ticks within it."""
    span = (max(values) - min(values)) or 0.1
    low, high = min(values) - 0.08 * span, max(values) + 0.08 * span
    rough = (high - low) / about
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(s * power for s in (1, 2, 2.5, 5, 10) if s * power >= 0.8 * rough)
    first = math.ceil(low / step)
    return low, high, [round(i * step, 10) for i in range(first, math.floor(high / step) + 1)]
