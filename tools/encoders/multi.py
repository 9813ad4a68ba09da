"""`multi:` late-interaction models (ColBERT and its like): a vector for each token, by hub id or local folder.

Options: ``precision`` fp32 (default), bf16 or fp16; ``prompts`` own (default) or none; ``max_tokens`` to read less.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from knowledge.candidate import Leg
from knowledge.wording import say
from tools import model_folder
from tools.encoders import st
from tools.encoders.base import Form, Kind, Resolved
from tools.representations import Representation
from tools.workspace import Workspace

FORM: Form = "multi"
OPTIONS = frozenset({"precision", "prompts", "max_tokens"})
BATCH = 16

check = st.check


def resolve(leg: Leg, workspace: Workspace) -> Resolved:
    """Find the model's files; what would be given a projection at random is refused."""
    resolved = st.resolve_torch(leg, workspace, FORM)
    known = ("HF_ColBERT", "ForRetrieval")
    model_folder.must_be(resolved, "MultiVectorEncoder", "multi_vector_encoder", known, say("a multi-vector model"))
    return resolved.model_copy(update={"parts": {"multi": 1.0}})


class TokenVectors:
    """A loaded late-interaction model."""

    tokens: int | None = None

    def __init__(self, resolved: Resolved) -> None:
        from sentence_transformers import MultiVectorEncoder

        self._prompts = resolved.prompts
        self._model = MultiVectorEncoder(str(resolved.path), **st.loading(resolved))
        st.shorten(self._model, resolved)

    def embed(self, texts: Sequence[str], *, kind: Kind, batch_size: int | None = None) -> list[Representation]:
        """The vectors of each text's tokens, those that the model lets count."""
        if not len(texts):
            return []
        encode = self._model.encode_query if kind == "query" else self._model.encode_document
        made = encode(
            list(texts),
            prompt=self._prompts[kind],
            batch_size=batch_size or BATCH,
            show_progress_bar=False,
            convert_to_numpy=True,
        )
        return [Representation(tokens=np.asarray(of, np.float16)) for of in made]


def load(resolved: Resolved, workspace: Workspace | None = None) -> TokenVectors:
    """Load the model from its folder; nothing is looked up anywhere else."""
    return TokenVectors(resolved)
