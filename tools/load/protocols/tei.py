"""Text Embeddings Inference, by its own route; it tells how long tokenising, its queue and the model took.

Source: text-embeddings-inference's ``router/src/lib.rs`` (`impl From<ResponseMetadata> for HeaderMap`: whole
milliseconds), read 2026-11-29. Whether a text that is too long is cut is left to the server's setting
(``--auto-truncate``), because that is what its users get.
"""

from __future__ import annotations

from typing import Any

from tools.load.protocols.base import Wire


def _request(text: str, model: str) -> dict[str, Any]:
    return {"inputs": text}


def _vector(answer: Any) -> list[float]:
    found: list[float] = answer[0]
    return found


def _names(answer: Any) -> list[str]:
    return [str(answer["model_id"])]


WIRE = Wire(
    path="/embed",
    names_path="/info",
    request=_request,
    vector=_vector,
    names=_names,
    sign=b"[[",
    wants_model=False,
    parts={
        "x-tokenization-time": "tokenise",
        "x-queue-time": "queue",
        "x-inference-time": "forward",
        "x-total-time": "server",
    },
)
