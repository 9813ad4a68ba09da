"""May the model be used the way the user wants to?"""

from __future__ import annotations

from typing import ClassVar, Literal

from knowledge.constraints.base import Answer, ConstraintBase, Verdict
from knowledge.model_card import ModelCard
from knowledge.wording import Text, say


class LicenseConstraint(ConstraintBase):
    """The weights' licence must allow the stated use; unknown fails, because nobody should find out in court."""

    kind: Literal["license"] = "license"
    commercial: bool = True
    allowed: tuple[str, ...] = ()

    question: ClassVar[Text] = say("Is this for commercial use?")
    answers: ClassVar[tuple[Answer, ...]] = (
        Answer(label=say("Yes, commercial"), parameters={"commercial": True}),
        Answer(label=say("No, research or private"), parameters=None),
    )
    unknown_excludes: ClassVar[bool] = True

    def describe(self) -> Text:
        if self.allowed:
            return say("licence one of {licenses}", licenses=", ".join(self.allowed))
        return say("commercial use allowed") if self.commercial else say("any licence")

    def check(self, card: ModelCard) -> Verdict:
        name = card.license or "unknown"
        if self.allowed and card.license and name.casefold() not in {a.casefold() for a in self.allowed}:
            return Verdict(outcome="violated", reason=say("its licence {license} is not one you accept", license=name))
        if self.allowed and not card.license:
            return Verdict(outcome="unknown", reason=say("its licence is not known"))
        if not self.commercial:
            return Verdict(outcome="met", reason=say("licence {license}", license=name))
        if card.is_api:
            return Verdict(outcome="met", reason=say("an API under its provider's terms: read them before you sign"))
        match card.commercial:
            case "yes":
                return Verdict(outcome="met", reason=say("{license} allows commercial use", license=name))
            case "no":
                return Verdict(outcome="violated", reason=say("{license} forbids commercial use", license=name))
            case "conditional":
                return Verdict(
                    outcome="unknown",
                    reason=say("{license} allows commercial use under conditions: read it", license=name),
                )
            case _:
                return Verdict(
                    outcome="unknown",
                    reason=say("its licence ({license}) is not known to allow commercial use", license=name),
                )
