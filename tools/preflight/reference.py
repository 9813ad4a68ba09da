"""Vectors as plain transformers and the model's own pooling configuration give them, to hold an encoder against."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tools.encoders import Resolved, Vectors
from tools.preflight.model_files import ModelFiles

#: larger models would take longer to load a second time than the check is worth
MAX_BYTES = 700_000_000
_MODULES = ("Transformer", "Pooling", "Dense", "Normalize")
_ACTIVATIONS = ("Identity", "Tanh", "GELU", "ReLU")


def reference(resolved: Resolved, texts: Sequence[str], limit: int) -> Vectors | None:
    """Vectors of texts as they are, cut at `limit` tokens; None for a model this does not know how to put together.

    Every dense layer in the folder is applied, whether or not modules.json lists it: a layer that is skipped is what
    this is to find.
    """
    assert resolved.path
    files = ModelFiles(Path(resolved.path))
    modes = files.pooling_modes
    if any(name not in _MODULES for name, _ in files.modules or ()):
        return None
    weights = list(Path(resolved.path).glob(f"{files.transformer or '.'}/*.safetensors"))
    if len(modes) != 1 or modes[0] not in ("mean", "cls", "lasttoken", "max") or not weights:
        return None
    if sum(file.stat().st_size for file in weights) > MAX_BYTES:
        return None
    pooled = _pool(_states(str(Path(resolved.path) / files.transformer), files, texts, limit), modes[0])
    for folder in files.dense_folders:
        applied = _dense(Path(resolved.path) / folder, files.json(f"{folder}/config.json"), pooled)
        if applied is None:
            return None
        pooled = applied
    return np.asarray(pooled.float().numpy(), dtype=np.float32)


def _states(folder: str, files: ModelFiles, texts: Sequence[str], limit: int) -> list[Any]:
    import torch
    from transformers import AutoModel, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    model = AutoModel.from_pretrained(
        folder, local_files_only=True, trust_remote_code=False, use_safetensors=True, dtype=torch.float32
    ).eval()
    ready = [text.lower() if files.lowers else text for text in texts]
    states = []
    with torch.no_grad():
        for text in ready:  # one by one: nothing is padded
            fed = tokenizer(text, return_tensors="pt", truncation=True, max_length=limit)
            fed["attention_mask"] = torch.ones_like(fed["input_ids"])
            states.append(model(**fed).last_hidden_state[0])
    return states


def _pool(states: Sequence[Any], mode: str) -> Any:
    import torch

    pools = {
        "mean": lambda s: s.mean(dim=0),
        "cls": lambda s: s[0],
        "lasttoken": lambda s: s[-1],
        "max": lambda s: s.max(dim=0).values,
    }
    return torch.stack([pools[mode](state) for state in states])


def _dense(folder: Path, config: dict[str, Any], pooled: Any) -> Any | None:
    import torch
    from safetensors.torch import load_file

    name = str(config.get("activation_function", "Tanh")).rsplit(".", 1)[-1]
    file = folder / "model.safetensors"
    if name not in _ACTIVATIONS or not file.is_file():
        return None
    weights = load_file(file)
    found = torch.nn.functional.linear(pooled, weights["linear.weight"].float(), weights.get("linear.bias"))
    return getattr(torch.nn, name)()(found)
