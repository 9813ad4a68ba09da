"""Numbers: 25 % against 70 %, 三个 against 七个."""

from __future__ import annotations

import re
from collections.abc import Callable

from knowledge.wording import say
from tools.probes.base import Change, Draw, Source, mention, words

NAME = say("number")
OF_QUERIES = True
#: plain numbers: no part of a name, a range, a date, a citation, a version
_PLAIN = re.compile(
    r"(?<![\w./:+\-–−#=<>~^([×])(?<!\d,)(?P<n>\d{1,3}(?:,\d{3})+|\d{1,6}(?:\.\d{1,3})?)"
    r"(?!\d)(?![A-Za-z_/:\-–−\])^×'’′+])(?![.,]\d)"
)
_IN_CHINESE = re.compile(
    r"(?<![A-Za-z0-9_./:+\-–−#=<>~第年月])(?P<n>\d{1,6}(?:\.\d{1,3})?)(?![A-Za-z0-9_/:\-–−~至到])(?![.,]\d)"
)
_NUMERALS = "两三四五六七八九"
#: from 0 on
_SMALL = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
seventeen eighteen nineteen"""
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_MONTHS = re.compile(
    r"(?:January|February|March|April|May|June|July|August|September|October|November|December|Figure|Table|Fig\.|No\.|"
    r"Chapter|Section|version|type|grade|phase|stage|level)\s+\Z",
    re.I,
)
_MONTH_AFTER = re.compile(
    r"\s+(?:January|February|March|April|May|June|July|August|September|October|November|December)\b|\s*[:x×]\s*\d|"
    r"\s+(?:to|and|or|of)\s+\d"
)
#: days and hours go only so far
_BOUNDED = re.compile(r"\s*[月日号时点分]")


def change(sentence: str, source: Source) -> Change | None:
    """Another number of the same form; one that the passage does not mention."""
    language, passage, draw = source.language, source.passage, source.draw
    if language == "zh" and (one := _numeral(sentence, passage, draw)):
        return one
    pattern = _PLAIN if language == "en" else _IN_CHINESE
    for found in pattern.finditer(sentence):
        before, after = sentence[: found.start()], sentence[found.end() :]
        if _MONTHS.search(before) or _MONTH_AFTER.match(after) or (language == "zh" and _BOUNDED.match(after)):
            continue
        old = found["n"]
        is_year = after.startswith("年") if language == "zh" else re.fullmatch("1[5-9]..|20..", old) is not None
        new = _another(old, lambda n: mention(n).search(passage) is not None, draw, is_year=is_year)
        if new is not None:
            said = _spelled if language == "en" and re.match(r"\s[a-z]", after) else _as_it_is
            return Change(found.start("n"), found.end("n"), new, True, said(old), said(new))
    return None


def _another(old: str, taken: Callable[[str], bool], draw: Draw, *, is_year: bool) -> str | None:
    """A number with as many digits; a year stays near, and nothing becomes or was 0 or 1, which have no plural."""
    plain = old.replace(",", "")
    places = len(plain.partition(".")[2])
    value = float(plain)
    if value <= 1 or value == 100 or plain.startswith("00"):
        return None
    is_year = is_year and not places and value <= 2030
    for attempt in range(8):
        share = draw(f"{old}/{attempt}")
        if is_year:
            new = value - 3 - int(share * 28)
        else:
            digits = len(plain.partition(".")[0])
            low, high = max(2.0, 10.0 ** (digits - 1)), 10.0**digits - 1
            new = low + share * (high - low)
            if abs(new - value) < 0.2 * value:
                continue
        text = f"{new:,.{places}f}" if "," in old else f"{new:.{places}f}"
        if text != old and len(text) == len(old) and not taken(text):
            return text
    return None


def _spelled(number: str) -> str | None:
    """The number in English words, up to ninety-nine."""
    if not number.isdecimal() or not 2 <= int(number) <= 99:
        return None
    small = _SMALL.split()
    tens, ones = divmod(int(number), 10)
    if tens < 2:
        return small[int(number)]
    return _TENS.split()[tens - 2] + (f"-{small[ones]}" if ones else "")


def _as_it_is(number: str) -> str | None:
    return None


def _numeral(sentence: str, passage: str, draw: Draw) -> Change | None:
    """A Chinese numeral before a measure word: 三个, not 十三个, 第三个 or 两三个."""
    measures = words("zh")["measures"]
    around = "一二三四五六七八九十百千万亿两第几数零〇"
    found = re.search(rf"(?<![{around}])[{_NUMERALS}](?=[{measures}](?![{around}人们别性]))", sentence)
    if found is None:
        return None
    old, measure = found.group(), sentence[found.end()]
    others = [n for n in _NUMERALS[1:] if n != old and n + measure not in passage]
    if not others or passage.count(old + measure) != 1:
        return None
    new = others[int(draw(old) * len(others))]
    digit = dict(zip("两三四五六七八九", "23456789", strict=True))
    return Change(found.start(), found.end(), new, False, digit[old], digit[new])
