"""`st:` sentence-transformers models, by hub id or local folder.

Options: ``backend`` torch (default), onnx or openvino; ``precision`` fp32 (default), bf16 or fp16, with
``backend=openvino`` fp32 or bf16, with ``backend=onnx`` fp32 or int8; ``prompts`` own (default) or none; ``max_tokens``
to read less.

Texts are tokenised once and encoded in batches of a like length (``tools.token_batches``). In int8 each text goes
alone: its activations are scaled by their own extremes, so beside other texts its vector would depend on them.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from knowledge.candidate import Leg
from knowledge.catalog_in_use import usable_catalog
from knowledge.errors import MissingExtraError, ResourceError, SpecError, UnknownModelError
from knowledge.model_card import ModelCard
from knowledge.wording import say
from tools import model_folder, onnx_export, openvino_graph
from tools.encoders.base import Form, Kind, Resolved, Vectors, hash_files
from tools.hardware import usable_cores
from tools.token_batches import CPU_TOKENS, GPU_TOKENS, batches, part_of
from tools.workspace import Workspace

FORM: Form = "dense"
OPTIONS = frozenset({"backend", "precision", "prompts", "max_tokens"})
PRECISIONS = {"torch": ("fp32", "bf16", "fp16"), "onnx": ("fp32", "int8"), "openvino": ("fp32", "bf16")}
#: the model's prompt for a kind of text is the first of these that it has (as sentence-transformers looks for them)
PROMPT_NAMES: dict[Kind, tuple[str, ...]] = {"query": ("query",), "document": ("document", "passage", "corpus")}
NO_SETTINGS: Mapping[str, str] = {}
#: texts tokenised at once
BLOCK = 1024


def resolve(leg: Leg, workspace: Workspace) -> Resolved:
    """Find the model's files and everything that decides its vectors."""
    check(leg)
    model_folder.needs_library(leg)
    engine = leg.options.get("backend", "torch")
    if engine != "torch" and onnx_export.runtime_version() is None:
        raise MissingExtraError(
            say("{spec} needs ONNX Runtime, which is not installed.", spec=leg.spec),
            say("Install it with: pip install '{extra}'.", extra=f"embedding-advisor[{engine}]"),
        )
    if engine == "openvino" and openvino_graph.runtime_version() is None:
        raise MissingExtraError(
            say("{spec} needs {package}, which is not installed.", spec=leg.spec, package="openvino"),
            say("Install it with: pip install '{extra}'.", extra="embedding-advisor[openvino]"),
        )
    found = model_folder.find(leg, workspace)
    config = model_folder.read_json(leg.name, found.path, "config_sentence_transformers.json", dict)
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
    if engine == "onnx":
        settings |= {"backend": "onnx", **onnx_export.settings(settings["precision"])}
    elif engine == "openvino":
        runtime = {"openvino": str(openvino_graph.runtime_version())}
        settings |= {"backend": "openvino", **onnx_export.settings("fp32"), **runtime}
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
        note=model_folder.origin(leg.name, found),
        home=str(workspace.home) if engine != "torch" else None,
    )


def resolve_torch(leg: Leg, workspace: Workspace, form: Form, settings: Mapping[str, str] = NO_SETTINGS) -> Resolved:
    """`resolve` of the other backends that torch runs: what they make of a text is its form.

    Args:
        leg: the leg.
        workspace: where to look.
        form: of what the encoder makes of a text.
        settings: what else decides it.
    """
    check(leg)
    model_folder.needs_library(leg)
    found = model_folder.find(leg, workspace)
    own = leg.options.get("prompts", "own") == "own" and form != "pairs"
    decides = {k: leg.options.get(k, default) for k, default in (("precision", "fp32"), ("max_tokens", ""))}
    decides |= {"form": form, **settings}
    return Resolved(
        spec=leg.spec,
        backend=leg.backend,
        model=leg.name,
        options=leg.options,
        path=str(found.path) if found.path else None,
        revision=found.revision,
        fingerprint=hash_files(
            [(leg.backend, leg.name), ("revision", found.revision), ("settings", json.dumps(decides, sort_keys=True))]
        ),
        prompts=dict.fromkeys(("query", "document"), None if own else ""),
        normalise=False,
        download_bytes=found.download_bytes,
        note=model_folder.origin(leg.name, found),
        form=form,
    )


def loading(resolved: Resolved) -> dict[str, Any]:
    """How torch loads every model: its safetensors, none of its code, and nothing from anywhere else."""
    import torch

    dtype = {"bf16": torch.bfloat16, "fp16": torch.float16}.get(
        resolved.options.get("precision", "fp32"), torch.float32
    )
    return {
        "device": "cuda" if torch.cuda.is_available() else "cpu",
        "trust_remote_code": False,
        "local_files_only": True,
        "model_kwargs": {"dtype": dtype, "use_safetensors": True},
    }


def shorten(model: Any, resolved: Resolved) -> None:
    """Let a loaded model read no more tokens than its options allow."""
    if "max_tokens" in resolved.options:
        model.max_seq_length = min(int(resolved.options["max_tokens"]), model.max_seq_length or 10**6)


def check(leg: Leg) -> None:
    """See `Backend`."""
    precision, prompts = leg.options.get("precision", "fp32"), leg.options.get("prompts", "own")
    backend, tokens = leg.options.get("backend", "torch"), leg.options.get("max_tokens", "1")
    possible = PRECISIONS.get(backend, ())
    wrong = (
        (not possible and ("backend", backend, ", ".join(PRECISIONS)))
        or (precision not in possible and ("precision", precision, _combinations()))
        or (prompts not in ("own", "none") and ("prompts", prompts, "own, none"))
        or ((not tokens.isdecimal() or int(tokens) < 1) and ("max_tokens", tokens, "1, 2, …"))
    )
    if wrong:
        name, value, allowed = wrong
        raise SpecError(
            say("“{name}={value}” in {spec} is not possible.", name=name, value=value, spec=leg.spec),
            say("Possible are: {names}.", names=allowed),
        )


