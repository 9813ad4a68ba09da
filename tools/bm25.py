"""The lexical leg: BM25 by bm25s over words, word stems and, for Chinese and its like, pairs of characters.

Words are brought to stems by the rules of the language that most documents are in (``stem=german`` and the like choose
others, ``stem=none`` none), in Chinese, Japanese and Korean after full-width and half-width forms are made one. Korean
is read in pairs of syllables too, as Lucene's CJK analyser does, since its endings are written to the words.

Milvus Lite has BM25 too, but its inverse document frequencies are local to a segment and its analyser never matches
Chinese, so its ranking is not the ranking that a server would give.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from knowledge.candidate import Leg
from knowledge.errors import SpecError
from knowledge.wording import say
from tools import chunking
from tools.language_detection import UNSPACED as UNSPACED_LANGUAGES
from tools.language_detection import languages_of
from tools.pipeline.words import WordIndex

OPTIONS = frozenset({"k1", "b", "stem"})
#: Robertson & Zaragoza (2009), The Probabilistic Relevance Framework: BM25 and Beyond, section 3.4
K1, B = 1.2, 0.75
#: language -> its Snowball stemmer
STEMMERS = {
    "ar": "arabic",
    "ca": "catalan",
    "cs": "czech",
    "da": "danish",
    "de": "german",
    "el": "greek",
    "en": "english",
    "es": "spanish",
    "et": "estonian",
    "eu": "basque",
    "fa": "persian",
    "fi": "finnish",
    "fr": "french",
    "ga": "irish",
    "hi": "hindi",
    "hu": "hungarian",
    "hy": "armenian",
    "id": "indonesian",
    "it": "italian",
    "lt": "lithuanian",
    "ne": "nepali",
    "nl": "dutch",
    "no": "norwegian",
    "pl": "polish",
    "pt": "portuguese",
    "ro": "romanian",
    "ru": "russian",
    "sr": "serbian",
    "sv": "swedish",
    "ta": "tamil",
    "tr": "turkish",
    "yi": "yiddish",
}
#: documents whose language is looked at
LOOKED_AT = 100


def language_of(documents: Sequence[str]) -> str | None:
    """The language that most of the documents are in, by code; None where it cannot be told, as of very short ones.

    Chinese and its like do not need a stemmer; the Latin words among them are taken for English ones.
    """
    step = max(len(documents) // LOOKED_AT, 1)
    return next(iter(languages_of([text for text in documents[::step][:LOOKED_AT] if text.strip()])), None)


def stemmer_of(leg: Leg, documents: Sequence[str]) -> str:
    """The name of the stemmer that a leg brings words of these documents to stems with, or `none`."""
    return leg.options.get("stem") or stemmer_for(language_of(documents))


def stemmer_for(language: str | None) -> str:
    """The stemmer of a language; English where nothing is known, and where other scripts need none."""
    if language is None or language in UNSPACED_LANGUAGES or language == "ko":
        return "english"
    return STEMMERS.get(language, "none")


class BM25Index(WordIndex):
    """Documents indexed for BM25 as a leg has it."""

    def __init__(self, documents: Sequence[str], leg: Leg) -> None:
        stemmer = stemmer_of(leg, documents)
        _check_stemmer(leg, stemmer)
        super().__init__(documents, stemmer=stemmer, k1=_number(leg, "k1", K1), b=_number(leg, "b", B))

    @property
    def weights(self) -> Any:
        """The weight of each word in each document, a sparse matrix of shape (documents, words)."""
        from scipy.sparse import csc_matrix, csr_matrix

        if self._empty:
            return csr_matrix((self._size, 1))
        found = self._index.scores
        shape = (self._size, len(found["indptr"]) - 1)
        return csr_matrix(csc_matrix((found["data"], found["indices"], found["indptr"]), shape=shape))

    @property
    def bytes_per_document(self) -> float:
        """Size of the index, averaged over the documents."""
        parts = [] if self._empty else [v for v in self._index.scores.values() if isinstance(v, np.ndarray)]
        return sum(part.nbytes for part in parts) / max(self._size, 1)


def check_options(leg: Leg) -> None:
    """Raise SpecError for an option that BM25 does not have, or a value it cannot take."""
    unknown = sorted(set(leg.options) - OPTIONS - chunking.OPTIONS)
    if unknown:
        raise SpecError(
            say("{backend} has no option “{name}” ({spec}).", backend="bm25", name=unknown[0], spec=leg.spec),
            say("It has: {names}.", names=", ".join(sorted(OPTIONS | chunking.OPTIONS))),
        )
    _number(leg, "k1", K1)
    if _number(leg, "b", B) > 1:
        raise _impossible(leg, "b")
    _check_stemmer(leg, leg.options.get("stem", "none"))
    chunking.rules_of(leg)


def _number(leg: Leg, name: str, default: float) -> float:
    text = leg.options.get(name, str(default))
    if not re.fullmatch(r"\d{1,3}(\.\d{1,6})?", text):
        raise _impossible(leg, name)
    return float(text)


def _impossible(leg: Leg, name: str) -> SpecError:
    return SpecError(
        say("“{name}={value}” in {spec} is not possible.", name=name, value=leg.options[name], spec=leg.spec),
        say("Give a number, such as k1=1.2 or b=0.75 (b at most 1)."),
    )


def _check_stemmer(leg: Leg, name: str) -> None:
    import Stemmer

    if name != "none" and name not in Stemmer.algorithms():
        raise SpecError(
            say("“{name}={value}” in {spec} is not possible.", name="stem", value=name, spec=leg.spec),
            say("Possible are: {names}.", names=", ".join(("none", *sorted(Stemmer.algorithms())))),
        )
