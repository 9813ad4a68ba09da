"""Words, numbers, Chinese characters and signs: what a message is taken apart into."""

from __future__ import annotations

import re
from dataclasses import dataclass

#: stands for a character that has been read as part of a path or a model's name
MASK = "\u2022"
_TOKEN = re.compile(
    MASK + r"+|<=|>=|[\u3400-\u9fff]|\d+(?:,\d{3}(?!\d))*(?:\.\d+)?"
    r"|(?:(?![\u3400-\u9fff])[^\W\d_])+(?:'(?:(?![\u3400-\u9fff])[^\W\d_])+)?|\S"
)
_HAN = re.compile(r"[\u3400-\u9fff]")
_ASCII_WORD = re.compile(r"[a-z']+")


@dataclass(frozen=True, slots=True)
class Token:
    """A word, a number, a Chinese character or a sign; `start` and `end` count folded characters."""

    text: str
    stem: str
    start: int
    end: int

    @property
    def han(self) -> bool:
        """Whether it is a Chinese character."""
        return len(self.text) == 1 and bool(_HAN.match(self.text))


def stem(word: str) -> str:
    """An English word without its plural ending."""
    if len(word) <= 3 or not word.endswith("s") or not _ASCII_WORD.fullmatch(word):
        return word
    if word == "news" or word.endswith(("ss", "is")) or (word.endswith("us") and len(word) > 4):  # corpus, but GPUs
        return word
    return word[:-3] + "y" if word.endswith("ies") and len(word) > 4 else word[:-1]


def tokenise(folded: str) -> list[Token]:
    """The tokens of a folded text."""
    return [Token(m[0], stem(m[0]), m.start(), m.end()) for m in _TOKEN.finditer(folded)]
