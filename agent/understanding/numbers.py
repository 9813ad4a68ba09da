"""Numbers with units: 10M documents, 1000 万条, 50 ms, 8GB, $200/month, 半秒."""

from __future__ import annotations

from dataclasses import dataclass

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
_ABOUT = frozenset({"about", "around", "roughly", "like", "say", "maybe", "let's", "in", "大", "约", "概"})
_SOME_MORE = frozenset("多余")
#: from here on the scales multiply all that was said before them
_MYRIAD = 10_000
_LONGEST_NUMBER = 15
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
    """

    value: float
    unit: str | None
    limit: str | None
    start: int
    end: int
    rate: str | None = None


@dataclass(frozen=True)
class _Number:
    value: float
    end: int
    scaled: bool = False
    unit: str | None = None


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

    def read(self) -> list[Quantity]:
        """All quantities, in order."""
        found, i = [], 0
        while i < len(self._u.tokens):
            number = self._number(i)
            if number is None:
                i = self._past(i)
                continue
            quantity = self._quantity(i, number)
            if quantity.value < _LARGEST:
                found.append(quantity)
            i = max(quantity.end, i + 1)
        return found

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
        one = self._one(i)
        if one is not None:
            return one
        if text[:1].isdigit() and text.isascii():
            if len(text.replace(",", "")) > _LONGEST_NUMBER or self._glued(i) or self._is_argument(i):
                return None
            return self._scaled(float(text.replace(",", "")), i + 1)
        if self._is_numeral(i) or text == "半":
            return self._chinese(i)
        return self._english(i)

    def _one(self, i: int) -> _Number | None:
        """One second, where "a second" and 一秒 are no rate: beside a limit, or with nothing else counted before them.

        "50 a second" is a rate; "within a second", "A second is fine" and 一秒以内 are not.
        """
        half = self._text(i) == "half"
        rate = next((h for h in self._u.starting(i + half, "rate") if h.value in _ALSO_DURATIONS), None)
        if rate is None or self._text(rate.start) not in _ONE:
            return None
        limited = self._u.ending(i, "limit") or self._u.starting(rate.end, "limit")
        before = [t.text for t, c in zip(self._u.tokens[:i], self._u.clauses, strict=False) if c == self._u.clauses[i]]
        counted = any(text[0].isdigit() or text in self._words for text in before)
        opens = not before or all(text in self._u.lexicon.fillers or text in _ABOUT for text in before)
        if counted or not (limited or opens or half):
            return None
        return _Number(0.5 if half else 1.0, rate.end, unit=_ALSO_DURATIONS[rate.value])

    def _glued(self, i: int) -> bool:
        """Whether the digits belong to a name such as p95 or e5; "qps100" does not."""
        before = self._u.tokens[i - 1] if i else None
        touching = before is not None and before.end == self._u.tokens[i].start and before.text.isascii()
        return touching and before is not None and before.text.isalpha() and not self._u.ending(i, "unit", "noun")

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
        return name.end == bracket.start and name.text.isascii() and name.text[-1].isalpha()

    def _scaled(self, value: float, i: int) -> _Number:
        """Apply the scales that follow: million, k, 万, 百万."""
        start = i
        while value < _LARGEST:
            i += self._is_some_more(i)
            if self._text(i) not in self._scales:
                break
            value, i = value * self._scales[self._text(i)], i + 1
        if i == start and self._text(i) in self._word_scales:
            word = self._text(i)
            near = self._u.tokens[i].start == self._u.tokens[i - 1].end or len(word) > 1
            if near or self._unit(i + 1) is not None:
                value, i = value * self._word_scales[word], i + 1
                if word == "hundred" and self._text(i) in ("thousand", "million"):
                    value, i = value * self._word_scales[self._text(i)], i + 1
        return _Number(value, i, i > start)

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
        return _Number(float(total + section + digit), i)

    def _is_some_more(self, i: int) -> bool:
        """Whether it says "and some more" inside a number: 六十多万, 30余万."""
        return self._text(i) in _SOME_MORE and self._scales.get(self._text(i + 1), 0) >= _MYRIAD

    def _english(self, i: int) -> _Number | None:
        text = self._text(i)
        if text == "half" and self._text(i + 1) in ("a", "an"):
            scaled = self._scaled(0.5, i + 2)
            return scaled if scaled.scaled or self._unit(scaled.end) else None
        if text in ("a", "an") and self._text(i + 1) in ("hundred", "thousand", "million", "billion"):
            return self._scaled(1.0, i + 1)
        if text in self._words and not (text == "hundred" and i and self._text(i - 1).isdigit()):
            scaled = self._scaled(float(self._words[text]), i + 1)
            return scaled if scaled.scaled or self._unit(scaled.end) else None
        return None

    def _unit(self, i: int) -> Hit | None:
        found = self._u.starting(i, "unit")
        return found[0] if found else None

    def _quantity(self, start: int, number: _Number) -> Quantity:
        value, end = number.value, number.end
        between = start > 0 and self._text(start - 1) == "between" and self._text(end) == "and"
        ranges = (between or self._text(end) in _RANGE) and self._together(start, end + 1)
        if ranges and (upper := self._number(end + 1)) is not None:
            value, end = upper.value, upper.end
        while self._text(end) in self._u.lexicon.approximate and not self._unit(end):
            end += 1
        if number.unit is None:
            unit, end = self._find_unit(end, number.end)
        else:
            unit, end = number.unit, number.end
        sign = next((h for h in self._u.ending(start, "unit") if h.value in _SIGNS | {"qps"}), None)
        if sign is not None and unit is None:
            unit, start = sign.value, sign.start
        limit, start, end = self._find_limit(start, end)
        rate, start, end = self._find_rate(start, end)
        return Quantity(value, unit, limit, start, end, rate)

    def _together(self, start: int, end: int) -> bool:
        """Whether two tokens stand in one clause."""
        return end < len(self._u.tokens) and self._u.clauses[start] == self._u.clauses[end]

    def _find_unit(self, end: int, bare_end: int) -> tuple[str | None, int]:
        clause = self._u.clauses[min(end, len(self._u.tokens)) - 1]
        for i in range(end, min(end + _WORDS_BETWEEN + 1, len(self._u.tokens))):
            if self._u.clauses[i] != clause:
                break
            for unit in self._u.starting(i, "unit"):
                if i == end or (unit.value in _COUNTED and not _classifies(unit)):
                    return unit.value, unit.end
            counted = self._u.lexicon.counted.get(self._u.tokens[i].stem)
            if counted:  # the end of a longer term: "500k news articles"
                return counted, i + 1
            if self._stops(i):
                break
        return None, bare_end

    def _stops(self, i: int) -> bool:
        """Whether what is counted can not lie beyond a token."""
        text = self._text(i)
        return (
            text in self._u.lexicon.ends_counting
            or not text.isalpha()
            or bool(self._number(i) or self._u.starting(i, "rate"))
        )

    def _find_limit(self, start: int, end: int) -> tuple[str | None, int, int]:
        at = start
        while at and self._text(at - 1) in ("a", "the", "of", "about", "around", "到", "在", "为", "是", "于"):
            at -= 1
        before = self._u.ending(at, "limit")
        if before and self._together(before[0].start, start):
            return before[0].value, before[0].start, end
        after = self._u.starting(end, "limit")
        if after and self._u.clauses[after[0].start] == self._u.clauses[start]:
            return after[0].value, start, after[0].end
        return None, start, end

    def _find_rate(self, start: int, end: int) -> tuple[str | None, int, int]:
        clause = self._u.clauses[start]
        rates = self._u.in_clause(clause, "rate")
        after = next((r for r in rates if 0 <= r.start - end <= 2), None)
        if after:
            return after.value, start, after.end
        before = next((r for r in reversed(rates) if 0 <= start - r.end <= 3), None)
        return (before.value, before.start, end) if before else (None, start, end)
