"""What callers send and get, as the OpenAPI file documents it."""

from __future__ import annotations

import datetime as dt
import json
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    SerializationInfo,
    StringConstraints,
    ValidationError,
    WrapValidator,
    field_serializer,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import core_schema

from app.api.problems import Problem
from knowledge.measured_task import MeasuredTask
from knowledge.requirements import Requirements
from knowledge.results import Benchmark, Consent, Evaluation, Label, Pick, Recommendation, Rejection
from knowledge.wording import Text
from tools.benchmark import REPEATS
from tools.datasets import Preview
from tools.job_store import JobState
from tools.judging_desk import HIGHEST, NAME

#: characters of one message
LONGEST_TEXT = 20_000


class Sent(BaseModel):
    """Base of what callers send: exactly what is documented, nothing is guessed."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Given(BaseModel):
    """Base of what callers get."""

    model_config = ConfigDict(frozen=True)


class _Strictly:
    """Reads requirements as their JSON is written, and documents that a slot may be its bare value."""

    @staticmethod
    def read(value: Any, handler: Any) -> Requirements:
        """The requirements; what is wrong is told with its place."""
        if isinstance(value, Requirements):
            return value
        try:
            return Requirements.model_validate_json(json.dumps(value), strict=True)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            where = "/".join(str(part) for part in first["loc"])
            raise ValueError(f"{where}: {first['msg']}") from error

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return handler(schema)


Spec = Annotated[
    str, StringConstraints(min_length=1, max_length=500), Field(description="A candidate, such as bm25 or st:MODEL.")
]
DatasetId = Annotated[
    str,
    StringConstraints(pattern=r"^(stdlib|data-[0-9a-f]{24})$"),
    Field(description="Id of an uploaded dataset, or “stdlib”, the sample that every server has."),
]
RequirementsIn = Annotated[Requirements, WrapValidator(_Strictly.read)]
LongText = Annotated[str, StringConstraints(max_length=LONGEST_TEXT)]
Size = Annotated[int, Field(ge=1, le=1_000_000)]


class ConsentIn(Sent):
    """What may be done that costs time, money or privacy. What is not agreed to is not done."""

    measure: bool = Field(False, description="Measure the candidates on the data.")
    download: bool = Field(False, description="Download models.")
    hosts: list[Annotated[str, StringConstraints(min_length=1, max_length=253)]] = Field(
        default_factory=list, max_length=50, description="Hosts that may receive the texts."
    )

    def record(self) -> Consent:
        """As the engine takes it."""
        return Consent(measure=self.measure, download=self.download, hosts=frozenset(self.hosts))


class HookIn(Sent):
    """Where the end of a job is told (Standard Webhooks: HMAC-SHA256 over id, time and body)."""

    url: Annotated[str, StringConstraints(min_length=8, max_length=2000, pattern=r"^https?://[!-~]+$")]
    secret: Annotated[str, StringConstraints(min_length=16, max_length=200, pattern=r"^[!-~]+$")] = Field(
        description="whsec_ and base64, as libraries of Standard Webhooks take it; any other is the key as it stands."
    )

    @field_serializer("secret")
    def _hide(self, secret: str, info: SerializationInfo) -> str:
        return secret if (info.context or {}).get("secrets") else "***"


class _WithData(Sent):
    dataset: DatasetId = Field("", description="The data; leave it out for none.")
    documents: Size = Field(0, description="Size of the sample (“stdlib” only).")
    queries: Size = Field(0, description="Queries of the sample (“stdlib” only).")
    webhook: HookIn | None = None


class RecommendationIn(_WithData):
    """Requirements, or free text that says them, or both: the text changes the requirements."""

    model_config = ConfigDict(
        json_schema_extra={"anyOf": [{"required": [name]} for name in ("requirements", "text", "dataset")]}
    )

    requirements: RequirementsIn | None = None
    text: LongText = ""
    candidates: list[Spec] = Field(default_factory=list, max_length=50)
    consent: ConsentIn = ConsentIn()

    @model_validator(mode="after")
    def _something(self) -> RecommendationIn:
        if not self.model_fields_set & {"requirements", "text", "dataset"}:
            raise ValueError("give requirements, text or a dataset")
        return self


class EvaluationIn(_WithData):
    """Candidates to be measured on data with labels: queries and judgments, texts with classes, or pairs of texts."""

    dataset: DatasetId
    candidates: list[Spec] = Field(min_length=1, max_length=50)
    task: MeasuredTask | None = Field(None, description="What for; by default what the data has labels for.")
    metrics: list[Annotated[str, StringConstraints(min_length=1, max_length=40)]] = Field(
        default_factory=list,
        max_length=20,
        description="As ir-measures writes them, or those of the task, such as Accuracy; the first decides.",
    )
    consent: ConsentIn = ConsentIn()


class BenchmarkIn(_WithData):
    """Candidates to be timed on this server's machine."""

    dataset: DatasetId = "stdlib"
    candidates: list[Spec] = Field(min_length=1, max_length=50)
    repeats: Annotated[int, Field(ge=1, le=10_000)] = REPEATS


