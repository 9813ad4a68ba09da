"""By which vectors questions are compared: one encoder for all, so that no candidate has a ruler of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from knowledge.candidate import parse_candidate
from knowledge.errors import UserError
from knowledge.results import Consent
from knowledge.wording import say
from tools import encoders
from tools.encoding import ensure, vectors
from tools.evaluate import obtain
from tools.rag_judge.by_ragas import Embed
from tools.workspace import Workspace


def embedder_of(specs: Sequence[str]) -> str:
    """The first encoder of the candidates.

    Raises:
        UserError: they have none.
    """
    legs = (
        leg for spec in specs for leg in parse_candidate(spec).searched if leg.backend in ("st", "static", "openai")
    )
    found = next(legs, None)
    if found is None:
        raise UserError(
            say("No candidate has an encoder, by which questions could be compared."),
            say("Name one with --embedder, for instance --embedder static:wordllama."),
        )
    return found.spec


def embed_by(spec: str, workspace: Workspace, consent: Consent) -> Embed:
    """What makes vectors of questions, found in the cache the second time.

    Raises:
        AdvisorError: the encoder cannot be had.
    """
    leg = parse_candidate(spec).legs[0]
    resolved = obtain(encoders.resolve(leg, workspace), leg, workspace, consent)

    def embed(texts: Sequence[str]) -> Any:
        ensure(resolved, {"query": list(texts)}, workspace)
        return vectors(resolved, texts, "query", workspace)

    return embed
