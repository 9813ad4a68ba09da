"""Can the model embed this kind of data?"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import ClassVar, Literal, get_args

from pydantic import Field

from knowledge.constraints.base import Answer, ConstraintBase, Verdict
from knowledge.model_card import Modality, ModelCard
from knowledge.wording import Text, join, say


@cache
def _names(modalities: tuple[str, ...]) -> Text:
    known = {"text": say("text"), "image": say("images"), "audio": say("audio"), "video": say("video")}
    return join([known[modality] for modality in modalities], Text(template=", "))


class ModalityConstraint(ConstraintBase):
    """The model must take every kind of data the user has."""

    kind: Literal["modality"] = "modality"
    modalities: tuple[Modality, ...] = Field(default=("text",), min_length=1)

    question: ClassVar[Text] = say("What do you search: text, images, audio or video?")
    questions: ClassVar[Mapping[str, Text]] = dict.fromkeys(
        ("classification", "clustering", "deduplication", "similarity", "recommendation"),
        say("What is your data: text, images, audio or video?"),
    )
    answers: ClassVar[tuple[Answer, ...]] = (
        # nine of ten have texts; who has something else mostly says so
        Answer(label=say("Text"), parameters={"modalities": ("text",)}, likelihood=27.0),
        Answer(label=say("Text and images"), parameters={"modalities": ("text", "image")}),
        Answer(label=say("Text and audio"), parameters={"modalities": ("text", "audio")}),
        Answer(label=say("Text and video"), parameters={"modalities": ("text", "video")}),
    )

    def describe(self) -> Text:
        return say("embeds {modalities}", modalities=_names(self.modalities))

    def check(self, card: ModelCard) -> Verdict:
        missing = tuple(m for m in get_args(Modality) if m in self.modalities and m not in card.modalities)
        if not card.modalities:
            return Verdict(outcome="unknown", reason=say("it does not say what it embeds"))
        if missing:
            return Verdict(
                outcome="violated",
                reason=say("it embeds {has}, not {missing}", has=_names(card.modalities), missing=_names(missing)),
            )
        return Verdict(outcome="met", reason=say("it embeds {has}", has=_names(card.modalities)))
