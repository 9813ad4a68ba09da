"""Which language to answer in."""

from __future__ import annotations

import re

from knowledge.wording import Language

_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
_WORD = re.compile(r"[^\W\d_\u3400-\u9fff\uf900-\ufaff]+")


def detect_language(text: str) -> Language:
    """``zh`` where Chinese characters outweigh words of other scripts, two characters counting as a word."""
    sample = text[:5000]
    return "zh" if len(_HAN.findall(sample)) / 2 > len(_WORD.findall(sample)) * 0.6 else "en"
