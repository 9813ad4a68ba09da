"""May the model be used the way the user wants to?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar, Literal

from knowledge.catalog import catalog_of
from knowledge.constraints.base import Answer, ConstraintBase, Outcome, Verdict
from knowledge.licensing import Rights, Says, Use, licence_of, license_name, rights_of, short_name
from knowledge.licensing.terms import COPYLEFT
from knowledge.model_card import ModelCard
from knowledge.wording import Text, join, say

_COMMA = Text(template=", ")
_OUTCOMES: tuple[tuple[Outcome, tuple[Says, ...]], ...] = (
    ("violated", ("no",)),
    ("unknown", ("unknown", "conditional")),
)


class LicenseConstraint(ConstraintBase):
    """The licences must allow the stated uses; unknown fails, because nobody should find out in court.

    How deep the chain has to be clean: the weights always. The models they were made from, unless `base_model` is
    false: nobody can grant more than they were given. The training data only with `training_data`, because whether
    its terms bind a model is not settled. Of the 794 models of the catalog (2026-11-22) whose own licence or terms
    allow commercial use, the second rule excludes 39 (2 forbidden, 10 under conditions, 27 unknown); the third would
    exclude 258 for what is for research only, mostly MS MARCO, and 378 of whose data too little is known.

    A licence with conditions (Gemma, Llama) counts as unknown until the user names it in `allowed`.

    Attributes:
        commercial, redistribution, derivative: the uses of the weights.
        allowed: licences of the weights that are accepted; empty accepts any that allows the uses.
        refused: licences (any version), or "copyleft", that neither the weights nor their bases may have.
    """

    kind: Literal["license"] = "license"
    commercial: bool = True
    redistribution: bool = False
    derivative: bool = False
    allowed: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    base_model: bool = True
    training_data: bool = False

    question: ClassVar[Text] = say("Is this for commercial use?")
    answers: ClassVar[tuple[Answer, ...]] = (
        Answer(label=say("Yes, commercial"), parameters={"commercial": True}),
        Answer(label=say("No, research or private"), parameters=None, likelihood=0.5),
    )
    unknown_excludes: ClassVar[bool] = True

    @property
    def uses(self) -> tuple[Use, ...]:
        """What the user wants to do."""
        wanted: dict[Use, bool] = {
            "commercial": self.commercial,
            "redistribution": self.redistribution,
            "derivative": self.derivative,
        }
        return tuple(use for use, on in wanted.items() if on)

    def describe(self) -> Text:
        parts = []
        if self.allowed:
            parts.append(say("licence one of {licenses}", licenses=", ".join(self.allowed)))
        elif self.commercial:
            parts.append(say("commercial use allowed"))
        if self.redistribution:
            parts.append(say("redistribution allowed"))
        if self.derivative:
            parts.append(say("derivative works allowed"))
        if self.refused:
            parts.append(say("no {licenses}", licenses=", ".join(_shown(name) for name in self.refused)))
        if self.training_data:
            parts.append(say("training data included"))
        return join(parts, _COMMA) if parts else say("any licence")

    def check(self, card: ModelCard) -> Verdict:
        found = list(self._judged(card, rights_of(catalog_of(card))))
        for outcome, answers in _OUTCOMES:
            for says, reason in found:
                if says in answers:
                    return Verdict(outcome=outcome, reason=reason)
        return Verdict(outcome="met", reason=found[0][1])

    def _judged(self, card: ModelCard, rights: Rights) -> Iterator[tuple[Says, Text]]:
        """Each thing that has to hold, with its reason; the one to tell where all hold first."""
        stated, uses = licence_of(card), self.uses
        name = short_name(stated) if stated else "unknown"
        if uses:
            says, reason = rights.on_weights(card, uses)
            yield self._agreed(says, [stated], rights), reason
        else:
            yield "yes", say("licence {license}", license=name)
        if self.allowed:
            accepted = rights.book.accepted(stated, self.allowed)
            if accepted == "no":
                yield accepted, say("its licence {license} is not one you accept", license=name)
            elif accepted != "yes":
                yield accepted, say("its licence is not known")
        bases = rights.base_licenses(card) if self.base_model else ()
        if self.refused:
            yield from self._free_of_refused(stated, bases, rights)
        if bases and uses:
            base = rights.base(card, uses)
            yield self._agreed(base.says, bases, rights), base.reason
        if self.training_data and uses:
            data = rights.data(card, uses)
            yield data.says, data.reason

    def _agreed(self, says: Says, stated: Sequence[str | None], rights: Rights) -> Says:
        """Conditions of a licence that the user accepts by name are the user's to keep."""
        if says == "conditional" and self.allowed:
            bound = [name for name in stated if rights.book.binds(name, self.uses)]
            if all(rights.book.accepted(name, self.allowed) == "yes" for name in bound or stated):
                return "yes"
        return says

    def _free_of_refused(
        self, stated: str | None, bases: Sequence[str | None], rights: Rights
    ) -> Iterator[tuple[Says, Text]]:
        for license_id in (stated, *bases):
            says = rights.book.free_of(license_id, self.refused)
            if says == "no" and license_id:
                yield says, say("{license} is a licence you refuse", license=license_name(license_id))
            elif says != "yes":
                yield says, say("its licence is not known")


def _shown(refused: str) -> str:
    return refused if refused.casefold() == COPYLEFT else refused.upper()
