"""all-MiniLM-L6-v2 with fewer layers: real models, cheaper and worse, saved as folders; all their vectors at once."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from knowledge.candidate import Leg
from tools import encoders
from tools.encoders import Vectors
from tools.workspace import Workspace

MODEL = "sentence-transformers/all-MiniLM-L6-v2"
LAYERS = 6
BATCH = 32


def prune(folder: Path, workspace: Workspace) -> dict[int, str]:
    """Number of layers -> what to write after ``st:``: the whole model, and copies that lack the last layers."""
    from sentence_transformers import SentenceTransformer

    whole = encoders.resolve(Leg(backend="st", name=MODEL), workspace).path
    found = {LAYERS: MODEL}
    for layers in range(1, LAYERS):
        copy = folder / f"MiniLM-L{layers}"
        if not copy.is_dir():
            model = SentenceTransformer(str(whole), device="cpu", local_files_only=True)
            network = model[0].model
            network.encoder.layer = network.encoder.layer[:layers]
            network.config.num_hidden_layers = layers
            model.save_pretrained(str(copy))
        found[layers] = str(copy)
    return found


def encode_all_layers(
    texts: Sequence[str], precision: str, max_tokens: int, workspace: Workspace
) -> tuple[Vectors, float]:
    """Vectors of every pruned copy, shape (LAYERS, texts, dimension), from one pass; and its seconds.

    A copy's vector is the mean of the hidden states after its last layer, so the whole model passes them all by.
    """
    import torch
    from sentence_transformers import SentenceTransformer

    whole = encoders.resolve(Leg(backend="st", name=MODEL), workspace).path
    dtype = {"fp32": torch.float32, "bf16": torch.bfloat16}[precision]
    model = SentenceTransformer(str(whole), device="cpu", local_files_only=True, model_kwargs={"dtype": dtype})
    made: list[Vectors] = [np.zeros((LAYERS, 1, 384), np.float32)] * len(texts)
    began = time.perf_counter()
    order = sorted(range(len(texts)), key=lambda i: -len(texts[i]))
    for start in range(0, len(order), BATCH):
        batch = order[start : start + BATCH]
        tokens = model.tokenizer(
            [texts[i].strip() for i in batch],
            padding=True,
            truncation=True,
            max_length=max_tokens,
            return_tensors="pt",
        )
        with torch.inference_mode():
            states = model[0].model(**tokens, output_hidden_states=True).hidden_states[1:]
        mask = tokens["attention_mask"].unsqueeze(-1)
        pooled = [(state.float() * mask).sum(1) / mask.sum(1) for state in states]
        vectors = torch.stack([torch.nn.functional.normalize(p, dim=1) for p in pooled]).numpy()
        for place, i in enumerate(batch):
            made[i] = vectors[:, place]
    return np.stack(made, axis=1), time.perf_counter() - began
