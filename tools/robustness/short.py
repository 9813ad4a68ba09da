"""Very short queries: two words of many, three characters of a Chinese sentence."""

from __future__ import annotations

import random
import re

from knowledge.wording import say
from tools.robustness.base import WORD, is_chinese

NAME = say("very short")
KEPT, KEPT_HAN = 2, 4
#: what a Chinese question is made of besides its matter
_ASKING = re.compile(
    "什么|怎么|怎样|如何|为何|哪些|哪个|哪里|哪|多少|几|是不是|能不能|可以|请问|我想|[是的了吗呢在和有被由与及为吧就都也会要]|\\W"
)


def perturb(query: str, chance: random.Random) -> str:
    """The two longest words, in their order; in Chinese the beginning of the longest piece without asking words.

    Longest words stand for the rarest: no corpus is looked at, so that a query is cut alike whatever it is asked of.
    """
    if is_chinese(query):
        longest = max(_ASKING.split(query), key=len)[:KEPT_HAN]
        return longest if 2 <= len(longest) <= len(query) // 2 else query
    words = [match.group() for match in WORD.finditer(query)]
    if len(words) < 2 * KEPT or len(words) != len(re.findall(r"\S*[^\W\d_]\S*", query)):
        return query
    kept = sorted(range(len(words)), key=lambda i: (-len(words[i]), i))[:KEPT]
    return " ".join(words[i] for i in sorted(kept))
