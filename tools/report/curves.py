"""Geometry of a drawing of lines over a logarithmic axis, with places marked on it. Lengths are in SVG user units."""

from __future__ import annotations

from dataclasses import dataclass

from tools.report.drawings import Axis, Tick


@dataclass(frozen=True)
class Line:
    """One line; `tone` is that of what it is about; its name stands at its end."""

    name: str
    tone: str
    points: tuple[tuple[float, float], ...]

    def near(self, x: float) -> float:
        """The height of the point next to a place."""
        return min(self.points, key=lambda point: abs(point[0] - x))[1]


@dataclass(frozen=True)
class Mark:
    """A place on the x axis with its name; `tone` "current" is where one stands now."""

    x: float
    name: str
    tone: str = ""


@dataclass(frozen=True)
class Curves:
    """Lines over one axis; `description` says in words what they show."""

    x: Axis
    y: Axis
    lines: tuple[Line, ...]
    marks: tuple[Mark, ...]
    description: str

    @property
    def wide(self) -> Sheet:
        """For screens."""
        return Sheet(self, 760.0, 340.0)

    @property
    def narrow(self) -> Sheet:
        """For phones."""
        return Sheet(self, 360.0, 300.0)


@dataclass(frozen=True)
class Sheet:
    """The curves with coordinates."""

    curves: Curves
    width: float
    height: float

    LEFT = 64.0
    RIGHT = 34.0
    TOP = 26.0
    BOTTOM = 50.0

    @property
    def right(self) -> float:
        return self.width - self.RIGHT

    @property
    def bottom(self) -> float:
        return self.height - self.BOTTOM

    def at_x(self, value: float) -> float:
        """The x coordinate of a value."""
        return round(self.LEFT + self.curves.x.place(value) * (self.right - self.LEFT), 1)

    def at_y(self, value: float) -> float:
        """The y coordinate of a value."""
        return round(self.bottom - self.curves.y.place(value) * (self.bottom - self.TOP), 1)

    def path(self, line: Line) -> str:
        """The line as an SVG path."""
        steps = [f"{self.at_x(x)},{self.at_y(y)}" for x, y in line.points]
        return "M" + " L".join(steps)

    def x_ticks(self, apart: float = 58.0) -> tuple[Tick, ...]:
        """As many of the x axis' ticks as have room for their labels."""
        shown: list[Tick] = []
        for tick in self.curves.x.ticks:
            if not shown or self.at_x(tick.value) - self.at_x(shown[-1].value) >= apart:
                shown.append(tick)
        return tuple(shown)

    def anchor(self, mark: Mark) -> str:
        """On which side of its place a mark's name has room."""
        place = (self.at_x(mark.x) - self.LEFT) / (self.right - self.LEFT)
        return "start" if place < 0.2 else "end" if place > 0.8 else "middle"
