"""A message made comparable: folded characters, tokens, clauses; every piece leads back to the user's own words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from agent.understanding.lexicon import Lexicon
from agent.understanding.tokens import MASK, Token, tokenise
from agent.understanding.typos import corrected

#: characters read of a message; a requirement stated later than this is reported as not understood
LONGEST = 10_000
#: in a longer message an unknown word is rather a word we do not know than a slip
_TYPED_BY_HAND = 2_000
_JOINER = re.compile(r"(?<=[^\W\d_])[-_‐‑](?=[^\W\d_])|(?<=\d)[-_‐‑](?=[a-z])|(?<=[^\W\d_])(?<!\d[kmb])[-_‐‑](?=\d)")
#: what a terminal obeys (colours, cursor) and nobody wrote, also where the message is cut within it
_CONTROL_SEQUENCE = re.compile(r"(?:\x1b\[|\x9b)[0-?]*[ -/]*(?:[@-~]|$)")
#: after a number: 1½ million
_FRACTIONS = {"½": ".5", "¼": ".25", "¾": ".75"}
_SENTENCE_END = frozenset("!?。;；")
_QUOTES = frozenset('"「」『』')
_CLAUSE_END = frozenset(",、:：()（）—–")
_BREAKERS = frozenset({"but", "however", "while", "although"})


def readable(text: str) -> str:
    """The text without control sequences, control, zero-width and direction characters, cut to `LONGEST` of them."""
    kept = []
    for c in _CONTROL_SEQUENCE.sub("", text[:LONGEST]):
        category = unicodedata.category(c)
        if category in ("Cf", "Cs", "Co", "Cn"):
            continue
        kept.append(" " if category == "Cc" and c != "\n" else c)
    return "".join(kept)


def fold(text: str, traditional: dict[str, str]) -> tuple[str, list[int]]:
    """Lower case, compatibility forms and simplified characters, with the position each character came from."""
    folded: list[str] = []
    origin: list[int] = []
    for i, c in enumerate(text):
        for form in _FRACTIONS.get(c) or (unicodedata.normalize("NFKC", c).lower() if c not in "…" else " "):
            folded.append({"’": "'", "“": '"', "”": '"'}.get(form) or traditional.get(form, form))
            origin.append(i)
    return _JOINER.sub(" ", "".join(folded)), origin


@dataclass(frozen=True)
class Hit:
    """A term or a shape of the lexicon in the message; `start` and `end` count tokens, `end` is exclusive."""

    category: str
    value: str
    term: str
    start: int
    end: int
    shaped: bool = False


class Utterance:
    """A message with what the lexicon knows of it.

    Attributes:
        text: the readable message.
        tokens: its tokens; what the masked spans cover says nothing.
        sentences: for each token, the number of its sentence.
        clauses: for each token, the number of its clause.
        hits: the lexicon's terms in it, in order.
        quoted: the tokens between quotation marks.
    """

    def __init__(self, text: str, lexicon: Lexicon, masked: Iterable[tuple[int, int]] = ()) -> None:
        characters = list(text)
        for start, end in masked:
            characters[start:end] = [MASK] * (end - start)
        folded, self._origin = fold("".join(characters), lexicon.traditional)
        self.text = text
        self.lexicon = lexicon
        self.tokens: list[Token] = tokenise(folded)
        if len(text) <= _TYPED_BY_HAND:
            self.tokens = [corrected(token, lexicon) for token in self.tokens]
        self.sentences: list[int] = []
        self.clauses: list[int] = []
        self.quoted = self._between_quotes()
        self._divide()
        terms = [hit for found in lexicon.find(self.tokens) if self._meant(hit := Hit(*found))]
        shapes = [Hit(*found, shaped=True) for found in lexicon.shapes.find(self.tokens, self.sentences)]
        self.hits = sorted([*terms, *shapes], key=lambda hit: hit.start)
        self._starting: dict[int, list[Hit]] = {}
        self._ending: dict[int, list[Hit]] = {}
        self._by_clause: dict[int, list[Hit]] = {}
        self._of_clause: dict[tuple[int, tuple[str, ...]], list[Hit]] = {}
        for hit in self.hits:
            self._starting.setdefault(hit.start, []).append(hit)
            self._ending.setdefault(hit.end, []).append(hit)
            self._by_clause.setdefault(self.clauses[hit.start], []).append(hit)
        self._used: set[int] = set()

    def _between_quotes(self) -> frozenset[int]:
        """The tokens between quotation marks that come in pairs: what somebody says is no sentence of the user's."""
        marks = [i for i, token in enumerate(self.tokens) if token.text in _QUOTES]
        if len(marks) % 2:
            return frozenset()
        return frozenset(i for a, b in zip(marks[::2], marks[1::2], strict=True) for i in range(a + 1, b))

    def _divide(self) -> None:
        sentence = clause = 0
        for i, token in enumerate(self.tokens):
            clause += token.text in _BREAKERS
            self.sentences.append(sentence)
            self.clauses.append(clause)
            following = self.tokens[i + 1] if i + 1 < len(self.tokens) else None
            shortened = i and self.tokens[i - 1].text in self.lexicon.abbreviations
            stop = token.text == "." and not shortened and (following is None or following.start > token.end)
            newline = following is not None and "\n" in self.text[self._last(token) : self._first(following)]
            if (token.text in _SENTENCE_END or stop or newline) and not (i in self.quoted and not newline):
                sentence += 1
                clause += 1
            elif token.text in _CLAUSE_END:
                clause += 1

    def _meant(self, hit: Hit) -> bool:
        words = self.words(hit.start, hit.end)
        if hit.term in self.lexicon.exact:
            return words.casefold() == hit.term
        return not self.lexicon.must_be_capital(hit.term) or words[0].isupper()

    def _first(self, token: Token) -> int:
        return self._origin[token.start]

    def _last(self, token: Token) -> int:
        return self._origin[token.end - 1]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where a run of tokens stands in the text, in characters."""
        return self._first(self.tokens[start]), self._last(self.tokens[end - 1]) + 1

    def words(self, start: int, end: int) -> str:
        """The user's own words of a run of tokens."""
        return self.text[slice(*self.span(start, end))]

    def joint(self, i: int) -> str:
        """The hyphen or underscore that joins a token to the one before it; empty where none does."""
        between = self.text[self._last(self.tokens[i - 1]) + 1 : self._first(self.tokens[i])] if i else ""
        return between if between in ("-", "_") else ""

    def of_category(self, *categories: str) -> list[Hit]:
        """The hits of some categories, in order."""
        return [hit for hit in self.hits if hit.category in categories]

    def in_clause(self, clause: int, *categories: str) -> list[Hit]:
        """The hits of some categories in one clause."""
        key = (clause, categories)
        if key not in self._of_clause:
            self._of_clause[key] = [hit for hit in self._by_clause.get(clause, ()) if hit.category in categories]
        return self._of_clause[key]

    def starting(self, start: int, *categories: str) -> list[Hit]:
        """The hits that begin at a token, of some categories where any are named."""
        return [hit for hit in self._starting.get(start, ()) if not categories or hit.category in categories]

    def ending(self, end: int, *categories: str) -> list[Hit]:
        """The hits of some categories that end before a token."""
        return [hit for hit in self._ending.get(end, ()) if hit.category in categories]

    def use(self, start: int, end: int) -> None:
        """Mark tokens as understood."""
        self._used.update(range(start, end))

    def unread(self) -> list[int]:
        """The tokens that say something and that nothing was understood from."""
        for hit in self.of_category(*self.lexicon.function_words):
            self.use(hit.start, hit.end)
        return [i for i, t in enumerate(self.tokens) if i not in self._used and not self.lexicon.says_nothing(t)]

    def ignored(self, limit: int = 300) -> str:
        """The words nothing was understood from, shortened."""
        left: list[str] = []
        for i in self.unread():
            adjacent = self.tokens[i].han and i > 0 and i - 1 not in self._used and self.tokens[i - 1].han
            left.append(("" if adjacent else " ") + self.words(i, i + 1))
        words = "".join(left).strip()
        return words if len(words) <= limit else words[:limit] + "…"