class ShortlistIn(Sent):
    """Requirements, or free text that says them, or both."""

    model_config = ConfigDict(json_schema_extra={"anyOf": [{"required": [name]} for name in ("requirements", "text")]})

    requirements: RequirementsIn | None = None
    text: LongText = ""
    k: Annotated[int, Field(ge=1, le=100, description="How many models.")] = 5
    rejected: bool = Field(False, description="List each model that is left out, with its reason (some 900).")

    @model_validator(mode="after")
    def _something(self) -> ShortlistIn:
        if not self.model_fields_set & {"requirements", "text"}:
            raise ValueError("give requirements or text")
        return self


class DatasetIn(Sent):
    """A dataset to be uploaded file by file; nothing needs to be said of it yet."""

    note: Annotated[str, StringConstraints(max_length=200)] = Field("", description="Your own words for it.")


class CompleteIn(Sent):
    """All files of a dataset are there; said again, how they are read.

    Attributes:
        columns: our name -> the file's column, where guessing is not wanted.
        skip_bad: leave out what cannot be used instead of refusing the dataset.
        sha256: file -> SHA-256 in hexadecimal, to be checked.
    """

    columns: dict[str, str] = Field(default_factory=dict, max_length=20)
    skip_bad: bool = False
    sha256: dict[str, Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]] = Field(
        default_factory=dict, max_length=1000
    )


class LabelIn(Sent):
    """A judgment of a document for a query.

    Attributes:
        grade: 0 not relevant, 1 relevant, more where the data has grades; null: could not tell.
        who: under which name it is kept; the same name's later judgment of the pair takes its place.
    """

    query: Annotated[str, StringConstraints(min_length=1, max_length=1000)]
    document: Annotated[str, StringConstraints(min_length=1, max_length=1000)]
    grade: Annotated[int, Field(ge=0, le=HIGHEST)] | None
    who: Annotated[str, StringConstraints(max_length=NAME)] = ""


class LabelsIn(Sent):
    """Judgments, taken all or none."""

    judgments: list[LabelIn] = Field(min_length=1, max_length=1000)


class ThreadIn(Sent):
    """A conversation to be begun."""

    note: Annotated[str, StringConstraints(max_length=200)] = Field("", description="Your own words for it.")


class MessageIn(Sent):
    """What is said in a conversation.

    Attributes:
        about: the field of the requirements, or kind of demand, that it changes, whatever question is open.
        candidates: the candidates to measure from now on.
        stream: send the answer's events as they come (``text/event-stream``).
    """

    text: LongText
    dataset: DatasetId = Field("", description="Data handed over with it.")
    about: Annotated[str, StringConstraints(min_length=1, max_length=50)] | None = None
    candidates: list[Spec] | None = Field(None, max_length=50)
    language: Literal["en", "zh"] | None = Field(None, description="Of the report; else the language it is written in.")
    stream: bool = False


# ---------------------------------------------------------------- what callers get


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
