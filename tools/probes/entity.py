"""Names: Paris against Vienna, 唐朝 against 宋朝, IL-6 against CD40; in place of one another of its sort."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from functools import cache

from knowledge.wording import say
from tools.probes.base import Change, Language, Source, words

NAME = say("name")
OF_QUERIES = True
#: names of genes, products, models: capitals and a number
_SYMBOL = re.compile(r"(?<![\w./(-])[A-Z]{2,6}-?\d{1,4}[A-Z]?(?![\w/+-])(?!\.\d)")


def change(sentence: str, source: Source) -> Change | None:
    """The first name that stands for itself; in its place another one that the passage does not mention.

    Where the corpus has too few others of its sort, any of our list will do: the fact is as wrong.
    """
    sort = _sorts(source.language)
    for found in _finder(source.language).finditer(sentence):
        name = found.group()
        if not _is_whole(sentence, found, source.language):
            continue
        others = [other for other in sort[name] if other != name and other not in source.passage]
        others = [other for other in others if other in source.names] or others
        if others:
            return _changed(found, others, source)
    for found in _SYMBOL.finditer(sentence):
        others = [other for other in source.symbols if other not in source.passage]
        if found.group() in source.symbols and others:
            return _changed(found, others, source)
    return None


def _changed(found: re.Match[str], others: list[str], source: Source) -> Change:
    new = others[int(source.draw(found.group()) * len(others))]
    return Change(found.start(), found.end(), new, everywhere=True)


def names_in(texts: Iterable[str], language: Language) -> frozenset[str]:
    """Of our lists, the names that some texts mention."""
    together = "\n".join(texts)
    return frozenset(name for name in _sorts(language) if name in together)


def symbols_in(texts: Iterable[str]) -> tuple[str, ...]:
    """Names made of capitals and a number that stand in more than one text, in order."""
    counts = Counter(symbol for text in texts for symbol in set(_SYMBOL.findall(text)))
    return tuple(sorted(symbol for symbol, count in counts.items() if count > 1))


@cache
def _sorts(language: Language) -> dict[str, list[str]]:
    """Name -> the names of its sort."""
    return {name: names for names in words(language)["entities"].values() for name in names}


@cache
def _finder(language: Language) -> re.Pattern[str]:
    names = sorted(_sorts(language), key=len, reverse=True)
    any_of = "|".join(names)
    return re.compile(any_of if language == "zh" else rf"(?<![A-Za-z0-9_])(?:{any_of})(?![A-Za-z0-9_])")


def _is_whole(sentence: str, found: re.Match[str], language: Language) -> bool:
    """Whether a name is no part of a longer one (New England, 印度尼西亚), nor behind an article that it decides."""
    after, before = sentence[found.end() :], sentence[: found.start()]
    if language == "zh":
        return after[:1] not in tuple(words("zh")["entity_not_before"].get(found.group(), ""))
    beside = re.match(r"\s[A-Z]|['’]s\s[A-Z]|[-–]\w|\.\w", after), re.search(r"[A-Z]\w*\s\Z|[-–]\Z", before)
    return not any(beside) and re.search(r"\ban?\s\Z", before, re.I) is None
