"""Faster ways to run an encoder on this machine, each with what it gains and what it loses on the user's own texts.

What is found here is for screening: a variant that ranks as the model itself does may say which candidates are worth
the model itself. Nothing is assumed of a precision: it is tried.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict

from knowledge.candidate import Leg
from knowledge.errors import AdvisorError
from knowledge.wording import Text
from tools import encoders, openvino_graph, workers
from tools.encoders import Encoder, Resolved, Vectors
from tools.hardware import cpu_features, gpus
from tools.onnx_export import runtime_version
from tools.vector_cache import VectorCache
from tools.workspace import Workspace

#: documents and queries tried at most
DOCUMENTS, QUERIES = 64, 32
#: documents timed in each turn, and turns: the best of several is what the machine can do
TIMED, TURNS = 16, 3
DEPTH = 10
#: what a processor needs for products in bf16; without it they are emulated, more slowly than fp32
BF16 = frozenset({"avx512_bf16", "amx_bf16", "bf16"})
#: a variant is sound for screening where its vectors are as close to the model's own as these, and worth it where it is
#: this much faster. MiniLM in int8 on a COVID FAQ: 0.995 and 0.92, at 0.6 points more nDCG@10 (benchmarks/fast_encode;
#: 2026-11-22). The limits themselves are a choice, with room for more sensitive models.
COSINE, OVERLAP, WORTH = 0.98, 0.8, 1.2


class FastVariant(BaseModel):
    """A faster way to run an encoder.

    Attributes:
        spec: the encoder's spec with the options that make it fast.
        speedup: documents per second over those of the model as it was asked for.
        cosine: mean cosine of its vectors to the model's own.
        worst_cosine: the smallest.
        overlap: share of the model's own first `DEPTH` documents that are among its first, mean over queries.
        load_seconds: until it was ready; the first time with its export.
        documents: how many documents this was measured on.
        queries: how many queries; where there were none, documents stood in for them.
    """

    model_config = ConfigDict(frozen=True)

    spec: str
    speedup: float
    cosine: float
    worst_cosine: float
    overlap: float
    load_seconds: float
    documents: int
    queries: int

    @property
    def sound(self) -> bool:
        """Whether it ranks nearly as the model itself does."""
        return self.cosine >= COSINE and self.overlap >= OVERLAP


class FastVariants(BaseModel):
    """What there is on this machine for one encoder.

    Attributes:
        found: fastest first.
        failed: why another one cannot be had, by its spec.
    """

    model_config = ConfigDict(frozen=True)

    found: tuple[FastVariant, ...] = ()
    failed: dict[str, Text] = {}

    def for_screening(self) -> FastVariant | None:
        """The fastest that is sound and worth it; None where the model itself had better be used."""
        return next((one for one in self.found if one.sound and one.speedup >= WORTH), None)


def options_here(leg: Leg) -> list[Leg]:
    """Variants of an encoder that this machine may run faster than fp32; none where the user chose a precision."""
    if leg.backend != "st" or {"backend", "precision"} & set(leg.options):
        return []
    found: list[dict[str, str]] = []
    on_gpu = bool(gpus())
    if on_gpu or cpu_features() & BF16:
        found.append({"precision": "bf16"})
    if on_gpu:
        found.append({"precision": "fp16"})
    elif runtime_version() is not None:
        found += [{"backend": "onnx"}, {"backend": "onnx", "precision": "int8"}]
        if openvino_graph.runtime_version() is not None:
            found.append({"backend": "openvino", "precision": "bf16" if cpu_features() & BF16 else "fp32"})
    return [leg.model_copy(update={"options": leg.options | more}) for more in found]


def fast_variants(leg: Leg, documents: Sequence[str], queries: Sequence[str], workspace: Workspace) -> FastVariants:
    """Try every faster way to run an encoder, in turn with the encoder itself, in a child process.

    Args:
        leg: the encoder, its files on this disk.
        documents: the user's; a sample over all lengths is tried.
        queries: the user's; may be empty.
        workspace: its vector cache gets every vector made here, so they are not made again.

    Raises:
        AdvisorError: the encoder itself cannot be loaded, or the child died.
    """
    variants = options_here(leg)
    documents = _spread(dict.fromkeys(documents), DOCUMENTS)
    if not variants or not documents:
        return FastVariants()
    resolved = encoders.resolve(leg, workspace)
    told = workers.run(
        "tools.fast",
        {
            "plain": resolved.model_dump(mode="json"),
            "variants": [encoders.resolve(one, workspace).model_dump(mode="json") for one in variants],
            "documents": documents,
            "queries": _spread(dict.fromkeys(queries), QUERIES),
            "cache": str(workspace.vectors),
        },
        about=resolved.spec,
        logs=workspace.home / "logs",
        memory_mb=workspace.child_memory_mb,
        forked=resolved.uses_torch,
    )
    return FastVariants.model_validate(told)


def _spread(texts: dict[str, None], most: int) -> list[str]:
    """Some of the texts, evenly over their lengths."""
    by_length = sorted(texts, key=len)
    places = np.linspace(0, len(by_length) - 1, min(most, len(by_length))).round().astype(int)
    return [by_length[place] for place in dict.fromkeys(places.tolist())]


def work(payload: dict[str, Any], tell: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    """The child's side of `fast_variants`."""
    found = measure(
        Resolved.model_validate(payload["plain"]),
        [Resolved.model_validate(one) for one in payload["variants"]],
        payload["documents"],
        payload["queries"],
        Path(payload["cache"]),
    )
    return found.model_dump(mode="json")


