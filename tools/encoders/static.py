"""`static:` models that only look words up: `static:wordllama` (its package carries the weights), or model2vec ids."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from knowledge.candidate import Leg
from knowledge.errors import MissingExtraError, UnknownModelError
from knowledge.wording import say
from tools import hub
from tools.encoders.base import Encoder, Form, Kind, Resolved, Vectors, hash_files, hash_folder
from tools.token_batches import batches
from tools.workspace import Workspace

FORM: Form = "dense"
OPTIONS: frozenset[str] = frozenset()
#: of WordLlama, as its package (0.4.0) has it
WORDLLAMA_DIMENSION = 256
#: characters, with their padding, that WordLlama reads at once: it makes a row of each token, also of the padding, so
#: that one long text among short ones costs as much as if all were long
WORDLLAMA_CHARACTERS = 2**15


def check(leg: Leg) -> None:
    """See `Backend`: no option of its own, so nothing more to check."""


def resolve(leg: Leg, workspace: Workspace) -> Resolved:
    """Find the package or the model's folder."""
    package, extra = ("wordllama", "offline") if leg.name == "wordllama" else ("model2vec", "local")
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise MissingExtraError(
            say("{spec} needs {package}, which is not installed.", spec=leg.spec, package=package),
            say("Install it with: pip install '{extra}'.", extra=f"embedding-advisor[{extra}]"),
        )
    folder = Path(leg.name).expanduser()
    if package == "wordllama":
        found = hub.Found(Path(spec.origin).parent, f"wordllama=={version('wordllama')}")
    elif folder.is_dir():
        found = hub.Found(folder.resolve(), "files:" + hash_folder(folder.resolve())[:16])
    elif leg.name.startswith((".", "/", "~")):
        raise UnknownModelError(
            say("There is no model folder {folder}.", folder=leg.name),
            say(
                "Give a folder that model2vec wrote, or a hub id such as {example}.", example="minishlab/potion-base-8M"
            ),
        )
    else:
        found = hub.find(leg.name, leg.revision, workspace)
    return Resolved(
        spec=leg.spec,
        backend=leg.backend,
        model=leg.name,
        path=str(found.path) if found.path else None,
        revision=found.revision,
        fingerprint=hash_files([("static", leg.name), ("revision", found.revision)]),
        prompts={"query": "", "document": ""},
        download_bytes=found.download_bytes,
    )


class WordLlamaEncoder:
    """WordLlama, loaded from its package."""

    tokens: int | None = None

    def __init__(self, folder: str) -> None:
        handlers, level = list(logging.root.handlers), logging.root.level
        from wordllama import WordLlama

        # its import sets up logging for the whole process, and every library's messages would reach the terminal
        logging.root.handlers[:] = handlers
        logging.root.setLevel(level)
        # without cache_dir it looks for its tokenizer where the wheel does not put it, and then asks the hub
        self._model = WordLlama.load(cache_dir=Path(folder), disable_download=True)

    def embed(self, texts: Sequence[str], *, kind: Kind, batch_size: int = 64) -> Vectors:
        made = np.empty((len(texts), WORDLLAMA_DIMENSION), dtype=np.float32)
        for rows in batches(list(map(len, texts)), WORDLLAMA_CHARACTERS, batch_size):
            made[rows] = self._model.embed([texts[row] or " " for row in rows], batch_size=len(rows))
        # an empty text has no tokens to average
        return np.nan_to_num(made)


class Model2VecEncoder:
    """A model2vec static model."""

    tokens: int | None = None

    def __init__(self, folder: str) -> None:
        from model2vec import StaticModel

        self._model = StaticModel.from_pretrained(folder)

    def embed(self, texts: Sequence[str], *, kind: Kind, batch_size: int = 1024) -> Vectors:
        if not texts:
            return np.zeros((0, self._model.dim), dtype=np.float32)
        vectors = self._model.encode(list(texts), batch_size=batch_size, use_multiprocessing=False)
        return np.asarray(vectors, dtype=np.float32)


def load(resolved: Resolved, workspace: Workspace | None = None) -> Encoder:
    """Load the table of word vectors."""
    assert resolved.path
    return WordLlamaEncoder(resolved.path) if resolved.model == "wordllama" else Model2VecEncoder(resolved.path)
