"""The words this program knows and where they occur: data (``lexicon.json`` and ``shapes.json`` of knowledge/data)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from agent.understanding.shapes import Shapes
from agent.understanding.tokens import Token, stem, tokenise
from knowledge.languages import common_names

#: characters of a language's name that may be another word with another ending: 日语, 语文
_SHORT_NAME = 2


def _apart(left: Token, right: Token) -> bool:
    return right.start > left.end


def _may_part(left: Token, right: Token) -> bool:
    """Whether writers put a space between two such tokens or not, as they please: 纯 CPU, / month."""
    return left.han != right.han or not (left.text.isalnum() and right.text.isalnum())


class Lexicon:
    """Terms by category and value.

    Args:
        tables: the content of the lexicon file.
    """

    def __init__(self, tables: Mapping[str, Any]) -> None:
        self.tables = tables
        pairs: str = tables["traditional"]
        self.traditional = dict(zip(pairs[::2], pairs[1::2], strict=True))
        self.fillers = frozenset(tables["fillers"])
        self.list_joiners = frozenset(tables["list_joiners"])
        self.after_negation = frozenset(tables["after_negation"])
        self.ends_counting = frozenset(tables["ends_counting"])
        self.approximate = frozenset(tables["approximate"])
        #: terms of which no other form is meant, and what a point shortens without an end of the sentence
        self.exact = frozenset(tables["exact"])
        self.abbreviations = frozenset(tables["abbreviations"])
        #: words that a number only numbers
        self.numbered = frozenset(tables["numbered"])
        #: what is no document although it can be counted, and Chinese words for counting what is one
        self.not_kept = frozenset(stem(word) for word in tables["not_kept"])
        self.not_kept_han: tuple[str, ...] = tuple(tables["not_kept_han"])
        self.classifiers = frozenset(tables["classifiers"])
        #: categories of words that say how to take others
        self.function_words: tuple[str, ...] = tuple(tables["function_words"])
        self._stopwords = frozenset(tables["stopwords"])
        self._stop_characters = frozenset(tables["stop_characters"])
        self._capitalised: set[str] = set(tables["capitalised"])
        self._by_beginning: dict[tuple[str, ...], list[tuple[list[Token], str, list[tuple[str, str]]]]] = {}
        self.vocabulary: set[str] = set(tables["never_typos"]) | self._stopwords | self.fillers
        self.typo_targets: set[str] = set()
        #: single words for what a number may count
        self.counted = {
            stem(term): value
            for value in ("queries", "documents")
            for term in tables["terms"]["unit"][value]
            if term.isascii() and term.isalpha()
        }
        #: languages by a name of one word
        self.language_words = frozenset(name for name in common_names() if name.isalpha())
        self._load()
        self.shapes = Shapes(tables["shapes"], tables["shape_classes"], tables["shape_stops"])
        self.vocabulary |= self.shapes.vocabulary

    def _load(self) -> None:
        meanings: dict[str, list[tuple[str, str]]] = {}
        for category, table in self.tables["terms"].items():
            for value, terms in table.items():
                for term in terms:
                    meanings.setdefault(term, []).append((category, value))
        known = {term for table in self.tables["terms"].values() for terms in table.values() for term in terms}
        for name, code in common_names().items():
            if name not in known:
                meanings[name] = [("language", code)]
                self._capitalised |= {name} if name.isascii() else set()
            written = name[:-1] + "文"  # 希腊语 is spoken, 希腊文 written
            if name.endswith("语") and len(name) > _SHORT_NAME and written not in known:
                meanings.setdefault(written, [("language", code)])
        for term, meant in meanings.items():
            tokens = tokenise(term)
            beginning = tuple(token.stem for token in tokens[:2])
            self._by_beginning.setdefault(beginning, []).append((tokens, term, meant))
            self.vocabulary.update(word for t in tokens for word in (t.text, t.stem))
            alone = len(tokens) == 1 and len(term) >= 6 and term.isascii()
            if alone and any(category in self.tables["typo_categories"] for category, _ in meant):
                self.typo_targets.add(term)
        for candidates in self._by_beginning.values():
            candidates.sort(key=lambda c: -len(c[0]))

    def find(self, tokens: list[Token]) -> Iterator[tuple[str, str, str, int, int]]:
        """(category, value, term, start, end) of the terms in a text: longest first, without overlaps."""
        i = 0
        while i < len(tokens):
            length = 1
            pair = tuple(token.stem for token in tokens[i : i + 2])
            for pattern, term, meant in (*self._by_beginning.get(pair, ()), *self._by_beginning.get(pair[:1], ())):
                if self._matches(pattern, tokens, i):
                    length = len(pattern)
                    yield from ((category, value, term, i, i + length) for category, value in meant)
                    break
            i += length

    @staticmethod
    def _matches(pattern: list[Token], tokens: list[Token], at: int) -> bool:
        if at + len(pattern) > len(tokens):
            return False
        for k, wanted in enumerate(pattern):
            token = tokens[at + k]
            if token.stem != wanted.stem:
                return False
            parted = k and _apart(tokens[at + k - 1], token) and not _apart(pattern[k - 1], wanted)
            if parted and not _may_part(pattern[k - 1], wanted):
                return False
        return True

    def must_be_capital(self, word: str) -> bool:
        """Whether a word is meant only where it is written with a capital letter (Polish)."""
        return word in self._capitalised

    def says_nothing(self, token: Token) -> bool:
        """Whether leaving a token out loses nothing."""
        if token.han:
            return token.text in self._stop_characters
        return token.text in self._stopwords or not token.text[0].isalnum() or token.text in self.list_joiners


@cache
def load_lexicon() -> Lexicon:
    """The lexicon of this program, read once."""
    folder = files("knowledge") / "data"
    words, shapes = (json.loads((folder / f"{name}.json").read_text("utf-8")) for name in ("lexicon", "shapes"))
    return Lexicon(words | shapes)
