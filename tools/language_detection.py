"""The languages that texts are in: by script where one language uses it, else by lingua."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache

from knowledge.languages import language_code

_CHARACTERS = 400

# scripts that one widely written language uses; Han counts as Chinese unless kana stand beside it
_SCRIPTS = {
    "HANGUL": "ko",
    "HIRAGANA": "ja",
    "KATAKANA": "ja",
    "CJK": "zh",
    "THAI": "th",
    "GREEK": "el",
    "HEBREW": "he",
    "ARMENIAN": "hy",
    "GEORGIAN": "ka",
    "BENGALI": "bn",
    "TAMIL": "ta",
    "TELUGU": "te",
    "GUJARATI": "gu",
    "GURMUKHI": "pa",
    "KANNADA": "kn",
    "MALAYALAM": "ml",
    "KHMER": "km",
    "LAO": "lo",
    "MYANMAR": "my",
    "ETHIOPIC": "am",
    "SINHALA": "si",
    "TIBETAN": "bo",
}
# scripts of several languages: those told apart. Fewer candidates mean fewer mistakes on short texts
_SHARED_SCRIPTS = {
    "LATIN": "ENGLISH GERMAN FRENCH SPANISH ITALIAN PORTUGUESE DUTCH SWEDISH DANISH BOKMAL FINNISH POLISH CZECH"
    " ROMANIAN HUNGARIAN TURKISH VIETNAMESE INDONESIAN SWAHILI",
    "CYRILLIC": "RUSSIAN UKRAINIAN BULGARIAN SERBIAN KAZAKH",
    "ARABIC": "ARABIC PERSIAN URDU",
    "DEVANAGARI": "HINDI MARATHI",
}
UNSPACED = frozenset({"zh", "ja", "th", "lo", "km", "my"})
# confidence from which a language is believed: short texts and keywords mislead
_SURE, _SURE_OF_SHORT, _SHORT_CHARACTERS = 0.5, 0.85, 80
# confidence from which a short text counts as one in a language that the documents are in
_POSSIBLE = 0.05
_NOISE = 0.03


@cache
def told_apart() -> frozenset[str]:
    """Codes of the languages that are told; texts in another one are taken for a neighbour of it."""
    names = " ".join(_SHARED_SCRIPTS.values()).replace("BOKMAL", "NORWEGIAN").split()
    return frozenset(_SCRIPTS.values()) | {code for name in names if (code := language_code(name))}


def _script(text: str) -> str | None:
    """The script of most letters; a syllable block or a hanzi counts for as much as three letters."""
    counts: Counter[str] = Counter()
    for character in text:
        if character.isalpha():
            name = "LATIN" if character.isascii() else unicodedata.name(character, "").split(" ", 1)[0]
            counts[name] += 3 if name in ("CJK", "HANGUL", "HIRAGANA", "KATAKANA") else 1
    if not counts:
        return None
    kana = counts["HIRAGANA"] + counts["KATAKANA"]
    # Japanese mixes hanzi and kana; Chinese has no kana but in names
    if kana > 0.1 * (kana + counts["CJK"]):
        counts["HIRAGANA"] += counts.pop("CJK", 0) + counts.pop("KATAKANA", 0)
    return counts.most_common(1)[0][0]


def languages_of(texts: Sequence[str], among: Mapping[str, float] | None = None) -> dict[str, float]:
    """Share of each language, by code, largest first; texts too short to tell are left out of the count.

    Args:
        texts: a sample.
        among: languages to choose from within a script, where known from longer texts; short ones mislead.
    """
    found = Counter(code for code in language_of_each(texts, among) if code is not None)
    total = found.total()
    shares = {code: count / total for code, count in found.most_common()}
    kept = {code: share for code, share in shares.items() if share >= _NOISE}
    return {code: round(share / sum(kept.values()), 4) for code, share in kept.items()}


def language_of_each(texts: Sequence[str], among: Mapping[str, float] | None = None) -> list[str | None]:
    """The language of each text, by code; None where it is too short to tell. `among` is as for `languages_of`."""
    from lingua import Language, LanguageDetectorBuilder

    def code_of(iso: str) -> str:
        return language_code(iso) or iso.lower()  # Bokmål is nb there and no in the catalog

    found: list[str | None] = [None] * len(texts)
    shared: dict[str, list[int]] = {}
    for i, text in enumerate(texts):
        script = _script(text[:_CHARACTERS])
        if script in _SCRIPTS:
            found[i] = _SCRIPTS[script]
        elif script in _SHARED_SCRIPTS:
            shared.setdefault(script, []).append(i)
    for script, group in shared.items():
        candidates = [getattr(Language, name) for name in _SHARED_SCRIPTS[script].split()]
        # low accuracy: trigrams only, 30 MB instead of 370 MB, and as good on texts of a sentence or more
        detector = LanguageDetectorBuilder.from_languages(*candidates).with_low_accuracy_mode().build()
        for i in group:
            text = texts[i][:_CHARACTERS]
            values = {
                code_of(v.language.iso_code_639_1.name): v.value
                for v in detector.compute_language_confidence_values(text)
            }
            expected = max((code for code in values if code in (among or {})), key=lambda c: values[c], default=None)
            best = max(values, key=lambda c: values[c])
            short = len(text) < _SHORT_CHARACTERS
            if expected is not None and short and values[expected] >= _POSSIBLE:
                found[i] = expected
            elif values[best] >= (_SURE_OF_SHORT if short else _SURE):
                found[i] = best
    return found
