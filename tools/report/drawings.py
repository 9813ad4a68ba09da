"""Geometry of the two drawings: quality against cost, and the measured pipeline. Lengths are in SVG user units."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tools.report.plane import NARROW, WIDE, Axis, Plane


@dataclass(frozen=True)
class Point:
    """One candidate; `number` is its row in the table, `x` its place on each axis that it has a figure for."""

    number: int
    name: str
    tone: str
    group: str
    front: bool
    y: float
    low: float
    high: float
    x: dict[str, float]
    labels: dict[str, str]


@dataclass(frozen=True)
class Scatter:
    """Quality (y, with its interval) against several costs (x)."""

    y: Axis
    axes: tuple[Axis, ...]
    points: tuple[Point, ...]

    @property
    def wide(self) -> Canvas:
        """For screens."""
        return Canvas(WIDE, 400.0, self)

    @property
    def narrow(self) -> Canvas:
        """For phones, and for several beside each other on paper."""
        return Canvas(NARROW, 320.0, self)


@dataclass(frozen=True)
class Mark:
    """A point with coordinates; `shown_at` is beside `x` where another's mark is in the way."""

    point: Point
    x: float
    y: float
    low: float
    high: float
    shown_at: float


@dataclass(frozen=True)
class Canvas(Plane):
    """A scatter plot with coordinates."""

    scatter: Scatter

    LEFT = 52.0
    RIGHT = 18.0
    TOP = 14.0
    #: radius of a mark
    RADIUS = 10.0

    def at_y(self, value: float) -> float:
        """The y coordinate of a score."""
        return self.up(self.scatter.y, value)

    def marks(self, axis: Axis) -> tuple[Mark, ...]:
        """The points that have a figure on this axis, so that no mark covers another."""
        made: list[Mark] = []
        for point in self.scatter.points:
            if axis.key not in point.x:
                continue
            x, y = self.across(axis, point.x[axis.key]), self.at_y(point.y)
            made.append(Mark(point, x, y, self.at_y(point.low), self.at_y(point.high), self._free(x, y, made)))
        return tuple(made)

    def _free(self, x: float, y: float, taken: list[Mark]) -> float:
        """The place nearest to x at which no other mark lies."""
        reach = 2 * self.RADIUS + 1
        tries = sorted((x + step * reach / 3 for step in range(-12, 13)), key=lambda at: (abs(at - x), at))
        for at in tries:
            inside = self.LEFT + self.RADIUS <= at <= self.right - self.RADIUS
            if inside and all(math.hypot(at - mark.shown_at, y - mark.y) >= reach for mark in taken):
                return round(at, 1)
        return x

    def frontier(self, axis: Axis) -> str:
        """Path of the best quality that can be had at each cost, among those that keep to the limits; empty: none."""
        allowed = [p for p in self.scatter.points if axis.key in p.x and p.tone != "excluded"]
        path, best = "", -math.inf
        for point in sorted(allowed, key=lambda p: (p.x[axis.key], -p.y)):
            if point.y > best:
                best = point.y
                x, y = self.across(axis, point.x[axis.key]), self.at_y(point.y)
                path += f" H{x} V{y}" if path else f"M{x},{y}"
        return f"{path} H{self.right}" if path else ""


@dataclass(frozen=True)
class Bar:
    """An interval within a cell: its ends, its middle, and (of differences) where nothing differs; all from 0 to 1."""

    low: float
    mean: float
    high: float
    zero: float | None = None

    WIDTH = 84.0

    def at(self, place: float) -> float:
        """The x coordinate of a place."""
        return round(2 + place * (self.WIDTH - 4), 1)


def bars(intervals: Sequence[tuple[float, float, float] | None], *, zero: bool = False) -> list[Bar | None]:
    """Intervals (low, mean, high) drawn on one scale."""
    known = [end for interval in intervals if interval for end in interval] + ([0.0] if zero else [])
    if not all(math.isfinite(end) for end in known) or len(set(known)) < 2:
        return [None] * len(intervals)
    least, span = min(known), max(known) - min(known)
    at_zero = -least / span if zero else None

    def place(value: float) -> float:
        return (value - least) / span

    return [
        Bar(place(interval[0]), place(interval[1]), place(interval[2]), at_zero) if interval else None
        for interval in intervals
    ]


@dataclass(frozen=True)
class Box:
    """A station of the pipeline: a title and smaller lines; `lane` is its place across the flow, 0 to 1."""

    stage: int
    lane: float
    title: str
    lines: tuple[str, ...] = ()
    tone: str = ""


@dataclass(frozen=True)
class Pipeline:
    """Boxes in stages, and arrows between the boxes of consecutive stages (by position in `boxes`)."""

    boxes: tuple[Box, ...]
    arrows: tuple[tuple[int, int], ...]
    description: str

    @property
    def wide(self) -> Flow:
        """Laid out from left to right."""
        return Flow(self, downwards=False)

    @property
    def tall(self) -> Flow:
        """Laid out from top to bottom, for narrow screens."""
        return Flow(self, downwards=True)


@dataclass(frozen=True)
class Flow:
    """A pipeline with coordinates."""

    pipeline: Pipeline
    downwards: bool

    GAP = 34.0

    @property
    def box_width(self) -> float:
        return min(150.0, (330.0 - 12.0) / self._lanes) if self.downwards else 172.0

    @property
    def box_height(self) -> float:
        return 40.0 + 16.0 * max(len(b.lines) for b in self.pipeline.boxes)

    @property
    def _lanes(self) -> int:
        per_stage = [sum(b.stage == s for b in self.pipeline.boxes) for s in range(self._stages)]
        return max(per_stage)

    @property
    def _stages(self) -> int:
        return 1 + max(b.stage for b in self.pipeline.boxes)

    @property
    def width(self) -> float:
        if self.downwards:
            return 330.0
        return self._stages * self.box_width + (self._stages - 1) * self.GAP

    @property
    def height(self) -> float:
        along, across = self._stages, self._lanes
        n = along if self.downwards else across
        return n * self.box_height + (n - 1) * (self.GAP if self.downwards else 16.0)

    def corner(self, box: Box) -> tuple[float, float]:
        """Upper left corner of a box."""
        if self.downwards:
            return round(box.lane * (self.width - self.box_width), 1), box.stage * (self.box_height + self.GAP)
        return box.stage * (self.box_width + self.GAP), round(box.lane * (self.height - self.box_height), 1)

    def first_line(self, box: Box) -> float:
        """How far below its upper edge a box's title stands, so that all its lines are centred."""
        return (self.box_height - 17.0 * len(box.lines)) / 2 + 5.0

    def line(self, arrow: tuple[int, int]) -> tuple[float, float, float, float]:
        """Start and end of an arrow, a little before the box it points to."""
        (x1, y1), (x2, y2) = (self.corner(self.pipeline.boxes[i]) for i in arrow)
        if self.downwards:
            return x1 + self.box_width / 2, y1 + self.box_height, x2 + self.box_width / 2, y2 - 5
        return x1 + self.box_width, y1 + self.box_height / 2, x2 - 5, y2 + self.box_height / 2
