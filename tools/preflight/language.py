"""The languages of the data against those that the model's card lists."""

from __future__ import annotations

from collections.abc import Sequence

from knowledge.languages import language_names
from knowledge.model_card import ModelCard
from knowledge.results import Finding
from knowledge.wording import say
from tools.language_detection import languages_of

#: share of the sample from which a language counts
ENOUGH = 0.1


def language_findings(card: ModelCard | None, documents: Sequence[str], queries: Sequence[str]) -> list[Finding]:
    """Languages of the sample that the card does not list; nothing where it lists none.

    A model may rank a foreign language passably by shared words and names, so no figure taken on a sample shows it.
    """
    if card is None or not card.languages:
        return []
    of_documents = languages_of(documents)
    shares = {"documents": of_documents, "queries": languages_of(queries, among=of_documents)}
    foreign = {
        code: share
        for of in shares.values()
        for code, share in of.items()
        if share >= ENOUGH and code not in card.languages
    }
    if not foreign:
        return []
    return [
        Finding(
            check="language",
            severity="warns",
            finding=say(
                "Your texts are in {foreign}, which its card does not list (it lists {listed}).",
                foreign=language_names(foreign),
                listed=language_names(card.languages[:5])
                if len(card.languages) <= 5
                else say("{count} others", count=len(card.languages)),
            ),
            remedy=say("Measure a model made for your language beside it."),
            figures=foreign,
        )
    ]
