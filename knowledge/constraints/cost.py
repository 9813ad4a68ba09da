"""Does it stay within the budget?"""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from knowledge.constraints.base import Answer, ConstraintBase, Footprint, Verdict
from knowledge.model_card import ModelCard
from knowledge.wording import Text, say


class CostConstraint(ConstraintBase):
    """What an API asks for a month's tokens must be at most `max_usd_per_month`.

    Self-hosted models ask nothing; the machines they need are not counted.
    """

    kind: Literal["cost"] = "cost"
    max_usd_per_month: float = Field(ge=0, allow_inf_nan=False)
    million_tokens_per_month: float | None = Field(default=None, ge=0, allow_inf_nan=False)

    question: ClassVar[Text] = say("What may an embedding API cost per month?")
    answers: ClassVar[tuple[Answer, ...]] = (
        Answer(label=say("Nothing"), parameters={"max_usd_per_month": 0}),
        Answer(label=say("Up to $50"), parameters={"max_usd_per_month": 50}),
        Answer(label=say("Up to $1,000"), parameters={"max_usd_per_month": 1000}),
        Answer(label=say("It does not matter"), parameters=None),
    )

    def describe(self) -> Text:
        if self.million_tokens_per_month is None:
            return say("at most ${limit:,.2f} a month", limit=self.max_usd_per_month)
        return say(
            "at most ${limit:,.2f} a month for {tokens:,.1f} million tokens",
            limit=self.max_usd_per_month,
            tokens=self.million_tokens_per_month,
        )

    def check(self, card: ModelCard) -> Verdict:
        if not card.is_api:
            return Verdict(
                outcome="met", reason=say("nobody charges for it by the token; your own machines are not counted")
            )
        if card.price is None:
            return Verdict(outcome="unknown", reason=say("its price is not on file"))
        return self._judge(card.price.usd_per_million_tokens)

    def check_measured(self, footprint: Footprint) -> Verdict | None:
        price = footprint.usd_per_million_tokens
        return None if price is None else self._judge(price)

    def _judge(self, price: float) -> Verdict:
        volume = self.million_tokens_per_month
        if price == 0:
            return Verdict(
                outcome="met", reason=say("nobody charges for it by the token; your own machines are not counted")
            )
        if volume is None:
            if self.max_usd_per_month == 0:
                return Verdict(
                    outcome="violated", reason=say("${price:,.2f} per million tokens, you allow nothing", price=price)
                )
            reason = say(
                "${price:,.2f} per million tokens: your budget pays for {tokens:,.0f} million a month",
                price=price,
                tokens=self.max_usd_per_month / price,
            )
            return Verdict(outcome="unknown", reason=reason)
        cost = price * volume
        return Verdict(
            outcome="violated" if cost > self.max_usd_per_month else "met",
            reason=say(
                "${cost:,.2f} a month ({tokens:,.1f} million tokens at ${price:,.2f}), you allow ${limit:,.2f}",
                cost=cost,
                tokens=volume,
                price=price,
                limit=self.max_usd_per_month,
            ),
        )
