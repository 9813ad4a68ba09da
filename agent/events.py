"""What a conversation yields. Doors render these and nothing else."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from agent.interview import asking
from agent.understanding.base import Asked
from knowledge.progress import Progress, Stage
from knowledge.requirements import Requirements
from knowledge.results import DataProfile, Plan, Recommendation, Shortlist
from knowledge.wording import Text
from tools.data_source import DataSource


class _Event(BaseModel):
    model_config = ConfigDict(frozen=True)


class Queued(_Event):
    """What the user said is kept, and waits: `ahead` counts what comes before it, what runs included.

    `number` is the message's; 0 where no message waits, but whoever wants to go on with the conversation.
    """

    kind: Literal["queued"] = "queued"
    number: int
    ahead: int


class Heard(_Event):
    """What the user said, or handed over, is being dealt with.

    Attributes:
        specs: the candidates that came with it.
        about: the field or demand that it changes, where it was said beside the chat.
        number: of the message; None for a word that stopped something, and in transcripts of version 0.1.0.
    """

    kind: Literal["heard"] = "heard"
    text: str
    data: DataSource | None = None
    specs: tuple[str, ...] | None = None
    about: str | None = None
    number: int | None = None


class SetAside(_Event):
    """All from the message with this number on was taken back by the user: kept, and no longer shown."""

    kind: Literal["set_aside"] = "set_aside"
    since: int


class Said(_Event):
    """The advisor says something."""

    kind: Literal["said"] = "said"
    text: Text


class Noted(_Event):
    """What was understood, to be shown and corrected; `note` says what is to be known of how it was read."""

    kind: Literal["noted"] = "noted"
    requirements: Requirements
    changes: tuple[Text, ...]
    ignored: str = ""
    note: Text | None = None


class Question(_Event):
    """The advisor asks and waits; `about` names the slot, `answers` are suggestions."""

    kind: Literal["question"] = "question"
    about: str
    text: Text
    answers: tuple[Text, ...] = ()


class Profiled(_Event):
    """The data was read."""

    kind: Literal["profiled"] = "profiled"
    profile: DataProfile


class Shortlisted(_Event):
    """The catalog was searched."""

    kind: Literal["shortlisted"] = "shortlisted"
    shortlist: Shortlist


class Planned(_Event):
    """Measuring would cost this; the question that follows asks for consent."""

    kind: Literal["planned"] = "planned"
    plan: Plan


class StageStarted(_Event):
    """A long step begins."""

    kind: Literal["stage_started"] = "stage_started"
    stage: Stage
    text: Text


class StageDone(_Event):
    """A long step has ended."""

    kind: Literal["stage_done"] = "stage_done"
    stage: Stage
    seconds: float


class Progressed(_Event):
    """A long step has come this far."""

    kind: Literal["progressed"] = "progressed"
    progress: Progress


class Recommended(_Event):
    """The decision."""

    kind: Literal["recommended"] = "recommended"
    recommendation: Recommendation


class Reported(_Event):
    """The report is written: paths of its three forms.

    Attributes:
        offer: what could be done next to be surer.
        answers: what could be said next.
    """

    kind: Literal["reported"] = "reported"
    markdown: str
    html: str
    json_file: str
    offer: Text | None = None
    answers: tuple[Text, ...] = ()


class Failed(_Event):
    """A foreseen failure: what happened and what to do. The conversation goes on."""

    kind: Literal["failed"] = "failed"
    error: str
    cause: Text
    next_step: Text
    exit_code: int


Event = Annotated[
    Queued
    | Heard
    | SetAside
    | Said
    | Noted
    | Question
    | Profiled
    | Shortlisted
    | Planned
    | StageStarted
    | StageDone
    | Progressed
    | Recommended
    | Reported
    | Failed,
    Field(discriminator="kind"),
]


def question(asked: Asked) -> Question:
    """The event that puts a question."""
    answers = tuple(answer.label for answer in asked.answers)
    return Question(about=asked.about, text=asking(asked), answers=answers)
