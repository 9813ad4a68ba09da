"""Can a model's files be loaded without trusting its publisher? Weights format, code that comes along, revision."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import BaseModel, ConfigDict

from knowledge.model_card import ModelCard
from knowledge.wording import Text, say

Weights = Literal["safetensors", "other", "unknown", "api"]

_COMMIT = re.compile(r"[0-9a-f]{40}")


class TrustNote(BaseModel):
    """One thing about a model's files; `good` is None where it is not known, `advice` what to do about it."""

    model_config = ConfigDict(frozen=True)

    about: Literal["weights", "code", "revision"]
    good: bool | None
    text: Text
    advice: Text | None = None


class Trust(BaseModel):
    """What is known of the files of one model.

    Attributes:
        weights: "other" where the catalog lists formats and safetensors is not among them.
        remote_code: whether it runs only with code of its publisher's; None: not known.
        pinned: whether the catalog names one commit, so that the files cannot change unnoticed.
    """

    model_config = ConfigDict(frozen=True)

    weights: Weights
    remote_code: bool | None
    pinned: bool
    notes: tuple[TrustNote, ...]

    @property
    def concerns(self) -> tuple[TrustNote, ...]:
        """What is not plainly good."""
        return tuple(note for note in self.notes if not note.good)


def trust_of(card: ModelCard) -> Trust:
    """What the catalog knows of a model's files, in plain statements."""
    if card.is_api:
        return Trust(weights="api", remote_code=False, pinned=False, notes=(_API,))
    formats = {name.casefold() for name in card.frameworks}
    weights: Weights = "safetensors" if "safetensors" in formats else "other" if formats else "unknown"
    pinned = bool(_COMMIT.fullmatch(card.revision or ""))
    notes = (_WEIGHTS[weights], _CODE[card.needs_remote_code], _pin(card.revision, pinned))
    return Trust(weights=weights, remote_code=card.needs_remote_code, pinned=pinned, notes=notes)


def _pin(revision: str | None, pinned: bool) -> TrustNote:
    if pinned and revision:
        return TrustNote(about="revision", good=True, text=say("Pinned to commit {commit}.", commit=revision[:12]))
    return TrustNote(
        about="revision",
        good=False,
        text=say("No commit is on file: its files may change."),
        advice=say("Write the 40 characters of the commit after @ in the candidate."),
    )


_API = TrustNote(
    about="weights",
    good=None,
    text=say("An API: nothing is loaded here, your texts go there, and its provider may change or end it."),
    advice=say("Keep the name of the version, and your texts, so that you can encode them again."),
)
_WEIGHTS: dict[Weights, TrustNote] = {
    "safetensors": TrustNote(
        about="weights", good=True, text=say("Weights as safetensors: loading them runs no code.")
    ),
    "other": TrustNote(
        about="weights",
        good=False,
        text=say("No safetensors are listed: loading older formats can run code."),
        advice=say("This program loads safetensors only; look for a converted copy, or convert one in a sandbox."),
    ),
    "unknown": TrustNote(
        about="weights",
        good=None,
        text=say("The format of its weights is not known."),
        advice=say("See whether its files end in .safetensors."),
    ),
}
_CODE: dict[bool | None, TrustNote] = {
    False: TrustNote(about="code", good=True, text=say("Runs without code of its publisher's.")),
    True: TrustNote(
        about="code",
        good=False,
        text=say("Runs only with code of its publisher's."),
        advice=say("Read that code at a pinned commit before you let it run; this program does not run it."),
    ),
    None: TrustNote(
        about="code",
        good=None,
        text=say("Whether it needs code of its publisher's is not known."),
        advice=say("See whether its config.json has an auto_map; this program runs no such code."),
    ),
}
