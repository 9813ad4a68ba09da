"""Which language to answer in."""

from __future__ import annotations

import re

from knowledge.wording import Language

_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
#: a word by itself: the pieces of a name (bge-m3, BAAI/bge-m3, st:...) say nothing about the language
_WORD = re.compile(r"(?<![A-Za-z0-9_./:@=-])[^\W\d_\u3400-\u9fff\uf900-\ufaff]+(?![A-Za-z0-9_/:@=-]|\.\w)")


def detect_language(text: str) -> Language:
    """``zh`` where Chinese characters outweigh words of other scripts, two characters counting as a word."""
    sample = text[:5000]
    return "zh" if len(_HAN.findall(sample)) / 2 > len(_WORD.findall(sample)) * 0.6 else "en"


def reply_language(text: str, known: Language | None) -> Language:
    """Which language to answer a message in: the conversation's, unless some words speak for the other one.

    A number, a path, a model's name, a lone “yes” say nothing about the language.
    """
    if known == "zh" and not _HAN.search(text) and len([w for w in text.split() if w.isalpha()]) < 3:
        return known
    return detect_language(text) if known is None or text.strip() else known
