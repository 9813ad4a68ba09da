"""What the user needs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from knowledge.constraints import CONSTRAINTS, AnyConstraint, ConstraintBase, Origin
from knowledge.errors import RequirementsError
from knowledge.wording import say

Task = Literal[
    "search",
    "rag",
    "recommendation",
    "classification",
    "clustering",
    "deduplication",
    "similarity",
    "reranking",
    "code_search",
    "cross_modal",
]

T = TypeVar("T")
C = TypeVar("C", bound=ConstraintBase)


class Slot(BaseModel, Generic[T]):
    """One fact about the use case, with where it came from. A bare value counts as stated."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    value: T
    origin: Origin = "stated"
    because: str = ""

    @model_validator(mode="before")
    @classmethod
    def _from_bare(cls, data: Any) -> Any:
        return data if isinstance(data, dict | Slot) else {"value": data}


class Requirements(BaseModel):
    """The use case and its demands; every entry says whether it was stated, inferred or assumed.

    Attributes:
        summary: the user's own words.
        machine_usd_per_hour: what a machine costs like the one that is measured on; costs are counted with it.
        margin: loss in the task's metric (0 to 1) that the user would accept for a cheaper model.
        robustness: how much it counts what perturbed queries change, where quality counts 1; None: nothing.
        correctness: how much it counts in which share of probes a candidate is right; None: nothing.
        constraints: at most one of each kind.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = 1
    summary: str = ""
    task: Slot[Task] = Slot[Task](value="search", origin="assumed", because="the most common task")
    domain: Slot[str] | None = None
    documents: Slot[int] | None = None
    document_tokens: Slot[int] | None = None
    query_tokens: Slot[int] | None = None
    queries_per_second: Slot[float] | None = None
    machine_usd_per_hour: Slot[float] | None = None
    gpu: Slot[bool] | None = None
    keyword_match: Slot[bool] | None = None
    incumbent: Slot[str] | None = None
    margin: Slot[float] = Slot[float](value=0.02, origin="assumed", because="0.02 nDCG@10 is about what users notice")
    robustness: Slot[float] | None = None
    correctness: Slot[float] | None = None
    constraints: tuple[AnyConstraint, ...] = ()

    @model_validator(mode="after")
    def _weights_are_small(self) -> Requirements:
        for name in ("robustness", "correctness"):
            slot = getattr(self, name)
            if slot is not None and not 0 <= slot.value <= 10:
                raise ValueError(f"the weight of {name} is between 0 and 10: quality counts 1")
        return self

    @model_validator(mode="after")
    def _one_of_each_kind(self) -> Requirements:
        kinds = [c.kind for c in self.constraints]
        doubled = sorted({k for k in kinds if kinds.count(k) > 1})
        if doubled:
            raise ValueError(f"more than one constraint of kind {', '.join(doubled)}")
        return self

    def constraint(self, kind: type[C]) -> C | None:
        """The constraint of a class, if the user has one."""
        return next((c for c in self.constraints if isinstance(c, kind)), None)

    def with_constraint(self, constraint: ConstraintBase) -> Requirements:
        """A copy with this constraint, in place of an earlier one of its kind."""
        others = tuple(c for c in self.constraints if c.kind != constraint.kind)
        return self.model_copy(update={"constraints": (*others, constraint)})

    def without_constraint(self, kind: str) -> Requirements:
        """A copy without the constraint of this kind."""
        return self.model_copy(update={"constraints": tuple(c for c in self.constraints if c.kind != kind)})

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages of the user's texts; empty where nothing is known."""
        found = self.constraint(CONSTRAINTS["languages"])
        return tuple(getattr(found, "languages", ()))


def read_requirements(path: Path) -> Requirements:
    """Read a requirements file (JSON, the form of `Requirements`).

    Raises:
        RequirementsError: the file is missing, not JSON, or does not have this form.
    """
    hint = say("See “Requirements file” in the README for its form.")
    try:
        raw = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise RequirementsError(
            say("{file} cannot be read: {why}.", file=str(path), why=str(error.strerror)), hint
        ) from error
    except ValueError as error:
        raise RequirementsError(say("{file} is not JSON: {why}.", file=str(path), why=str(error)), hint) from error
    try:
        return Requirements.model_validate(raw)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(p) for p in first["loc"]) or "/"
        raise RequirementsError(
            say("{file}, at {where}: {why}.", file=str(path), where=where, why=first["msg"]), hint
        ) from error
