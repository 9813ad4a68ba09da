"""Vectors for texts: from the cache where they are, else encoded batch by batch and kept at once.

What one process encodes, no other encodes meanwhile: it waits, and takes what it finds then.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock, Timeout

from knowledge.errors import ProviderError, ResourceError, make_room
from knowledge.results import Usage
from knowledge.wording import say
from tools import stopping, workers
from tools.encoders import Kind, Resolved, Vectors, load
from tools.representation_cache import RepresentationCache
from tools.representations import Representation
from tools.vector_cache import VectorCache
from tools.workspace import Workspace

#: texts encoded and kept together at first, and so what a kill can cost at most
CHUNK = 64
#: fast encoders get larger ones, as long as one takes less than this: what a kill costs stays this little
CHUNK_SECONDS = 0.5
LARGEST_CHUNK = 4096

#: texts on their way to a child are read within seconds
UNREAD_SECONDS = 3_600

Texts = Mapping[Kind, Sequence[str]]


@dataclass(frozen=True)
class Cost:
    """What making sure of vectors cost in this run; `usage` is what an endpoint counted, by kind of text."""

    seconds: float = 0.0
    encoded: int = 0
    cached: int = 0
    tokens: int | None = None
    usage: Mapping[str, Usage] = field(default_factory=dict)


def ensure(
    resolved: Resolved,
    texts: Texts,
    workspace: Workspace,
    on_characters: Callable[[int], None] = lambda characters: None,
    on_wait: Callable[[], None] = lambda: None,
) -> Cost:
    """See to it that all these texts have their vectors in the cache; those that have them cost nothing.

    Args:
        resolved: the encoder, its files on this disk (or an endpoint).
        texts: what to encode, by kind.
        workspace: where the cache is.
        on_characters: told how many characters are done, cached ones first: encoding time follows characters.
        on_wait: told when another process encodes with this encoder, and so has to be waited for.

    Raises:
        ResourceError: memory, disk or time ran out, or the child died.
        ProviderError: the endpoint failed.
    """
    missing = _missing(resolved, texts, workspace)
    if not any(missing.values()):
        on_characters(_characters(texts))
        return Cost(cached=sum(map(len, texts.values())))
    with _alone(resolved, texts, workspace, on_wait):
        missing = _missing(resolved, texts, workspace)  # again: who was waited for may have made them
        on_characters(_characters(texts) - _characters(missing))
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
    usage = {kind: Usage.model_validate(one) for kind, one in result["usage"].items()}
    return Cost(result["seconds"], encoded, cached, result["tokens"], usage)


def _cache(resolved: Resolved, kind: Kind, root: Path) -> VectorCache | RepresentationCache:
    """Where what the encoder makes of a kind of text is kept."""
    return (RepresentationCache if resolved.parts else VectorCache)(root, resolved.key(kind))


def _missing(resolved: Resolved, texts: Texts, workspace: Workspace) -> dict[Kind, list[str]]:
    return {kind: _cache(resolved, kind, workspace.vectors).missing(of) for kind, of in texts.items()}


def _characters(texts: Texts) -> int:
    return sum(map(len, chain(*map(set, texts.values()))))


@contextmanager
def _alone(resolved: Resolved, texts: Texts, workspace: Workspace, on_wait: Callable[[], None]) -> Iterator[None]:
    """Keep all others from encoding with this encoder; a killed process's hold ends with it."""
    with ExitStack() as held:
        try:
            workspace.vectors.mkdir(parents=True, exist_ok=True)
            # in one order for all, so that no two wait for each other
            for key in sorted({resolved.key(kind) for kind in texts}):
                lock = FileLock(workspace.vectors / f"{key}.encoding.lock")
                try:
                    lock.acquire(blocking=False)
                except Timeout:
                    on_wait()
                    while not lock.is_locked:
                        stopping.stop_point()
                        with contextlib.suppress(Timeout):
                            lock.acquire(timeout=1.0, poll_interval=0.2)
                held.callback(lock.release)
        except OSError as error:
            raise _unwritable(workspace, error) from error
        yield


def _unwritable(workspace: Workspace, error: OSError) -> ResourceError:
    return ResourceError(
        say("{folder} cannot be written: {why}.", folder=str(workspace.home), why=str(error)),
        make_room(error),
    )


def vectors(resolved: Resolved, texts: Sequence[str], kind: Kind, workspace: Workspace) -> Vectors:
    """Vectors from the cache, shape (len(texts), dimension), as the model gave them; `ensure` comes first."""
    return VectorCache(workspace.vectors, resolved.key(kind)).get(texts)


def stream(
    resolved: Resolved, texts: Sequence[str], kind: Kind, workspace: Workspace, rows: int = 8192
) -> Iterator[Vectors]:
    """`vectors` a block of rows at a time, for what memory does not hold at once."""
    cache = VectorCache(workspace.vectors, resolved.key(kind))
    for start in range(0, len(texts), rows):
        yield cache.get(texts[start : start + rows])


def representations(
    resolved: Resolved, texts: Sequence[str], kind: Kind, workspace: Workspace, rows: int = 256
) -> Iterator[list[Representation]]:
    """What an encoder with `parts` made of these texts, a block of rows at a time; `ensure` comes first."""
    cache = RepresentationCache(workspace.vectors, resolved.key(kind))
    for start in range(0, len(texts), rows):
        yield cache.get(texts[start : start + rows])


def _in_child(
    resolved: Resolved, missing: Texts, workspace: Workspace, on_characters: Callable[[int], None]
) -> dict[str, Any]:
    try:
        workspace.home.mkdir(parents=True, exist_ok=True)
        for left in workspace.home.glob("texts-*.jsonl"):
            with contextlib.suppress(OSError):  # of a process killed before its child had read them
                if time.time() - left.stat().st_mtime > UNREAD_SECONDS:
                    left.unlink()
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
                seconds=workspace.child_seconds,
                forked=resolved.uses_torch,
            )
        finally:
            Path(name).unlink(missing_ok=True)
    except OSError as error:
        raise _unwritable(workspace, error) from error


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
    usage = {}
    for kind, texts in missing.items():
        before = encoder.tokens or 0
        cache: Any = _cache(resolved, kind, cache_root)
        start, size = 0, CHUNK
        while start < len(texts):
            chunk = texts[start : start + size]
            begun = time.perf_counter()
            made: Any = encoder.embed(chunk, kind=kind)
            took = time.perf_counter() - begun
            if not all(of.finite for of in made) if resolved.parts else not np.isfinite(made).all():
                raise ProviderError(
                    say("{spec} gives vectors that are not numbers.", spec=resolved.spec),
                    say("Half precision can overflow: try precision=fp32 or bf16."),
                )
            cache.put(chunk, made)
            on_characters(sum(map(len, chunk)))
            seconds += took
            start += len(chunk)
            # an endpoint's batches stay small: each costs money
            if resolved.local and took < CHUNK_SECONDS / 2:
                size = min(2 * size, LARGEST_CHUNK)
        if encoder.tokens is not None and texts:
            tokens = encoder.tokens - before
            usage[kind] = {"texts": len(texts), "characters": sum(map(len, texts)), "tokens": tokens}
    return {"seconds": round(seconds, 3), "tokens": encoder.tokens, "usage": usage}
