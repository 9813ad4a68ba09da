"""The facts known of one model."""

from __future__ import annotations

import datetime as dt
from functools import cached_property
from typing import Literal

from pydantic import BaseModel, ConfigDict

Modality = Literal["text", "image", "audio", "video"]
Architecture = Literal["dense", "sparse", "late-interaction", "cross-encoder", "hybrid", "router"]
Commercial = Literal["yes", "no", "conditional", "unknown"]


class Price(BaseModel):
    """What an API asks, in US dollars per million input tokens, as published on `date`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    usd_per_million_tokens: float
    source: str
    date: dt.date


class ModelCard(BaseModel):
    """One model as the catalog knows it; ``None`` (or an empty tuple) is "not known", never zero.

    Units are in the names; tokens are the model's own. `sources` maps a field to the id of its source in
    ``knowledge/data/sources.json``; the key ``"*"`` holds for every field without an entry of its own.
    `pretrained` is False for a method that has no weights until it is trained on the user's own data; `note` is what
    one has to know before using the model; `aliases` are other names people use.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())

    model: str
    revision: str | None = None
    release_date: dt.date | None = None
    reference: str | None = None
    architecture: tuple[Architecture, ...] = ("dense",)
    modalities: tuple[Modality, ...] = ("text",)
    languages: tuple[str, ...] = ()
    license: str | None = None
    license_text: str | None = None
    commercial: Commercial = "unknown"
    license_note: str | None = None
    is_api: bool = False
    parameters: int | None = None
    active_parameters: int | None = None
    embedding_parameters: int | None = None
    memory_mb: float | None = None
    max_tokens: int | None = None
    dimension: int | None = None
    matryoshka_dimensions: tuple[int, ...] = ()
    similarity: Literal["cosine", "dot", "maxsim"] | None = None
    uses_instructions: bool | None = None
    query_prompt: str | None = None
    document_prompt: str | None = None
    frameworks: tuple[str, ...] = ()
    needs_remote_code: bool | None = None
    training_datasets: tuple[str, ...] = ()
    training_data_known: bool = False
    adapted_from: str | None = None
    superseded_by: str | None = None
    price: Price | None = None
    pretrained: bool = True
    note: str | None = None
    aliases: tuple[str, ...] = ()
    sources: dict[str, str] = {}

    @property
    def organisation(self) -> str:
        """Who publishes it: the part before the slash."""
        return self.model.split("/", 1)[0]

    @property
    def name(self) -> str:
        """The part after the slash."""
        return self.model.rsplit("/", 1)[-1]

    @cached_property
    def spec(self) -> str | None:
        """How this program would build it, or None where it has no backend for it."""
        if not self.pretrained:
            return None
        if self.model == "wordllama":
            return "static:wordllama"
        if self.model == "mteb/baseline-bm25s":
            return "bm25"
        if self.organisation in ("mteb", "baseline") or "(" in self.name:
            return None  # a benchmark's point of reference, or another model's card at some setting
        if self.needs_remote_code:
            return None  # this program runs no code of a publisher's
        if self.is_api:
            return f"openai:{self.name}" if self.organisation == "openai" else None
        if "model2vec" in (f.lower() for f in self.frameworks) or self.organisation == "minishlab":
            return f"static:{self.model}"
        single_vector = self.architecture == ("dense",) and "text" in self.modalities
        return f"st:{self.model}" if single_vector else None

    def memory_at(self, bytes_per_parameter: float) -> float | None:
        """Megabytes its weights take at a precision (4 = fp32, 2 = fp16/bf16, 1 = int8)."""
        return None if self.parameters is None else self.parameters * bytes_per_parameter / 2**20
