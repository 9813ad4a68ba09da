"""Is the model small enough?"""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from knowledge.constraints.base import Answer, ConstraintBase, Verdict
from knowledge.model_card import ModelCard
from knowledge.quantities import many, parameters
from knowledge.wording import Text, say


class ParametersConstraint(ConstraintBase):
    """The model must have at most `max_millions` parameters, in millions."""

    kind: Literal["parameters"] = "parameters"
    max_millions: float = Field(gt=0, allow_inf_nan=False)

    question: ClassVar[Text] = say("How large may the model be?")
    answers: ClassVar[tuple[Answer, ...]] = (
        Answer(label=say("Up to 150 million parameters (a CPU will do)"), parameters={"max_millions": 150}),
        Answer(label=say("Up to 600 million (a small GPU)"), parameters={"max_millions": 600}),
        Answer(label=say("Up to 8 billion (a large GPU)"), parameters={"max_millions": 8200}),
        Answer(label=say("No limit"), parameters=None, likelihood=5.0),
    )

    #: who limits the size has a machine in mind, and an unknown size may not fit it
    unknown_excludes: ClassVar[bool] = True

    def describe(self) -> Text:
        return say("at most {size}", size=parameters(self.max_millions * 1e6))

    def check(self, card: ModelCard) -> Verdict:
        if card.parameters is None:
            return Verdict(outcome="unknown", reason=say("its number of parameters is not known"))
        size = parameters(card.parameters)
        if card.parameters / 1e6 > self.max_millions:
            limit = many(self.max_millions * 1e6)
            return Verdict(outcome="violated", reason=say("{size}, you allow {limit}", size=size, limit=limit))
        return Verdict(outcome="met", reason=size)
