"""Geometry of a drawing of lines over a logarithmic axis, with places marked on it. Lengths are in SVG user units."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar
from unicodedata import east_asian_width

from tools.report.plane import NARROW, WIDE, Axis, Plane

#: rows of names above the area, the height of one, the room between two names in it, and the size of their letters
_ROWS, _ROW, _BETWEEN, _EM = 2, 14.0, 6.0, 12.0


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
        return Sheet(WIDE, 354.0, self)

    @property
    def narrow(self) -> Sheet:
        """For phones."""
        return Sheet(NARROW, 314.0, self)


@dataclass(frozen=True)
class Sheet(Plane):
    """The curves with coordinates."""

    #: room for two rows of names above the area
    TOP: ClassVar[float] = 40.0

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

    def named(self) -> tuple[tuple[Mark, float], ...]:
        """The marks whose names have room, with the height of each: a name over another one is a row higher.

        What has no room in the rows that there are keeps its line, and goes without its name.
        """
        rows: list[list[tuple[float, float]]] = [[] for _ in range(_ROWS)]
        found: list[tuple[Mark, float]] = []
        for mark in self.curves.marks:
            low, high = self._extent(mark)
            for number, row in enumerate(rows):
                if all(high + _BETWEEN < left or low - _BETWEEN > right for left, right in row):
                    row.append((low, high))
                    found.append((mark, self.TOP - 10 - number * _ROW))
                    break
        return tuple(found)

    def _extent(self, mark: Mark) -> tuple[float, float]:
        """From where to where its name goes."""
        width = sum(_EM if east_asian_width(letter) in "WF" else 0.58 * _EM for letter in mark.name)
        before = {"start": 0.0, "middle": 0.5, "end": 1.0}[self.anchor(mark)]
        left = self.at_x(mark.x) - before * width
        return left, left + width
