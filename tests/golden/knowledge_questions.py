"""Questions about choosing, with the notes that answer them: written apart from the notes, half of them in Chinese.

``tuned`` is what names, weights and thresholds were set with; ``held_out`` was looked at once they were.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from knowledge.wording import Language

FOLDER = Path(__file__).parent / "guidance"
Half = Literal["tuned", "held_out"]
HALVES: tuple[Half, ...] = ("tuned", "held_out")


@dataclass(frozen=True)
class Asked:
    """One question.

    Attributes:
        notes: each of them would do.
        fact: words that the answer has to have; empty where several notes would do.
    """

    text: str
    notes: tuple[str, ...] = ()
    fact: str = ""

    @property
    def language(self) -> Language:
        return "zh" if any("\u4e00" <= c <= "\u9fff" for c in self.text) else "en"


def answerable(half: Half) -> list[Asked]:
    """Questions that the notes answer."""
    return [Asked(entry["q"], tuple(entry["notes"]), entry["fact"]) for entry in _entries(half)]


def unanswerable(half: Half) -> list[Asked]:
    """Questions that they do not."""
    return [Asked(entry["q"]) for entry in _entries("unknown") if entry["half"] == half]


def _entries(name: str) -> list[dict]:
    return [json.loads(line) for line in (FOLDER / f"{name}.jsonl").read_text("utf-8").splitlines()]
