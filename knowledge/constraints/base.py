"""What every constraint is: a demand with its origin, a question that asks for it, and a check with a reason."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict

from knowledge.model_card import ModelCard
from knowledge.wording import Text

Origin = Literal["stated", "inferred", "assumed"]
Outcome = Literal["met", "violated", "unknown"]


class Verdict(BaseModel):
    """A constraint's judgement of one model, never without its reason."""

    model_config = ConfigDict(frozen=True)

    outcome: Outcome
    reason: Text


class Footprint(BaseModel):
    """What a candidate was measured to need on this machine; None where it was not measured."""

    model_config = ConfigDict(frozen=True)

    query_p95_ms: float | None = None
    peak_memory_mb: float | None = None
    bytes_per_vector: float | None = None
    usd_per_million_tokens: float | None = None


class Answer(BaseModel):
    """One suggested answer to a constraint's question: its label and the constraint it stands for (None: no demand).

    Attributes:
        likelihood: how many times likelier than the question's other answers it is, by our guess; of "no demand", than
            all demands together. Decides only which question is asked first.
    """

    model_config = ConfigDict(frozen=True)

    label: Text
    parameters: dict[str, Any] | None
    likelihood: float = 1.0


class ConstraintBase(BaseModel):
    """One demand. Subclasses add `kind` (a Literal), their parameters, `question`, `answers` and `check`.

    What is asked of a search may be asked of other tasks in other words (`questions`).

    Attributes:
        hard: whether a violation excludes the model (else it is only mentioned).
        origin: stated by the user, inferred by a rule, or assumed by default.
        because: the user's words, the rule, or the default it came from.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    question: ClassVar[Text]
    #: task -> the question as it is put for that, where it is not the same for all
    questions: ClassVar[Mapping[str, Text]] = MappingProxyType({})
    answers: ClassVar[tuple[Answer, ...]] = ()
    #: whether a hard demand also excludes the models of which the needed fact is unknown
    unknown_excludes: ClassVar[bool] = False

    kind: str
    hard: bool = True
    origin: Origin = "stated"
    because: str = ""

    def check(self, card: ModelCard) -> Verdict:
        """Judge a model by what the catalog knows of it."""
        raise NotImplementedError  # pragma: no cover

    def caution(self) -> Text | None:
        """What who makes this demand should know of how it is counted; None where nothing surprises."""
        return None

    def check_measured(self, footprint: Footprint) -> Verdict | None:
        """Judge a candidate by what was measured; None where this demand is not about anything measured."""
        return None

    def describe(self) -> Text:
        """The demand in a few words, as shown among the requirements."""
        raise NotImplementedError  # pragma: no cover

    def excludes(self, verdict: Verdict) -> bool:
        """Whether a verdict keeps a model out."""
        return self.hard and (verdict.outcome == "violated" or (verdict.outcome == "unknown" and self.unknown_excludes))
