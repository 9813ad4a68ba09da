"""Ollama, by its own route. Source: Ollama's ``docs/api.md``, "Generate Embeddings" and "List Local Models"."""

from __future__ import annotations

from typing import Any

from tools.load.protocols.base import Wire


def _request(text: str, model: str) -> dict[str, Any]:
    return {"model": model, "input": text}


def _vector(answer: Any) -> list[float]:
    found: list[float] = answer["embeddings"][0]
    return found


def _names(answer: Any) -> list[str]:
    return [str(model["name"]) for model in answer["models"]]


WIRE = Wire(
    path="/api/embed",
    names_path="/api/tags",
    request=_request,
    vector=_vector,
    names=_names,
    sign=b'"embeddings"',
)
