"""Can the model read a document to its end?"""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from knowledge.constraints.base import Answer, ConstraintBase, Verdict
from knowledge.model_card import ModelCard
from knowledge.wording import Text, say


class MaxTokensConstraint(ConstraintBase):
    """The model's context must hold `tokens`, the length of a document that is not to be cut or split."""

    kind: Literal["max_tokens"] = "max_tokens"
    tokens: int = Field(gt=0)

    question: ClassVar[Text] = say("How long is a document that must be embedded whole?")
    answers: ClassVar[tuple[Answer, ...]] = (
        Answer(label=say("A paragraph (up to 512 tokens)"), parameters={"tokens": 512}),
        Answer(label=say("A few pages (up to 2,048 tokens)"), parameters={"tokens": 2048}),
        Answer(label=say("Long documents (up to 8,192 tokens)"), parameters={"tokens": 8192}),
        Answer(label=say("They may be split"), parameters=None, likelihood=4.0),
    )

    def describe(self) -> Text:
        return say("reads {tokens:,} tokens", tokens=self.tokens)

    def check(self, card: ModelCard) -> Verdict:
        if card.max_tokens is None:
            if card.active_parameters == 0:
                return Verdict(outcome="met", reason=say("it weighs words one by one and has no limit of length"))
            return Verdict(
                outcome="unknown",
                reason=say("its limit of length is not known; you need {needed:,}", needed=self.tokens),
            )
        if card.max_tokens < self.tokens:
            reason = say(
                "it reads at most {limit:,} tokens, you need {needed:,}", limit=card.max_tokens, needed=self.tokens
            )
            return Verdict(outcome="violated", reason=reason)
        return Verdict(
            outcome="met",
            reason=say("it reads {limit:,} tokens, you need {needed:,}", limit=card.max_tokens, needed=self.tokens),
        )
