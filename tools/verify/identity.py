"""Is it the recommended model, used as measured: dimension, metric, length of vectors, the vectors themselves?"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

import numpy as np

from knowledge.results.handover import HandoverLeg
from knowledge.results.verification import Check
from knowledge.wording import Text, join, say
from tools.encoders import Vectors
from tools.verify.diagnosis import Diagnosis, diagnose, lengths_of
from tools.verify.own_model import OwnModel
from tools.verify.pipeline import MISFIT_REMEDY, Parts
from tools.verify.subject import Deployed, failed, passed, skipped

#: texts whose vectors are compared: a third of them the shortest, a third the longest
TEXTS = 24
#: forms in which a stored vector is not the model's own any more
ROUNDED = ("int8", "binary")
#: a length that differs from 1 by less is 1 in half precision too
UNIT = 0.01
#: by which vectors of unit length are ranked alike
_ALIKE = ("IP", "COSINE", "L2")


def identity(deployed: Deployed) -> Iterator[Check]:
    """Checks of the parts of a pipeline; a search service shows none of them."""
    pipeline = deployed.pipeline
    if not isinstance(pipeline, Parts):
        yield skipped(
            "identity",
            "parts",
            say("A search address shows neither vectors nor collection: only what it finds is checked."),
        )
        return
    leg = next((leg for leg in deployed.handover.legs if leg.dimension), None)
    stored = _stored(deployed, pipeline)
    if leg is not None:
        yield _dimension(pipeline, leg)
        yield _metric(pipeline, leg, stored)
        yield _lengths(pipeline, leg, stored)
    yield from _documents(deployed, stored)
    yield _queries(deployed, pipeline)


def sample(texts: Sequence[tuple[str, str]], count: int = TEXTS) -> list[tuple[str, str]]:
    """(id, text), the same every time: the shortest, the longest and some others."""
    if len(texts) <= count:
        return list(texts)
    by_length = sorted(texts, key=lambda one: (len(one[1]), one[0]))
    third = count // 3
    middle = by_length[third:-third]
    middle.sort(key=lambda one: hashlib.sha256(one[0].encode("utf-8", "surrogatepass")).digest())
    return [*by_length[:third], *middle[: count - 2 * third], *by_length[-third:]]


Stored = list[tuple[str, Vectors]]


def _stored(deployed: Deployed, pipeline: Parts) -> Stored:
    """(text, vector) of some documents; none without the texts, none of chunks, and none that are rounded."""
    if deployed.documents is None or any(f"store={form}" in deployed.handover.spec for form in ROUNDED):
        return []
    if not pipeline.collection.about.whole and "chunk=" in deployed.handover.spec:
        return []
    chosen = dict(sample(list(deployed.documents.items())))
    found = pipeline.collection.vectors_of(list(chosen))
    return [(chosen[id], vector) for id, vector in found.items() if id in chosen]


def _dimension(pipeline: Parts, leg: HandoverLeg) -> Check:
    has = pipeline.collection.about.dimension
    figures = {"collection": float(has), "recommended": float(leg.dimension or 0)}
    if has != leg.dimension:
        return failed(
            "identity",
            "dimension",
            "dimension",
            say(
                "The collection has vectors of {has} numbers, {wanted} were measured.",
                has=has,
                wanted=leg.dimension or 0,
            ),
            say("Fill a collection as recommended: {spec}.", spec=leg.spec),
            figures,
        )
    return passed("identity", "dimension", say("The collection has vectors of {has} numbers.", has=has), figures)


def _metric(pipeline: Parts, leg: HandoverLeg, stored: Stored) -> Check:
    metric, wanted = pipeline.collection.about.metric, leg.metric or "IP"
    unit = leg.normalised and wanted == "IP"
    if metric == wanted or (unit and metric == "COSINE"):
        return passed("identity", "metric", say("It compares by {metric}.", metric=metric))
    if unit and metric in _ALIKE and stored and _are_unit(stored):
        return passed(
            "identity",
            "metric",
            say("It compares by {metric}: the same order, as all are of unit length.", metric=metric),
        )
    return failed(
        "identity",
        "metric",
        "metric",
        say("It compares by {metric}, and {wanted} was measured.", metric=metric or "–", wanted=wanted),
        say("Make the index again with metric_type={wanted}.", wanted=wanted),
    )


def _are_unit(stored: Stored) -> bool:
    low, high = lengths_of(np.stack([vector for _, vector in stored]))
    return abs(low - 1) <= UNIT and abs(high - 1) <= UNIT


def _lengths(pipeline: Parts, leg: HandoverLeg, stored: Stored) -> Check:
    name = "length of vectors"
    if not stored:
        return skipped("identity", name, _no_vectors())
    low, high = lengths_of(np.stack([vector for _, vector in stored]))
    figures = {"shortest": low, "longest": high}
    about = pipeline.collection.about
    if not leg.normalised or (abs(low - 1) <= UNIT and abs(high - 1) <= UNIT):
        return passed(
            "identity",
            name,
            say("Stored vectors have lengths from {low:.3f} to {high:.3f}.", low=low, high=high),
            figures,
        )
    if about.metric == "COSINE":
        return passed(
            "identity",
            name,
            say("Stored vectors have lengths from {low:.3f} to {high:.3f}; COSINE does not mind.", low=low, high=high),
            figures,
        )
    return failed(
        "identity",
        name,
        "normalisation",
        say(
            "Stored vectors have lengths from {low:.3f} to {high:.3f} instead of 1, and {metric} ranks by length too: "
            "they were cut or made without bringing them back to unit length.",
            low=low,
            high=high,
            metric=about.metric,
        ),
        say("Normalise vectors before they are stored, or use metric_type=COSINE."),
        figures,
    )


def _documents(deployed: Deployed, stored: Stored) -> Iterator[Check]:
    name = "vectors of documents"
    if not stored:
        yield skipped("identity", name, _no_vectors())
    elif not isinstance(deployed.model, OwnModel):
        yield skipped("identity", name, deployed.model)
    else:
        texts = [text for text, _ in stored]
        found = diagnose(np.stack([vector for _, vector in stored]), texts, "document", deployed.model)
        yield _told(name, say("Vectors of documents in the collection"), found, len(texts))


def _queries(deployed: Deployed, pipeline: Parts) -> Check:
    name = "vectors of queries"
    first = pipeline.asked([query.text for query in deployed.queries[:1]])
    if len(first) and first.shape[1] != pipeline.collection.about.dimension:
        return failed("identity", name, "model", pipeline.misfit(first), MISFIT_REMEDY)
    if not isinstance(deployed.model, OwnModel):
        return skipped("identity", name, deployed.model)
    if not pipeline.embedder.served:
        return skipped("identity", name, say("A model on this machine makes them, not a server."))
    chosen = [text for _, text in sample([(query.id, query.text) for query in deployed.queries])]
    deployed.asked += len(chosen)
    seen = pipeline.embedder.embed([pipeline.prompt + text for text in chosen])
    return _told(
        name, say("Vectors of queries from the server"), diagnose(seen, chosen, "query", deployed.model), len(chosen)
    )


def _told(name: str, what: Text, found: Diagnosis, texts: int) -> Check:
    if found.fault is None or found.reason is None:
        return passed(
            "identity",
            name,
            say(
                "{what} are those of the recommended model (cosine {low:.4f} at least, {texts} texts).",
                what=what,
                low=found.lowest,
                texts=texts,
            ),
            found.figures,
        )
    return failed(
        "identity",
        name,
        found.fault,
        join([say("{what} are wrong:", what=what), say("{reason}.", reason=found.reason)]),
        found.remedy,
        found.figures,
    )


def _no_vectors() -> Text:
    return say("That takes the documents (--data), and a collection whose rows are whole documents as numbers.")
