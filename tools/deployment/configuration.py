"""``config.yaml`` of a deployment: everything that decides what the pipeline finds, as it was measured."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from knowledge.candidate import Candidate, Leg, Rerank
from knowledge.errors import AdvisorError, SpecError
from knowledge.wording import say
from tools import chunking, encoders, leg_use, onnx_export, retrieval
from tools.bm25 import K1, B, stemmer_for
from tools.encoders.base import Resolved
from tools.encoding import vectors
from tools.metrics import scoring
from tools.milvus_collection import SPARSE, Form
from tools.pipeline.settings import VERSION
from tools.setups import K, setup_of
from tools.workspace import Workspace

#: of encoders in this process: texts read together, where no benchmark has found a better number
BATCH = {"splade": 8}
_BATCH = 32
_LIBRARIES = {"st": "sentence-transformers", "m3": "sentence-transformers", "openai": "endpoint"}
_FORM = {"words": "words", "dense": "vectors", "sparse": "weights", "reranker": "reranker"}


@dataclass(frozen=True)
class Measured:
    """What has to be known of the measurement.

    Attributes:
        language: of the documents, by code.
        documents: how many there will be: inverted lists follow it.
        query: one of the evaluation's queries, whose vector is in the cache.
        metrics: what was measured: legs were searched as deep as these look.
        dimension: of the candidate, as the evaluation has it.
        batch: what was fastest.
    """

    language: str | None
    documents: int
    query: str
    metrics: tuple[str, ...] = ()
    dimension: int | None = None
    batch: int | None = None


def alias(name: str) -> str:
    """A name as Milvus takes it: letters, digits and underscores, a letter first."""
    plain = re.sub(r"[^A-Za-z0-9]+", "_", name).strip("_").lower()[:40]
    return plain if plain[:1].isalpha() else f"docs_{plain}".rstrip("_")


def configuration(candidate: Candidate, workspace: Workspace, measured: Measured, name: str) -> dict[str, Any]:
    """The configuration, as ``pipeline.settings`` reads it.

    Args:
        candidate: the set-up.
        workspace: where its encoders are.
        measured: of the evaluation.
        name: of the aliases in Milvus.

    Raises:
        SpecError: a dimension is not known any more.
        AdvisorError: an encoder of it is not to be found here, so nothing is known of how it was used.
    """
    names: dict[Leg, str] = {}
    legs = []
    for leg in candidate.legs:
        made = _leg(leg, workspace, measured)
        kind = _FORM[made["kind"]]
        names[leg] = f"{kind}{sum(known.startswith(kind) for known in names.values()) + 1}"
        legs.append({"name": names[leg], "spec": leg.spec, **made})
    return {
        "version": VERSION,
        "name": alias(name),
        "spec": candidate.spec,
        "results": K,
        "depth": retrieval.reach(candidate, max(retrieval.DEPTH, scoring.depth_of(measured.metrics))),
        "combine": _combine(candidate, names),
        "legs": legs,
    }


def _combine(candidate: Candidate, names: Mapping[Leg, str]) -> dict[str, Any]:
    if isinstance(candidate, Leg):
        return {"leg": names[candidate]}
    if isinstance(candidate, Rerank):
        by, top = names[candidate.reranker], retrieval.top_of(candidate)
        return {"rerank": _combine(candidate.base, names), "by": by, "top": top}
    parts = [_combine(part, names) for part in candidate.parts]
    if candidate.method == "weighted":
        return {"weighted": parts, "weights": retrieval.weights_of(candidate)}
    return {"rrf": parts, "k": int(candidate.options.get("k", retrieval.RRF_K))}


def _leg(leg: Leg, workspace: Workspace, measured: Measured) -> dict[str, Any]:
    rules = chunking.rules_of(leg)
    chunks = {"chunks": {"size": rules.size, "overlap": rules.overlap, "by": rules.by} if rules else None}
    if leg.backend == "bm25":
        stemmer = leg.options.get("stem") or stemmer_for(measured.language)
        k1, b = float(leg.options.get("k1", K1)), float(leg.options.get("b", B))
        return {"kind": "words", "stemmer": stemmer, "k1": k1, "b": b, **chunks}
    resolved = encoders.resolve(leg, workspace)
    model = {
        "model": resolved.path if leg_use.is_folder(leg) else leg.name,
        "revision": resolved.revision,
        "pinned": leg_use.pinned(resolved),
        "precision": leg_use.precision_of(leg),
        "max_tokens": int(leg.options["max_tokens"]) if "max_tokens" in leg.options else None,
        "prompts": {str(kind): prompt for kind, prompt in leg_use.prompts_of(resolved).items()},
        "batch": measured.batch or BATCH.get(leg.backend, _BATCH),
        **_source(leg, resolved),
    }
    if retrieval.reranks(leg):
        return {"kind": "reranker", **model, **chunks}
    if leg.backend == "splade":
        index = {"field": SPARSE.kind, "type": SPARSE.index, "metric": SPARSE.metric, "build": {}, "search": {}}
        return {"kind": "sparse", **model, "dimension": None, "index": index, **chunks}
    if leg.backend == "m3" and leg.options.get("mode") == "dense":
        model["prompts"] = {"query": "", "document": ""}
    return {"kind": "dense", **model, **_vectors(leg, resolved, workspace, measured), **chunks}


def _source(leg: Leg, resolved: Resolved) -> dict[str, Any]:
    """Where its weights are but for the hub, and what runs them but for PyTorch."""
    package, (engine, precision) = leg_use.package_of(resolved), leg_use.engine_of(leg)
    found: dict[str, Any] = {"package": package} if package else {}
    if engine != "torch":
        narrow = engine == "onnx" and onnx_export.reduces_range(precision)
        found["graph"] = {"engine": engine, "precision": precision, "reduce_range": narrow}
    return found


def _vectors(leg: Leg, resolved: Resolved, workspace: Workspace, measured: Measured) -> dict[str, Any]:
    """What a collection of vectors is: of what length, in what form, by which index."""
    setup = setup_of(leg)
    form = Form.of(setup.store, setup.index, measured.documents)
    static = "wordllama" if leg.name == "wordllama" else "model2vec"
    return {
        "library": _LIBRARIES.get(leg.backend, static),
        "normalise": resolved.normalise,
        "dimension": _dimension(leg, resolved, workspace, measured),
        "first": setup.first,
        "store": setup.store,
        "rescore": setup.rescore,
        "index": {
            "field": form.kind,
            "type": form.index,
            "metric": form.metric,
            "build": form.build,
            "search": form.search,
        },
    }


def _dimension(leg: Leg, resolved: Resolved, workspace: Workspace, measured: Measured) -> int:
    """Of the finished vectors: as they lie in the cache, else as the evaluation says."""
    if leg.backend != "m3":
        try:
            found = vectors(resolved, [measured.query], "query", workspace)
            return int(encoders.finish(found, leg, resolved).shape[1])
        except (KeyError, OSError, AdvisorError):
            pass
    if measured.dimension is None:
        raise SpecError(
            say("The dimension of {spec} is not known: its vectors are in the cache no more.", spec=leg.spec),
            say("Measure it again with the same command, and deploy then."),
        )
    return measured.dimension


def searched(candidate: Candidate) -> tuple[Leg, ...]:
    """The legs whose vectors are in Milvus."""
    return tuple(leg for leg in candidate.searched if leg.backend != "bm25")
