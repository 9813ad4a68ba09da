"""`st:` sentence-transformers models, by hub id or local folder.

Options: ``precision`` fp32 (default), bf16 or fp16; ``prompts`` own (default) or none; ``max_tokens`` to read less.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from knowledge.candidate import Leg
from knowledge.catalog_in_use import usable_catalog
from knowledge.errors import MissingExtraError, SpecError, UnknownModelError
from knowledge.model_card import ModelCard
from knowledge.wording import Text, say
from tools import hub
from tools.encoders.base import Kind, Resolved, Vectors, hash_files, hash_folder
from tools.workspace import Workspace

OPTIONS = frozenset({"precision", "prompts", "max_tokens"})
PRECISIONS = ("fp32", "bf16", "fp16")


def resolve(leg: Leg, workspace: Workspace) -> Resolved:
    """Find the model's files and everything that decides its vectors."""
    _check_options(leg)
    if find_spec("sentence_transformers") is None:
        raise MissingExtraError(
            say("{spec} needs sentence-transformers, which is not installed.", spec=leg.spec),
            say("Install it with: pip install '{extra}'.", extra="embedding-advisor[local]"),
        )
    folder = Path(leg.name).expanduser()
    if folder.is_dir():
        found = hub.Found(folder.resolve(), "files:" + hash_folder(folder.resolve())[:16])
    elif leg.name.startswith((".", "/", "~")):
        raise UnknownModelError(
            say("There is no model folder {folder}.", folder=leg.name),
            say(
                "Give a folder that holds config.json and model.safetensors, or a hub id such as {example}.",
                example="intfloat/multilingual-e5-small",
            ),
        )
    else:
        found = hub.find(leg.name, leg.revision, workspace)
    if found.path is not None:
        _refuse_foreign_code(leg.name, found.path)
    config = _read_json(leg.name, found.path, "config_sentence_transformers.json", dict) if found.path else {}
    own = any((config.get("prompts") or {}).values())
    card = _card(leg.name, workspace)
    published = {} if card is None else {"query": card.query_prompt or "", "document": card.document_prompt or ""}
    similarity = config.get("similarity_fn_name") or (card and card.similarity)
    used: dict[Kind, str | None] = (
        {"query": "", "document": ""}
        if leg.options.get("prompts") == "none"
        else {kind: None if own else published.get(kind, "") for kind in ("query", "document")}
    )
    settings = {k: leg.options.get(k, default) for k, default in (("precision", "fp32"), ("max_tokens", ""))}
    return Resolved(
        spec=leg.spec,
        backend=leg.backend,
        model=leg.name,
        options=leg.options,
        path=str(found.path) if found.path else None,
        revision=found.revision,
        fingerprint=hash_files([("st", leg.name), ("revision", found.revision), ("settings", json.dumps(settings))]),
        prompts=used,
        normalise=similarity != "dot",
        download_bytes=found.download_bytes,
        note=_origin(leg.name, found),
    )


def _check_options(leg: Leg) -> None:
    precision, prompts = leg.options.get("precision", "fp32"), leg.options.get("prompts", "own")
    tokens = leg.options.get("max_tokens", "1")
    wrong = (
        (precision not in PRECISIONS and ("precision", precision, ", ".join(PRECISIONS)))
        or (prompts not in ("own", "none") and ("prompts", prompts, "own, none"))
        or ((not tokens.isdecimal() or int(tokens) < 1) and ("max_tokens", tokens, "1, 2, …"))
    )
    if wrong:
        name, value, allowed = wrong
        raise SpecError(
            say("“{name}={value}” in {spec} is not possible.", name=name, value=value, spec=leg.spec),
            say("Possible are: {names}.", names=allowed),
        )


def _origin(model: str, found: hub.Found) -> Text | None:
    if found.package:
        return say(
            "{model}: the hub cannot be reached, so the weights in the installed package {package} are used.",
            model=model,
            package=found.revision,
        )
    return None


def _read_json(model: str, folder: Path, name: str, form: type[dict[str, Any]] | type[list[Any]]) -> Any:
    """One of the model's own files; an empty `form` where it is missing."""
    file = folder / name
    if not file.is_file():
        return form()
    try:
        found = json.loads(file.read_text("utf-8"))
    except ValueError:
        found = None
    if not isinstance(found, form):
        raise UnknownModelError(
            say("{model}: {file} is broken.", model=model, file=str(file)),
            say("Fetch or save the model again."),
        )
    return found


def _refuse_foreign_code(model: str, folder: Path) -> None:
    """A local folder's modules.json can name any Python class, and `trust_remote_code=False` does not stop it."""
    weights = list(folder.rglob("*.safetensors"))
    types = [
        str(m.get("type", "") if isinstance(m, dict) else m) for m in _read_json(model, folder, "modules.json", list)
    ]
    foreign = [name for name in types if not name.startswith("sentence_transformers.")]
    if foreign:
        raise UnknownModelError(
            say("{model} wants to run code of its own ({name}), which is never done.", model=model, name=foreign[0]),
            say("Choose a model that needs no code of its own."),
        )
    if not weights:
        raise UnknownModelError(
            say("{model}: the folder {folder} holds no safetensors weights.", model=model, folder=str(folder)),
            say("Save the model with save_pretrained(), which writes model.safetensors."),
        )


def _card(model: str, workspace: Workspace) -> ModelCard | None:
    """What the catalog knows: some models (E5, for one) need prompts that their own files do not name."""
    try:
        return usable_catalog(workspace.home).catalog.card(model)
    except UnknownModelError:
        return None


class SentenceTransformersEncoder:
    """A loaded sentence-transformers model."""

    tokens: int | None = None

    def __init__(self, resolved: Resolved) -> None:
        import torch
        from sentence_transformers import SentenceTransformer

        dtype = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
        self._prompts = resolved.prompts
        self._model = SentenceTransformer(
            str(resolved.path),
            device="cuda" if torch.cuda.is_available() else "cpu",
            trust_remote_code=False,
            local_files_only=True,
            model_kwargs={"dtype": dtype[resolved.options.get("precision", "fp32")], "use_safetensors": True},
        )
        if "max_tokens" in resolved.options:
            self._model.max_seq_length = min(int(resolved.options["max_tokens"]), self._model.max_seq_length or 10**6)

    def embed(self, texts: Sequence[str], *, kind: Kind, batch_size: int = 32) -> Vectors:
        encode = self._model.encode_query if kind == "query" else self._model.encode_document
        vectors = encode(list(texts), prompt=self._prompts[kind], batch_size=batch_size, show_progress_bar=False)
        return np.asarray(vectors, dtype=np.float32)


def load(resolved: Resolved, workspace: Workspace | None = None) -> SentenceTransformersEncoder:
    """Load the model from its folder; nothing is looked up anywhere else."""
    return SentenceTransformersEncoder(resolved)
