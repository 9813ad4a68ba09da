"""What callers send, as the OpenAPI file documents it."""

from __future__ import annotations

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

from knowledge.measured_task import MeasuredTask
from knowledge.requirements import Requirements
from knowledge.results import Consent
from tools.benchmark import REPEATS
from tools.judging_desk import HIGHEST, NAME

#: characters of one message
LONGEST_TEXT = 20_000


class Sent(BaseModel):
    """Base of what callers send: exactly what is documented, nothing is guessed."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


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
