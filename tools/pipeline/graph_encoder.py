"""A model whose transformer runs as an exported graph, in the arithmetic that was measured."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from . import graphs
from .batches import batches, part_of
from .encoders import Kind, SentenceTransformers
from .errors import PipelineError
from .forms import Vectors

#: texts tokenised at once
_BLOCK = 1024


class Graph:
    """Exported at the first start, and kept in the state; ONNX Runtime or OpenVINO runs it on the CPU."""

    def __init__(self, leg: dict[str, Any], state: Path) -> None:
        how, torch_model = leg["graph"], SentenceTransformers(leg)
        self._leg, self._model = leg, torch_model.model
        try:
            graphs.use(self._model, _export(leg, state), how["engine"], how["precision"])
        except graphs.GraphError as error:
            raise PipelineError(f"{leg['model']} does not run in {how['engine']} here: {error}") from error
        except OSError as error:
            raise PipelineError(f"{state} cannot be written: {error}") from error
        # rounded to eight bits by its own extremes, a text goes alone: beside others it would depend on them
        self._most = 1 if how["precision"] == "int8" else leg["batch"]
        # OpenVINO uses all cores for one batch, ONNX Runtime one core for each
        self._cores = _cores() if how["engine"] == "onnx" else 1

    def embed(self, texts: Sequence[str], kind: Kind) -> Vectors:
        order = sorted(range(len(texts)), key=lambda row: len(texts[row]), reverse=True)
        found: dict[int, Vectors] = {}
        for start in range(0, len(order), _BLOCK):
            rows = order[start : start + _BLOCK]
            made = self._block([texts[row] for row in rows], kind)
            found.update(zip(rows, made, strict=True))
        return np.stack([found[row] for row in range(len(texts))])

    def _block(self, texts: list[str], kind: Kind) -> Vectors:
        features = self._model.preprocess(texts, prompt=self._leg["prompts"][kind], task=kind)
        lengths = [max(1, length) for length in features["attention_mask"].sum(dim=1).tolist()]
        groups = batches(lengths, max(lengths) * len(lengths), self._most)

        def run(rows: list[int]) -> Vectors:
            import torch

            with torch.inference_mode():
                made: Vectors = self._model(part_of(features, rows), task=kind)["sentence_embedding"].float().numpy()
                return made

        with ThreadPoolExecutor(self._cores) as pool:
            made = list(pool.map(run, groups))
        vectors = np.zeros((len(texts), made[0].shape[1]), np.float32)
        for rows, of in zip(groups, made, strict=True):
            vectors[rows] = of
        return vectors


def _cores() -> int:
    """Processors that this process may use."""
    may = getattr(os, "sched_getaffinity", None)  # not on every system
    return len(may(0)) if may else os.cpu_count() or 1


def _export(leg: dict[str, Any], state: Path) -> graphs.Export:
    """Where a leg's graph is kept: under a name of all that decides what is in it."""
    how = leg["graph"]
    made_with = {name: version(name) for name in ("onnx", "onnxruntime", "torch", "transformers")}
    precision = "int8" if how["precision"] == "int8" else "fp32"
    about = {"model": leg["model"], "revision": str(leg["revision"]), **made_with}
    named = json.dumps([about, precision, how["reduce_range"], graphs.RECIPE], sort_keys=True)
    folder = state / "graphs" / hashlib.sha256(named.encode()).hexdigest()[:32]
    return graphs.Export(folder, precision, how["reduce_range"], about)
