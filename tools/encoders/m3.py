"""`m3:` BGE-M3 and models of its make: one reading gives a vector, weights of tokens and a vector for each token.

Options: ``mode`` dense, sparse or multi; without it all three are added, each by its weight: ``w`` (dense, sparse,
multi; 0.4:0.2:0.4 unless given, as the model's card has it). ``precision`` fp32 (default), bf16 or fp16; ``max_tokens``
to read less. The first two modes share their encoding, and so do multi and all three.

What is computed is what FlagEmbedding (1.3, `M3Embedder`) computes: of a token that occurs several times the largest
weight counts, special tokens have none, and MaxSim is the mean over the query's tokens.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from knowledge.candidate import Leg
from knowledge.errors import SpecError, UnknownModelError
from knowledge.wording import say
from tools.encoders import st
from tools.encoders.base import Form, Kind, Resolved
from tools.representations import Representation
from tools.token_batches import CPU_TOKENS, GPU_TOKENS, batches, part_of
from tools.workspace import Workspace

FORM: Form = "mixed"
OPTIONS = frozenset({"mode", "w", "precision", "max_tokens"})
MODES = ("dense", "sparse", "multi")
WEIGHTS = "0.4:0.2:0.4"
#: the heads beside the encoder: of token weights, and of token vectors
HEADS = {"sparse": "sparse_linear", "multi": "colbert_linear"}
#: texts tokenised at once
BLOCK = 256


def check(leg: Leg) -> None:
    """See `Backend`."""
    st.check(leg)
    mode, weights = leg.options.get("mode"), leg.options.get("w")
    wrong = (mode is not None and mode not in MODES and ("mode", mode, ", ".join(MODES))) or (
        weights is not None
        and (mode is not None or not _are_weights(weights))
        and (
            "w",
            weights,
            say("one weight each for dense, sparse and multi, without mode: w={example}", example=WEIGHTS),
        )
    )
    if wrong:
        name, value, allowed = wrong
        raise SpecError(
            say("“{name}={value}” in {spec} is not possible.", name=name, value=value, spec=leg.spec),
            say("Possible are: {names}.", names=allowed),
        )


def _are_weights(value: str) -> bool:
    return re.fullmatch(r"\d{1,4}(\.\d{1,6})?(:\d{1,4}(\.\d{1,6})?){2}", value) is not None and any(
        map(float, value.split(":"))
    )


def resolve(leg: Leg, workspace: Workspace) -> Resolved:
    """Find the model's files and its heads."""
    check(leg)
    mode = leg.options.get("mode")
    heads = "light" if mode in ("dense", "sparse") else "all"
    weights = dict(zip(MODES, map(float, leg.options.get("w", WEIGHTS).split(":")), strict=True))
    found = st.resolve_torch(leg, workspace, FORM, {"heads": heads})
    settings = {"heads": heads}
    if found.path:
        needed = ["sparse"] if heads == "light" else list(HEADS)
        settings |= {name: _hash(_head(found, name)) for name in needed}
    return st.resolve_torch(leg, workspace, FORM, settings).model_copy(
        update={
            "parts": {mode: 1.0} if mode else weights,
            "form": mode if mode in ("sparse", "multi") else FORM,
            "prompts": {"query": "", "document": ""},
        }
    )


def _head(resolved: Resolved, name: str) -> Path:
    folder = Path(resolved.path or "")
    for suffix in (".safetensors", ".pt"):
        file = folder / f"{HEADS[name]}{suffix}"
        if file.is_file():
            return file
    raise UnknownModelError(
        say(
            "{model} has no {file}, which mode={mode} needs.", model=resolved.model, file=f"{HEADS[name]}.pt", mode=name
        ),
        say("Choose a model made like BAAI/bge-m3, or measure its vectors alone: {spec}.", spec=f"st:{resolved.model}"),
    )


