"""What numbers without a unit count: by the noun beside them, the open question, or what else can be meant."""

from __future__ import annotations

from collections.abc import Iterator

from agent.understanding.findings import Finding
from agent.understanding.numerals import VECTOR_TYPES
from agent.understanding.one_quantity import OneQuantity, is_denied
from agent.understanding.utterance import Hit
from knowledge.wording import say

_MIB = {"mb": 1.0, "gb": 1024.0, "tb": 1024.0 * 1024}
#: the nouns that a number without a unit may follow: "维度 512", "context length 8192"
_UNIT_OF_NOUN = {
    "dimension": "dimensions",
    "max_tokens": "tokens",
    "queries_per_second": "qps",
    "parameters": "parameters",
    "margin": "percent",
}
#: what a bare number means as the answer to a question
_UNIT_OF_ANSWER = {
    "documents": "documents",
    "document_tokens": "tokens",
    "query_tokens": "tokens",
    "max_tokens": "tokens",
    "queries_per_second": "qps",
    "parameters": "parameters",
    "dimension": "dimensions",
    "latency": "ms",
    "cost": "usd",
    "margin": "percent",
}
_BARE_GB_BELOW = 256
_MANY_PAGES = 1000
#: a shorter "vector" lies in space: "3-d models"
_SHORTEST_VECTOR = 16
_LONGEST_VECTOR = 100_000
#: no model reads less at once; and what is only called a window has at least
_SHORTEST_CONTEXT, _SHORTEST_WINDOW = 128, 1000
_BETWEEN_VECTOR_AND_LIMIT, _BETWEEN_NAME_AND_AMOUNT = 3, 4
#: "the vector column in our database is fixed at 768"
_BETWEEN_NAME_AND_LIMIT = 6
#: the smallest "max NUMBER M" that is a model, and how the sizes of models are written
_SMALLEST_MODEL = 1e6
_MODEL_SCALES = frozenset({"m", "b"})
#: what else comes in millions
_IN_MILLIONS = frozenset({"documents", "queries", "tokens", "cost", "queries_per_second"})
#: what a list of demands on a model names besides its size
_OF_A_MODEL = frozenset({"language", "multilingual", "license", "license_name", "gpu", "open_weights", "hosting"})
#: of which time or type a number speaks by what is around it
_THOSE = frozenset({"those", "these", "them", "such"})


