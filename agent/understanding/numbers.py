"""Numbers with units: 10M documents, 1000 万条, 50 ms, 8GB, $200/month, 半秒."""

from __future__ import annotations

import re
from dataclasses import dataclass

from agent.understanding.counted import counted_thing
from agent.understanding.utterance import Hit, Utterance

#: units whose number may be some words away: "10M short legal documents"
_COUNTED = frozenset({"documents", "queries", "languages"})
_WORDS_BETWEEN = 3
_RANGE = frozenset(("-", "–", "—", "~", "to", "到", "至"))
_OPENING = frozenset("([{")
_CLOSING = frozenset(")]}")
_SIGNS = frozenset({"usd", "cny", "eur", "gbp"})
#: rates whose words may also say how long something takes, with the unit of that
_ALSO_DURATIONS = {"s": "s"}
_ONE = frozenset({"a", "一"})
#: what makes of 一 something else than a number: 一下, 一遍, 一会儿, 一些; and a mere article: 一个
_NO_NUMBER, _ARTICLE = frozenset("下遍次会些点直样般起定共切旦边"), frozenset("个款种")
_ABOUT = frozenset({"about", "around", "roughly", "like", "say", "maybe", "let's", "in", "大", "约", "概"})
_SOME_MORE = frozenset("多余来")
#: after a number: about so many
_ROUGH = frozenset({"ish", "多", "余", "来", "几"})
#: limits that a negation before them turns round: "won't wait more than a second"
_TURNED = frozenset(
    {"more than", "longer than", "over", "above", "exceed", "exceeding", "larger than", "bigger than", "超过", "高于"}
)
#: words between such a negation and the limit
_NEGATION_REACHES = 5
#: from here on the scales multiply all that was said before them
_MYRIAD = 10_000
_LONGEST_NUMBER = 15
_TWO_DIGITS = 3
#: from here on a last digit without its scale counts the next lower one: 两千八 is 2,800
_SHORTENED = 100
_YEAR = re.compile(r"1[5-9]\d\d|20\d\d")
_WITHIN_NAMES = frozenset("&/-")
_BEFORE_YEARS = frozenset({"in", "since", "until", "till", "year", "before", "after", "circa", "自", "从"})
#: thousands parted by spaces or points
#: types of columns whose argument is the length of a vector
VECTOR_TYPES = frozenset({"vector", "halfvec", "embedding", "varvector", "float_vector"})
_FRACTION = re.compile(r"\d{1,2}")
_HEAD, _GROUP, _POINTED = re.compile(r"[1-9]\d{0,2}"), re.compile(r"\d{3}"), re.compile(r"[1-9]\d{0,2}\.\d{3}")
_LARGEST = 1e15


def _classifies(unit: Hit) -> bool:
    """Whether it is one Chinese character: a unit right after its number, elsewhere part of a word."""
    return len(unit.term) == 1 and not unit.term.isascii()


@dataclass(frozen=True)
class Quantity:
    """A number in the message.

    Attributes:
        value: with its scale (10M -> 10000000); of a range, the upper end.
        unit: a value of the lexicon's ``unit``; None where it has none.
        limit: ``max`` or ``min`` where a limit was named.
        start: its first token, limit and currency sign included.
        end: the token after its last.
        rate: per what (``s``, ``day``, ``month`` ...), where said right beside it.
        rough: whether it was said to be about so many: 300-ish, 九十来.
    """

    value: float
    unit: str | None
    limit: str | None
    start: int
    end: int
    rate: str | None = None
    rough: bool = False


@dataclass(frozen=True)
class _Number:
    value: float
    end: int
    scaled: bool = False
    unit: str | None = None
    limit: str | None = None


