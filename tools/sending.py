"""What a host would be sent and what that would cost, in words, and whether the user agreed to it."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from typing import Protocol

from knowledge.catalog import Catalog
from knowledge.errors import ConsentNeeded, UnknownModelError
from knowledge.wording import Text, say

CENT = 0.01


class Sends(Protocol):
    """A plan that may send texts to a host; all of them records of `knowledge.results`."""

    @property
    def sends_text_to(self) -> str | None:
        """The host that would get texts; None where none leaves this machine."""

    @property
    def requests(self) -> int:
        """At most."""

    @property
    def tokens(self) -> int:
        """Of all requests together, estimated."""

    @property
    def usd(self) -> float | None:
        """Of that many tokens; None where no price is known."""

    @property
    def price(self) -> Text | None:
        """What a million tokens cost, on which day, by which source."""


def price_of(model: str | None, catalog: Catalog) -> tuple[float | None, Text | None]:
    """US dollars per million tokens, and who says so; None where no price list has the model."""
    if model:
        with suppress(UnknownModelError):
            card = catalog.card(model)
            if card.price:
                source = catalog.sources[card.price.source]
                told = say(
                    "${price:g} per million tokens ({source}, {date})",
                    price=card.price.usd_per_million_tokens,
                    source=source.title,
                    date=card.price.date.isoformat(),
                )
                return card.price.usd_per_million_tokens, told
    return None, None


def sends_line(plan: Sends) -> Text | None:
    """Who would get what, and for how much; None where no text leaves this machine."""
    if plan.sends_text_to is None:
        return None
    if plan.usd is None:
        cost = say("what that costs is not on file")
    elif 0 < plan.usd < CENT:
        cost = say("less than a cent at {price}", price=plan.price or "–")
    else:
        cost = say("at most ${usd:,.2f} at {price}", usd=plan.usd, price=plan.price or "–")
    return say(
        "{host} would get up to {requests:,} requests with your texts, {tokens:,} tokens; {cost}.",
        host=plan.sends_text_to,
        requests=plan.requests,
        tokens=plan.tokens,
        cost=cost,
    )


def agree(plan: Sends, hosts: Collection[str], *, yes: bool, otherwise: Text) -> None:
    """Go on only where no text leaves this machine, or the user said that it may.

    Args:
        plan: what would be sent.
        hosts: those that the user agreed to.
        yes: whether the user agreed to all that the plan shows.
        otherwise: how to agree, or to send less.

    Raises:
        ConsentNeeded: texts would leave this machine, and nobody agreed.
    """
    told = sends_line(plan)
    if told is not None and not yes and plan.sends_text_to not in hosts:
        raise ConsentNeeded(told, otherwise)
