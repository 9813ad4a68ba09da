"""How long an index takes to build and to search at a size that was not measured, from sizes that were."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from knowledge.results.cost import HoldingKind
from knowledge.sizing import Growth, GrowthPoint, sizing

#: how building and searching grow with the number of vectors n. HNSW: each of n vectors is searched for, through a
#: number of layers that grows with log n (Malkov and Yashunin, arXiv:1603.09320). IVF with n ** 0.5 lists, a constant
#: number of which is searched: each vector is set against all lists, each query against all lists and n ** 0.5 vectors.
_BUILD: dict[str, Callable[[float], float]] = {"hnsw": lambda n: n * math.log2(n), "ivf_sq8": lambda n: n**1.5}
_SEARCH: dict[str, Callable[[float], float]] = {"hnsw": lambda n: math.log2(n), "ivf_sq8": lambda n: n**0.5}


def build_hours(kind: HoldingKind, vectors: float, dimension: int, cores: int) -> float | None:
    """Hours to build an index; None where nothing like it was measured.

    Time is taken to grow with the dimension and to shrink with the cores, both in proportion.
    """
    growth = sizing().growth
    if growth is None or kind not in growth.kinds or vectors < 2:
        return None
    seconds = _slope(growth.kinds[kind], _BUILD[kind], lambda point: point.build_seconds) * _BUILD[kind](vectors)
    return seconds / 3600 * dimension / growth.dimension * growth.cores / cores


def search_ms(kind: HoldingKind, vectors: float, dimension: int) -> float | None:
    """Milliseconds of one query on one core; None where nothing like it was measured."""
    growth = sizing().growth
    if growth is None or kind not in growth.kinds or vectors < 2:
        return None
    points = growth.kinds[kind]
    if kind == "hnsw":
        fixed, slope = _line(points, _SEARCH[kind])
        found = fixed + slope * _SEARCH[kind](vectors)
    else:
        found = _slope(points, _SEARCH[kind], lambda point: point.search_ms) * _SEARCH[kind](vectors)
    return max(found, 0.0) * dimension / growth.dimension


def _slope(points: Sequence[GrowthPoint], form: Callable[[float], float], of: Callable[[GrowthPoint], float]) -> float:
    """The factor of a form that fits the points best, errors counted as shares of the values."""
    shares = [of(point) / form(point.vectors) for point in points]
    return math.exp(sum(math.log(share) for share in shares) / len(shares))


def _line(points: Sequence[GrowthPoint], form: Callable[[float], float]) -> tuple[float, float]:
    """Least squares of a fixed part and a slope."""
    xs, ys = [form(point.vectors) for point in points], [point.search_ms for point in points]
    x, y = sum(xs) / len(xs), sum(ys) / len(ys)
    slope = sum((a - x) * (b - y) for a, b in zip(xs, ys, strict=True)) / sum((a - x) ** 2 for a in xs)
    return y - slope * x, slope


def largest(growth: Growth) -> int:
    """The most vectors that were measured."""
    return max(point.vectors for points in growth.kinds.values() for point in points)
