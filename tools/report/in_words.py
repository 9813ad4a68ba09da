"""The answer for who has never heard of embeddings: what the winner is, and what its figure says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from knowledge.candidate import Candidate, Fusion, Rerank, parse_candidate
from knowledge.errors import SpecError
from knowledge.wording import Text, say

#: of so many queries or texts figures are told
OF = 1_000
_MODEL = say("It is an embedding model: it turns a text into numbers that are near those of texts of like meaning.")
#: what a candidate does, by the part before the colon of its spec
_KINDS: dict[str, Text] = {
    "bm25": say("It is word matching: it compares the words of texts, and needs no embedding model."),
    "static": say("It is a table of word vectors: very fast, and blind to the order of words."),
    "splade": say("It is a model that weighs words, and adds some that a text does not have but means."),
    "multi": say("It is a model that compares texts word by word, each word as a point of its own."),
}


def in_words(winner: str | None, metrics: Mapping[str, float], primary: str) -> Iterator[Text]:
    """At most two sentences: the first is left out where the winner cannot be read, the second for other figures.

    Args:
        winner: its spec.
        metrics: its measured figures.
        primary: that which decided.
    """
    try:
        candidate = parse_candidate(winner or "")
    except SpecError:
        return
    yield _kind(candidate)
    if primary == "Accuracy":
        yield say("Of {of:,} such texts about {n:,} get the right class.", of=OF, n=round(OF * metrics[primary]))
    elif "Success@10" in metrics and "Success@1" in metrics:
        yield say(
            "Of {of:,} such queries about {ten:,} find a right document among the first ten, {one:,} on the very first "
            "place.",
            of=OF,
            ten=round(OF * metrics["Success@10"]),
            one=round(OF * metrics["Success@1"]),
        )


def _kind(candidate: Candidate) -> Text:
    if isinstance(candidate, Rerank):
        return say("It searches, and then a second model reads the best finds again, together with the question.")
    if isinstance(candidate, Fusion):
        return say("It searches in several ways at once, and puts what they find together in one list.")
    return _KINDS.get(candidate.backend, _MODEL)
