"""Two languages in one query: 这个 software 怎么安装, what is 高血压."""

from __future__ import annotations

import random
import re
from functools import cache

from knowledge.wording import say
from tools.robustness.base import is_chinese, is_english, lists

NAME = say("two languages mixed")
#: words that change
MOST = 2


def perturb(query: str, chance: random.Random) -> str:
    """Up to two words of an English query in Chinese, or the other way round."""
    if is_chinese(query):
        finder, other, blank = _finder("zh"), _dictionary("zh"), " "
    elif is_english(query):
        finder, other, blank = _finder("en"), _dictionary("en"), ""
    else:
        return query
    found = list(finder.finditer(query))
    for match in sorted(chance.sample(found, min(MOST, len(found))), key=lambda m: -m.start()):
        word = other[match.group().lower()]
        query = query[: match.start()] + blank + word + blank + query[match.end() :]
    return query.strip()


@cache
def _dictionary(language: str) -> dict[str, str]:
    """Word -> the same in the other language; of several the first."""
    found: dict[str, str] = {}
    for english, chinese in lists()["dictionary"]:
        one, other = (english, chinese) if language == "en" else (chinese, english)
        found.setdefault(one, other)
    return found


@cache
def _finder(language: str) -> re.Pattern[str]:
    words = sorted(map(re.escape, _dictionary(language)), key=len, reverse=True)
    any_of = "|".join(word for word in words if language == "en" or len(word) > 1)
    return re.compile(rf"\b(?:{any_of})\b" if language == "en" else any_of, re.IGNORECASE)
