"""Does the model run on the user's machine?"""

from __future__ import annotations

from functools import lru_cache
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from knowledge.constraints.base import Answer, ConstraintBase, Footprint, Verdict
from knowledge.fit import USABLE_RAM, Gpu, Machine, fit
from knowledge.model_card import ModelCard
from knowledge.quantities import memory
from knowledge.wording import Text, say

_OUTCOMES: dict[str, Literal["met", "violated", "unknown"]] = {
    "fits": "met",
    "int8": "met",
    "no": "violated",
    "unknown": "unknown",
    "api": "met",
}


@lru_cache(maxsize=64)  # asked for once for each model of the catalog
def _machine(gpu_gb: float | None, gpu_name: str, ram_gb: float | None) -> Machine:
    gpus = () if gpu_gb is None else (Gpu(name=gpu_name, memory_gb=gpu_gb),)
    return Machine(ram_gb=ram_gb, gpus=gpus)


class HardwareConstraint(ConstraintBase):
    """The model must run on the machine that the user stated, at int8 if need be; ``knowledge.fit`` says how judged.

    Unlike a limit of `memory`, which is what the model's weights may take, this is what there is.

    Attributes:
        gpu_gb: memory of the largest GPU; None: there is none, and the model runs on the CPU.
        gpu_name: what the GPU is called, where it was said.
        ram_gb: main memory; None where it was not said.
        context: tokens of the user's longest text, where known; else 512, or what the model reads if that is less.
    """

    kind: Literal["hardware"] = "hardware"
    gpu_gb: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    gpu_name: str = ""
    ram_gb: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    context: int | None = Field(default=None, gt=0)

    question: ClassVar[Text] = say("What will the model run on?")
    answers: ClassVar[tuple[Answer, ...]] = (
        Answer(label=say("A CPU with 8 GB of memory"), parameters={"ram_gb": 8}),
        Answer(label=say("One GPU with 24 GB"), parameters={"gpu_gb": 24}),
        Answer(label=say("One GPU with 80 GB"), parameters={"gpu_gb": 80}),
        Answer(label=say("I do not know yet"), parameters=None),
    )
    #: who names a machine wants what runs on it, and an unknown size may not
    unknown_excludes: ClassVar[bool] = True

    @model_validator(mode="after")
    def _names_a_machine(self) -> Self:
        if self.gpu_gb is None and self.ram_gb is None:
            raise ValueError("hardware needs gpu_gb or ram_gb")
        return self

    @property
    def machine(self) -> Machine:
        """The machine as a record."""
        return _machine(self.gpu_gb, self.gpu_name, self.ram_gb)

    def describe(self) -> Text:
        if self.gpu_gb is None:
            return say("runs on a machine with {size} of memory", size=memory(1024 * (self.ram_gb or 0)))
        if self.gpu_name:
            return say("runs on one {name} with {gb:,.4g} GB", name=self.gpu_name, gb=self.gpu_gb)
        return say("runs on one GPU with {gb:,.4g} GB", gb=self.gpu_gb)

    def check(self, card: ModelCard) -> Verdict:
        found = fit(card, self.machine, self.context)
        return Verdict(outcome=_OUTCOMES[found.outcome], reason=found.reason)

    def check_measured(self, footprint: Footprint) -> Verdict | None:
        """Only a process in main memory was measured; what a GPU needs was not."""
        if footprint.peak_memory_mb is None or self.ram_gb is None or self.gpu_gb is not None:
            return None
        peak = footprint.peak_memory_mb * 2**20 / 1e9
        return Verdict(
            outcome="violated" if peak > self.ram_gb * USABLE_RAM else "met",
            reason=say(
                "measured peak {peak:,.1f} GB, {spare:,.1f} of your {gb:,.4g} GB can be spared",
                peak=peak,
                gb=self.ram_gb,
                spare=self.ram_gb * USABLE_RAM,
            ),
        )
