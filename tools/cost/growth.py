"""How long an index takes to build and to search at a size that was not measured, from sizes that were."""

from __future__ import annotations

import math
from collections.abc import Callable

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
    return build_seconds(growth, kind, vectors) / 3600 * dimension / growth.dimension * growth.cores / cores


def search_ms(kind: HoldingKind, vectors: float, dimension: int) -> float | None:
    """Milliseconds of one query on one core; None where nothing like it was measured."""
    growth = sizing().growth
    if growth is None or kind not in growth.kinds or vectors < 2:
        return None
    return query_ms(growth, kind, vectors) * dimension / growth.dimension


def build_seconds(growth: Growth, kind: str, vectors: float) -> float:
    """Seconds to build, at the dimension and on the cores of the measurement."""
    return _grown(growth, kind, vectors, _BUILD[kind], lambda point: point.build_seconds)


def query_ms(growth: Growth, kind: str, vectors: float) -> float:
    """Milliseconds of a query, at the dimension of the measurement."""
    return _grown(growth, kind, vectors, _SEARCH[kind], lambda point: point.search_ms)


def largest(growth: Growth) -> int:
    """The most vectors that were measured."""
    return max(point.vectors for points in growth.kinds.values() for point in points)


def _grown(
    growth: Growth, kind: str, vectors: float, form: Callable[[float], float], of: Callable[[GrowthPoint], float]
) -> float:
    """Grown by a form from the largest size that was measured.

    Smaller ones say little of larger ones: they fit into the processor's caches, and each doubling that leaves these
    costs more than the form has it (benchmarks/load/growth.txt).
    """
    point = max(growth.kinds[kind], key=lambda point: point.vectors)
    return of(point) * form(vectors) / form(point.vectors)
