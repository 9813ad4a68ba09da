"""Antonyms: “increases” against “decreases”, 升高 against 降低."""

from __future__ import annotations

import re
from functools import cache

from knowledge.wording import say
from tools.probes.base import Change, Language, Source, words

NAME = say("antonym")
OF_QUERIES = False
_ARTICLE = re.compile(r"\b(an?)\s+\Z", re.I)


def change(sentence: str, source: Source) -> Change | None:
    """The first word that has an opposite, in place of it; not where the sentence speaks of both."""
    language = source.language
    opposite = _opposites(language)
    found = [match for match in _finder(language).finditer(sentence) if _is_meant(sentence, match, language)]
    if not found or any(_mentions(sentence, opposite[match.group()], language) for match in found):
        return None
    match = found[0]
    old, new = match.group(), opposite[match.group()]
    other = words(language)["other_wording"]
    one = Change(match.start(), match.end(), new, old_said=other.get(old), new_said=other.get(new))
    return _with_article(sentence, one) if language == "en" else one


@cache
def _opposites(language: Language) -> dict[str, str]:
    found: dict[str, str] = {}
    for one, other in words(language)["antonyms"]:
        found.setdefault(one, other)
        found.setdefault(other, one)
    return found


@cache
def _finder(language: Language) -> re.Pattern[str]:
    any_of = "|".join(sorted(map(re.escape, _opposites(language)), key=len, reverse=True))
    return re.compile(rf"(?<![\w-])(?:{any_of})(?![\w-])" if language == "en" else any_of)


def _mentions(sentence: str, word: str, language: Language) -> bool:
    return re.search(rf"\b{re.escape(word)}\b", sentence) is not None if language == "en" else word in sentence


def _is_meant(sentence: str, match: re.Match[str], language: Language) -> bool:
    """Whether the word stands for itself, and not in a fixed phrase such as “high school”."""
    of, word = words(language), match.group()
    after, before = sentence[match.end() :], sentence[: match.start()]
    not_before, not_after = of["antonym_not_before"].get(word, ()), of["antonym_not_after"].get(word, ())
    if language == "zh":
        return after[:1] not in tuple(not_before) and (before[-1:] or "^") not in tuple(not_after)
    following = (re.findall(r"\A\s+([A-Za-z]+)", after) or [""])[0]
    preceding = (re.findall(r"([A-Za-z]+)\s+\Z", before) or [""])[0].lower()
    # “more effective” has an opposite, “more patients” has another one (fewer); a name's part has none
    return following.lower() not in not_before and preceding not in not_after and not following[:1].isupper()


def _with_article(sentence: str, change: Change) -> Change:
    """“An increase” is “a decrease”: the article goes with the word, in every wording."""
    article = _ARTICLE.search(sentence[: change.start])
    if article is None:
        return change

    def together(word: str | None) -> str | None:
        if word is None:
            return None
        fits = "an" if word[0] in "aeiou" else "a"
        return (fits.capitalize() if article[1][0].isupper() else fits) + " " + word

    new = together(change.new)
    assert new
    return Change(article.start(1), change.end, new, False, together(change.old_said), together(change.new_said))
