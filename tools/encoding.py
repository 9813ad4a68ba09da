"""Vectors for texts: from the cache where they are, else encoded batch by batch and kept at once."""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
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
CHUNK = 64


Texts = Mapping[Kind, Sequence[str]]


@dataclass(frozen=True)
class Cost:
    """What making sure of vectors cost in this run."""

    seconds: float = 0.0
    encoded: int = 0
    cached: int = 0
    tokens: int | None = None


def ensure(
    resolved: Resolved,
    texts: Texts,
    workspace: Workspace,
    on_characters: Callable[[int], None] = lambda characters: None,
) -> Cost:
    """See to it that all these texts have their vectors in the cache; those that have them cost nothing.

    Args:
        resolved: the encoder, its files on this disk (or an endpoint).
        texts: what to encode, by kind.
        workspace: where the cache is.
        on_characters: told how many characters are done, cached ones first: encoding time follows characters.

    Raises:
        ResourceError: memory or disk ran out, or the child died.
        ProviderError: the endpoint failed.
    """
    missing = {kind: VectorCache(workspace.vectors, resolved.key(kind)).missing(of) for kind, of in texts.items()}
    on_characters(sum(map(len, chain(*map(set, texts.values())))) - sum(map(len, chain(*missing.values()))))
    encoded = sum(map(len, missing.values()))
    cached = sum(map(len, texts.values())) - encoded
    if not encoded:
        return Cost(cached=cached)
    for of in missing.values():
        # longest first: batches of similar length waste no padding, and the estimate errs on the safe side
        of.sort(key=len, reverse=True)
    if resolved.local:
        result = _in_child(resolved, missing, workspace, on_characters)
    else:
        result = _encode_missing(resolved, missing, workspace.vectors, on_characters, workspace)
    return Cost(result["seconds"], encoded, cached, result["tokens"])


def vectors(resolved: Resolved, texts: Sequence[str], kind: Kind, workspace: Workspace) -> Vectors:
    """Vectors from the cache, shape (len(texts), dimension), as the model gave them; `ensure` comes first."""
    return VectorCache(workspace.vectors, resolved.key(kind)).get(texts)


def _in_child(
    resolved: Resolved, missing: Texts, workspace: Workspace, on_characters: Callable[[int], None]
) -> dict[str, Any]:
    try:
        workspace.home.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=workspace.home, prefix="texts-", suffix=".jsonl")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.writelines(json.dumps([kind, text]) + "\n" for kind, of in missing.items() for text in of)
            return workers.run(
                "tools.encoding",
                {"resolved": resolved.model_dump(mode="json"), "texts": name, "cache": str(workspace.vectors)},
                about=resolved.spec,
                logs=workspace.home / "logs",
                on_message=lambda message: on_characters(message["characters"]),
                memory_mb=workspace.child_memory_mb,
            )
        finally:
            Path(name).unlink(missing_ok=True)
    except OSError as error:
        raise ResourceError(
            say("{folder} cannot be written: {why}.", folder=str(workspace.home), why=str(error)),
            say("Free some disk space or set ADVISOR_HOME to another folder, and run the same command again."),
        ) from error


def work(payload: dict[str, Any], tell: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    """The child's side of `ensure`: the vectors go through the cache, only counts go back."""
    missing: dict[Kind, list[str]] = {}
    source = Path(payload["texts"])
    with source.open(encoding="utf-8") as file:
        for line in file:
            kind, text = json.loads(line)
            missing.setdefault(kind, []).append(text)
    source.unlink()  # already here: the user's texts stay nowhere, even if all of us are killed
    return _encode_missing(
        Resolved.model_validate(payload["resolved"]),
        missing,
        Path(payload["cache"]),
        lambda characters: tell({"characters": characters}),
        None,
    )


def _encode_missing(
    resolved: Resolved,
    missing: Texts,
    cache_root: Path,
    on_characters: Callable[[int], None],
    workspace: Workspace | None,
) -> dict[str, Any]:
    encoder = load(resolved, workspace)
    seconds = 0.0
    for kind, texts in missing.items():
        cache = VectorCache(cache_root, resolved.key(kind))
        for start in range(0, len(texts), CHUNK):
            chunk = texts[start : start + CHUNK]
            begun = time.perf_counter()
            made = encoder.embed(chunk, kind=kind)
            seconds += time.perf_counter() - begun
            if not np.isfinite(made).all():
                raise ProviderError(
                    say("{spec} gives vectors that are not numbers.", spec=resolved.spec),
                    say("Half precision can overflow: try precision=fp32 or bf16."),
                )
            cache.put(chunk, made)
            on_characters(sum(map(len, chunk)))
    return {"seconds": round(seconds, 3), "tokens": encoder.tokens}
