"""Which of a language model's findings are believed: those that the user's own words bear out.

A finding counts where its words stand in the message, at least one of them is a word that the rules could make nothing
of, and no negation beside them was left out. Then

- a number, a language, a licence, a length is what the *rules* read in those words as an answer about that slot. The
  model only says which slot they belong to; where the words hold no unit, its figure has to be the same one, and
  otherwise the finding is dropped. So a model never brings in a figure or a name, and counts as stated by the user.
- a meaning (a task, a domain, that texts must not leave) is one of `meanings`, and is kept as *inferred*: whatever the
  user states outweighs it, and it is shown with the words it was read from.
"""

from __future__ import annotations

import math
import re
from typing import Any

from agent.understanding.base import Asked
from agent.understanding.findings import SLOTS, Finding
from agent.understanding.language import detect_language
from agent.understanding.llm_schema import ABOUT, Found, meanings
from agent.understanding.rules import RulesRead, RuleUnderstanding
from agent.understanding.tokens import MASK
from knowledge.constraints import CONSTRAINTS, ConstraintBase
from knowledge.requirements import Requirements
from knowledge.wording import say

#: what says the opposite of the words beside it
_REVERSING = ("negation", "drop", "indifferent")
_MOST_PLACES = 20
Span = tuple[int, int]


class Grounding:
    """Checks the findings of one message against what the rules read of it."""

    def __init__(self, rules: RuleUnderstanding, read: RulesRead) -> None:
        self._rules, self._read = rules, read
        self._u = read.utterance
        self._shown = read.shown()
        self._spans = [self._u.span(i, i + 1) for i in range(len(self._u.tokens))]
        self._unread = frozenset(self._u.unread())

    def finding(self, found: Found) -> Finding | None:
        """The finding as it may be believed; None: it is dropped."""
        if found.slot not in ABOUT:
            return None
        place = self._place(found.words)
        if place is None:
            return None
        words = self._u.text[slice(*place)]
        if found.slot == "incumbent":
            return self._incumbent(place)
        read = self._as_answer(found, words)
        meant = meanings().get(found.slot, {}).get(found.value.strip().lower())
        if meant is None:
            return read if found.slot in CONSTRAINTS or found.slot not in meanings() else None
        if read is not None and read.value == meant:
            return read
        rule = say("the language model reads “{words}” so", words=words).render(detect_language(self._u.text))
        return Finding(found.slot, meant, words, rule, hard=found.hard)

    def _place(self, words: str) -> Span | None:
        """Where the words stand in the message, with a word that nobody read and with what reverses them."""
        if not words.strip() or MASK in words:
            return None
        pattern = r"\s+".join(re.escape(word) for word in words.split())
        for match, _ in zip(re.finditer(pattern, self._shown, re.IGNORECASE), range(_MOST_PLACES), strict=False):
            inside = [i for i, (start, end) in enumerate(self._spans) if match.start() < end and start < match.end()]
            if self._unread & set(inside) and not self._reversed(inside):
                return match.span()
        return None

    def _reversed(self, inside: list[int]) -> bool:
        """Whether a negation of the same clause was left out of the words."""
        clauses = {self._u.clauses[i] for i in inside}
        hits = (hit for clause in clauses for hit in self._u.in_clause(clause, *_REVERSING))
        return any(not set(range(hit.start, hit.end)) <= set(inside) for hit in hits)

    def _incumbent(self, place: Span) -> Finding | None:
        named = [n for n in self._read.names.models if place[0] <= n.start and n.end <= place[1]]
        if len(named) != 1:
            return None
        words = named[0].text
        rule = say("the language model reads “{words}” so", words=self._u.text[slice(*place)])
        return Finding("incumbent", words, words, rule.render(detect_language(self._u.text)))

    def _as_answer(self, found: Found, words: str) -> Finding | None:
        """What the rules read in the words alone, taken as an answer about the slot."""
        value = self._reading(found.slot, words, Asked(about=found.slot))
        if value is None:
            return None
        if self._reading(found.slot, words, None) != value and not _same_figure(value, found.value):
            return None
        return Finding(found.slot, value, words, hard=found.hard)

    def _reading(self, slot: str, words: str, asked: Asked | None) -> Any:
        read = self._rules.read(words, Requirements(), asked).understood.requirements
        if slot in SLOTS:
            found = getattr(read, slot)
            return None if found is None or found.origin == "assumed" else found.value
        demand = read.constraint(CONSTRAINTS[slot])
        if demand is None:
            return None
        own = demand.model_fields_set - set(ConstraintBase.model_fields) - {"context"}
        return {name: getattr(demand, name) for name in own}


def _same_figure(value: Any, said: str) -> bool:
    """Whether a model's figure is the one read; names, which need no unit, are."""
    figures = [v for v in (value.values() if isinstance(value, dict) else [value]) if isinstance(v, int | float)]
    figures = [float(v) for v in figures if not isinstance(v, bool)]
    if not figures:
        return True
    try:
        figure = float(said.replace(",", "").strip())
    except ValueError:
        return False
    return any(math.isclose(figure, own, rel_tol=1e-6) for own in figures)
