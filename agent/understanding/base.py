"""The seam: what a message says about the user's requirements, whoever reads it."""

from __future__ import annotations

from typing import Literal, Protocol

from pydantic import BaseModel, ConfigDict, JsonValue

from knowledge.constraints import Answer
from knowledge.requirements import Requirements
from knowledge.wording import Text

Intent = Literal["inform", "decide", "question", "confirm", "decline", "greeting", "stop", "unknown"]
QuestionKind = Literal["why_not", "why", "what_if", "show_model", "compare", "other"]


class Record(BaseModel):
    """Base of what is passed through this seam: immutable, and strict about its fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Asked(Record):
    """The open question that the message may answer.

    Attributes:
        about: a field of `Requirements`, a constraint's kind, or anything else that wants a yes or no (``plan``).
        answers: the suggested answers in the order shown, numbered from 1. Where `about` is a field, an answer's
            parameters are ``{"value": ...}``.
        half_read: the user's words that speak of it, where there are any that could not be read.
        likely: what those words probably mean; who says yes has confirmed it.
        words: how the question is put, where that is not the same for all of its kind.
    """

    about: str
    answers: tuple[Answer, ...] = ()
    half_read: str = ""
    likely: Answer | None = None
    words: Text | None = None


class Change(Record):
    """One requirement that is not what it was.

    Attributes:
        slot: a field of `Requirements` or a constraint's kind.
        before: the field's value or the constraint's parameters (with `hard`); None: there was none.
        after: the same, now.
        words: the user's words that it came from.
    """

    slot: str
    before: JsonValue
    after: JsonValue
    words: str


class Question(Record):
    """A question to be answered from the evidence.

    Attributes:
        models: the models it names, as the user wrote them.
        words: the sentence that asks, as the user wrote it.
    """

    kind: QuestionKind
    models: tuple[str, ...] = ()
    words: str = ""


class Understood(Record):
    """What a message says.

    Attributes:
        requirements: the requirements with the changes; for a what-if question, as they would be.
        intent: `confirm` and `decline` answer questions about neither a field nor a constraint: a yes to "Is this for
            commercial use?" informs.
        answered: whether the open question got its answer, even if that is "no preference" and changes nothing.
        indifferent_to: the fields and kinds of constraints of which it says that they do not matter (any more).
        data_path: a file or folder it names, not looked at.
        ignored: the words that were not understood, shortened.
        note: what the user should know of how it was read: why a language model was not used, or what was passed over.
    """

    requirements: Requirements
    changes: tuple[Change, ...] = ()
    intent: Intent = "unknown"
    question: Question | None = None
    answered: bool = False
    indifferent_to: tuple[str, ...] = ()
    data_path: str | None = None
    ignored: str = ""
    note: Text | None = None


class Understanding(Protocol):
    """Reads messages. ``tests/contract/test_understanding.py`` says what every implementation keeps to."""

    def understand(self, text: str, requirements: Requirements, asked: Asked | None) -> Understood:
        """Read one message against the requirements so far and the question that is open, if one is."""
