"""Negation: “is safe” against “is not safe”, 对肠道好 against 对肠道不好."""

from __future__ import annotations

import re
from functools import cache

from knowledge.wording import say
from tools.probes.base import Change, Source, words

NAME = say("negation")
OF_QUERIES = False


def change(sentence: str, source: Source) -> Change | None:
    """A statement denied, or one that is denied affirmed; one with two negatives is left alone."""
    return _english(sentence) if source.language == "en" else _chinese(sentence)


# ---------------------------------------------------------------- English


@cache
def _patterns() -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str]]:
    of = words("en")
    verbs = "|".join(sorted(map(re.escape, of["auxiliaries"]), key=len, reverse=True))
    affirmed = re.compile(rf"(?<=\s)(?:{verbs})(?=\s(?P<next>[a-z]+))")
    stays = r"(?:so|only|until|as|just|all|every|necessarily|yet|be)\b"
    denied = re.compile(rf"(?<=\s)(?:(?P<verb>{verbs}|does|did) not|(?P<can>cannot))(?=\s(?!{stays})[a-z])")
    negative = re.compile(rf"\b(?:{'|'.join(of['negators'])})\b|n['’]t\b", re.I)
    return affirmed, denied, negative


def _english(sentence: str) -> Change | None:
    of = words("en")
    affirmed, denied, negative = _patterns()
    shorter: dict[str, str] = of["contractions"]
    if found := denied.search(sentence):
        if len(negative.findall(sentence)) > 1 or not _said_alone(sentence, found.start()):
            return None
        verb = found["verb"] or "can"
        return Change(found.start(), found.end(), verb, old_said=shorter.get(f"{verb} not"))
    if negative.search(sentence):
        return None
    for found in affirmed.finditer(sentence):
        plain = found["next"] not in of["not_inserted_before"] and not found["next"].endswith("ly")
        if plain and _said_alone(sentence, found.start()):
            verb, *been = found.group().split()
            long = " ".join([verb, "not", *been])
            return Change(found.start(), found.end(), long, new_said=shorter.get(long, long))
    return None


def _said_alone(sentence: str, at: int) -> bool:
    """Whether the verb follows a plain subject: no “which is”, and no “will” that is a noun."""
    before = sentence[:at].split()
    return bool(before) and before[-1].strip(",").lower() not in words("en")["not_inserted_after"]


# ---------------------------------------------------------------- Chinese


def _chinese(sentence: str) -> Change | None:
    of = words("zh")
    good = of["good_for"]
    if (found := re.search(good["pattern"], sentence)) and not _negative(sentence):
        return Change(found.start("fact"), found.end("fact"), good["deny"], new_said=good["other"])
    for entry in of["negations"]:
        say_, deny = entry["say"], entry["deny"]
        if sentence.count(deny) == 1 and not _negative(sentence.replace(deny, "")):
            at = sentence.index(deny)
            return Change(at, at + len(deny), say_, old_said=entry["other"])
        if sentence.count(say_) == 1 and not _negative(sentence):
            at = sentence.index(say_)
            before, after = sentence[at - 1 : at], sentence[at + len(say_) :][:1]
            if before and before not in "，。、；：" + entry["not_after"] and after not in entry["not_before"]:
                return Change(at, at + len(say_), deny, new_said=entry["other"])
    return None


def _negative(sentence: str) -> bool:
    return any(word in sentence for word in words("zh")["negators"])
