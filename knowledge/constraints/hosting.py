"""Where does the model run?"""

from __future__ import annotations

from typing import ClassVar, Literal

from knowledge.constraints.base import Answer, ConstraintBase, Verdict
from knowledge.model_card import ModelCard
from knowledge.wording import Text, say


class HostingConstraint(ConstraintBase):
    """``self_hosted``: no text leaves the user's machines. ``api``: somebody else runs the model."""

    kind: Literal["hosting"] = "hosting"
    hosting: Literal["self_hosted", "api"] = "self_hosted"

    question: ClassVar[Text] = say("May your texts be sent to an outside service?")
    answers: ClassVar[tuple[Answer, ...]] = (
        Answer(
            label=say("No, everything stays on our machines"), parameters={"hosting": "self_hosted"}, likelihood=5.0
        ),
        Answer(label=say("Yes, either is fine"), parameters=None),
        Answer(label=say("It must be a service: we cannot run models"), parameters={"hosting": "api"}),
    )
    # Only "api" can be unknown: who cannot run models has no use for one that no service is known to offer.
    unknown_excludes: ClassVar[bool] = True

    def describe(self) -> Text:
        if self.hosting == "self_hosted":
            return say("runs on your machines; no text leaves them")
        return say("run by a service")

    def check(self, card: ModelCard) -> Verdict:
        if self.hosting == "self_hosted":
            if card.is_api:
                return Verdict(outcome="violated", reason=say("an API: your texts would leave your machines"))
            return Verdict(outcome="met", reason=say("it runs on your machines"))
        if card.is_api:
            return Verdict(outcome="met", reason=say("a service runs it"))
        return Verdict(outcome="unknown", reason=say("it has open weights, and no service that runs it is known here"))
