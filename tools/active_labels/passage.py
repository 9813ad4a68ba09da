"""Texts as they are shown to whoever judges them: one line, nothing that could steer a terminal, not too long."""

from __future__ import annotations

import unicodedata

#: format characters that some languages need in order to be read
_JOINERS = "\u200c\u200d"


def plain(text: str, most: int) -> str:
    """A text in one line of at most so many characters.

    Control and format characters (escape sequences, marks that turn the direction of writing) are left out.
    """
    beginning = text[: 4 * most]
    kept = (c for c in beginning if c.isspace() or c in _JOINERS or not unicodedata.category(c).startswith("C"))
    shown = " ".join("".join(kept).split())
    return shown if len(shown) <= most and len(beginning) == len(text) else shown[: most - 1] + "…"
