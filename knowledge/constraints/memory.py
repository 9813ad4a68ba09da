"""Does the model fit into memory?"""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from knowledge.constraints.base import Answer, ConstraintBase, Footprint, Verdict
from knowledge.model_card import ModelCard
from knowledge.wording import Text, join, say

#: MiB that a process takes with PyTorch and sentence-transformers loaded and no model yet (torch 2.13, 2026-11-28)
RUNTIME_MB = 480


class MemoryConstraint(ConstraintBase):
    """The model must fit into `max_mb` of memory (MiB).

    From the card this is the weights alone, at `bytes_per_parameter` (4 = fp32, 2 = fp16, 1 = int8): running it takes
    more, which only a measurement shows: the peak of the process, its libraries included. Both are said where the limit
    is so tight that the libraries decide. The stored size is used where the number of parameters is not known.

    Attributes:
        weights_only: the limit is for the model's file ("50 MB for the model"): the process that runs it, with its
            libraries, may take more.
    """

    kind: Literal["memory"] = "memory"
    max_mb: float = Field(gt=0, allow_inf_nan=False)
    bytes_per_parameter: float = Field(default=4.0, gt=0, le=8)
    weights_only: bool = False

    question: ClassVar[Text] = say("How much memory may the model take on your machine?")
    answers: ClassVar[tuple[Answer, ...]] = (
        Answer(label=say("1 GB"), parameters={"max_mb": 1024}),
        Answer(label=say("4 GB"), parameters={"max_mb": 4096}),
        Answer(label=say("24 GB (one GPU, fp16)"), parameters={"max_mb": 24 * 1024, "bytes_per_parameter": 2.0}),
        Answer(label=say("No limit"), parameters=None, likelihood=5.0),
    )

    unknown_excludes: ClassVar[bool] = True

    def describe(self) -> Text:
        if self.weights_only:
            return say(
                "a model of at most {limit:,.0f} MB at {bytes:g} bytes a parameter",
                limit=self.max_mb,
                bytes=self.bytes_per_parameter,
            )
        return say("at most {limit:,.0f} MB of memory", limit=self.max_mb)

    def caution(self) -> Text | None:
        if self.weights_only or self.max_mb >= 2 * RUNTIME_MB:
            return None
        told = say(
            "Before measuring, a model's weights count against your {limit:,.0f} MB; after it the peak of the whole "
            "process, of which PyTorch with its libraries takes some {runtime:,.0f} MB.",
            limit=self.max_mb,
            runtime=RUNTIME_MB,
        )
        if self.max_mb > RUNTIME_MB:
            return told
        return join([told, say("So only word matching and static models can keep to it, or an API.")])

    def check(self, card: ModelCard) -> Verdict:
        if card.is_api:
            return Verdict(outcome="met", reason=say("an API: it takes no memory of yours"))
        needed = card.memory_at(self.bytes_per_parameter)
        needed = card.memory_mb if needed is None else needed
        if needed is None:
            return Verdict(outcome="unknown", reason=say("its size is not known"))
        if needed > self.max_mb:
            return Verdict(
                outcome="violated",
                reason=say(
                    "its weights take {needed:,.0f} MB, you allow {limit:,.0f}", needed=needed, limit=self.max_mb
                ),
            )
        return Verdict(outcome="met", reason=say("its weights take {needed:,.0f} MB", needed=needed))

    def check_measured(self, footprint: Footprint) -> Verdict | None:
        if footprint.peak_memory_mb is None or self.weights_only:
            return None
        peak = footprint.peak_memory_mb
        return Verdict(
            outcome="violated" if peak > self.max_mb else "met",
            reason=say(
                "measured peak {peak:,.0f} MB for the whole process, libraries included; you allow {limit:,.0f}",
                peak=peak,
                limit=self.max_mb,
            ),
        )
