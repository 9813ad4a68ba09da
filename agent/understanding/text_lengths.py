"""How long texts are, or what a model has to read at once: in tokens, words, characters or pages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from agent.understanding.findings import Finding
from agent.understanding.one_quantity import OneQuantity
from agent.understanding.utterance import Hit
from knowledge.wording import Text, say

_TOKENS_PER_WORD = 4 / 3
#: characters; 一个字 is no length of a text, but "not a word"
_SHORTEST_TEXT = 2
#: what is typed is a query; and a clause of so few words says no more than an amount
_TYPED = frozenset(
    {
        "来搜",
        "来问",
        "来查",
        "粘进来",
        "粘进来搜",
        "type",
        "types",
        "typing",
        "paste",
        "pastes",
        "pasting",
        "搜",
        "提问",
        "输入",
        "查",
        "搜索",
        "查询",
        "粘",
        "粘贴",
        "贴",
    }
)
_FEW_WORDS = 9


class TextLength(OneQuantity):
    """Reads the length of a text."""

    def _length_of(self, default: str = "max_tokens") -> str:
        if self._asked in ("document_tokens", "query_tokens", "max_tokens"):
            return self._asked
        roles = self._u.in_clause(self._clause, "role")
        if self._has("long_text") or self._stays_whole() or (self._has("supports") and default != "document_tokens"):
            return "max_tokens"
        if self._u.in_clause(self._clause, "document_each"):
            return "document_tokens"
        roles = roles or self._roles_before()
        if roles:
            nearest = min(roles, key=lambda r: abs(r.start - self._q.start))
            return f"{nearest.value}_tokens"
        return default

    def _roles_before(self) -> list[Hit]:
        """The queries that the clause before speaks of, where this one is a mere amount: "as their query, say 150"."""
        first = self._u.clauses.index(self._clause)
        if not first or self._u.sentences[first - 1] != self._u.sentences[first]:
            return []
        own = (t for t, c in zip(self._u.tokens, self._u.clauses, strict=True) if c == self._clause)
        if sum(token.text.isalpha() for token in own) > _FEW_WORDS:
            return []
        before = self._u.clauses[first - 1]
        typed = [h for h in self._u.in_clause(before, "put_in") if h.term in _TYPED]
        asked = [replace(h, category="role", value="query") for h in typed]
        queries = [h for h in self._u.in_clause(before, "role") if h.value == "query"]
        return (asked or queries)[-1:]

    def _stays_whole(self) -> bool:
        """Whether it is the length of what the sentence says must not be split: "4k tokens each, must not be split"."""
        sentence = self._u.sentences[self._q.start]
        lengths = [q for q in self._reading.quantities if q.unit == "tokens" and self._u.sentences[q.start] == sentence]
        return any(
            min(lengths, key=lambda q: abs(q.start - hit.start), default=None) == self._q
            for hit in self._u.of_category("unsplit")
            if self._u.sentences[hit.start] == sentence
        )

    def _is_kept_whole(self) -> bool:
        """Whether the sentence says that texts are not to be split."""
        sentence = self._u.sentences[self._q.start]
        return any(self._u.sentences[hit.start] == sentence for hit in self._u.of_category("unsplit"))

    def _lengths_in_words(self) -> Iterator[Finding]:
        rule = say("“{words}” taken as 4 tokens for 3 words", words=self._words)
        if self._asked or self._has("role", "long_text"):
            yield from self._length(rule, _TOKENS_PER_WORD)

    def _lengths_in_characters(self) -> Iterator[Finding]:
        if not (self._asked or self._has("role", "long_text")) or self._q.value < _SHORTEST_TEXT:
            return
        if self._reading.language == "zh":
            yield from self._length(
                say("“{words}” taken as one token for each Chinese character", words=self._words), 1
            )
        else:
            yield from self._length(say("“{words}” taken as one token for 4 characters", words=self._words), 0.25)

    def _length(self, rule: Text, factor: float) -> Iterator[Finding]:
        about = "max_tokens" if self._is_kept_whole() else self._length_of("document_tokens")
        if about == "max_tokens":
            yield from self._found(about, {"tokens": max(1, round(self._q.value * factor))}, rule)
        else:
            yield from self._whole(about, rule, factor)
