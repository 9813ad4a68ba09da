"""Perturbed queries of a dataset, as many as a budget of characters allows."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tools.robustness import case, characters, diacritics, emoji, long, mixed, order, short, typos, width
from tools.robustness.base import Kind

#: by name; where the budget is small, the first ones come first
KINDS: Mapping[str, Kind] = {
    "typos": typos,
    "case": case,
    "short": short,
    "order": order,
    "diacritics": diacritics,
    "characters": characters,
    "width": width,
    "mixed": mixed,
    "long": long,
    "emoji": emoji,
}
#: with fewer changed queries a kind says too little
FEWEST = 15
#: with more a kind would cost more than it tells
MOST = 80


@dataclass(frozen=True)
class Perturbed:
    """A query as it comes otherwise."""

    kind: str
    query: str
    text: str

    @property
    def id(self) -> str:
        """Unique among all perturbed queries."""
        return f"{self.kind}/{self.query}"


def perturb_queries(queries: Mapping[str, str], characters: int, most: int = MOST) -> list[Perturbed]:
    """The perturbed queries, each kind on as many as the budget allows; the same queries give the same.

    Args:
        queries: id -> text; of the same text, only the first counts.
        characters: that they may add to what is encoded.
        most: of each kind.

    Returns:
        none of a kind that changes fewer than `FEWEST`, or for which the budget does not suffice.
    """
    chosen = _chosen(queries)
    found: dict[str, list[Perturbed]] = {}
    left = characters
    for name, kind in KINDS.items():
        changed = _changed(name, kind, chosen, queries, most)
        if len(changed) >= FEWEST and (price := _price(changed[:FEWEST])) <= left:
            found[name] = changed
            left -= price
    kept = {name: changed[:FEWEST] for name, changed in found.items()}
    for place in range(FEWEST, most):
        for name, changed in found.items():
            if place < len(changed) and len(changed[place].text) <= left:
                kept[name].append(changed[place])
                left -= len(changed[place].text)
    return [one for changed in kept.values() for one in changed]


def _chosen(queries: Mapping[str, str]) -> list[str]:
    """Query ids in an order that says nothing, one a text: the same queries for every kind, as far as it goes."""
    first = {" ".join(queries[query].split()): query for query in reversed(list(queries))}
    return sorted(first.values(), key=lambda query: hashlib.sha256(_bytes(queries[query])).digest())


def _changed(name: str, kind: Kind, chosen: Sequence[str], queries: Mapping[str, str], most: int) -> list[Perturbed]:
    found: list[Perturbed] = []
    for query in chosen:
        if len(found) == most:
            break
        text = kind.perturb(queries[query], random.Random(_bytes(f"{name}\n{queries[query]}")))
        if text != queries[query] and text.strip():
            found.append(Perturbed(name, query, text))
    return found


def _price(perturbed: Sequence[Perturbed]) -> int:
    return sum(len(one.text) for one in perturbed)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
