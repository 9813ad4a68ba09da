"""What a number counts where the lexicon has no word for it: any thing that can be kept, such as 30,000 postcards.

People, places, organisations, machines, money and units are no documents; the words for them are data (the lexicon's
``not_kept``). A small number needs a word such as "archive" or 一共 beside it.
"""

from __future__ import annotations

from agent.understanding.tokens import Token
from agent.understanding.utterance import Utterance

#: from so many on, it needs no other word to be a collection, and below the other nothing makes it one
_MANY, _FEW = 1000, 100
#: words between the number and what it counts: "30,000 recently scanned parish registers"
_BETWEEN = 4
#: Chinese characters of a counted noun that are looked at
_NOUN = 6


def counted_thing(utterance: Utterance, at: int, value: float, *, rough: bool = False) -> int | None:
    """The token after the thing that a number before `at` counts; None where it counts none that can be kept."""
    if value < _FEW or (value < _MANY and not rough and not _is_collection(utterance, at)):
        return None
    before, after = (utterance.tokens[i].han if 0 <= i < len(utterance.tokens) else False for i in (at - 1, at))
    return _chinese(utterance, at) if before or after else _english(utterance, at)


def _is_collection(utterance: Utterance, at: int) -> bool:
    return bool(utterance.in_clause(utterance.clauses[min(at, len(utterance.tokens)) - 1], "collection"))


def _kept(utterance: Utterance, token: Token) -> bool:
    return not {token.text, token.stem} & utterance.lexicon.not_kept


def _english(utterance: Utterance, at: int) -> int | None:
    clause = utterance.clauses[at - 1]
    for i in range(at, min(at + _BETWEEN, len(utterance.tokens))):
        token = utterance.tokens[i]
        if utterance.clauses[i] != clause or not token.text.isalpha() or not _kept(utterance, token):
            return None
        if token.text in utterance.lexicon.ends_counting or utterance.starting(i, "rate", "unit", "limit"):
            return None
        if token.text != token.stem:
            return i + 1
    return None


def _chinese(utterance: Utterance, at: int) -> int | None:
    """After a classifier: 3万张老照片, and at the end of what it counts: 词条48213个."""
    tokens, lexicon = utterance.tokens, utterance.lexicon
    if tokens[at - 1].text not in lexicon.classifiers:
        if at >= len(tokens) or tokens[at].text not in lexicon.classifiers:
            return None
        at += 1
    clause = utterance.clauses[at - 1]
    noun: list[str] = []
    while at + len(noun) < len(tokens) and len(noun) < _NOUN and utterance.clauses[at + len(noun)] == clause:
        token = tokens[at + len(noun)]
        if not token.han:
            break
        noun.append(token.text)
    following = "".join(noun)
    if any(following.startswith(word) for word in lexicon.not_kept_han):
        return None
    if len(following) >= 2:
        return at + 2
    before = "".join(t.text for t, c in zip(tokens[: at - 1], utterance.clauses, strict=False) if c == clause and t.han)
    return at if not following and before and not any(word in before for word in lexicon.not_kept_han) else None
