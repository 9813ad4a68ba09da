"""Search by words: BM25 by bm25s over word stems and, in scripts without spaces, pairs of characters."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .scripts import HANGUL, UNSPACED

_PIECES = re.compile(f"([{UNSPACED}{HANGUL}]+)|([^\\W{UNSPACED}{HANGUL}]+)")
_WIDTHS = re.compile("[\u3000\uff00-\uffef]+")

Stem = Callable[[list[str]], list[str]]


def tokenise(text: str, stem: Stem) -> list[str]:
    """Stems of words; in scripts without spaces, overlapping pairs of characters (as Lucene's CJK analyser does)."""
    words: list[str] = []
    pairs: list[str] = []
    # forms that only differ in width; other characters stay as they are
    text = _WIDTHS.sub(lambda match: unicodedata.normalize("NFKC", match.group()), text)
    for unspaced, word in _PIECES.findall(text.lower()):
        if word:
            words.append(word)
        elif len(unspaced) == 1:
            pairs.append(unspaced)
        else:
            pairs.extend(unspaced[i : i + 2] for i in range(len(unspaced) - 1))
    return stem(words) + pairs


def stem_by(name: str) -> Stem:
    """What brings words to stems: a Snowball stemmer by its name, or `none`."""
    if name == "none":
        return lambda words: words
    import Stemmer

    stem: Stem = Stemmer.Stemmer(name).stemWords
    return stem


class WordIndex:
    """Documents indexed for BM25.

    Attributes:
        stemmer: its name, or `none`.
    """

    def __init__(self, documents: Sequence[str], *, stemmer: str, k1: float, b: float) -> None:
        import bm25s

        self.stemmer = stemmer
        self._stem = stem_by(stemmer)
        tokens = [tokenise(text, self._stem) for text in documents]
        self._size = len(documents)
        self._empty = not any(tokens)
        self._index: Any = bm25s.BM25(method="lucene", k1=k1, b=b)
        if not self._empty:
            self._index.index(tokens, show_progress=False)

    def search(self, queries: Sequence[str], k: int) -> tuple[np.ndarray, np.ndarray]:
        """Rows and scores of the k best for each query, best first.

        A document that shares no word with the query is not found: where fewer than k are, row -1 and score 0 follow.
        """
        k = min(k, self._size)
        rows = np.full((len(queries), k), -1, dtype=np.int64)
        scores = np.zeros((len(queries), k))
        # words that no document has add nothing, and bm25s stumbles over a query of nothing else
        known = {} if self._empty else self._index.vocab_dict
        tokens = [[t for t in tokenise(text, self._stem) if t in known] for text in queries]
        asked = [q for q, words in enumerate(tokens) if words]
        if asked and k:
            found, found_scores = self._index.retrieve([tokens[q] for q in asked], k=k, show_progress=False)
            scores[asked] = found_scores
            rows[asked] = np.where(scores[asked] > 0, found, -1)
        return rows, scores
