"""Which tokenizer a model reads with, where its name does not tell (``knowledge/data/tokenizers.json``)."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from pydantic import BaseModel, ConfigDict

from knowledge.sizing import SizingSource


class _Fact(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Encoding(_Fact):
    """A vocabulary in tiktoken's form: where it is published, what it must hash to, and how text is split for it."""

    url: str
    sha256: str
    pattern: str
    source: str


class ByEncoding(_Fact):
    """A model that reads with an encoding of tiktoken's."""

    encoding: str
    source: str


class OnHub(_Fact):
    """A publisher whose tokenizers are on the hub under this name."""

    hub: str
    source: str


class Tokenizers(_Fact):
    """All of the file."""

    sources: dict[str, SizingSource]
    encodings: dict[str, Encoding]
    models: dict[str, ByEncoding]
    publishers: dict[str, OnHub]

    def encoding_of(self, model: str) -> str | None:
        """The name of tiktoken's encoding that a model reads with; None where it reads with none of these."""
        found = self.models.get(_plain(model))
        return found.encoding if found else None

    def repository_of(self, model: str) -> str | None:
        """Where its publisher says that a model's tokenizer is on the hub; None where none of these says so."""
        publisher, _, name = _plain(model).rpartition("/")
        found = self.publishers.get(publisher)
        return f"{found.hub}/{name}" if found else None


def _plain(model: str) -> str:
    """A model's name without the options that the catalog lists it with: "voyage-4-large (embed_dim=2048)"."""
    return model.partition(" (")[0]


@cache
def tokenizers() -> Tokenizers:
    """The facts."""
    return Tokenizers.model_validate_json((files("knowledge") / "data" / "tokenizers.json").read_text("utf-8"))


__all__ = ["ByEncoding", "Encoding", "OnHub", "Tokenizers", "tokenizers"]