def _hash(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def read_head(file: Path, model: str, width: int) -> tuple[Any, Any]:
    """A head's weight, shape (out, width), and bias: tensors, read so that nothing else can come out of the file.

    Raises:
        UnknownModelError: it holds anything but these two.
    """
    import torch

    try:
        if file.suffix == ".safetensors":
            from safetensors.torch import load_file

            found: Any = load_file(file)
        else:
            found = torch.load(file, map_location="cpu", weights_only=True)
        weight, bias = found["weight"].float(), found["bias"].float()
        if set(found) != {"weight", "bias"} or weight.shape != (len(bias), width):
            raise ValueError("other tensors than expected")
    except Exception as error:  # what torch refuses it says with an error of a module that is never imported here
        why = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise UnknownModelError(
            say("{model}: {file} is not what it should be: {why}.", model=model, file=file.name, why=why),
            say("Fetch the model again."),
        ) from error
    return weight, bias


class M3Encoder:
    """A loaded model with its heads."""

    tokens: int | None = None

    def __init__(self, resolved: Resolved) -> None:
        from sentence_transformers import SentenceTransformer

        self._model = SentenceTransformer(str(resolved.path), **st.loading(resolved)).eval()
        st.shorten(self._model, resolved)
        width = int(self._model.get_embedding_dimension() or 0)
        wanted = ("sparse",) if resolved.options.get("mode") in ("dense", "sparse") else tuple(HEADS)
        self._heads = {
            name: tuple(part.to(self._model.device) for part in read_head(_head(resolved, name), resolved.model, width))
            for name in wanted
        }
        special = self._model.tokenizer
        ids = (special.cls_token_id, special.sep_token_id, special.pad_token_id, special.unk_token_id)
        self._special = np.array([i for i in (*ids, special.bos_token_id, special.eos_token_id) if i is not None])
        self._budget = GPU_TOKENS if self._model.device.type == "cuda" else CPU_TOKENS

    def embed(self, texts: Sequence[str], *, kind: Kind, batch_size: int | None = None) -> list[Representation]:
        """All parts of each text that its heads make."""
        found: list[Representation] = []
        for start in range(0, len(texts), BLOCK):
            features = self._model.preprocess(list(texts[start : start + BLOCK]), prompt="", task=kind)
            lengths = [max(1, length) for length in features["attention_mask"].sum(dim=1).tolist()]
            made: dict[int, Representation] = {}
            for rows in batches(lengths, self._budget, batch_size):
                made |= dict(zip(rows, self._read(part_of(features, rows)), strict=True))
            found += [made[row] for row in range(len(lengths))]
        return found

    def _read(self, features: dict[str, Any]) -> list[Representation]:
        import torch
        from torch.nn.functional import linear, normalize, relu

        with torch.inference_mode():
            out = self._model({k: v.to(self._model.device) for k, v in features.items() if torch.is_tensor(v)})
            states = out["token_embeddings"].float()
            dense = normalize(out["sentence_embedding"].float(), dim=-1).cpu().numpy()
            weights = relu(linear(states, *self._heads["sparse"])).squeeze(-1).cpu().numpy()
            multi = None
            if "multi" in self._heads:
                multi = normalize(linear(states, *self._heads["multi"]), dim=-1).cpu().numpy()
        ids, masks = features["input_ids"].numpy(), features["attention_mask"].numpy().astype(bool)
        return [
            Representation(
                dense[row],
                *self._strongest(ids[row][masks[row]], weights[row][masks[row]]),
                # the first token stands for the whole text, which has its vector already
                *([multi[row][masks[row]][1:].astype(np.float16)] if multi is not None else []),
            )
            for row in range(len(ids))
        ]

    def _strongest(self, ids: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Of each entry its largest weight, special tokens and those of no weight left out."""
        kept = (weights > 0) & ~np.isin(ids, self._special)
        entries, places = np.unique(ids[kept], return_inverse=True)
        largest = np.zeros(len(entries), np.float32)
        np.maximum.at(largest, places, weights[kept].astype(np.float32))
        return entries.astype(np.int32), largest


def load(resolved: Resolved, workspace: Workspace | None = None) -> M3Encoder:
    """Load the model and its heads from its folder; nothing is looked up anywhere else."""
    return M3Encoder(resolved)
