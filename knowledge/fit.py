"""Does a model fit a machine: the memory it needs by precision and length of text, against what the machine has."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from knowledge.model_card import ModelCard
from knowledge.wording import Text, say

Precision = Literal["fp32", "bf16", "fp16", "int8"]

BYTES_PER_PARAMETER: Mapping[Precision, int] = {"fp32": 4, "bf16": 2, "fp16": 2, "int8": 1}

#: Values alive at once for each token and each number of the model's width, while one layer runs without gradients:
#: the residual, the layer's input, queries, keys and values (6), and the feed-forward layer with its activation (two
#: copies of 4 widths, or three of about 3 and their product where it is gated): 14 to 18. The upper end, because
#: nothing in the catalog tells which a model is. With it the estimate is 0.95 to 1.19 of the measured peak of BERT and
#: Qwen3 in benchmarks/memory_fit, and up to 1.5 where a batch of 32 texts is 2,048 tokens long.
VALUES_PER_TOKEN = 18
#: Bytes for each pair of tokens of a text: the mask of padding as booleans and once more as numbers. Attention itself
#: is taken to be computed in blocks, as PyTorch does; a model with its own attention that keeps the whole matrix
#: needs more for long texts, and nothing in the catalog tells.
BYTES_PER_PAIR = 5
#: Gigabytes of a process with PyTorch and Sentence Transformers besides the model (what the smallest cases of
#: benchmarks/memory_fit leave after weights and activations: 0.49 to 0.52), and, assumed, of a CUDA context with its
#: libraries' workspaces.
OVERHEAD_GB = {"cpu": 0.53, "gpu": 0.8}
#: share of the main memory that one model may take; the rest is the system's and everybody else's (an assumption)
USABLE_RAM = 0.8
#: tokens of a text where nobody said how long texts are
USUAL_CONTEXT = 512

#: A model's width from its parameters outside the embedding table: a curve through BERT base (85 million, 768) and
#: 7 billion (4,096, e5-mistral-7b-instruct). The shapes in benchmarks/memory_fit, 11 to 440 million, are 0.71 to 1.10
#: times as wide.
_KNOWN_PARAMETERS, _KNOWN_WIDTH, _GROWTH = 85e6, 768, 0.38
#: A vector much longer or shorter than the width that the size allows is a projection of it, not the width.
_NARROWEST, _WIDEST = 0.65, 1.6

#: what to try, in this order; a GPU has no use for fp32
_ON_GPU: tuple[Precision, ...] = ("fp16", "int8")
_ON_CPU: tuple[Precision, ...] = ("fp32", "bf16", "int8")


class Gpu(BaseModel):
    """One GPU, or one slice of a divided one (MIG).

    Attributes:
        memory_gb: in 10^9 bytes. A stated card's marketed gigabytes are taken as these: they are binary, and what
            error correction and the driver keep is about the difference (an L4 of 24 has 24.1).
        free_gb: what is free now, where it could be asked.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = ""
    memory_gb: float = Field(gt=0, allow_inf_nan=False)
    free_gb: float | None = None


class Machine(BaseModel):
    """What a model would run on: this machine (``tools.hardware.machine``) or one that the user stated.

    Attributes:
        ram_gb: main memory, or the container's limit where that is less, in 10^9 bytes; None where it is not known.
        gpus: none means that models run on the CPU.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    ram_gb: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    gpus: tuple[Gpu, ...] = ()


@dataclass(frozen=True, slots=True)
class Need:
    """Memory that a model needs, in 10^9 bytes."""

    weights_gb: float
    activations_gb: float
    overhead_gb: float

    @property
    def total_gb(self) -> float:
        """All of it."""
        return self.weights_gb + self.activations_gb + self.overhead_gb


@dataclass(frozen=True, slots=True)
class Fit:
    """Whether and how a model fits.

    Attributes:
        outcome: ``fits``; ``int8``: only so; ``no``: not even so; ``unknown``: its size or the machine is not known;
            ``api``: nothing runs on the machine.
        precision: the first that fits, else the smallest that was tried.
        need: at that precision.
        has_gb: what one model may take.
    """

    outcome: Literal["fits", "int8", "no", "unknown", "api"]
    reason: Text
    precision: Precision | None = None
    need: Need | None = None
    has_gb: float | None = None


def needed_memory(
    card: ModelCard, precision: Precision, context: int, batch: int = 1, *, gpu: bool = False
) -> Need | None:
    """Memory to encode a batch of texts of `context` tokens; None where the number of parameters is not known.

    Weights are parameters x bytes, of all experts where there are several. At int8 the activations stay 16 bits on a
    GPU and 32 on a CPU. A static model has no layers, hence no activations.
    """
    if card.parameters is None:
        return None
    size = BYTES_PER_PARAMETER[precision]
    running = card.active_parameters
    if running is None:
        running = card.parameters - (card.embedding_parameters or 0)
    activations = 0.0
    if running:
        value = size if precision != "int8" else 2 if gpu else 4
        tokens = context * batch
        activations = tokens * _width(card, running) * VALUES_PER_TOKEN * value
        if batch > 1:  # one text alone needs no mask
            activations += tokens * context * BYTES_PER_PAIR
    return Need(card.parameters * size / 1e9, activations / 1e9, OVERHEAD_GB["gpu" if gpu else "cpu"])


def _width(card: ModelCard, running: int) -> float:
    """The width of a model's layers: its dimension where that is plausible, else what its size makes likely."""
    likely = _KNOWN_WIDTH * (running / _KNOWN_PARAMETERS) ** _GROWTH
    if card.dimension and "dense" in card.architecture and likely * _NARROWEST <= card.dimension <= likely * _WIDEST:
        return float(card.dimension)
    return float(likely)


