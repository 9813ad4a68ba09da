"""One quantity of a message, in its clause: what is said around it."""

from __future__ import annotations

from collections.abc import Iterator

from agent.understanding.findings import Finding
from agent.understanding.negation import soft
from agent.understanding.numbers import Quantity
from agent.understanding.reading import Reading
from knowledge.wording import Text

_REFUSING = frozenset(
    {"no", "nothing", "none", "exclude", "excluded", "without", "不要", "不考虑", "排除", "不行", "不用"}
)
_DENYING = frozenset({"not", "isn't", "is not", "instead of", "rather than", "不是", "而不是", "并非", "非"})


def is_denied(reading: Reading, quantity: Quantity) -> bool:
    """Whether it is what is put right, beside what it should be: "9 million, not 900k", 不是九十万."""
    before = reading.utterance.ending(quantity.start, "negation")
    return len(reading.quantities) > 1 and any(hit.term in _DENYING for hit in before)


class OneQuantity:
    """A quantity with what its clause says; what it is about, others read."""

    def __init__(self, reading: Reading, quantity: Quantity) -> None:
        self._reading, self._q = reading, quantity
        self._u = reading.utterance
        self._clause = self._u.clauses[quantity.start]
        self._asked = reading.asked
        self._words = self._u.words(quantity.start, quantity.end)

    def _has(self, *categories: str, value: str | None = None) -> bool:
        return any(value in (None, h.value) for h in self._u.in_clause(self._clause, *categories))

    def _is_indifferent(self) -> bool:
        """Whether the clause says that this does not matter; "200 ms 都可以" and "200 ms is fine" accept it."""
        accepted = {h.start for h in self._u.in_clause(self._clause, "acceptable")}
        return any(h.start not in accepted for h in self._u.in_clause(self._clause, "indifferent"))

    def _of_other_affairs(self, about: str) -> bool:
        """Whether it is the user's rent, wages or sales, and not what was asked for or is named beside them."""
        others = {h.end for h in self._u.in_clause(self._clause, "other_affairs")}
        nouns = [h for h in self._u.in_clause(self._clause, "noun") if h.value == about]
        named = any(noun.start not in others for noun in nouns)  # in "parking costs 5 dollars" it is a verb
        return bool(others) and self._asked != about and not named

    def _refuses_more(self) -> bool:
        """Whether what is above is refused: 10亿参数以上的不考虑, "no models over 1B"."""
        return any(h.term in _REFUSING for h in self._u.in_clause(self._clause, "negation", "drop", "forbidden"))

    def _found(self, about: str, value: object, rule: Text | None = None) -> Iterator[Finding]:
        because = self._reading.because(rule) if rule else None
        yield Finding(about, value, self._words, because, hard=not soft(self._u, self._q.start))

    def _whole(self, about: str, rule: Text | None = None, factor: float = 1.0) -> Iterator[Finding]:
        number = round(self._q.value * factor)
        if number > 0:
            yield from self._found(about, number, rule)
