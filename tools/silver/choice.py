"""Which drafts become queries: one a document, sharing on average as many words with their answers as people's do.

A sentence that is taken out of a document shares few words with what is left of it; a phrase that stays shares all,
and a title nearly so. The one flatters encoders, the others word matching. What people ask lies between
(`benchmarks/silver` prints what they share in labelled sets), so that is taken of what a document offers which keeps
the mean at `SHARED`.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from random import Random

from knowledge.dataset import Dataset
from tools.profile import fingerprint, terms
from tools.silver.drafts import Draft, Part, parts, phrase

#: mean share of a query's telling words that its document is to hold (the median of what people's queries share in the
#: ten labelled sets of `benchmarks/silver`), and the largest share of phrases for it
SHARED, MOST_PHRASES = 0.55, 0.6
#: upper ends of the strata of that share, in which queries are counted
STRATA = (1 / 3, 2 / 3, 1.0)
#: a telling word is in at most this share of the documents looked at (and any word in two is one)
TELLING = 0.1
#: texts that are looked at for how rare a word is
SAMPLED = 5_000


def choose(dataset: Dataset, most: int, seed: int) -> tuple[list[Draft], Words]:
    """At most one draft a document, at most `most`, no two of the same words.

    Returns:
        The drafts, and how rare the words of the documents are.
    """
    words = rare_words(dataset, seed)
    chosen: list[Draft] = []
    shares = 0.0
    asked: set[bytes] = set()
    phrases = 0
    for document in askable(dataset, seed):
        if len(chosen) == most:
            break
        offers = [
            (draft, words.shared(draft))
            for draft in offered(dataset, document, words, seed)
            if fingerprint(draft.query) not in asked
            and (draft.kind != "phrase" or phrases < MOST_PHRASES * (len(chosen) + 1))
        ]
        if not offers:
            continue
        mean_with = {draft: (shares + share) / (len(chosen) + 1) for draft, share in offers}
        draft, share = min(offers, key=lambda offer: abs(mean_with[offer[0]] - SHARED))
        asked.add(fingerprint(draft.query))
        chosen.append(draft)
        shares += share
        phrases += draft.kind == "phrase"
    return chosen, words


def offered(dataset: Dataset, document: str, words: Words, seed: int) -> list[Draft]:
    """What a document offers: a question alone, where it answers one; else a sentence, and a title, heading or phrase.

    Titles and headings were written to be found by, so a phrase is only taken where there are none.
    """
    text, chance = dataset.documents[document], Random(f"{seed} {document}")
    found = list(parts(document, text, dataset.titles.get(document, "")))
    question = _one_of([part for part in found if part.kind == "question"], chance)
    if question:
        return [question]
    said = _one_of([p for p in found if p.kind == "sentence" and len(words.telling(p.query)) > 1], chance)
    named = _one_of([part for part in found if part.kind in ("title", "heading")], chance)
    held = None if named else phrase(document, text, chance, lambda part: len(words.telling(part)))
    return [draft for draft in (said, named, held) if draft]


def _one_of(found: Sequence[Part], chance: Random) -> Draft | None:
    """The first, in an order left to chance, that leaves enough of its document."""
    return next((draft for part in chance.sample(found, len(found)) if (draft := part.draft())), None)


def askable(dataset: Dataset, seed: int) -> list[str]:
    """The documents whose text no other has, in the order that the seed gives them."""
    times = Counter(fingerprint(text) for text in dataset.documents.values())
    return _in_order((d for d, text in dataset.documents.items() if times[fingerprint(text)] == 1), seed)


def _in_order(documents: Iterable[str], seed: int) -> list[str]:
    """The documents in an order that depends on the seed and their ids alone."""

    def digest(document: str) -> bytes:
        return hashlib.sha256(f"{seed} {document}".encode("utf-8", "surrogatepass")).digest()

    return sorted(documents, key=digest)


class Words:
    """How rare the words of a corpus are.

    Args:
        texts: of documents, a sample where there are many.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self._documents = len(texts)
        self._in = Counter(term for text in texts for term in terms(text))

    def telling(self, query: str) -> set[str]:
        """The words of a query that few documents have."""
        return {term for term in terms(query) if self._in[term] <= max(2, self._documents * TELLING)}

    def shared(self, draft: Draft) -> float:
        """Share of the query's telling words (of all, where none is) that what is left of its document holds."""
        words = self.telling(draft.query) or terms(draft.query)
        return len(words & terms(draft.left)) / len(words) if words else 0.0


def rare_words(dataset: Dataset, seed: int) -> Words:
    """How rare the words of the documents are, from a sample of them."""
    return Words([dataset.documents[document] for document in _in_order(dataset.documents, seed)[:SAMPLED]])


def stratum(share: float) -> int:
    """The number of the stratum that a share of common words is in."""
    return next(number for number, end in enumerate(STRATA) if share <= end)
