"""A chain of licences as a record: its links, and the licences that each rests on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict

from knowledge.licensing.terms import Use
from knowledge.model_card import Commercial as Says
from knowledge.wording import Text, say

Part = Literal["weights", "base", "data"]
Status = Literal["allowed", "forbidden", "unknown", "none"]

PARTS: Mapping[Part, Text] = {
    "weights": say("weights"),
    "base": say("base model"),
    "data": say("training data"),
}


class Terms(BaseModel):
    """One licence that a verdict rests on: of what it is, what it says on the uses together, and where that is from.

    Attributes:
        license: its id or how the source spells it; None: nobody says.
        source: what says that this is the licence.
        terms: address of the licence's own text.
        date: day on which the licence was looked up; None where nothing is known.
    """

    model_config = ConfigDict(frozen=True)

    about: str
    license: str | None = None
    says: Says = "unknown"
    source: str | None = None
    url: str | None = None
    terms: str | None = None
    date: dt.date | None = None


class Link(BaseModel):
    """One part of the chain: allowed, forbidden, unknown, or "none" where no such part is on file.

    Attributes:
        says: the same with "conditional" kept apart from "unknown"; "yes" where there is no such part.
        evidence: the licences, those that decide first.
        check: what to do where it is not plainly allowed.
    """

    model_config = ConfigDict(frozen=True)

    part: Part
    status: Status
    says: Says
    reason: Text
    evidence: tuple[Terms, ...] = ()
    check: Text | None = None


class Chain(BaseModel):
    """The three links for some uses of one model."""

    model_config = ConfigDict(frozen=True)

    model: str
    uses: tuple[Use, ...]
    weights: Link
    base: Link
    data: Link

    @property
    def links(self) -> tuple[Link, Link, Link]:
        """From the model back to what it was made of."""
        return self.weights, self.base, self.data
