"""Numbers with units: 10M documents, 1000 万条, 50 ms, 8GB, $200/month, 半秒."""

from __future__ import annotations

from dataclasses import dataclass

from agent.understanding.counted import counted_thing
from agent.understanding.numerals import COUNTED, LARGEST, Numeral, Numerals
from agent.understanding.utterance import Hit, Utterance

_WORDS_BETWEEN = 3
_RANGE = frozenset(("-", "–", "—", "~", "to", "到", "至"))
#: after 一: a mere article, as in 一个
_ARTICLE = frozenset("个款种")
_SIGNS = frozenset({"usd", "cny", "eur", "gbp"})
#: after a number: about so many
_ROUGH = frozenset({"ish", "多", "余", "来", "几"})
#: limits that a negation before them turns round: "won't wait more than a second"
_TURNED = frozenset(
    {"more than", "longer than", "over", "above", "exceed", "exceeding", "larger than", "bigger than", "超过", "高于"}
)
#: words between such a negation and the limit
_NEGATION_REACHES = 5
_WITHIN_NAMES = frozenset("&/-")


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


class NumberReader:
    """Finds the quantities of one message."""

    def __init__(self, utterance: Utterance) -> None:
        self._u = utterance
        self._numerals = Numerals(utterance)
        self._text = self._numerals.text

    def read(self) -> list[Quantity]:
        """All quantities, in order."""
        found, i = [], 0
        while i < len(self._u.tokens):
            number = self._numerals.at(i)
            if number is None:
                i = self._past(i)
                continue
            if self._text(i) == "一" and self._is_rate(i, number.end):
                i = number.end
                continue
            quantity = self._quantity(i, number)
            is_article = self._text(i) == "一" and self._text(i + 1) in _ARTICLE and quantity.unit is None
            if quantity.value < LARGEST and not is_article:
                found.append(quantity)
            i = max(quantity.end, i + 1)
        return found

    def _is_rate(self, i: int, end: int) -> bool:
        """Whether a 一 belongs to a rate: 一年三千."""
        return any(rate.start == i and rate.end > end for rate in self._u.starting(i, "rate"))

    def _past(self, i: int) -> int:
        """The token after one that begins no number: after the whole of a vague or endless Chinese numeral."""
        i += 1
        while self._numerals.is_chinese(i - 1) and self._numerals.is_chinese(i):
            i += 1
        return i

    def _quantity(self, start: int, number: Numeral) -> Quantity:
        value, end = number.value, number.end
        exact = end
        between = start > 0 and self._text(start - 1) == "between" and self._text(end) == "and"
        ranges = (between or self._text(end) in _RANGE) and self._together(start, end + 1)
        if ranges and (upper := self._numerals.at(end + 1)) is not None:
            value, end = upper.value, upper.end
            exact = end
        end += self._text(end) == "-" and self._text(end + 1) == "ish"
        while self._text(end) in self._u.lexicon.approximate and not self._numerals.unit(end):
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
                if i == end or (unit.value in COUNTED and not _classifies(unit)):
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
            or bool(self._numerals.at(i) or self._u.starting(i, "rate"))
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