def measure(
    plain: Resolved,
    variants: Sequence[Resolved],
    documents: Sequence[str],
    queries: Sequence[str],
    cache: Path,
    clock: Callable[[], float] = time.perf_counter,
) -> FastVariants:
    """Load each and compare it with the encoder itself.

    Args:
        plain: the encoder itself.
        variants: what may be faster.
        documents: what is encoded.
        queries: what is ranked by; the documents themselves where there are none.
        cache: folder of the vector cache.
        clock: seconds, monotonic.
    """
    own = encoders.load(plain)
    expected = _sides(own, plain, documents, queries, cache)
    timed = _spread(dict.fromkeys(documents), TIMED)
    found, failed = [], {}
    for variant in variants:
        begun = clock()
        try:
            other = encoders.load(variant)
        except AdvisorError as error:
            failed[variant.spec] = error.cause
            continue
        loaded = clock() - begun
        made = _sides(other, variant, documents, queries, cache)
        cosines = np.concatenate([(a * b).sum(axis=1) for a, b in zip(expected, made, strict=True)])
        found.append(
            FastVariant(
                spec=variant.spec,
                speedup=round(_speedup(own, other, timed, clock), 2),
                cosine=round(float(cosines.mean()), 5),
                worst_cosine=round(float(cosines.min()), 5),
                overlap=round(_overlap(expected, made, itself=not queries), 4),
                load_seconds=round(loaded, 2),
                documents=len(documents),
                queries=len(queries),
            )
        )
    found.sort(key=lambda one: -one.speedup)
    return FastVariants(found=tuple(found), failed=failed)


def _sides(
    encoder: Encoder, resolved: Resolved, documents: Sequence[str], queries: Sequence[str], cache: Path
) -> tuple[Vectors, Vectors]:
    """Unit vectors of documents and queries, kept in the cache too."""
    made = []
    for kind, texts in (("document", documents), ("query", queries)):
        of = encoder.embed(texts, kind=kind)  # type: ignore[arg-type]
        if len(texts) and np.isfinite(of).all():
            kept = VectorCache(cache, resolved.key(kind))  # type: ignore[arg-type]
            if kept.missing(texts):
                kept.put(texts, of)
        made.append(encoders.cut(np.nan_to_num(of).reshape(len(texts), -1 if len(texts) else 0), None))
    return made[0], made[1]


def _speedup(own: Encoder, other: Encoder, texts: Sequence[str], clock: Callable[[], float]) -> float:
    """How many times faster, the best of `TURNS` taken in turn: whoever else works on this machine slows both."""
    best = [float("inf")] * 2
    for _ in range(TURNS):
        for i, encoder in enumerate((own, other)):
            begun = clock()
            encoder.embed(texts, kind="document")
            best[i] = min(best[i], clock() - begun)
    return best[0] / max(best[1], 1e-9)


def _overlap(expected: tuple[Vectors, Vectors], made: tuple[Vectors, Vectors], *, itself: bool) -> float:
    """Share of the first `DEPTH` documents in common; `itself`: documents ask for each other."""
    depth = min(DEPTH, len(expected[0]) - itself)
    if depth < 1:
        return 1.0
    tops = []
    for documents, queries in (expected, made):
        scores = (documents if itself else queries) @ documents.T
        if itself:
            np.fill_diagonal(scores, -np.inf)
        tops.append(np.argsort(-scores, axis=1, kind="stable")[:, :depth])
    return float(np.mean([len(set(a) & set(b)) / depth for a, b in zip(*map(np.ndarray.tolist, tops), strict=True)]))
