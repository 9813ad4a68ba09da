"""An encoder tried on the sample: everything here gives figures, and judges nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from knowledge.candidate import Leg
from knowledge.results import Usage
from tools.encoders import Encoder, Kind, Resolved, Vectors, cut, dimension_of
from tools.preflight.sample import Sample
from tools.vector_cache import VectorCache

Floats = NDArray[np.float64]
Figures = dict[str, float]
#: texts for the checks that encode the same texts several times
FEW = 8
#: of them, characters each at most: long ones would tell no more
SHORT = 400
#: ranks within which equal scores would be noticed
TIE_DEPTH = 10
#: cosine of a text's vector alone and another's in the batch from which it is that other's
NEARLY_THE_SAME = 0.98
_EPSILON = 1e-6


class Measured(BaseModel):
    """What the probe saw.

    Attributes:
        dimension: of the vectors as the model gives them.
        figures: figures of each check, by check and name.
        variants: with the candidate's prompts ("used") and others: reciprocal rank and margin of each judged query.
        skipped: checks that could not be made, and why.
        extra_texts: texts encoded that an evaluation has no use for.
        tokens: read in all, where the encoder counts them (endpoints bill them).
        usage: of these, those of the sample, by kind of text.
    """

    model_config = ConfigDict(frozen=True)

    dimension: int
    figures: dict[str, Figures] = {}
    variants: dict[str, list[tuple[float, float]]] = {}
    skipped: dict[str, str] = {}
    extra_texts: int = 0
    tokens: int | None = None
    usage: dict[str, Usage] = {}


class Probe:
    """One loaded encoder and the sample's vectors."""

    def __init__(self, encoder: Encoder, leg: Leg, resolved: Resolved, sample: Sample, cache: Path) -> None:
        """Make the sample's vectors, or take them from the cache.

        Raises:
            Exception: whatever the model raises.
        """
        self.encoder, self.leg, self.resolved, self.sample = encoder, leg, resolved, sample
        self.extra_texts = 0
        self.usage: dict[str, Usage] = {}
        self._cache = cache
        self.documents = self._kept(sample.documents, "document")
        self.queries = self._kept(sample.queries, "query")

    def _kept(self, texts: list[str], kind: Kind) -> Vectors:
        """Vectors of real texts with the candidate's prompt: an evaluation will find them in the cache."""
        cache = VectorCache(self._cache, self.resolved.key(kind))
        missing = cache.missing(texts)
        if missing:
            before = self.encoder.tokens
            made = self.encoder.embed(missing, kind=kind)
            if before is not None and self.encoder.tokens is not None:
                tokens, characters = self.encoder.tokens - before, sum(map(len, missing))
                self.usage[kind] = Usage(texts=len(missing), characters=characters, tokens=tokens)
            if not np.isfinite(made).all():  # as in tools/encoding.py: what is no number is not kept
                self.extra_texts += len(missing)
                return self.encoder.embed(texts, kind=kind)
            cache.put(missing, made)
        return cache.get(texts)

    def embed(self, texts: list[str], kind: Kind, batch_size: int | None = None) -> Vectors:
        """Vectors of no further use."""
        self.extra_texts += len(texts)
        if batch_size is None:
            return self.encoder.embed(texts, kind=kind)
        return self.encoder.embed(texts, kind=kind, batch_size=batch_size)

    def finish(self, vectors: Vectors, dimension: int | None = None) -> Vectors:
        """As the evaluation compares them; a dimension that the model does not have is left for its own check."""
        wanted = dimension_of(self.leg) if dimension is None else dimension
        return cut(vectors, wanted, normalise=self.resolved.normalise)

    def similarities(self, queries: Vectors, documents: Vectors, dimension: int | None = None) -> Floats:
        """Scores as the evaluation has them, one row a query."""
        asked, stored = self.finish(queries, dimension), self.finish(documents, dimension)
        return np.asarray(asked.astype(np.float64) @ stored.astype(np.float64).T)

    @property
    def few(self) -> list[str]:
        """Texts of different lengths: beginnings of documents, each of another length."""
        texts = self.sample.documents[:FEW]
        lengths = np.linspace(SHORT // FEW, SHORT, len(texts)).astype(int)
        return list(dict.fromkeys(text[:n].strip() for text, n in zip(texts, lengths, strict=True)))


def measure(probe: Probe) -> Measured:
    """All figures that need nothing but the encoder itself."""
    figures: dict[str, Figures] = {}
    skipped: dict[str, str] = {}
    checks: dict[str, Callable[[Probe], Figures]] = {
        "values": _values,
        "norms": _norms,
        "batch": _batch,
        "openings": _openings,
        "spread": _spread,
        "ties": _ties,
        "cut": _cut,
    }
    for name, check in checks.items():
        try:
            figures[name] = check(probe)
        except Exception as error:  # noqa: BLE001 - a check that cannot be made is no fault of the model's
            skipped[name] = describe(error)
        if name == "values" and figures.get("values", {}).get("finite") != 1.0:
            break  # nothing can be said of vectors that are not numbers
    return Measured(
        dimension=probe.documents.shape[1],
        figures={name: found for name, found in figures.items() if found},
        skipped=skipped,
        extra_texts=probe.extra_texts,
        tokens=probe.encoder.tokens,
        usage=probe.usage,
    )


def describe(error: BaseException) -> str:
    """An error in one line."""
    first = next(iter(str(error).strip().splitlines()), "")
    return f"{type(error).__name__}: {first}"[:300] if first else type(error).__name__


def _values(probe: Probe) -> Figures:
    both = [v for v in (probe.documents, probe.queries) if len(v)]
    rows = sum(map(len, both))
    finite = sum(float(np.isfinite(v).all(axis=1).sum()) for v in both) / rows
    zero = sum(float((np.abs(np.nan_to_num(v)).max(axis=1) < 1e-12).sum()) for v in both) / rows
    return {"finite": finite, "zero": zero}


def _norms(probe: Probe) -> Figures:
    norms = np.linalg.norm(probe.documents.astype(np.float64), axis=1)
    figures = {
        "mean": float(norms.mean()),
        "low": float(norms.min()),
        "high": float(norms.max()),
        "spread": float(norms.std() / max(float(norms.mean()), 1e-12)),
    }
    if len(probe.queries):
        # what a store with inner product would do to vectors that nobody brings to unit length
        raw = probe.queries.astype(np.float64) @ probe.documents.astype(np.float64).T
        unit = raw / np.maximum(norms, 1e-12)
        figures["first_changes"] = float((raw.argmax(axis=1) != unit.argmax(axis=1)).mean())
    return figures


def _batch(probe: Probe) -> Figures:
    """The same texts together, together again, and one by one."""
    texts = probe.few
    if len(texts) < 2:
        return {}
    together = _unit(probe.embed(texts, "document", len(texts)))
    again = _unit(probe.embed(texts, "document", len(texts)))
    alone = _unit(np.concatenate([probe.embed([text], "document", 1) for text in texts]))
    some = together.any(axis=1) | again.any(axis=1) | alone.any(axis=1)  # a text without a known word is zero, always
    if some.sum() < 2:
        return {}
    together, again, alone = together[some], again[some], alone[some]
    across = alone @ together.T
    own = np.diag(across)
    others = across - 2 * np.eye(len(across))
    return {
        "repeat": float(1 - (together * again).sum(axis=1).min()),
        "alone": float(1 - own.min()),
        "misplaced": float(((others.max(axis=1) > own + 0.01) & (others.max(axis=1) > NEARLY_THE_SAME)).sum()),
        "texts": float(len(across)),
    }


def _openings(probe: Probe) -> Figures:
    """Whether a document's own beginning finds it, and how far it stands out."""
    texts = probe.sample.openings
    if len(texts) < 4:
        return {}
    scores = probe.similarities(probe.embed(texts, "query"), probe.documents)
    own = np.diag(scores).copy()
    others = scores.copy()
    np.fill_diagonal(others, -np.inf)
    same = np.equal.outer(np.array(texts), np.array(texts))
    others[same & ~np.eye(len(texts), dtype=bool)] = -np.inf  # two documents that begin alike are both right
    best = others.max(axis=1)
    rest = np.where(np.isfinite(others), others, np.nan)
    deviation = max(float(np.nanstd(rest)), 1e-12)
    scale = max(float(np.abs(scores).max()), 1e-12)
    return {
        "found_first": float((own > best + _EPSILON * scale).mean()),
        "margin": float((own - np.nanmean(rest, axis=1)).mean() / deviation),
        "texts": float(len(texts)),
    }


def _spread(probe: Probe) -> Figures:
    """How alike unrelated documents are, and above how many others relevant ones are (ties count half)."""
    if len(probe.documents) < 4:
        return {}
    unit = _unit(probe.documents)
    off = (unit @ unit.T)[~np.eye(len(unit), dtype=bool)]
    figures = {"unrelated_mean": float(off.mean()), "unrelated_std": float(off.std())}
    above = []
    judged = probe.sample.judged
    scores = probe.similarities(probe.queries, probe.documents) if judged else np.zeros((0, 0))
    for row in judged:
        right = np.zeros(scores.shape[1], dtype=bool)
        right[probe.sample.relevant[row]] = True
        relevant, others = scores[row][right].mean(), scores[row][~right]
        if len(others):
            above.append(float((others < relevant).mean() + (others == relevant).mean() / 2))
    if above:
        figures |= {"pairs": float(len(above)), "relevant_above": float(np.mean(above))}
    return figures


def _ties(probe: Probe) -> Figures:
    """Share of neighbours among the first results whose scores are the same although their texts are not."""
    if not len(probe.queries):
        return {}
    scores = -np.sort(-probe.similarities(probe.queries, probe.documents).astype(np.float32), axis=1)[:, :TIE_DEPTH]
    return {"ties": float((np.diff(scores, axis=1) == 0).mean())}


def _cut(probe: Probe) -> Figures:
    """Reciprocal rank with all dimensions and with those asked for."""
    wanted, has = dimension_of(probe.leg), probe.documents.shape[1]
    if wanted is None or wanted >= has or not probe.sample.judged:
        return {}
    full = rank(probe, probe.queries, probe.documents, has)
    short = rank(probe, probe.queries, probe.documents)
    return {
        "full_rr": float(np.mean([rr for rr, _ in full])),
        "cut_rr": float(np.mean([rr for rr, _ in short])),
        "full_margin": float(np.mean([margin for _, margin in full])),
        "cut_margin": float(np.mean([margin for _, margin in short])),
    }


def rank(probe: Probe, queries: Vectors, documents: Vectors, dimension: int | None = None) -> list[tuple[float, float]]:
    """For each judged query: reciprocal rank, and by how many deviations the relevant document stands out."""
    judged = probe.sample.judged
    scores = probe.similarities(queries, documents, dimension) if judged else np.zeros((0, 0))
    found = []
    for row in judged:
        right = np.zeros(scores.shape[1], dtype=bool)
        right[probe.sample.relevant[row]] = True
        best, others = scores[row][right].max(), scores[row][~right]
        if not len(others):
            continue
        deviation = max(float(others.std()), 1e-12)
        found.append((1.0 / (1 + int((others >= best).sum())), float((best - others.mean()) / deviation)))
    return found


def _unit(vectors: Vectors) -> Floats:
    exact = vectors.astype(np.float64)
    return np.asarray(exact / np.maximum(np.linalg.norm(exact, axis=1, keepdims=True), 1e-12))
