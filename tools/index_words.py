"""A sweep of indexes in sentences: what is fastest at a recall that searches are usually asked for."""

from __future__ import annotations

from knowledge.quantities import rate
from knowledge.results.index_load import IndexLoad, IndexPoint
from knowledge.wording import Text, say

#: recall that a search is usually asked for, which the answer is about
WANTED = (0.99, 0.95)


def fastest(found: IndexLoad) -> list[Text]:
    """The most searches a second at each recall that is wanted; nothing where none reaches it.

    Where the same setting is the fastest at both, the higher recall says it all.
    """
    best = {wanted: point for wanted in WANTED if (point := found.fastest(wanted)) is not None}
    told = {id(point): (wanted, point) for wanted, point in reversed(best.items())}
    return [
        say(
            "At recall {wanted:.2f} or more: {index}, {rate} searches a second by {clients} clients (recall "
            "{recall:.3f}).",
            wanted=wanted,
            index=whole_name(point),
            rate=rate(point.qps),
            clients=point.concurrency,
            recall=point.recall,
        )
        for wanted, point in reversed(told.values())
    ]


def searched(found: IndexLoad) -> Text:
    """What was searched, as the title of its figures."""
    return say(
        "{vectors:,} vectors of {dimension} numbers, {queries} queries, {k} documents each",
        vectors=found.vectors,
        dimension=found.dimension,
        queries=found.queries,
        k=found.k,
    )


def whole_name(point: IndexPoint) -> str:
    """An index with all its parameters."""
    return " ".join((point.kind, *(f"{name}={value}" for name, value in point.parameters.items())))


def name(point: IndexPoint) -> str:
    """An index with the parameter that was swept, which is its last: how it is built is the same in all its rows."""
    return " ".join((point.kind, *(f"{name}={value}" for name, value in [*point.parameters.items()][-1:])))
