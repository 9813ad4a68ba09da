"""Can the weights be downloaded?"""

from __future__ import annotations

from typing import ClassVar, Literal

from knowledge.constraints.base import Answer, ConstraintBase, Verdict
from knowledge.model_card import ModelCard
from knowledge.wording import Text, say


class OpenWeightsConstraint(ConstraintBase):
    """The weights must be published, so that the model can be kept when its publisher withdraws it."""

    kind: Literal["open_weights"] = "open_weights"

    question: ClassVar[Text] = say("Must the model's weights be open?")
    answers: ClassVar[tuple[Answer, ...]] = (
        Answer(label=say("Yes, open weights only"), parameters={}),
        Answer(label=say("It does not matter"), parameters=None, likelihood=5.0),
    )

    def describe(self) -> Text:
        return say("open weights")

    def check(self, card: ModelCard) -> Verdict:
        if card.is_api:
            return Verdict(outcome="violated", reason=say("its weights are not published"))
        return Verdict(outcome="met", reason=say("its weights are published"))
