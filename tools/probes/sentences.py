"""Sentences that state something, out of passages in English and Chinese."""

from __future__ import annotations

import re

from tools.probes.base import Language

_HAN = re.compile(r"[\u3400-\u9fff]")
_KANA = re.compile(r"[\u3040-\u30ff]")
_LETTER = re.compile(r"[^\W\d_]")
#: so many of them in a text, and it is English: other languages share one or two
_ENGLISH = re.compile(r"\b(?:the|of|and|is|are|was|were|to|with|that|this|by|not|it|has|which|from|been)\b", re.I)
_ENDS = {
    "en": re.compile(r"(?<=[.!?])[\"')\]]*\s+(?=[\"'(\[]?[A-Z0-9])"),
    "zh": re.compile(r"(?<=[。！？；!?\n])"),
}
#: an abbreviation's full stop ends no sentence
_ABBREVIATED = re.compile(r"(?:\b(?:e\.g|i\.e|etc|vs|cf|Dr|Mr|Mrs|Ms|Prof|St|No|Fig|al|approx|[A-Z]))\.$")
#: characters that tell a language
_LOOKED_AT = 800
_LENGTH = {"en": (40, 220), "zh": (10, 80)}
_PAIRED = ("()", "[]", "（）", "《》", "“”", "「」", "【】")


def language_of(text: str) -> Language | None:
    """English or Chinese where a text is clearly one of them; None: no rules are at hand."""
    text = text[:_LOOKED_AT]
    letters = len(_LETTER.findall(text))
    han = len(_HAN.findall(text))
    if han and han >= 0.5 * letters and len(_KANA.findall(text)) <= 0.02 * letters:
        return "zh"
    words = len(text.split())
    return "en" if not han and words and len(_ENGLISH.findall(text)) >= max(2, words / 12) else None


def split(text: str, language: Language) -> list[str]:
    """The sentences of a text, each as it stands there."""
    found: list[str] = []
    for piece in _ENDS[language].split(text):
        if found and language == "en" and _ABBREVIATED.search(found[-1]):
            joined = text.find(piece, text.find(found[-1]) + len(found[-1]))
            start = text.find(found[-1])
            found[-1] = text[start : joined + len(piece)]
        elif piece.strip():
            found.append(piece.strip())
    return found


def states(sentence: str, language: Language) -> bool:
    """Whether a sentence is a plain statement of one's own length: no question, list, heading or piece of one."""
    low, high = _LENGTH[language]
    if not low <= len(sentence) <= high or any(c in sentence for c in "\n\t|{}<>=?？") or "http" in sentence:
        return False
    if any(sentence.count(pair[0]) != sentence.count(pair[1]) for pair in _PAIRED):
        return False
    if language == "zh":
        return sentence[-1] in "。！；" and _HAN.match(sentence[0]) is not None
    whole = sentence[-1] == "." and sentence[0].isupper() and not sentence[:3].isupper()
    return whole and sentence.count('"') % 2 == 0 and ": " not in sentence and " - " not in sentence
