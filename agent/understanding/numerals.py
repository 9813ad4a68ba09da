"""Numbers as they are written: 10M, 30 000, 12,5 million, thirty five thousand, 两千八, a quarter of a million."""

from __future__ import annotations

import re
from dataclasses import dataclass

from agent.understanding.counted import counted_thing
from agent.understanding.utterance import Hit, Utterance

#: units of what can be kept; their number may be some words away: "10M short legal documents"
COUNTED = frozenset({"documents", "queries", "languages"})
#: what is larger is no quantity
LARGEST = 1e15
_OPENING = frozenset("([{")
_CLOSING = frozenset(")]}")
#: rates whose words may also say how long something takes, with the unit of that
_ALSO_DURATIONS = {"s": "s"}
_ONE = frozenset({"a", "一"})
#: what makes of 一 something else than a number: 一下, 一遍, 一会儿, 一些
_NO_NUMBER = frozenset("下遍次会些点直样般起定共切旦边")
_ABOUT = frozenset({"about", "around", "roughly", "like", "say", "maybe", "let's", "in", "大", "约", "概"})
_SOME_MORE = frozenset("多余来")
#: from here on the scales multiply all that was said before them
_MYRIAD = 10_000
_LONGEST_NUMBER = 15
_TWO_DIGITS = 3
#: from here on a last digit without its scale counts the next lower one: 两千八 is 2,800
_SHORTENED = 100
_YEAR = re.compile(r"1[5-9]\d\d|20\d\d")
_BEFORE_YEARS = frozenset({"in", "since", "until", "till", "year", "before", "after", "circa", "自", "从"})
#: types of columns whose argument is the length of a vector
VECTOR_TYPES = frozenset({"vector", "halfvec", "embedding", "varvector", "float_vector"})
#: thousands parted by spaces or points
_FRACTION = re.compile(r"\d{1,2}")
_HEAD, _GROUP, _POINTED = re.compile(r"[1-9]\d{0,2}"), re.compile(r"\d{3}"), re.compile(r"[1-9]\d{0,2}\.\d{3}")


@dataclass(frozen=True)
class Numeral:
    """A number with the token after its last; with a unit and a limit where they are part of its words."""

    value: float
    end: int
    scaled: bool = False
    unit: str | None = None
    limit: str | None = None