class BareNumber(OneQuantity):
    """Finds the unit of a number that has none."""

    def _unit_from_context(self) -> str | None:
        """The unit of the noun right before a bare number, else that of the open question."""
        for noun in self._u.in_clause(self._clause, "noun"):
            between = self._q.start - noun.end
            named = noun.value in _UNIT_OF_NOUN and not self._is_too_short(noun)
            if named and 0 <= between <= _BETWEEN_NAME_AND_AMOUNT and self._plain(noun.end, self._q.start):
                return _UNIT_OF_NOUN[noun.value]
        following = self._u.starting(self._q.end, "noun")
        if any(noun.value == "max_tokens" and not self._is_too_short(noun) for noun in following):
            return "tokens"  # a 32k window
        if self._limits_vectors():
            return "dimensions"
        if self._corrects_the_documents() or self._sums_up():
            return "documents"
        if self._q.rate and (self._has("noun", value="queries_per_second") or self._is_of_queries()):
            return "qps"
        if self._limits_a_model():
            return "parameters"
        answer = self._asked in _UNIT_OF_ANSWER and len(self._reading.quantities) == 1 and not self._counts_no_amount()
        return _UNIT_OF_ANSWER[self._asked] if answer and self._asked else None

    def _is_of_queries(self) -> bool:
        """Whether it counts the queries spoken of before: "... as their query, ... some 35 of those per second"."""
        pointing = any(self._u.tokens[i].text in _THOSE for i in range(self._q.start, self._q.end))
        before = (h for h in self._u.of_category("role") if h.value == "query" and h.start < self._q.start)
        return self._q.rate == "s" and pointing and any(before)

    def _counts_no_amount(self) -> bool:
        """Whether it counts something that no question asks for: "1 more time please", "2 of us decide that"."""
        return any(self._u.starting(i, "no_amount") for i in (self._q.end, self._q.end + 1))

    def _is_too_short(self, noun: Hit) -> bool:
        """Whether a window so small is one in a wall."""
        least = _SHORTEST_WINDOW if noun.term in ("window", "窗口") else _SHORTEST_CONTEXT
        return noun.value == "max_tokens" and self._q.value < least and self._asked != "max_tokens"

    def _corrects_the_documents(self) -> bool:
        """Whether a large number without a unit can only correct the number of documents: "make that 9 million"."""
        known = self._reading.requirements.documents is not None and self._q.value >= _MANY_PAGES
        denied = any(is_denied(self._reading, other) for other in self._reading.quantities)
        corrects = (self._u.of_category("correction") or denied) and not self._u.starting(self._q.start, "gpu")
        return bool(known and corrects and self._asked is None and self._q.limit is None and not self._q.rate)

    def _sums_up(self) -> bool:
        """Whether it says how many there are of what was named before it: "photographs of ..., 18,000 by now"."""
        beside = [
            i for i, c in enumerate(self._u.clauses) if c == self._clause and not self._q.start <= i < self._q.end
        ]
        summed = self._u.in_clause(self._clause, "in_all")
        covered = {i for hit in summed for i in range(hit.start, hit.end)}
        plain = all(i in covered or self._u.lexicon.says_nothing(self._u.tokens[i]) for i in beside)
        large = self._q.value >= _MANY_PAGES and (summed or self._asked is None)
        if not plain or not large or self._q.limit or self._q.rate or self._asked not in (None, "documents"):
            return False
        sentence, counted = self._u.sentences[self._q.start], self._u.lexicon.counted
        named = (i for i in range(self._q.start) if self._u.sentences[i] == sentence)
        written = self._words[-1:].isalpha() or "," in self._words or bool(summed)
        return written and any(counted.get(self._u.tokens[i].stem) == "documents" or self._is_kind(i) for i in named)

    def _is_kind(self, i: int) -> bool:
        return any(h.value == "documents" or h.category == "modality" for h in self._u.starting(i, "unit", "modality"))

    def _limits_vectors(self) -> bool:
        """Whether it is the limit of what was just called a vector: "vectors max 768"."""
        if self._q.rate or not _SHORTEST_VECTOR <= self._q.value <= _LONGEST_VECTOR:
            return False
        if self._is_of_a_type() or self._is_of_vectors_so_long():
            return True
        if self._q.limit != "max":
            return False
        for vector in self._u.in_clause(self._clause, "vector"):
            between = self._u.tokens[vector.end : self._q.start]
            near = 0 <= self._q.start - vector.end <= _BETWEEN_VECTOR_AND_LIMIT
            if near and all(self._u.lexicon.says_nothing(t) for t in between):
                return True
        nouns = [
            h for h in self._u.in_clause(self._clause, "noun") if h.value == "dimension" and h.end <= self._q.start
        ]
        others = (
            [h for h in self._u.in_clause(self._clause, "noun", "unit") if h.start > nouns[-1].start] if nouns else []
        )
        return bool(nouns) and self._q.start - nouns[-1].end <= _BETWEEN_NAME_AND_LIMIT and not others

    def _is_of_a_type(self) -> bool:
        """Whether it is the length in a column's type: vector(768)."""
        before = [token.text for token in self._u.tokens[max(self._q.start - 2, 0) : self._q.start]]
        return len(before) == 2 and before[0] in VECTOR_TYPES and before[1] in "(["

    def _is_of_vectors_so_long(self) -> bool:
        """Whether vectors are said to be so long: "vectors 1024 long at most"."""
        after = self._u.tokens[self._q.end].text if self._q.end < len(self._u.tokens) else ""
        vectors = self._u.in_clause(self._clause, "vector")
        return after in ("long", "wide") and any(0 <= self._q.start - v.end <= 2 for v in vectors)

    def _limits_a_model(self) -> bool:
        """Whether it can only be the largest model: "max 600M" on its own in a list of demands on one.

        Not beside anything that says what else is counted in millions.
        """
        limited = self._q.limit == "max" and not self._q.rate and self._asked is None
        if not limited or self._q.value < _SMALLEST_MODEL or not self._is_written_as_of_models():
            return False
        own = (i for i, clause in enumerate(self._u.clauses) if clause == self._clause)
        beside = (self._u.tokens[i] for i in own if not self._q.start <= i < self._q.end)
        if not all(self._u.lexicon.says_nothing(token) for token in beside):
            return False
        counted = any(h.value in _IN_MILLIONS for h in self._u.of_category("unit", "noun"))
        others = {h.category for h in self._u.hits if self._u.clauses[h.start] != self._clause}
        return not counted and len(self._reading.quantities) == 1 and bool(others & _OF_A_MODEL)

    def _is_written_as_of_models(self) -> bool:
        return any(token.text in _MODEL_SCALES for token in self._u.tokens[self._q.start : self._q.end])

    def _plain(self, start: int, end: int) -> bool:
        tokens = self._u.tokens[start:end]
        return all(
            t.text in "=:≤<到为在是约能会可冲飙涨达高峰最大概"
            or t.text in ("of", "is", "was", "were", "about", "around", "max")
            for t in tokens
        )

    def _bare_answer(self) -> Iterator[Finding]:
        if (
            self._asked == "memory"
            and self._q.value > 0
            and self._q.unit is None
            and len(self._reading.quantities) == 1
            and not self._counts_no_amount()
        ):
            unit = "GB" if self._q.value < _BARE_GB_BELOW else "MB"
            rule = say("“{words}” taken as {amount}", words=self._words, amount=f"{self._q.value:g} {unit}")
            yield from self._found("memory", {"max_mb": self._q.value * _MIB[unit.lower()]}, rule)
