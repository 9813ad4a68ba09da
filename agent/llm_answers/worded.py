"""What comes of wording an answer with a language model."""

from __future__ import annotations

from dataclasses import dataclass

from knowledge.wording import Text


@dataclass(frozen=True)
class Worded:
    """What came of it.

    Attributes:
        text: the model's words, checked; None: the templated answer goes out.
        note: why it does, where the user should know.
        turns, tokens: what it cost.
    """

    text: Text | None = None
    note: Text | None = None
    turns: int = 0
    tokens: int = 0
