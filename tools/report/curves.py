"""Geometry of a drawing of lines over a logarithmic axis, with places marked on it. Lengths are in SVG user units."""

from __future__ import annotations

from dataclasses import dataclass

from tools.report.plane import NARROW, WIDE, Axis, Plane


@dataclass(frozen=True)
class Line:
    """One line; `tone` is that of what it is about, and `dots` whether its points are measurements, to be seen."""

    name: str
    tone: str
    points: tuple[tuple[float, float], ...]
    dots: bool = False

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
        return Sheet(WIDE, 340.0, self)

    @property
    def narrow(self) -> Sheet:
        """For phones."""
        return Sheet(NARROW, 300.0, self)


@dataclass(frozen=True)
class Sheet(Plane):
    """The curves with coordinates."""

    curves: Curves

    def at_x(self, value: float) -> float:
        """The x coordinate of a value."""
        return self.across(self.curves.x, value)

    def at_y(self, value: float) -> float:
        """The y coordinate of a value."""
        return self.up(self.curves.y, value)

    def path(self, line: Line) -> str:
        """The line as an SVG path."""
        steps = [f"{self.at_x(x)},{self.at_y(y)}" for x, y in line.points]
        return "M" + " L".join(steps)

    def anchor(self, mark: Mark) -> str:
        """On which side of its place a mark's name has room."""
        place = (self.at_x(mark.x) - self.LEFT) / (self.right - self.LEFT)
        return "start" if place < 0.2 else "end" if place > 0.8 else "middle"
