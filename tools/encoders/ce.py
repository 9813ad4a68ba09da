"""`ce:` cross-encoders, which read a query and a document together: rerankers, by hub id or local folder.

Options: ``precision`` fp32 (default), bf16 or fp16; ``max_tokens`` to read less of a pair.

What they make of a pair (a text of `tools.pairs`) is two numbers: its score, before any squashing so that no two that
differ become equal, and 1 where the pair was longer than the model reads, else 0.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from knowledge.candidate import Leg
from knowledge.errors import UnknownModelError
from knowledge.wording import say
from tools import model_folder
from tools.encoders import st
from tools.encoders.base import Form, Kind, Resolved, Vectors
from tools.pairs import as_pair
from tools.token_batches import CPU_TOKENS, GPU_TOKENS, batches
from tools.workspace import Workspace

FORM: Form = "pairs"
OPTIONS = frozenset({"precision", "max_tokens"})
#: pairs tokenised at once
BLOCK = 1024

check = st.check


def resolve(leg: Leg, workspace: Workspace) -> Resolved:
    """Find the model's files; what would be given a head at random is refused."""
    resolved = st.resolve_torch(leg, workspace, FORM)
    known = ("ForSequenceClassification", "ForCausalLM")
    model_folder.must_be(resolved, "CrossEncoder", "cross_encoder", known, say("a cross-encoder"))
    return resolved


class CrossEncoderScores:
    """A loaded cross-encoder."""

    tokens: int | None = None

    def __init__(self, resolved: Resolved) -> None:
        import torch
        from sentence_transformers import CrossEncoder

        self._model = CrossEncoder(str(resolved.path), activation_fn=torch.nn.Identity(), **st.loading(resolved))
        if self._model.num_labels != 1:
            raise UnknownModelError(
                say(
                    "{model} gives {number} figures for a pair, and a reranker gives one.",
                    model=resolved.model,
                    number=self._model.num_labels,
                ),
                say("Choose a model that was made for re-ranking."),
            )
        st.shorten(self._model, resolved)
        self._budget = GPU_TOKENS if self._model.device.type == "cuda" else CPU_TOKENS

    def embed(self, texts: Sequence[str], *, kind: Kind, batch_size: int | None = None) -> Vectors:
        """Score and whether it was cut, of each pair: shape (len(texts), 2)."""
        found = np.zeros((len(texts), 2), np.float32)
        for start in range(0, len(texts), BLOCK):
            pairs = [as_pair(text) for text in texts[start : start + BLOCK]]
            limit = self._model.max_seq_length or 10**6
            # never empty: a tokenizer of pairs needs something on both sides
            ready = [(query or " ", document or " ") for query, document in pairs]
            ids = self._model.tokenizer([q for q, _ in ready], [d for _, d in ready], truncation=False, verbose=False)[
                "input_ids"
            ]
            lengths = [len(of) for of in ids]
            found[start : start + len(pairs), 1] = [length > limit for length in lengths]
            for rows in batches([min(length, limit) for length in lengths], self._budget, batch_size):
                scores = self._model.predict(
                    [ready[row] for row in rows], batch_size=len(rows), show_progress_bar=False
                )
                found[[start + row for row in rows], 0] = np.asarray(scores, np.float32)
        return found


def load(resolved: Resolved, workspace: Workspace | None = None) -> CrossEncoderScores:
    """Load the model from its folder; nothing is looked up anywhere else."""
    return CrossEncoderScores(resolved)