class NumberReader:
    """Finds the quantities of one message."""

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

    def read(self) -> list[Quantity]:
        """All quantities, in order."""
        found, i = [], 0
        while i < len(self._u.tokens):
            number = self._number(i)
            if number is None:
                i = self._past(i)
                continue
            if self._text(i) == "一" and self._is_rate(i, number.end):
                i = number.end
                continue
            quantity = self._quantity(i, number)
            is_article = self._text(i) == "一" and self._text(i + 1) in _ARTICLE and quantity.unit is None
            if quantity.value < _LARGEST and not is_article:
                found.append(quantity)
            i = max(quantity.end, i + 1)
        return found

    def _is_rate(self, i: int, end: int) -> bool:
        """Whether a 一 belongs to a rate: 一年三千."""
        return any(rate.start == i and rate.end > end for rate in self._u.starting(i, "rate"))

    def _past(self, i: int) -> int:
        """The token after one that begins no number: after the whole of a vague or endless Chinese numeral."""
        i += 1
        while self._is_numeral(i - 1) and self._is_numeral(i):
            i += 1
        return i

    def _is_numeral(self, i: int) -> bool:
        return self._text(i) in self._digits or self._text(i) in self._scales

    def _text(self, i: int) -> str:
        return self._u.tokens[i].text if i < len(self._u.tokens) else ""

    def _number(self, i: int) -> _Number | None:
        text = self._text(i)
        if text == "一" and self._text(i + 1) in _NO_NUMBER:
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
        if self._is_numeral(i) or text == "半":
            return self._chinese(i)
        return self._english(i)

    def _grouped(self, i: int) -> tuple[float, int]:
        """A number with its thousands apart as in much of Europe: 30.000, 30 000; and powers: 10^6.

        A point or a space parts thousands only where what is counted follows.
        """
        text = self._text(i)
        if self._text(i + 1) in ("^", "**") and self._text(i + 2).isdecimal() and len(self._text(i + 2)) < _TWO_DIGITS:
            return float(text.replace(",", "")) ** int(self._text(i + 2)), i + 3
        fraction = (
            self._text(i + 2) if self._text(i + 1) == "," and self._apart(i + 1) == 0 == self._apart(i + 2) else ""
        )
        if _FRACTION.fullmatch(fraction) and self._text(i + 3) in self._word_scales:
            return float(f"{text}.{fraction}"), i + 3  # 12,5 million
        end, digits = i + 1, text
        while _GROUP.fullmatch(self._text(end)) and self._apart(end) == 1:
            digits, end = digits + self._text(end), end + 1
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
        unit = self._unit(end)
        return unit.value in _COUNTED if unit else counted_thing(self._u, end, _LARGEST) is not None

    def _one(self, i: int) -> _Number | None:
        """One second, where "a second" and 一秒 are no rate: beside a limit, or with nothing else counted before them.

        "50 a second" is a rate; "within a second", "A second is fine" and 一秒以内 are not.
        """
        if self._text(i) == "sub" and self._text(i + 1) in ("second", "sec"):
            return _Number(1.0, i + 2, unit="s", limit="max")
        one_and_a_half = self._one_and_a_half(i)
        if one_and_a_half is not None:
            return one_and_a_half
        half = self._text(i) == "half"
        rate = next((h for h in self._u.starting(i + half, "rate") if h.value in _ALSO_DURATIONS), None)
        if rate is None or self._text(rate.start) not in _ONE:
            return None
        limited = self._u.ending(i, "limit") or self._u.starting(rate.end, "limit")
        before = [t.text for t, c in zip(self._u.tokens[:i], self._u.clauses, strict=False) if c == self._u.clauses[i]]
        counted = any(text[0].isdigit() or text in self._words for text in before)
        opens = not before or all(text in self._u.lexicon.fillers or text in _ABOUT for text in before)
        if counted or not (limited or opens or half) or (self._text(i) == "a" and self._is_ordinal(rate.end)):
            return None
        return _Number(0.5 if half else 1.0, rate.end, unit=_ALSO_DURATIONS[rate.value])

    def _one_and_a_half(self, i: int) -> _Number | None:
        """A unit with its half after it: "a point and a half", "within a second and a half"."""
        if self._text(i) not in ("a", "an", "one"):
            return None
        for unit in (*self._u.starting(i + 1, "unit"), *self._u.starting(i, "rate")):
            if [self._text(unit.end + k) for k in range(3)] == ["and", "a", "half"]:
                return _Number(1.5, unit.end + 3, unit=unit.value)
        return None

    def _is_ordinal(self, end: int) -> bool:
        """Whether "a second" counts what comes after it: "a second pass"."""
        word = self._text(end)
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
        if not _YEAR.fullmatch(self._text(i)):
            return False
        before = self._text(i - 1) if i else ""
        decade = self._text(i + 1) == "s" and self._apart(i + 1) == 0
        return decade or self._text(i + 1) == "年" or before in _BEFORE_YEARS

    def _is_part_of_a_name(self, i: int) -> bool:
        """Whether it numbers something: ISO 9001, page 47, section 230."""
        return i > 0 and self._text(i - 1) in self._u.lexicon.numbered

    def _is_argument(self, i: int) -> bool:
        """Whether it stands alone in brackets that touch the name before them: alert(1), rows[2, 3]."""
        first = last = i
        while first and (self._text(first - 1)[0].isdigit() or self._text(first - 1) == ","):
            first -= 1
        while (text := self._text(last + 1)) and (text[0].isdigit() or text == ","):
            last += 1
        if first < 2 or self._text(first - 1) not in _OPENING or self._text(last + 1) not in _CLOSING:
            return False
        name, bracket = self._u.tokens[first - 2 : first]
        if name.text in VECTOR_TYPES:
            return False
        return name.end == bracket.start and name.text.isascii() and name.text[-1].isalpha()

    def _scaled(self, value: float, i: int) -> _Number:
        """Apply the scales that follow: million, k, 万, 百万."""
        start = i
        while value < _LARGEST:
            i += self._is_some_more(i)
            if self._text(i) not in self._scales:
                break
            value, i = value * self._scales[self._text(i)], i + 1
        if i == start and self._text(i) == "w" and self._is_myriad(i):
            return _Number(value * _MYRIAD, i + 1, True)
        if i == start and self._text(i) in self._word_scales:
            word = self._text(i)
            near = self._u.tokens[i].start == self._u.tokens[i - 1].end or len(word) > 1
            if near or self._unit(i + 1) is not None:
                value, i = value * self._word_scales[word], i + 1
                i += self._text(i) == "." and word in self._u.lexicon.abbreviations
                if word == "hundred" and self._text(i) in ("thousand", "million"):
                    value, i = value * self._word_scales[self._text(i)], i + 1
        return _Number(value, i, i > start)

    def _is_myriad(self, i: int) -> bool:
        """Whether a "w" stands for 万: right after the digits, in a Chinese message."""
        return self._apart(i) == 0 and any(token.han for token in self._u.tokens)

    def _chinese(self, i: int) -> _Number | None:
        if i and self._text(i - 1) in self._vague:
            return None
        if self._text(i) == "半":
            return _Number(0.5, i + 1) if self._unit(i + 1) else None
        total = section = digit = 0
        start = i
        while (c := self._text(i)) in self._digits or c in self._scales or self._is_some_more(i):
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
        if digit and i - start > 1 and self._scales.get(self._text(i - 2), 0) >= _SHORTENED:
            digit *= self._scales[self._text(i - 2)] // 10  # 两千八, 三万五
        whole = float(total + section + digit)
        if self._text(i) == "点" and self._text(i + 1) in self._digits:
            part = whole + self._digits[self._text(i + 1)] / 10
            second = next((h for h in self._u.starting(i + 1, "rate") if h.value in _ALSO_DURATIONS), None)
            if second:  # 零点一秒
                return _Number(part, second.end, unit=_ALSO_DURATIONS[second.value])
            if self._unit(i + 2):
                return _Number(part, i + 2)
        return _Number(whole, i)

    def _is_some_more(self, i: int) -> bool:
        """Whether it says "and some more" inside a number: 六十多万, 30余万."""
        return self._text(i) in _SOME_MORE and self._scales.get(self._text(i + 1), 0) >= _MYRIAD

    def _english(self, i: int) -> _Number | None:
        text = self._text(i)
        if text == "half" and self._text(i + 1) in ("a", "an"):
            scaled = self._scaled(0.5, i + 2)
            return scaled if scaled.scaled or self._unit(scaled.end) else None
        start = i + (text in ("a", "an"))
        times = self._words.get(text, 1) if i + 1 < len(self._u.tokens) else 1
        start += times > 1 and self._u.tokens[i + 1].stem in self._parts  # three quarters of a million
        part = self._parts.get(self._u.tokens[start].stem if start < len(self._u.tokens) else "")
        if part:
            of_a = self._text(start + 1) == "of" and self._text(start + 2) in ("a", "one")
            scaled = self._scaled(part * times, start + (3 if of_a else 1))  # a quarter of a million, half million
            if scaled.scaled and (of_a or len(self._text(start + 1)) > 1):
                return scaled
        if part and self._text(start + 1) == "of":
            second = next((h for h in self._u.starting(start + 2, "rate") if h.value in _ALSO_DURATIONS), None)
            return _Number(part, second.end, unit=_ALSO_DURATIONS[second.value]) if second else None
        spelt = self._spelt(start, article=start > i)
        if spelt is None or (start > i and self._text(start) not in self._after_article):
            return None
        many = spelt.scaled or self._unit(spelt.end) or counted_thing(self._u, spelt.end, spelt.value)
        return spelt if many else None

    def _spelt(self, i: int, *, article: bool) -> _Number | None:
        """A number in words: thirty five thousand, two hundred and fifty, a couple of million."""
        if self._text(i) == "hundred" and i and self._text(i - 1).isdigit():
            return None
        total, group, last, start, scaled = 0.0, 0.0, 0.0, i, False
        while i - start < _LONGEST_NUMBER:
            word = self._text(i)
            joins = word == "and" and scaled and self._text(i + 1) in self._words
            if word == "of" and self._text(i - 1) in ("couple", "dozen") and i > start:
                if self._text(i + 1) not in self._word_scales:
                    return _Number(total + group, i + 1, scaled)
            elif word == "and" and self._text(i + 1) == "a" and self._text(i + 2) == "half" and (group or last):
                group, total, i = group + 0.5 * bool(group), total + 0.5 * last * (not group), i + 2
            elif word == "hundred" and (group or article):
                group, scaled = (group or 1) * 100, True
            elif word in self._words and (group % 100 == 0 or (group % 10 == 0 and self._words[word] < 10)):
                group += self._words[word]
            elif word in self._word_scales and len(word) > 1 and (group or (article and i == start)):
                last = self._word_scales[word]
                total, group, scaled = total + (group or 1) * last, 0.0, True
            elif word in self._word_scales and len(word) == 1 and i > start and self._apart(i) and not scaled:
                return _Number(group * self._word_scales[word], i + 1, True)  # forty k
            elif not joins:
                break
            i += 1
        return _Number(total + group, i, scaled) if i > start else None

    def _unit(self, i: int) -> Hit | None:
        found = self._u.starting(i, "unit")
        return found[0] if found else None

    def _quantity(self, start: int, number: _Number) -> Quantity:
        value, end = number.value, number.end
        exact = end
        between = start > 0 and self._text(start - 1) == "between" and self._text(end) == "and"
        ranges = (between or self._text(end) in _RANGE) and self._together(start, end + 1)
        if ranges and (upper := self._number(end + 1)) is not None:
            value, end = upper.value, upper.end
            exact = end
        end += self._text(end) == "-" and self._text(end + 1) == "ish"
        while self._text(end) in self._u.lexicon.approximate and not self._unit(end):
            end += 1
        rough = end > exact and self._text(exact) in _ROUGH
        if number.unit is None:
            unit, end = self._find_unit(value, end, exact)
        else:
            unit, end = number.unit, number.end
        sign = next((h for h in self._u.ending(start, "unit") if h.value in _SIGNS | {"qps"}), None)
        if sign is not None and unit is None:
            unit, start = sign.value, sign.start
        limit, start, end = self._find_limit(start, end)
        limit = limit or number.limit
        rate, start, end = self._find_rate(start, end)
        return Quantity(value, unit, limit, start, end, rate, rough)

    def _together(self, start: int, end: int) -> bool:
        """Whether two tokens stand in one clause."""
        return end < len(self._u.tokens) and self._u.clauses[start] == self._u.clauses[end]

    def _find_unit(self, value: float, end: int, bare_end: int) -> tuple[str | None, int]:
        clause = self._u.clauses[min(end, len(self._u.tokens)) - 1]
        for i in range(end, min(end + _WORDS_BETWEEN + 1, len(self._u.tokens))):
            if self._u.clauses[i] != clause:
                break
            for unit in self._u.starting(i, "unit"):
                if _classifies(unit) and self._text(i - 1) == "个":
                    continue  # 十二个部门
                if i == end or (unit.value in _COUNTED and not _classifies(unit)):
                    return unit.value, unit.end
            counted = self._u.lexicon.counted.get(self._u.tokens[i].stem)
            if counted:  # the end of a longer term: "500k news articles"
                return counted, i + 1
            if self._stops(i):
                break
        thing = counted_thing(self._u, end, value, rough=self._text(end - 1) in _ROUGH)
        return ("documents", thing) if thing else (None, bare_end)

    def _stops(self, i: int) -> bool:
        """Whether what is counted can not lie beyond a token."""
        text = self._text(i)
        return (
            text in self._u.lexicon.ends_counting
            or not (text.isalpha() or text in _WITHIN_NAMES)
            or bool(self._number(i) or self._u.starting(i, "rate"))
        )

    def _find_limit(self, start: int, end: int) -> tuple[str | None, int, int]:
        at = start
        while at and self._text(at - 1) in ("a", "the", "of", "about", "around", "到", "在", "为", "是", "于"):
            at -= 1
        before = self._u.ending(at, "limit")
        if before and self._together(before[0].start, start):
            turned = before[0].term in _TURNED and self._is_denied(before[0])
            return "max" if turned else before[0].value, before[0].start, end
        after = self._u.starting(end, "limit")
        if after and self._u.clauses[after[0].start] == self._u.clauses[start]:
            return after[0].value, start, after[0].end
        return None, start, end

    def _is_denied(self, limit: Hit) -> bool:
        """Whether a negation in its clause reaches a limit: "nobody should wait longer than"."""
        negations = self._u.in_clause(self._u.clauses[limit.start], "negation", "nobody")
        return any(0 <= limit.start - negation.end <= _NEGATION_REACHES for negation in negations)

    def _find_rate(self, start: int, end: int) -> tuple[str | None, int, int]:
        clause = self._u.clauses[start]
        rates = self._u.in_clause(clause, "rate")
        after = next((r for r in rates if 0 <= r.start - end <= 2), None)
        if after:
            return after.value, start, after.end
        before = next((r for r in reversed(rates) if 0 <= start - r.end <= 3), None)
        return (before.value, before.start, end) if before else (None, start, end)
