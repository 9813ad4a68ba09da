"""What queries that a program made are like."""

from __future__ import annotations

from knowledge.results.base import Record


class SilverQueries(Record):
    """How silver queries came about.

    Attributes:
        kinds: how many were made in which way: title, heading, question, sentence (taken out of a document), written
            (by a language model).
        shared_words: share of a query's telling words that its document holds, mean over queries. Word matching looks
            the better, the higher it is.
        strata: how many queries share up to a third, up to two thirds, and more of them.
        seed: of the choice of documents.
    """

    kinds: dict[str, int]
    shared_words: float
    strata: tuple[int, ...]
    seed: int = 0
