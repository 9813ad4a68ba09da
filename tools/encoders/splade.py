"""`splade:` learned sparse models (SPLADE and its like): weights of vocabulary entries, by hub id or local folder.

Options: ``precision`` fp32 (default), bf16 or fp16; ``prompts`` own (default) or none; ``max_tokens`` to read less.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from knowledge.candidate import Leg
from knowledge.wording import say
from tools import model_folder
from tools.encoders import st
from tools.encoders.base import Form, Kind, Resolved
from tools.representations import Representation
from tools.workspace import Workspace

FORM: Form = "sparse"
OPTIONS = frozenset({"precision", "prompts", "max_tokens"})
#: texts in a batch: each token has a figure for every entry of the vocabulary (8 texts of 256 tokens: 250 MB)
BATCH = 8

check = st.check


def resolve(leg: Leg, workspace: Workspace) -> Resolved:
    """Find the model's files; what would be given weights at random is refused."""
    resolved = st.resolve_torch(leg, workspace, FORM)
    model_folder.must_be(resolved, "SparseEncoder", "sparse_encoder", ("ForMaskedLM",), say("a sparse model"))
    return resolved.model_copy(update={"parts": {"sparse": 1.0}})


class SparseEncoderWeights:
    """A loaded sparse model."""

    tokens: int | None = None

    def __init__(self, resolved: Resolved) -> None:
        from sentence_transformers import SparseEncoder

        self._prompts = resolved.prompts
        self._model = SparseEncoder(str(resolved.path), **st.loading(resolved))
        st.shorten(self._model, resolved)
        self._cosine = self._model.similarity_fn_name == "cosine"

    def embed(self, texts: Sequence[str], *, kind: Kind, batch_size: int | None = None) -> list[Representation]:
        """Entries and weights of each text, in order."""
        if not len(texts):
            return []
        encode = self._model.encode_query if kind == "query" else self._model.encode_document
        found = encode(
            list(texts),
            prompt=self._prompts[kind],
            batch_size=min(batch_size or BATCH, BATCH),
            show_progress_bar=False,
            save_to_cpu=True,
        ).coalesce()
        rows, entries = found.indices().numpy()
        weights = found.values().float().numpy()
        kept = weights > 0
        rows, entries, weights = rows[kept], entries[kept], weights[kept]
        ends = np.searchsorted(rows, np.arange(len(texts) + 1))
        return [
            Representation(ids=entries[a:b].astype(np.int32), weights=self._unit(weights[a:b]))
            for a, b in pairwise(ends.tolist())
        ]

    def _unit(self, weights: np.ndarray) -> np.ndarray:
        """Of unit length where the model compares by cosine."""
        length = float(np.linalg.norm(weights)) if self._cosine else 1.0
        return (weights / length if length > 0 else weights).astype(np.float32)


def load(resolved: Resolved, workspace: Workspace | None = None) -> SparseEncoderWeights:
    """Load the model from its folder; nothing is looked up anywhere else."""
    return SparseEncoderWeights(resolved)