class Numerals:
    """The numbers of one message, by the token that each begins at."""

    def __init__(self, utterance: Utterance) -> None:
        self._u = utterance
        table = utterance.lexicon.tables["numerals"]
        self._digits: dict[str, int] = table["digits"]
        self._scales: dict[str, int] = table["scales"]
        self._words: dict[str, int] = table["words"]
        self._word_scales: dict[str, int] = table["word_scales"]
        self._vague = frozenset(table["vague"])
        self._parts: dict[str, float] = table["parts"]
        self._after_article = {*self._word_scales, "hundred", "couple", "dozen"}

    def at(self, i: int) -> Numeral | None:
        """The number that begins at a token, with what belongs to it (one second, 零点一秒); None where none does."""
        text = self.text(i)
        if text == "一" and self.text(i + 1) in _NO_NUMBER:
            return None
        one = self._one(i)
        if one is not None:
            return one
        if text[:1].isdigit() and text.isascii():
            if len(text.replace(",", "")) > _LONGEST_NUMBER or self._glued(i) or self._is_argument(i):
                return None
            if self._is_year(i) or self._is_part_of_a_name(i):
                return None
            return self._scaled(*self._grouped(i))
        if self.is_chinese(i) or text == "半":
            return self._chinese(i)
        return self._english(i)

    def _grouped(self, i: int) -> tuple[float, int]:
        """A number with its thousands apart as in much of Europe: 30.000, 30 000; and powers: 10^6.

        A point or a space parts thousands only where what is counted follows.
        """
        text = self.text(i)
        if self.text(i + 1) in ("^", "**") and self.text(i + 2).isdecimal() and len(self.text(i + 2)) < _TWO_DIGITS:
            return float(text.replace(",", "")) ** int(self.text(i + 2)), i + 3
        fraction = self.text(i + 2) if self.text(i + 1) == "," and self._apart(i + 1) == 0 == self._apart(i + 2) else ""
        if _FRACTION.fullmatch(fraction) and self.text(i + 3) in self._word_scales:
            return float(f"{text}.{fraction}"), i + 3  # 12,5 million
        end, digits = i + 1, text
        while _GROUP.fullmatch(self.text(end)) and self._apart(end) == 1:
            digits, end = digits + self.text(end), end + 1
        if end > i + 1 and _HEAD.fullmatch(text) and self._counts(end):
            return float(digits), end
        if _POINTED.fullmatch(text) and self._counts(i + 1):
            return float(text.replace(".", "")), i + 1
        return float(text.replace(",", "")), i + 1

    def _apart(self, i: int) -> int:
        """The characters between a token and the one before it; none where there is no such token."""
        if i >= len(self._u.tokens):
            return 0
        return self._u.tokens[i].start - self._u.tokens[i - 1].end

    def _counts(self, end: int) -> bool:
        """Whether a word for what can be kept, or a plural that may be one, follows."""
        unit = self.unit(end)
        return unit.value in COUNTED if unit else counted_thing(self._u, end, LARGEST) is not None

    def _one(self, i: int) -> Numeral | None:
        """One second, where "a second" and 一秒 are no rate: beside a limit, or with nothing else counted before them.

        "50 a second" is a rate; "within a second", "A second is fine" and 一秒以内 are not.
        """
        if self.text(i) == "sub" and self.text(i + 1) in ("second", "sec"):
            return Numeral(1.0, i + 2, unit="s", limit="max")
        one_and_a_half = self._one_and_a_half(i)
        if one_and_a_half is not None:
            return one_and_a_half
        half = self.text(i) == "half"
        rate = next((h for h in self._u.starting(i + half, "rate") if h.value in _ALSO_DURATIONS), None)
        if rate is None or self.text(rate.start) not in _ONE:
            return None
        limited = self._u.ending(i, "limit") or self._u.starting(rate.end, "limit")
        before = [t.text for t, c in zip(self._u.tokens[:i], self._u.clauses, strict=False) if c == self._u.clauses[i]]
        counted = any(text[0].isdigit() or text in self._words for text in before)
        opens = not before or all(text in self._u.lexicon.fillers or text in _ABOUT for text in before)
        if counted or not (limited or opens or half) or (self.text(i) == "a" and self._is_ordinal(rate.end)):
            return None
        return Numeral(0.5 if half else 1.0, rate.end, unit=_ALSO_DURATIONS[rate.value])

    def _one_and_a_half(self, i: int) -> Numeral | None:
        """A unit with its half after it: "a point and a half", "within a second and a half"."""
        if self.text(i) not in ("a", "an", "one"):
            return None
        for unit in (*self._u.starting(i + 1, "unit"), *self._u.starting(i, "rate")):
            if [self.text(unit.end + k) for k in range(3)] == ["and", "a", "half"]:
                return Numeral(1.5, unit.end + 3, unit=unit.value)
        return None

    def _is_ordinal(self, end: int) -> bool:
        """Whether "a second" counts what comes after it: "a second pass"."""
        word = self.text(end)
        return (
            word.isalpha() and word not in self._u.lexicon.fillers and not self._u.starting(end, "acceptable", "limit")
        )

    def _glued(self, i: int) -> bool:
        """Whether the digits belong to a name such as p95 or e5; "qps100" does not."""
        before = self._u.tokens[i - 1] if i else None
        touching = before is not None and before.end == self._u.tokens[i].start and before.text.isascii()
        if before is not None and self._u.joint(i) and (self._u.joint(i) == "_" or self._u.words(i - 1, i).isupper()):
            return before.text.isascii() and before.text.isalpha() and not self._u.ending(i, "limit", "gpu")
        return touching and before is not None and before.text.isalpha() and not self._u.ending(i, "unit", "noun")

    def _is_year(self, i: int) -> bool:
        """Whether four digits are a year: since 1998, in 2019, 1950s, 2023年."""
        if not _YEAR.fullmatch(self.text(i)):
            return False
        before = self.text(i - 1) if i else ""
        decade = self.text(i + 1) == "s" and self._apart(i + 1) == 0
        return decade or self.text(i + 1) == "年" or before in _BEFORE_YEARS

    def _is_part_of_a_name(self, i: int) -> bool:
        """Whether it numbers something: ISO 9001, page 47, section 230."""
        return i > 0 and self.text(i - 1) in self._u.lexicon.numbered

    def _is_argument(self, i: int) -> bool:
        """Whether it stands alone in brackets that touch the name before them: alert(1), rows[2, 3]."""
        first = last = i
        while first and (self.text(first - 1)[0].isdigit() or self.text(first - 1) == ","):
            first -= 1
        while (text := self.text(last + 1)) and (text[0].isdigit() or text == ","):
            last += 1
        if first < 2 or self.text(first - 1) not in _OPENING or self.text(last + 1) not in _CLOSING:
            return False
        name, bracket = self._u.tokens[first - 2 : first]
        if name.text in VECTOR_TYPES:
            return False
        return name.end == bracket.start and name.text.isascii() and name.text[-1].isalpha()

    def _scaled(self, value: float, i: int) -> Numeral:
        """Apply the scales that follow: million, k, 万, 百万."""
        start = i
        while value < LARGEST:
            i += self._is_some_more(i)
            if self.text(i) not in self._scales:
                break
            value, i = value * self._scales[self.text(i)], i + 1
        if i == start and self.text(i) == "w" and self._is_myriad(i):
            return Numeral(value * _MYRIAD, i + 1, True)
        if i == start and self.text(i) in self._word_scales:
            word = self.text(i)
            near = self._u.tokens[i].start == self._u.tokens[i - 1].end or len(word) > 1
            if near or self.unit(i + 1) is not None:
                value, i = value * self._word_scales[word], i + 1
                i += self.text(i) == "." and word in self._u.lexicon.abbreviations
                if word == "hundred" and self.text(i) in ("thousand", "million"):
                    value, i = value * self._word_scales[self.text(i)], i + 1
        return Numeral(value, i, i > start)

    def _is_myriad(self, i: int) -> bool:
        """Whether a "w" stands for 万: right after the digits, in a Chinese message."""
        return self._apart(i) == 0 and any(token.han for token in self._u.tokens)

    def _chinese(self, i: int) -> Numeral | None:
        if i and self.text(i - 1) in self._vague:
            return None
        if self.text(i) == "半":
            return Numeral(0.5, i + 1) if self.unit(i + 1) else None
        total = section = digit = 0
        start = i
        while (c := self.text(i)) in self._digits or c in self._scales or self._is_some_more(i):
            if c in _SOME_MORE:
                i += 1
                continue
            if i - start > _LONGEST_NUMBER:
                return None
            if c in self._digits:
                digit = self._digits[c]
            elif self._scales[c] >= _MYRIAD:
                total = (total + section + digit or 1) * self._scales[c]
                section = digit = 0
            else:
                section, digit = section + (digit or 1) * self._scales[c], 0
            i += 1
        if digit and i - start > 1 and self._scales.get(self.text(i - 2), 0) >= _SHORTENED:
            digit *= self._scales[self.text(i - 2)] // 10  # 两千八, 三万五
        whole = float(total + section + digit)
        if self.text(i) == "点" and self.text(i + 1) in self._digits:
            part = whole + self._digits[self.text(i + 1)] / 10
            second = next((h for h in self._u.starting(i + 1, "rate") if h.value in _ALSO_DURATIONS), None)
            if second:  # 零点一秒
                return Numeral(part, second.end, unit=_ALSO_DURATIONS[second.value])
            if self.unit(i + 2):
                return Numeral(part, i + 2)
        return Numeral(whole, i)

    def _is_some_more(self, i: int) -> bool:
        """Whether it says "and some more" inside a number: 六十多万, 30余万."""
        return self.text(i) in _SOME_MORE and self._scales.get(self.text(i + 1), 0) >= _MYRIAD

    def _english(self, i: int) -> Numeral | None:
        text = self.text(i)
        if text == "half" and self.text(i + 1) in ("a", "an"):
            scaled = self._scaled(0.5, i + 2)
            return scaled if scaled.scaled or self.unit(scaled.end) else None
        start = i + (text in ("a", "an"))
        times = self._words.get(text, 1) if i + 1 < len(self._u.tokens) else 1
        start += times > 1 and self._u.tokens[i + 1].stem in self._parts  # three quarters of a million
        part = self._parts.get(self._u.tokens[start].stem if start < len(self._u.tokens) else "")
        if part:
            of_a = self.text(start + 1) == "of" and self.text(start + 2) in ("a", "one")
            scaled = self._scaled(part * times, start + (3 if of_a else 1))  # a quarter of a million, half million
            if scaled.scaled and (of_a or len(self.text(start + 1)) > 1):
                return scaled
        if part and self.text(start + 1) == "of":
            second = next((h for h in self._u.starting(start + 2, "rate") if h.value in _ALSO_DURATIONS), None)
            return Numeral(part, second.end, unit=_ALSO_DURATIONS[second.value]) if second else None
        spelt = self._spelt(start, article=start > i)
        if spelt is None or (start > i and self.text(start) not in self._after_article):
            return None
        many = spelt.scaled or self.unit(spelt.end) or counted_thing(self._u, spelt.end, spelt.value)
        return spelt if many else None

    def _spelt(self, i: int, *, article: bool) -> Numeral | None:
        """A number in words: thirty five thousand, two hundred and fifty, a couple of million."""
        if self.text(i) == "hundred" and i and self.text(i - 1).isdigit():
            return None
        total, group, last, start, scaled = 0.0, 0.0, 0.0, i, False
        while i - start < _LONGEST_NUMBER:
            word = self.text(i)
            joins = word == "and" and scaled and self.text(i + 1) in self._words
            if word == "of" and self.text(i - 1) in ("couple", "dozen") and i > start:
                if self.text(i + 1) not in self._word_scales:
                    return Numeral(total + group, i + 1, scaled)
            elif word == "and" and self.text(i + 1) == "a" and self.text(i + 2) == "half" and (group or last):
                group, total, i = group + 0.5 * bool(group), total + 0.5 * last * (not group), i + 2
            elif word == "hundred" and (group or article):
                group, scaled = (group or 1) * 100, True
            elif word in self._words and (group % 100 == 0 or (group % 10 == 0 and self._words[word] < 10)):
                group += self._words[word]
            elif word in self._word_scales and len(word) > 1 and (group or (article and i == start)):
                last = self._word_scales[word]
                total, group, scaled = total + (group or 1) * last, 0.0, True
            elif word in self._word_scales and len(word) == 1 and i > start and self._apart(i) and not scaled:
                return Numeral(group * self._word_scales[word], i + 1, True)  # forty k
            elif not joins:
                break
            i += 1
        return Numeral(total + group, i, scaled) if i > start else None

    def is_chinese(self, i: int) -> bool:
        """Whether a token is a digit or a scale of a Chinese numeral."""
        return self.text(i) in self._digits or self.text(i) in self._scales

    def text(self, i: int) -> str:
        """A token; nothing behind the last."""
        return self._u.tokens[i].text if i < len(self._u.tokens) else ""

    def unit(self, i: int) -> Hit | None:
        """The unit that begins at a token."""
        found = self._u.starting(i, "unit")
        return found[0] if found else None
