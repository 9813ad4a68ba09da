"""What endpoints report of the texts that they were sent."""

from __future__ import annotations

from collections.abc import Iterable

from knowledge.results.base import Record


class Usage(Record):
    """Tokens that an endpoint counted, and bills, in texts of one kind."""

    texts: int = 0
    characters: int = 0
    tokens: int = 0


def together(parts: Iterable[dict[str, Usage]]) -> dict[str, Usage]:
    """Several usages by kind of text, added up."""
    found: dict[str, Usage] = {}
    for part in parts:
        for kind, one in part.items():
            so_far = found.get(kind, Usage())
            found[kind] = Usage(
                texts=so_far.texts + one.texts,
                characters=so_far.characters + one.characters,
                tokens=so_far.tokens + one.tokens,
            )
    return found