def _combinations() -> str:
    """The precisions there are, each with the backend it needs."""
    return ", ".join(
        f"precision={precision}" if backend == "torch" else f"backend={backend}&precision={precision}"
        for backend, precisions in PRECISIONS.items()
        for precision in precisions
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
    tokenise_seconds: float = 0.0

    def __init__(self, resolved: Resolved) -> None:
        import torch
        from sentence_transformers import SentenceTransformer

        precision, engine = resolved.options.get("precision", "fp32"), resolved.options.get("backend", "torch")
        on_gpu = torch.cuda.is_available() and engine == "torch"
        with_ = loading(resolved)
        if engine != "torch":
            with_ |= {"device": "cpu", "model_kwargs": {"dtype": torch.float32, "use_safetensors": True}}
        self._prompts = resolved.prompts
        self._model = SentenceTransformer(str(resolved.path), **with_).eval()
        if engine != "torch":
            assert resolved.home
            assert resolved.revision
            exported = precision if engine == "onnx" else "fp32"
            export = onnx_export.place(Path(resolved.home), resolved.model, resolved.revision, exported)
            onnx_export.use(self._model, export, resolved.model, engine, precision)
        shorten(self._model, resolved)
        self._budget = GPU_TOKENS if on_gpu else CPU_TOKENS
        self._alone = precision == "int8"
        self._cores = usable_cores() if engine == "onnx" else 1  # the others use all cores for one batch
        self._spec = resolved.spec

    def embed(self, texts: Sequence[str], *, kind: Kind, batch_size: int | None = None) -> Vectors:
        """As `Encoder.embed`; without a batch size each batch holds what the budget of tokens allows."""
        prompt = self._prompts[kind] if self._prompts[kind] is not None else self._own_prompt(kind)
        order = sorted(range(len(texts)), key=lambda row: len(texts[row]), reverse=True)
        vectors = np.zeros((len(texts), 0), np.float32)
        for start in range(0, len(order), BLOCK):
            rows = order[start : start + BLOCK]
            begun = time.perf_counter()
            features = self._model.preprocess([texts[row] for row in rows], prompt=prompt, task=kind)
            self.tokenise_seconds += time.perf_counter() - begun
            made = self._encode(features, kind, batch_size)
            if not vectors.shape[1]:
                vectors = np.zeros((len(texts), made.shape[1]), np.float32)
            vectors[rows] = made
        return vectors

    def _own_prompt(self, kind: Kind) -> str | None:
        """The prompt that the model's own configuration has for a kind of text."""
        prompts = self._model.prompts
        names = (*PROMPT_NAMES[kind], self._model.default_prompt_name)
        return next((prompts[name] for name in names if name in prompts), None)

    def _encode(self, features: dict[str, Any], kind: Kind, batch_size: int | None) -> Vectors:
        """Vectors of tokenised texts."""
        mask = features.get("attention_mask")
        if mask is None or mask.ndim != 2:  # no texts side by side that could be parted: whole, as they are
            return self._forward(features, kind)
        lengths = [max(1, length) for length in mask.sum(dim=1).tolist()]
        if self._alone or batch_size:
            groups = batches(lengths, max(lengths) * len(lengths), 1 if self._alone else batch_size)
        else:
            groups = batches(lengths, self._budget)

        def run(rows: list[int]) -> Vectors:
            return self._with_room(features, rows, kind)

        if self._cores > 1 and len(groups) > 1:
            with ThreadPoolExecutor(self._cores) as pool:
                made = list(pool.map(run, groups))
        else:
            made = [run(rows) for rows in groups]
        vectors = np.zeros((len(lengths), made[0].shape[1]), np.float32)
        for rows, of in zip(groups, made, strict=True):
            vectors[rows] = of
        return vectors

    def _with_room(self, features: dict[str, Any], rows: list[int], kind: Kind) -> Vectors:
        """Vectors of some rows; where a GPU has no room for them at once, in halves, and smaller batches from then on.

        Raises:
            ResourceError: not even one text fits.
        """
        import torch

        part = part_of(features, rows)
        try:
            return self._forward(part, kind)
        except torch.OutOfMemoryError as error:
            if len(rows) == 1:
                raise ResourceError(
                    say(
                        "The GPU has no room for one text of {tokens} tokens ({spec}).",
                        spec=self._spec,
                        tokens=part["attention_mask"].shape[1],
                    ),
                    say("Close other programs, or choose a smaller model, precision=bf16 or a smaller max_tokens."),
                ) from error
        torch.cuda.empty_cache()
        half = len(rows) // 2
        self._budget = min(self._budget, half * part["attention_mask"].shape[1])
        return np.concatenate([self._with_room(features, some, kind) for some in (rows[:half], rows[half:])])

    def _forward(self, features: dict[str, Any], kind: Kind) -> Vectors:
        import torch

        with torch.inference_mode():
            there = {k: v.to(self._model.device) if torch.is_tensor(v) else v for k, v in features.items()}
            found: Vectors = self._model(there, task=kind)["sentence_embedding"].float().cpu().numpy()
            return found


def load(resolved: Resolved, workspace: Workspace | None = None) -> SentenceTransformersEncoder:
    """Load the model from its folder; nothing is looked up anywhere else."""
    return SentenceTransformersEncoder(resolved)
