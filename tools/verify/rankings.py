"""Why a search finds other documents: each usual mistake is made on purpose here, and the one that ranks so is named.

Of a search address nothing else shows. What it found and should have found is ranked again, with each mistake made on
purpose; where its own order comes out, that is the cause.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from knowledge.candidate import Leg, parse_candidate
from knowledge.results.handover import HandoverQuery
from knowledge.results.verification import Fault
from knowledge.wording import Text, say
from tools.encoders import Vectors, dimension_of
from tools.encoders.base import cut
from tools.verify.diagnosis import CUTS, USUAL
from tools.verify.own_model import OwnModel
from tools.verify.pipeline import Parts
from tools.verify.subject import Deployed

#: queries looked at, and documents that they found or should have: each is encoded once for every mistake
MOST_QUERIES, MOST_DOCUMENTS = 40, 150
#: a mistake is named from such an agreement with what was found on, and where the right way agrees by so much less
NAMED, CLEARLY = 0.8, 0.1

Ranked = list[list[int]]


@dataclass(frozen=True)
class Cause:
    """A mistake that explains what was found; `overlap` is the share of first documents that it gets the same."""

    fault: Fault
    reason: Text
    remedy: Text
    overlap: float


@dataclass(frozen=True)
class _Pool:
    """Documents that were found or should have been, and the queries."""

    queries: Sequence[HandoverQuery]
    ids: Sequence[str]
    texts: Sequence[str]
    found: Sequence[Sequence[str]]

    def agrees(self, asked: Vectors, documents: Vectors, *, euclidean: bool = False) -> float:
        """How much of what was found first comes out first with these vectors."""
        scores = asked @ documents.T
        if euclidean:
            scores = 2 * scores - (documents**2).sum(axis=1)
        shares = []
        for row, found in zip(scores, self.found, strict=True):
            best = {self.ids[i] for i in np.argsort(-row, kind="stable")[: len(found)]}
            shares.append(len(best & set(found)) / len(found))
        return float(np.mean(shares))


def explain_rankings(deployed: Deployed) -> Cause | None:
    """The mistake that gives what was found; None where none does, or nothing is at hand to try it with."""
    model = deployed.model
    single = isinstance(parse_candidate(deployed.handover.spec), Leg) and "chunk=" not in deployed.handover.spec
    if not isinstance(model, OwnModel) or deployed.documents is None or not single:
        return None
    pool = _pool(deployed, deployed.documents)
    if pool is None:
        return None
    asked = [query.text for query in pool.queries]
    q, d = model.decided(asked, "query"), model.decided(pool.texts, "document")
    right = pool.agrees(model.used(q), model.used(d))
    best = max(_mistakes(pool, asked, (q, d), model, deployed), key=lambda cause: cause.overlap, default=None)
    if best is None or best.overlap < max(NAMED, right + CLEARLY):
        return None
    return best


def _pool(deployed: Deployed, documents: Mapping[str, str]) -> _Pool | None:
    k = deployed.handover.depth
    chosen = [q for q in deployed.queries if deployed.found.get(q.id)][:MOST_QUERIES]
    found = [[id for id in deployed.ranking(deployed.found[q.id], q) if id in documents][:k] for q in chosen]
    kept = [(q, f) for q, f in zip(chosen, found, strict=True) if f]
    if not kept:
        return None
    ids: dict[str, None] = {}
    for place, (query, first) in enumerate(kept):
        ids.update(dict.fromkeys(id for id in (*first, *query.expected) if id in documents))
        if len(ids) >= MOST_DOCUMENTS:
            kept = kept[: place + 1]
            break
    return _Pool([q for q, _ in kept], list(ids), [documents[id] for id in ids], [f for _, f in kept])


def _mistakes(
    pool: _Pool, asked: Sequence[str], right: tuple[Vectors, Vectors], model: OwnModel, deployed: Deployed
) -> Iterator[Cause]:
    q, d = right
    dim = dimension_of(model.leg)
    bare, own = model.used, model.prompts
    of_queries = [p for p in dict.fromkeys(("", own[1], own[0] * 2, *USUAL)) if p != own[0]]
    for prompt, made in model.with_prompts(of_queries, asked).items():
        agrees = pool.agrees(bare(made), bare(d))
        yield Cause("prompt", _with_prompt("query", prompt), _use("query", own[0]), agrees)
    of_documents = [p for p in dict.fromkeys(("", own[0], own[1] * 2, *USUAL)) if p != own[1]]
    for prompt, made in model.with_prompts(of_documents, pool.texts).items():
        agrees = pool.agrees(bare(q), bare(made))
        yield Cause("prompt", _with_prompt("document", prompt), _use("document", own[1]), agrees)
    if dim is not None and dim < d.shape[1]:
        agrees = pool.agrees(cut(q, dim, normalise=False), cut(d, dim, normalise=False))
        yield Cause(
            "normalisation",
            say(
                "It finds what vectors find that are cut to {dim} numbers without normalising them again.",
                dim=dim,
            ),
            say("Normalise vectors after they are cut, or use metric_type=COSINE."),
            agrees,
        )
    cuts = [words for words in CUTS if any(len(text.split()) > words for text in pool.texts)]
    shortened = [" ".join(text.split()[:words]) for words in cuts for text in pool.texts]
    for words, made in zip(
        cuts, np.split(model.decided(shortened, "document"), len(cuts)) if cuts else (), strict=True
    ):
        yield Cause(
            "truncation",
            say("It finds what is found when documents are cut off after some {words} words.", words=words),
            say("Raise the server's limit of tokens to the model's own, or cut documents into chunks."),
            pool.agrees(bare(q), bare(made)),
        )
    if isinstance(deployed.pipeline, Parts):
        return
    if not model.resolved.normalise:
        agrees = pool.agrees(bare(q), bare(d), euclidean=True)
        yield Cause("metric", say("It finds what L2 finds."), say("Make the index again with metric_type=IP."), agrees)


def _with_prompt(kind: str, prompt: str) -> Text:
    if kind == "query":
        return say("It finds what is found with the prompt “{prompt}” before queries.", prompt=prompt[:60])
    return say("It finds what is found with the prompt “{prompt}” before documents.", prompt=prompt[:60])


def _use(kind: str, prompt: str) -> Text:
    if kind == "query":
        return say("Put “{prompt}” before queries, once.", prompt=prompt[:60])
    return say("Put “{prompt}” before documents, once, and fill the collection again.", prompt=prompt[:60])
