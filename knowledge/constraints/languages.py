"""Does the model know the languages of the texts?"""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from knowledge.constraints.base import Answer, ConstraintBase, Verdict
from knowledge.languages import language_code, language_names
from knowledge.model_card import ModelCard
from knowledge.wording import Text, say

#: from this many listed languages on, a model is multilingual and its list a selection (bge-m3 lists 28 of over 100)
MULTILINGUAL = 10


class LanguagesConstraint(ConstraintBase):
    """The model must list every language of the texts. A model that lists none is kept, and this is said.

    Attributes:
        languages: ISO 639-1 codes (639-3 where there is none); names and tags are turned into codes.
        at_least: how many languages it must list, where they are many and not all were named.
        cross_lingual: queries and documents are in different ones of these languages.
    """

    kind: Literal["languages"] = "languages"
    languages: tuple[str, ...] = ()
    at_least: int | None = Field(default=None, ge=2)
    cross_lingual: bool = False

    question: ClassVar[Text] = say("Which languages are your texts in?")
    answers: ClassVar[tuple[Answer, ...]] = (
        Answer(label=say("English"), parameters={"languages": ("en",)}),
        Answer(label=say("Chinese"), parameters={"languages": ("zh",)}),
        Answer(label=say("English and Chinese"), parameters={"languages": ("en", "zh")}),
    )

    @field_validator("languages", mode="after")
    @classmethod
    def _as_codes(cls, languages: tuple[str, ...]) -> tuple[str, ...]:
        codes = {text: language_code(text) for text in languages}
        unknown = [text for text, code in codes.items() if code is None]
        if unknown:
            raise ValueError(f"no language is called {', '.join(unknown)}")
        return tuple(dict.fromkeys(code for code in codes.values() if code))

    @model_validator(mode="after")
    def _names_some(self) -> Self:
        if not self.languages and self.at_least is None:
            raise ValueError("languages needs languages or at_least")
        return self

    def describe(self) -> Text:
        names = language_names(self.languages)
        if self.at_least is not None and self.languages:
            return say("at least {count} languages, among them {languages}", count=self.at_least, languages=names)
        if self.at_least is not None:
            return say("at least {count} languages", count=self.at_least)
        if self.cross_lingual:
            return say("across languages: {languages}", languages=names)
        return say("languages: {languages}", languages=names)

    def check(self, card: ModelCard) -> Verdict:
        names = language_names(self.languages)
        if not any(language_code(listed) for listed in card.languages):
            return Verdict(
                outcome="unknown",
                reason=say("it does not list its languages; {languages} to be measured", languages=names)
                if self.languages
                else say("it does not list its languages"),
            )
        few = self._too_few(card)
        if few is not None:
            return few
        if not self.languages:
            return Verdict(outcome="met", reason=say("it lists {count} languages", count=len(card.languages)))
        missing = [code for code in self.languages if code not in card.languages]
        if missing and len(card.languages) >= MULTILINGUAL:
            return Verdict(
                outcome="unknown",
                reason=say(
                    "it does not list {missing} among its {count} languages, but such lists are often incomplete",
                    missing=language_names(missing),
                    count=len(card.languages),
                ),
            )
        if missing:
            return Verdict(
                outcome="violated",
                reason=say(
                    "it does not list {missing} among its {count} languages",
                    missing=language_names(missing),
                    count=len(card.languages),
                ),
            )
        if self.cross_lingual:
            return Verdict(
                outcome="met",
                reason=say("it lists {languages}; how well it matches across them is to be measured", languages=names),
            )
        return Verdict(outcome="met", reason=say("it lists {languages}", languages=names))

    def _too_few(self, card: ModelCard) -> Verdict | None:
        count = len(card.languages)
        if self.at_least is None or count >= self.at_least:
            return None
        return Verdict(
            outcome="unknown" if count >= MULTILINGUAL else "violated",
            reason=say("it lists {count} languages, you need {needed}", count=count, needed=self.at_least),
        )
