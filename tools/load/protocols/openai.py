"""OpenAI's embeddings API, as vLLM, LiteLLM, llama.cpp, LocalAI and many others speak it too.

Source: OpenAI's API reference, "Create embeddings" and "Debugging requests" (the header).
"""

from __future__ import annotations

from typing import Any

from tools.load.protocols.base import Wire


def _request(text: str, model: str) -> dict[str, Any]:
    return {"model": model, "input": text, "encoding_format": "float"}


def _vector(answer: Any) -> list[float]:
    found: list[float] = answer["data"][0]["embedding"]
    return found


def _names(answer: Any) -> list[str]:
    return [str(model["id"]) for model in answer["data"]]


WIRE = Wire(
    path="/v1/embeddings",
    names_path="/v1/models",
    request=_request,
    vector=_vector,
    names=_names,
    sign=b'"embedding"',
    parts={"openai-processing-ms": "server"},
)
