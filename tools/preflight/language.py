"""The languages of the data against those that the model's card lists."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from knowledge.languages import language_code, language_names
from knowledge.model_card import ModelCard
from knowledge.results import Finding
from knowledge.wording import say
from tools.language_detection import languages_of, told_apart

#: share of the sample from which a language counts
ENOUGH = 0.1
#: texts shorter than this (in bytes of UTF-8: a hanzi tells as much as three letters) are taken for other languages
LONG = 80
#: with fewer texts of that length nothing is said
FEWEST = 10


def language_findings(card: ModelCard | None, documents: Sequence[str], queries: Sequence[str]) -> list[Finding]:
    """Languages of the sample that the card does not list.

    Nothing where the card lists none, or one that cannot be told apart here: it would be taken for a neighbour.
    A model may rank a foreign language passably by shared words and names, so no figure taken on a sample shows it.
    """
    # some cards list programming languages only
    listed = {code for name in card.languages if (code := language_code(name))} if card else set()
    if not listed or not listed <= told_apart():
        return []
    shares: dict[str, float] = {}
    for texts in (documents, queries):
        for code, share in _shares(tuple(text for text in texts if len(text.encode()) >= LONG)).items():
            shares[code] = max(shares.get(code, 0.0), share)
    foreign = {code: share for code, share in shares.items() if share >= ENOUGH and code not in listed}
    if not foreign:
        return []
    return [
        Finding(
            check="language",
            severity="warns",
            finding=say(
                "Your texts are in {foreign}, which its card does not list (it lists {listed}).",
                foreign=language_names(foreign),
                listed=language_names(sorted(listed)) if len(listed) <= 5 else say("{count} others", count=len(listed)),
            ),
            remedy=say("Measure a model made for your language beside it."),
            figures=foreign,
        )
    ]


@lru_cache(maxsize=4)  # each encoder is tried on the same sample
def _shares(texts: tuple[str, ...]) -> dict[str, float]:
    return languages_of(texts) if len(texts) >= FEWEST else {}