def fit(card: ModelCard, machine: Machine, context: int | None = None) -> Fit:
    """Whether a model fits a machine, one text at a time; on the largest GPU where there is one, else in the memory.

    Args:
        card: the model.
        machine: this one, or a stated one.
        context: tokens of the longest text; None: `USUAL_CONTEXT`. What the model would cut does not count.
    """
    if card.is_api:
        return Fit("api", _API)
    on_gpu = bool(machine.gpus)
    has = max(g.memory_gb for g in machine.gpus) if on_gpu else machine.ram_gb
    if has is None:
        return Fit("unknown", _NO_MACHINE)
    allowed = has if on_gpu else has * USABLE_RAM
    tokens = min(context or USUAL_CONTEXT, card.max_tokens or context or USUAL_CONTEXT)
    tried: list[tuple[Precision, Need]] = []
    for precision in _ON_GPU if on_gpu else _ON_CPU:
        need = needed_memory(card, precision, tokens, gpu=on_gpu)
        if need is None:
            return Fit("unknown", _NO_SIZE)
        tried.append((precision, need))
        if need.total_gb <= allowed:
            outcome: Literal["fits", "int8"] = "int8" if precision == "int8" else "fits"
            return Fit(outcome, _reason(outcome, tried, tokens, has, on_gpu), precision, need, allowed)
    precision, need = tried[-1]
    return Fit("no", _reason("no", tried, tokens, has, on_gpu), precision, need, allowed)


def _reason(outcome: str, tried: list[tuple[Precision, Need]], tokens: int, has: float, on_gpu: bool) -> Text:
    """The sentence with its figures; one level deep, because it is made for every model of the catalog."""
    precision, need = tried[-1]
    values: dict[str, str | int | float | Text] = {"need": need.total_gb, "tokens": tokens, "gb": has}
    if not on_gpu:
        values["spare"] = has * USABLE_RAM
    if outcome == "fits":
        values["precision"] = precision
        return Text(template=(_FITS_GPU if on_gpu else _FITS_RAM).template, values=values)
    if outcome == "int8":
        values |= {"precision": tried[-2][0], "more": tried[-2][1].total_gb}
        return Text(template=(_INT8_GPU if on_gpu else _INT8_RAM).template, values=values)
    return Text(template=(_NO_GPU if on_gpu else _NO_RAM).template, values=values)


_FITS_GPU = say("needs about {need:,.1f} GB in {precision} at {tokens:,} tokens, your GPU has {gb:,.4g} GB")
_FITS_RAM = say(
    "needs about {need:,.1f} GB in {precision} at {tokens:,} tokens, {spare:,.1f} of your {gb:,.4g} GB can be spared"
)
_INT8_GPU = say(
    "fits only at int8: about {need:,.1f} GB at {tokens:,} tokens, {more:,.1f} in {precision}; "
    "your GPU has {gb:,.4g} GB"
)
_INT8_RAM = say(
    "fits only at int8: about {need:,.1f} GB at {tokens:,} tokens, {more:,.1f} in {precision}; "
    "{spare:,.1f} of your {gb:,.4g} GB can be spared"
)
_NO_GPU = say("needs about {need:,.1f} GB even at int8, at {tokens:,} tokens; your GPU has {gb:,.4g} GB")
_NO_RAM = say(
    "needs about {need:,.1f} GB even at int8, at {tokens:,} tokens; {spare:,.1f} of your {gb:,.4g} GB can be spared"
)
_API = say("an API: nothing of it runs on your machine")
_NO_SIZE = say("its size is not known")
_NO_MACHINE = say("the memory of the machine is not known")


@dataclass(frozen=True)
class KnownGpu:
    """A card that is sold: its name and the memory it comes with, smallest first, in marketed gigabytes.

    Attributes:
        source: key into ``knowledge/data/sources.json``.
    """

    name: str
    memory_gb: tuple[float, ...]
    source: str


@cache
def known_gpus() -> Mapping[str, KnownGpu]:
    """Cards by the lower-case terms they go by (``knowledge/data/gpus.json``)."""
    rows = json.loads((files("knowledge") / "data" / "gpus.json").read_text("utf-8"))["gpus"]
    return {
        term: KnownGpu(row["name"], tuple(row["memory_gb"]), row["source"]) for row in rows for term in row["terms"]
    }
