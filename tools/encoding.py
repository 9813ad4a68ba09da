"""Vectors for texts: from the cache where they are, else encoded batch by batch and kept at once."""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from knowledge.errors import ProviderError, ResourceError
from knowledge.wording import say
from tools import workers
from tools.encoders import Kind, Resolved, Vectors, load
from tools.vector_cache import VectorCache
from tools.workspace import Workspace

#: texts per file of the cache, and so what a kill can cost at most
CHUNK = 256


@dataclass(frozen=True)
class Encoded:
    """Vectors of shape (texts, dimension) as the model gives them, and what they cost in this run."""

    vectors: Vectors
    seconds: float
    encoded: int
    tokens: int | None


def encode(
    resolved: Resolved,
    texts: Sequence[str],
    kind: Kind,
    workspace: Workspace,
    on_characters: Callable[[int], None] = lambda characters: None,
) -> Encoded:
    """Vectors of these texts; those that have one already cost nothing.

    Args:
        resolved: the encoder, its files on this disk (or an endpoint).
        texts: what to encode.
        kind: as queries or as documents.
        workspace: where the cache is.
        on_characters: told how many characters are done, cached ones first: encoding time follows characters.

    Raises:
        ResourceError: memory or disk ran out, or the child died.
        ProviderError: the endpoint failed.
    """
    cache = VectorCache(workspace.vectors, resolved.key(kind))
    missing = cache.missing(texts)
    on_characters(sum(map(len, set(texts))) - sum(map(len, missing)))
    if not missing:
        return Encoded(cache.get(texts), 0.0, 0, None)
    # longest first: batches of similar length waste no padding, and the estimate errs on the safe side
    missing.sort(key=len, reverse=True)
    if resolved.local:
        result = _in_child(resolved, missing, kind, workspace, on_characters)
    else:
        result = _encode_missing(resolved, missing, kind, workspace.vectors, on_characters, workspace)
    return Encoded(cache.get(texts), result["seconds"], len(missing), result["tokens"])


def _in_child(
    resolved: Resolved, texts: list[str], kind: Kind, workspace: Workspace, on_characters: Callable[[int], None]
) -> dict[str, Any]:
    workspace.home.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=workspace.home, prefix="texts-", suffix=".jsonl")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.writelines(json.dumps(text) + "\n" for text in texts)
        return workers.run(
            "tools.encoding",
            {
                "resolved": resolved.model_dump(mode="json"),
                "texts": name,
                "kind": kind,
                "cache": str(workspace.vectors),
            },
            about=resolved.spec,
            logs=workspace.home / "logs",
            on_message=lambda message: on_characters(message["characters"]),
            memory_mb=workspace.child_memory_mb,
        )
    except OSError as error:
        raise ResourceError(
            say("{folder} cannot be written: {why}.", folder=str(workspace.home), why=str(error)),
            say("Free some disk space or set ADVISOR_HOME to another folder, and run the same command again."),
        ) from error
    finally:
        Path(name).unlink(missing_ok=True)


def work(payload: dict[str, Any], tell: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    """The child's side of `encode`: the vectors go through the cache, only counts go back."""
    with Path(payload["texts"]).open(encoding="utf-8") as file:
        texts = [json.loads(line) for line in file]
    return _encode_missing(
        Resolved.model_validate(payload["resolved"]),
        texts,
        payload["kind"],
        Path(payload["cache"]),
        lambda characters: tell({"characters": characters}),
        None,
    )


def _encode_missing(
    resolved: Resolved,
    texts: list[str],
    kind: Kind,
    cache_root: Path,
    on_characters: Callable[[int], None],
    workspace: Workspace | None,
) -> dict[str, Any]:
    encoder = load(resolved, workspace)
    cache = VectorCache(cache_root, resolved.key(kind))
    seconds = 0.0
    for start in range(0, len(texts), CHUNK):
        chunk = texts[start : start + CHUNK]
        begun = time.perf_counter()
        vectors = encoder.embed(chunk, kind=kind)
        seconds += time.perf_counter() - begun
        if not np.isfinite(vectors).all():
            raise ProviderError(
                say("{spec} gives vectors that are not numbers.", spec=resolved.spec),
                say("Half precision can overflow: try precision=fp32 or bf16."),
            )
        cache.put(chunk, vectors)
        on_characters(sum(map(len, chunk)))
    return {"seconds": round(seconds, 3), "tokens": encoder.tokens}
