"""What callers get, as the OpenAPI file documents it."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.api.problems import Problem
from knowledge.requirements import Requirements
from knowledge.results import Benchmark, Evaluation, Label, Pick, Recommendation, Rejection
from knowledge.wording import Text
from tools.datasets import Preview
from tools.job_store import JobState


class Given(BaseModel):
    """Base of what callers get."""

    model_config = ConfigDict(frozen=True)


class JobRecord(Given):
    """A job: what it is, how far it is, and what it found."""

    id: str
    kind: Literal["recommendation", "evaluation", "benchmark"]
    state: JobState
    cancelling: bool
    created: dt.datetime
    started: dt.datetime | None
    finished: dt.datetime | None
    thread: str = Field(description="The conversation it is done in; a recommendation can be asked about there.")
    url: str
    events: str
    report: str | None = Field(None, description="Where the report is, once a recommendation is done.")
    result: Recommendation | Evaluation | Benchmark | None = None
    problem: Problem | None = None


class JobList(Given):
    """Jobs, the latest first."""

    object: Literal["list"] = "list"
    data: list[JobRecord]
    next_cursor: str | None


class LabelList(Given):
    """Judgments, the latest last; of several of one pair the last counts."""

    object: Literal["list"] = "list"
    data: list[Label]


class FileRecord(Given):
    """A file of a dataset; `size` is also where the next chunk goes."""

    name: str
    size: int
    sha256: str | None = None


class DatasetRecord(Given):
    """A dataset, and what it looks like once it is complete."""

    id: str
    note: str
    state: Literal["open", "ready"]
    created: dt.datetime
    url: str
    files: list[FileRecord]
    hash: str | None = Field(None, description="Of names and contents of all files (SHA-256, 16 digits).")
    preview: Preview | None = None


class DatasetList(Given):
    """Datasets, the latest first."""

    object: Literal["list"] = "list"
    data: list[DatasetRecord]
    next_cursor: str | None


class AskedRecord(Given):
    """A question that waits for an answer."""

    about: str
    text: str
    answers: list[str]


class ThreadItem(Given):
    """A conversation in short."""

    id: str
    note: str
    created: dt.datetime
    url: str
    events: str


class ThreadRecord(ThreadItem):
    """A conversation: what is known, and what is asked."""

    status: str | None = Field(description="interviewing, asking_consent, measuring, stopped, done or failed.")
    requirements: Requirements | None
    question: AskedRecord | None
    report: str | None


class ThreadList(Given):
    """Conversations, the latest first."""

    object: Literal["list"] = "list"
    data: list[ThreadItem]
    next_cursor: str | None


class MessageRecord(Given):
    """A message, and the events of its answer so far."""

    thread: str
    number: int
    url: str
    answered: bool
    events: list[dict[str, Any]]


class EventList(Given):
    """What was said in a conversation since a cursor."""

    object: Literal["list"] = "list"
    data: list[dict[str, Any]]
    next_cursor: str


class StopRecord(Given):
    """Whether something ran that now ends."""

    stopping: bool


class ModelItem(Given):
    """A model of the catalog, in short; the advisor itself is the first."""

    id: str
    object: Literal["model"] = "model"
    created: int
    owned_by: str
    parameters: int | None = None
    dimension: int | None = None
    max_tokens: int | None = None
    license: str | None = None
    languages: list[str] = []
    is_api: bool = False


class ModelList(Given):
    """Models, the closest name first."""

    object: Literal["list"] = "list"
    data: list[ModelItem]
    next_cursor: str | None


class ReportItem(Given):
    """A report in short."""

    id: str
    created: dt.datetime
    thread: str
    url: str


class ReportList(Given):
    """Reports, the latest first."""

    object: Literal["list"] = "list"
    data: list[ReportItem]
    next_cursor: str | None


class ProblemKind(Given):
    """A kind of problem."""

    type: str
    status: int
    title: str


class ProblemList(Given):
    """All kinds of problems."""

    object: Literal["list"] = "list"
    data: list[ProblemKind]


class Health(Given):
    """How the server is; `checks` are the parts that were looked at."""

    status: Literal["ok", "not ready"]
    version: str
    checks: dict[str, bool] = {}


class ShortlistRecord(Given):
    """The models kept, best prediction first.

    Attributes:
        noted: what a free text was understood as; `ignored` is what of it was not.
        beside: what to measure with them and takes none of their places.
        rejected: each model left out, with its reason, where that was asked for.
        rejected_by: how many models each constraint left out.
    """

    requirements: Requirements
    noted: tuple[Text, ...]
    ignored: str
    considered: int
    kept: tuple[Pick, ...]
    beside: tuple[Pick, ...]
    rejected: tuple[Rejection, ...]
    rejected_by: dict[str, int]
    notes: tuple[Text, ...]
