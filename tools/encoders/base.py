"""What every encoder backend offers: `resolve` finds a model without loading it, `load` makes it encode."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

from pydantic import BaseModel, ConfigDict

from knowledge.candidate import Leg
from knowledge.wording import Text
from tools.pipeline.forms import Vectors as Vectors  # where encoders' users look for them
from tools.pipeline.forms import cut as cut
from tools.workspace import Workspace

Kind = Literal["query", "document"]
#: what an encoder makes of a text: one vector, weights of vocabulary entries, a vector for each token, several of
#: these; or of a pair: a score
Form = Literal["dense", "sparse", "multi", "mixed", "pairs"]
#: what decides a model's vectors
_MODEL_FILES = frozenset({".json", ".txt", ".model", ".safetensors"})


class Resolved(BaseModel):
    """What a leg stands for on this machine, found without loading anything heavy.

    Attributes:
        spec: the leg without its dimension: candidates that differ only there share their vectors.
        path: folder of the model's files; None while it is not on this machine, and for endpoints.
        revision: what pins the weights: a commit, a package's version or a hash of the files.
        fingerprint: identity of the vectors: weights, precision and everything else that changes them.
        prompts: prompt by kind; None leaves the choice to the model's own configuration.
        normalise: whether vectors are brought to unit length (cosine); not where the model says dot product.
        download_bytes: what still has to be downloaded; None where that is not known.
        endpoint: host that would receive the texts; None for models that run here.
        note: what the user should know about where the model came from.
        form: what it makes of a text.
        parts: of a `tools.representations.Representation`, which count, and by what weight; empty for other forms.
        home: folder for what is made from the model's files once; None where nothing is.
    """

    model_config = ConfigDict(frozen=True)

    spec: str
    backend: str
    model: str
    options: dict[str, str] = {}
    path: str | None = None
    revision: str | None = None
    fingerprint: str
    prompts: dict[Kind, str | None] = {"query": None, "document": None}
    normalise: bool = True
    download_bytes: int | None = 0
    endpoint: str | None = None
    note: Text | None = None
    form: Form = "dense"
    parts: dict[str, float] = {}
    home: str | None = None

    @property
    def local(self) -> bool:
        """Whether it runs on this machine (in a child process)."""
        return self.endpoint is None

    @property
    def uses_torch(self) -> bool:
        """Whether whoever loads it imports torch and sentence-transformers, which takes seconds."""
        return self.local and self.backend != "static"

    @property
    def on_disk(self) -> bool:
        """Whether it can be loaded without a download."""
        return not self.local or self.path is not None

    @property
    def identity(self) -> str:
        """Of the vectors of documents and queries: two candidates whose encoders have the same share them."""
        return self.key("document") + self.key("query")

    def key(self, kind: Kind) -> str:
        """Identity of the vectors of one kind of text; the same for both kinds where no prompt tells them apart."""
        told_apart = self.prompts[kind] if self.prompts[kind] is not None else f"own:{kind}"
        return hashlib.sha256(f"{self.fingerprint}\0{told_apart}".encode()).hexdigest()[:32]


class Encoder(Protocol):
    """A loaded encoder."""

    @property
    def tokens(self) -> int | None:
        """Tokens read so far, where they are counted (endpoints bill them); else None."""
        ...

    def embed(self, texts: Sequence[str], *, kind: Kind, batch_size: int = 32) -> Vectors:
        """Vectors of shape (len(texts), dimension), float32, as the model gives them (not yet cut or normalised).

        Encoders of other forms than "dense" and "pairs" give a `tools.representations.Representation` for each text.
        """
        ...


@runtime_checkable
class Tokenises(Protocol):
    """An encoder whose tokenising can be told apart from the rest of its work.

    Attributes:
        tokenise_seconds: spent on it so far.
    """

    tokenise_seconds: float


class Backend(Protocol):
    """What a module in this folder offers; its name is the prefix in a spec.

    Attributes:
        FORM: what its encoders make of a text; those of "pairs" score texts of `tools.pairs`, and search nothing.
        OPTIONS: those of its own.
    """

    FORM: Form
    OPTIONS: frozenset[str]

    def check(self, leg: Leg) -> None:
        """Raise SpecError where the leg's options, each of them possible, do not go together; looks at nothing else."""
        ...

    def resolve(self, leg: Leg, workspace: Workspace) -> Resolved:
        """Find the model; raises UnknownModelError, HubUnreachableError, MissingExtraError or SpecError."""
        ...

    def load(self, resolved: Resolved, workspace: Workspace | None = None) -> Encoder:
        """Load it; for local models this happens in a child process, which gets no workspace and so no keys."""
        ...


def hash_files(files: Sequence[tuple[str, bytes | str]]) -> str:
    """A hash over names and contents (or content hashes), independent of where the files lie."""
    digest = hashlib.sha256()
    for name, content in sorted(files):
        digest.update(name.encode() + b"\0" + (content if isinstance(content, bytes) else content.encode()) + b"\0")
    return digest.hexdigest()


def hash_folder(folder: Path) -> str:
    """A hash over a model folder's configuration, tokenizer and weights; read again only when a file has changed."""
    files = [p for p in sorted(folder.rglob("*")) if p.is_file() and p.suffix in _MODEL_FILES]
    return _hash_states(folder, tuple((str(p), p.stat().st_size, p.stat().st_mtime_ns) for p in files))


@lru_cache(maxsize=32)
def _hash_states(folder: Path, states: tuple[tuple[str, int, int], ...]) -> str:
    contents = []
    for name, _, _ in states:
        with open(name, "rb") as file:
            contents.append((str(Path(name).relative_to(folder)), hashlib.file_digest(file, "sha256").hexdigest()))
    return hash_files(contents)
