"""Whether a model was made for its vectors to be cut to a length: only Matryoshka training keeps what they say."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from knowledge.candidate import Leg
from knowledge.catalog_in_use import usable_catalog
from knowledge.errors import UnknownModelError
from knowledge.model_card import ModelCard
from knowledge.wording import Text, say
from tools.setups.options import setup_of
from tools.workspace import Workspace

#: WordLlama is not in MTEB; these facts are its package's own (0.4.0: 32,000 vectors of 256, METADATA names the origin)
WORDLLAMA = ModelCard(
    model="wordllama",
    license="MIT",
    commercial="conditional",
    license_note="MIT, but its weights derive from LLaMA-2 70B and phi-3",
    parameters=32_000 * 256,
    active_parameters=0,
    dimension=256,
    matryoshka_dimensions=(64, 128, 256),
)


def card_of(leg: Leg, workspace: Workspace) -> ModelCard | None:
    """What is known of a leg's model; None for folders and for names that the catalog does not have."""
    if (leg.backend, leg.name) == ("static", WORDLLAMA.model):
        return WORDLLAMA
    if Path(leg.name).expanduser().is_dir():
        return None
    try:
        return usable_catalog(workspace.home).catalog.card(leg.name)
    except UnknownModelError:
        return None


def not_trained_for(leg: Leg, card: ModelCard | None) -> Iterator[Text]:
    """A warning for each length that the leg cuts vectors to and that its model's card does not list.

    Raises:
        SpecError: the leg's options make no set-up.
    """
    setup = setup_of(leg)
    trained = card.matryoshka_dimensions if card else ()
    whole = card.dimension if card else None
    for length in (setup.dim, setup.first):
        if length is None or length in trained or length == whole:
            continue
        if trained:
            yield say(
                "Its card lists {trained} as lengths that its vectors may be cut to, and {length} is none of them: "
                "what the cut costs is known by measuring only.",
                trained=", ".join(map(str, trained)),
                length=length,
            )
        else:
            yield say(
                "Nothing says that this model was trained for its vectors to be cut to {length}: what the cut costs is "
                "known by measuring only.",
                length=length,
            )
