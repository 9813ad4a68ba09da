"""The figures in a text, English or Chinese, digits or words: 0.7066, 70.7 %, 5.68 亿, forty-two, 三十毫秒, twice.

This reads what a language model wrote, to find every figure that could mislead; what the user writes is read by
``agent.understanding.numbers``, which looks for demands and passes over the rest.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

#: a rounded figure is within so much of the one it stands for, or it says something else (568 M is not "1 B")
_ROUNDED = 0.05
#: a whole number of more digits may be rounded at its zeros, to two digits at least
_LONG = 3
#: a figure without a unit in the evidence may be a place in a list, and stands for no measured quantity
_LARGEST_PLACE = 10

_DIGITS = {c: n for n, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_SCALES_ZH = {"十": 1e1, "百": 1e2, "千": 1e3, "万": 1e4, "亿": 1e8}
_SMALL = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_TEENS = ("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen")
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_ENGLISH = {word: number for number, word in enumerate(_SMALL + _TEENS)}
_ENGLISH |= {word: 10 * number for number, word in enumerate(_TENS, 2)}
_ENGLISH_SCALES = {"dozen": 12, "hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9}
_LETTER_SCALES = {"k": 1e3, "K": 1e3, "M": 1e6, "mn": 1e6, "mio": 1e6, "B": 1e9, "bn": 1e9}
#: words that say how many times as much
_RATIOS = tuple(
    (re.compile(rf"(?<![A-Za-z])(?:{words})(?![A-Za-z-])", re.IGNORECASE), value)
    for words, value in (
        (r"half|halves|halved|halving|一半|减半|半数", 0.5),
        (r"twice|doubl(?:e[sd]?|ing)|twofold|翻倍|翻番|加倍", 2.0),
        (r"thrice|tripl(?:e[sd]?|ing)|threefold", 3.0),
        (r"quadrupl(?:e[sd]?|ing)|fourfold", 4.0),
        (r"tenfold", 10.0),
        (r"thirds", 1 / 3),
        (r"quarters?", 0.25),
        (r"fifths", 0.2),
        (r"tenths", 0.1),
    )
)
#: unit -> how it is written behind a number; the first that fits counts
_UNITS = {
    "%": r"%|percent(?:age)?(?:[ -]points?)?|per cent|points?\b|pts\b|pp\b|个?百分点|个点",
    "x": r"x\b|×|times\b|-?fold\b|倍",
    "ms": r"ms\b|milliseconds?|毫秒",
    "s": r"s\b|secs?\b|seconds?|秒",
    "min": r"min\b|minutes?|分钟",
    "h": r"h\b|hours?|个?小时",
    "day": r"days?\b|天",
    "month": r"months?\b|个月",
    "year": r"years?\b|年",
    "bytes": r"bytes?\b|字节",
    "KB": r"Ki?B\b",
    "MB": r"Mi?B\b",
    "GB": r"Gi?B\b",
    "TB": r"Ti?B\b",
    "bits": r"-?bits?\b|位",
    "usd": r"\$|dollars?|usd\b|美元",
    "cny": r"yuan\b|rmb\b|人民币|元",
    "eur": r"€|euros?\b|欧元",
    "dimensions": r"-?dim(?:ension(?:al|s)?|s)?\b|d\b|维",
    "tokens": r"-?tokens?\b|个?词元|个?\s?token",
    "parameters": r"param(?:eter)?s?\b|个?参数",
    "languages": r"languages?\b|种语言|门语言",
    "documents": r"documents?\b|docs?\b|篇|个?文档",
    "models": r"(?:other |new )?(?:models?|candidates?|options?|others)\b|[个款种]?(?:模型|候选)",
    "queries": r"quer(?:y|ies)\b|次查询|个?查询",
}
#: one of these is a way of speaking: one query, 一个文档
_COUNTED = frozenset({"dimensions", "tokens", "parameters", "languages", "documents", "queries"})
_SIGNS = {"$": "usd", "€": "eur", "¥": "cny"}
_UNIT = re.compile(
    r"[ \-]?(?:" + "|".join(f"(?P<u{i}>{pattern})" for i, pattern in enumerate(_UNITS.values())) + ")", re.IGNORECASE
)
_UNIT_NAMES = tuple(_UNITS)
_NUMBER = re.compile(
    r"(?<![A-Za-z0-9.])(?:(?P<whole>\d{1,3}(?:[,' _]\d{3})+(?!\d)|\d+)(?P<part>[.,]\d+)?|(?P<bare>\.\d+))"
    r"(?P<power>[eE][+-]?\d{1,3}(?![A-Za-z0-9]))?"
)
_SCALE = re.compile(
    r" ?(?:(?P<letter>k|K|M|mn|mio|B|bn)(?![A-Za-z0-9])|(?P<word>hundred|thousand|million|billion)\b"
    r"|(?P<zh>[十百千万亿]+))"
)
_CHINESE = re.compile(r"[零〇一二两三四五六七八九十百千万亿]+(?:点[零〇一二三四五六七八九]+)?")
#: words with numerals that count nothing
_CHINESE_WORDS = re.compile(r"十分(?!钟|之)|万一|千万(?=[不别要])|一半|第一|唯一|统一|百万(?=级)|万物|百科")
_ENGLISH_NUMBER = re.compile(
    r"\b(?:"
    + "|".join((*_ENGLISH, *_ENGLISH_SCALES))
    + r")s?(?:(?:[ -]and)?[ -](?:"
    + "|".join((*_ENGLISH, *_ENGLISH_SCALES))
    + r")s?)*\b",
    re.IGNORECASE,
)
_MARKER = re.compile(r"^[ \t]*(?:[-*] )?(\d{1,2})[.)、](?=\s|[^\d\s])", re.MULTILINE)
_FRACTION = re.compile(r"(?<![\w.])(\d{1,15}) ?[/⁄] ?(\d{1,15})(?![\w.])")
_PART_OF = re.compile(
    r"([百千万])分之 ?(\d+(?:\.\d+)?|[零〇一二两三四五六七八九十百]+(?:点[零〇一二三四五六七八九]+)?)"
)
_LETTERS = re.compile(r"[A-Za-z]+")


#: what separates words in Chinese, and would join them as its Latin form does: bge-m3：568
_PUNCTUATION = frozenset("：，；！？（）")
#: the unit of a figure that is part of a name: 256 of st:...?dim=256
NAMED = "named"


@dataclass(frozen=True)
class Figure:
    """A figure and where it stands.

    Attributes:
        value: without its sign; infinite where it is beyond all measure.
        step: worth of its last digit.
        unit: a key of `_UNITS`, other letters right behind it, or nothing.
    """

    text: str
    value: float
    step: float
    unit: str
    start: int

    @property
    def is_way_of_speaking(self) -> bool:
        """Whether it counts nothing that was measured: two models, one query."""
        return self.value in (1, 2, 3) and (self.unit in ("", "models") or (self.value == 1 and self.unit in _COUNTED))

    def counts_models_up_to(self, most: int) -> bool:
        """Whether it may be a count of the models there are."""
        return self.unit == "models" and self.step == 1 and self.value <= most

    def stands_for(self, known: Figure) -> bool:
        """Whether it is a figure of the evidence, or that one rounded."""
        if known.unit == NAMED:
            return self.unit in ("", "dimensions", "bits") and self.value == known.value
        if self.unit == known.unit or not self.unit:
            if self._rounds(known.value, 1.0):
                return True
        elif not known.unit and self.unit not in ("%", "x") and (known.value >= _LARGEST_PLACE or known.step < 1):
            return self._rounds(known.value, 1.0)
        if self.unit == "%" and not known.unit and known.value <= 1 and known.step < 1:
            return self._rounds(known.value, 100.0)  # 0.7066 is 70.7 %
        return known.unit == "%" and not self.unit and self.step < 1 and self._rounds(known.value, 0.01)

    def _rounds(self, value: float, times: float) -> bool:
        off = abs(value * times - self.value)
        tiny = 1e-9 * max(1.0, abs(self.value))
        return off <= tiny or (off <= 0.5 * self.step + tiny and off <= _ROUNDED * abs(value * times))


def comparable(text: str) -> str:
    """The text with compatibility forms, dashes, spaces and digits of other scripts as one of each."""
    kept = []
    for c in "".join(c if c in _PUNCTUATION else unicodedata.normalize("NFKC", c) for c in text):
        category = unicodedata.category(c)
        if category == "Cf":
            continue
        if category == "Nd":
            kept.append(str(unicodedata.decimal(c)))
        else:
            kept.append("-" if category == "Pd" or c == "−" else " " if category == "Zs" else c)
    return "".join(kept)


def without_markers(text: str) -> str:
    """The text without the numbers of its lists, where they count up from 1; the length stays."""
    expected = 1

    def one(match: re.Match[str]) -> str:
        nonlocal expected
        number = int(match[1])
        if number not in (1, expected):
            return match[0]
        expected = number + 1
        return " " * len(match[0])

    return _MARKER.sub(one, text)


def figures_in(text: str) -> list[Figure]:
    """Every figure of a comparable text, in order. What letters belong to (p95, bge-m3) is for names, and no figure."""
    return _Reader(text).read()


class _Reader:
    """Reads one kind of figure after the other; what was read is blanked."""

    def __init__(self, text: str) -> None:
        self._text = self._rest = text
        self._found: list[Figure] = []

    def read(self) -> list[Figure]:
        for pattern, ratio in _RATIOS:
            self._each(pattern, partial(self._ratio, value=ratio))
        self._each(_FRACTION, lambda match: self._ratio(match, int(match[1]) / (int(match[2]) or 1)))
        self._each(_PART_OF, self._part_of)
        self._each(_NUMBER, self._digits)
        self._rest = _CHINESE_WORDS.sub(_blank, self._rest)
        self._each(_CHINESE, lambda match: self._note(match.start(), match.end(), *_chinese(match[0])))
        self._each(_ENGLISH_NUMBER, lambda match: self._note(match.start(), match.end(), _english(match[0]), 1.0))
        return sorted(self._found, key=lambda figure: figure.start)

    def _each(self, pattern: re.Pattern[str], read: Callable[[re.Match[str]], int]) -> None:
        """Read each match; `read` returns where the figure ends."""
        at = 0
        while (match := pattern.search(self._rest, at)) is not None:
            at = max(read(match), match.end())
            self._rest = self._rest[: match.start()] + "\0" * (at - match.start()) + self._rest[at:]

    def _ratio(self, match: re.Match[str], value: float) -> int:
        self._found.append(Figure(match[0], value, 0.0, "x", match.start()))
        return match.end()

    def _part_of(self, match: re.Match[str]) -> int:
        number = _NUMBER.fullmatch(match[2])
        value, step = _value(number) if number else _chinese(match[2])
        whole = _SCALES_ZH[match[1]] / 100
        self._found.append(Figure(match[0], value / whole, step / whole, "%", match.start()))
        return match.end()

    def _digits(self, match: re.Match[str]) -> int:
        value, step = _value(match)
        scale, end = _scale(self._rest, match.end())
        return self._note(match.start(), end, value * scale, step * scale)

    def _note(self, start: int, end: int, value: float, step: float) -> int:
        named, letters = _UNIT.match(self._rest, end), _LETTERS.match(self._rest, end)
        unit = ""
        if named:
            unit, end = _UNIT_NAMES[int((named.lastgroup or "u0")[1:])], named.end()
        elif letters:
            unit, end = letters[0].lower(), letters.end()
        sign = self._text[:start].rstrip()[-1:]
        unit = "" if unit in ("st", "nd", "rd", "th") else unit or _SIGNS.get(sign, "")
        self._found.append(Figure(self._text[start:end], value, step, unit, start))
        return end


def _blank(match: re.Match[str]) -> str:
    return "\0" * len(match[0])


def _value(match: re.Match[str]) -> tuple[float, float]:
    """The value of digits, and what the last of them is worth."""
    whole = re.sub(r"[,' _]", "", match["whole"] or "0")
    part = (match["part"] or match["bare"] or ".")[1:]
    power = int((match["power"] or "e0")[1:])
    zeros = len(whole) - len(whole.rstrip("0"))
    rounded = not part and len(whole) > _LONG and len(whole) - zeros > 1  # 26,500 for 26,522
    last = power + (zeros if rounded else -len(part))
    return float(f"{whole}.{part or 0}e{power}"), float(f"1e{last}")


def _scale(text: str, end: int) -> tuple[float, int]:
    """What the word right behind a number multiplies it by, and where that word ends."""
    match = _SCALE.match(text, end)
    if match is None:
        return 1.0, end
    if match["zh"]:
        scale = 1.0
        for c in match["zh"]:
            scale *= _SCALES_ZH[c]
        return scale, match.end()
    return _LETTER_SCALES.get(match["letter"]) or float(_ENGLISH_SCALES[match["word"]]), match.end()


def _chinese(written: str) -> tuple[float, float]:
    whole, _, part = written.partition("点")
    if not set(whole) & set(_SCALES_ZH):  # 二〇二六, one digit after the other
        digits = "".join(str(_DIGITS[c]) for c in whole)
        value = float(digits)
    else:
        total = section = digit = 0.0
        for c in whole:
            if c in _DIGITS:
                digit = _DIGITS[c]
            elif _SCALES_ZH[c] >= 10_000:
                total, section, digit = (total + section + digit or 1.0) * _SCALES_ZH[c], 0, 0
            else:
                section, digit = section + (digit or 1.0) * _SCALES_ZH[c], 0.0
        value = total + section + digit
    decimals = "".join(str(_DIGITS[c]) for c in part)
    return value + (float(f"0.{decimals}") if decimals else 0.0), 10.0 ** -len(decimals)


def _english(written: str) -> float:
    total = section = 0
    for word in re.split(r"[ -]", written.lower()):
        word = word if word in _ENGLISH or word in _ENGLISH_SCALES else word.removesuffix("s")
        if word in _ENGLISH:
            section += _ENGLISH[word]
        elif word in ("hundred", "dozen"):
            section = (section or 1) * _ENGLISH_SCALES[word]
        elif word in _ENGLISH_SCALES:
            total, section = total + (section or 1) * _ENGLISH_SCALES[word], 0
    return float(total + section)
