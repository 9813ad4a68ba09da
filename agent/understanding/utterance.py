"""A message made comparable: folded characters, tokens, clauses; every piece leads back to the user's own words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

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
#: left-over words that may be a demand: so many apart, so many characters, or any in a message as short as this
_MANY_WORDS, _MANY_CHARACTERS, _FEW_TOKENS = 3, 3, 8
#: characters of numbers that are seldom part of other words
_LARGE = frozenset("几十百千万亿")
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
        return not self.lexicon.must_be_capital(hit.term) or words[0].isupper() or self._is_listed(hit)

    def _is_listed(self, hit: Hit) -> bool:
        """Whether a language stands beside others, and so is one however it is written: "english + polish"."""
        tokens, joins = self.tokens, self.lexicon.list_joiners
        before = hit.start > 1 and tokens[hit.start - 1].text in joins and tokens[hit.start - 2].text
        after = hit.end + 1 < len(tokens) and tokens[hit.end].text in joins and tokens[hit.end + 1].text
        return any(word in self.lexicon.language_words for word in (before, after))

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

    def ignored(self, limit: int = 300, *, every: bool = False) -> str:
        """The phrases nothing was understood from, as the user wrote them, shortened.

        Args:
            limit: characters at most.
            every: with those that carry no demand: single words and characters between what was understood.
        """
        before = frozenset(self._used)
        unread = self.unread()
        runs = [run for run in self._runs(unread, before) if every or self._may_demand(run)]
        spans = dict.fromkeys(self._whole(run) for run in runs)
        words = "; ".join(" ".join(self.words(start, end).split()) for start, end in spans)
        return words if len(words) <= limit else words[:limit] + "…"

    def _runs(self, unread: list[int], understood: frozenset[int]) -> list[list[int]]:
        """Unread tokens of one clause with nothing understood between them."""
        runs: list[list[int]] = []
        for i in unread:
            last = runs[-1][-1] if runs else None
            if (
                last is not None
                and self.clauses[last] == self.clauses[i]
                and not any(j in understood or self.tokens[j].text[0] == MASK for j in range(last + 1, i))
            ):
                runs[-1].append(i)
            else:
                runs.append([i])
        return runs

    def _may_demand(self, run: list[int]) -> bool:
        """Whether left-over words may be a demand: a number, a name, or more than a word."""
        tokens = [self.tokens[i] for i in run]
        if any(t.text[0].isdigit() or t.text in _LARGE for t in tokens):
            return True
        characters = sum(token.han for token in tokens)
        if characters:
            return characters >= _MANY_CHARACTERS
        adjacent = any(b - a == 1 for a, b in pairwise(run))
        named = any(self.words(i, i + 1)[0].isupper() and i and self.sentences[i] == self.sentences[i - 1] for i in run)
        return adjacent or named or len(run) >= _MANY_WORDS or len(self.tokens) <= _FEW_TOKENS

    def _whole(self, run: list[int]) -> tuple[int, int]:
        """The phrase to name: in Chinese, where characters alone are no words, the clause without the signs around."""
        start, end = run[0], run[-1] + 1
        if not any(self.tokens[i].han for i in run):
            counted = self.tokens[end - 1].text[0].isdigit() and end < len(self.tokens) and self._speaks(end)
            return start, end + (counted and self.clauses[end] == self.clauses[run[0]])  # "4 cores", not "4"
        while start and self.clauses[start - 1] == self.clauses[run[0]] and self._speaks(start - 1):
            start -= 1
        while end < len(self.tokens) and self.clauses[end] == self.clauses[run[0]] and self._speaks(end):
            end += 1
        return start, end

    def _speaks(self, i: int) -> bool:
        return self.tokens[i].text[0].isalnum()
