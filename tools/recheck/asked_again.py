"""Is an endpoint still the model that was decided on? A sample of texts is embedded again and compared.

Nothing else shows it: the name and the address stay, so what is kept would be taken for what it gives. The sample is
bounded, since it costs: some queries and some documents, the same ones every time the data is the same.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from knowledge.candidate import Candidate, Leg
from knowledge.catalog import Catalog
from knowledge.results.recheck import AskedAgain, PlannedAsking
from tools import editions, encoders, retrieval
from tools.encoders import Resolved, Vectors, finish, load
from tools.encoding import stream, vectors
from tools.metrics import scoring
from tools.metrics.judgments import Treated, settled
from tools.preflight.parity import SAME
from tools.recheck.rescored import rescored
from tools.sending import price_of
from tools.text_counts import estimated_tokens
from tools.vector_cache import VectorCache
from tools.workspace import Workspace

#: texts that are asked for again, at most, and characters of one
MOST_QUERIES, MOST_DOCUMENTS, LONGEST = 100, 50, 20_000


@dataclass(frozen=True)
class Sample:
    """Texts whose vectors an endpoint gave when it was decided.

    Attributes:
        resolved: the endpoint's model in the edition of the decision.
        queries: judged ones, id -> text.
        documents: some of those that are kept.
        cached: all documents whose vectors are kept, id -> text.
    """

    leg: Leg
    resolved: Resolved
    queries: Mapping[str, str]
    documents: Sequence[str]
    cached: Mapping[str, str]

    @property
    def texts(self) -> list[str]:
        """All that is asked for."""
        return list(dict.fromkeys((*self.queries.values(), *self.documents)))

    def is_former(self, workspace: Workspace) -> bool:
        """Whether it was noticed that the endpoint's model is another one since."""
        return encoders.resolve(self.leg, workspace).fingerprint != self.resolved.fingerprint


def samples(candidate: Candidate, decided: dt.datetime, treated: Treated, workspace: Workspace) -> list[Sample]:
    """What to ask the endpoints of a candidate for; none where it has none, or nothing of theirs is kept.

    Args:
        candidate: in use.
        decided: when its vectors were made.
        treated: today's data.
        workspace: where vectors are kept.
    """
    data = treated.dataset
    found = []
    for leg in dict.fromkeys(leg for leg in candidate.legs if leg.backend != "bm25"):
        resolved = encoders.resolve(leg, workspace)
        if resolved.local or resolved.form != "dense":
            continue
        then = editions.as_of(resolved.fingerprint, decided, workspace.home)
        resolved = resolved.model_copy(update={"fingerprint": then})
        cached = _kept(data.documents, resolved, "document", workspace)
        judged = {
            query: data.queries[query]
            for query, grades in data.judgments.items()
            if query in data.queries and any(grade > 0 and id in cached for id, grade in grades.items())
        }
        queries = _kept(judged, resolved, "query", workspace)
        short = [text for text in cached.values() if len(text) <= LONGEST]
        asked = {text: id for id, text in queries.items() if len(text) <= LONGEST}
        some = {asked[text]: text for text in _first(asked, MOST_QUERIES)}
        sample = Sample(leg, resolved, some, _first(short, MOST_DOCUMENTS), cached)
        if sample.texts:
            found.append(sample)
    return found


def planned(sample: Sample, catalog: Catalog) -> PlannedAsking:
    """What asking again would send and cost, at most."""
    tokens = sum(map(estimated_tokens, sample.texts))
    usd, price = price_of(sample.resolved.model, catalog)
    return PlannedAsking(
        spec=sample.leg.spec,
        sends_text_to=sample.resolved.endpoint or "",
        requests=len(sample.texts),
        tokens=tokens,
        usd=None if usd is None else usd * tokens / 1e6,
        price=price,
    )


def ask_again(
    sample: Sample,
    decided: dt.datetime,
    treated: Treated,
    workspace: Workspace,
    catalog: Catalog,
    *,
    alone: bool,
    against: str,
    metric: str,
    margin: float,
) -> AskedAgain:
    """Ask and compare; where they differ, another edition begins, and what that does to a search is told.

    Args:
        sample: what for.
        decided: when the kept vectors were made.
        treated: today's data.
        workspace: where vectors are kept.
        catalog: where prices are.
        alone: whether the endpoint's vectors alone decide what is found.
        against: the run that decided.
        metric: its metric.
        margin: of it.

    Raises:
        ProviderError: the endpoint does not answer, or not with vectors.
    """
    encoder = load(sample.resolved, workspace)
    texts = sample.texts
    new = encoder.embed(texts, kind="query")
    old = vectors(sample.resolved, texts, "query", workspace)
    cosines = _cosines(new, old) if new.shape == old.shape else None
    changed = cosines is None or float(cosines.mean()) < SAME
    usd, _ = price_of(sample.resolved.model, catalog)
    tokens = encoder.tokens or None
    found = AskedAgain(
        spec=sample.leg.spec,
        host=sample.resolved.endpoint or "",
        since=decided.date(),
        texts=len(texts),
        cosine=None if cosines is None else float(cosines.mean()),
        lowest=None if cosines is None else float(cosines.min()),
        changed=changed,
        tokens=tokens,
        usd=None if usd is None else usd * (tokens or sum(map(estimated_tokens, texts))) / 1e6,
    )
    if not changed:
        return found
    if not sample.is_former(workspace):  # else it was noticed by an earlier check
        editions.begin(sample.resolved.fingerprint, dt.datetime.now(dt.UTC), workspace.home)
    if cosines is None or not alone or not sample.queries:
        return found
    rows = {text: row for row, text in enumerate(texts)}
    asked = [rows[text] for text in sample.queries.values()]
    now, before = (_scores(sample, made[asked], treated, workspace, metric) for made in (new, old))
    loss = rescored(sample.leg.spec, against, now, before, margin, same=treated.same_queries, worse=True)
    return found.model_copy(update={"loss": loss})


def _kept(texts: Mapping[str, str], resolved: Resolved, kind: encoders.Kind, workspace: Workspace) -> dict[str, str]:
    missing = set(VectorCache(workspace.vectors, resolved.key(kind)).missing(list(texts.values())))
    return {id: text for id, text in texts.items() if text not in missing}


def _first(texts: Iterable[str], most: int) -> list[str]:
    """Some texts in an order that says nothing, the same every time."""
    by_hash = {hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest(): text for text in texts}
    return [by_hash[one] for one in sorted(by_hash)[:most]]


def _cosines(new: Vectors, old: Vectors) -> Vectors:
    lengths = np.linalg.norm(new, axis=1) * np.linalg.norm(old, axis=1)
    cosines: Vectors = (new * old).sum(axis=1) / np.maximum(lengths, np.finfo(np.float32).tiny)
    return cosines


def _scores(sample: Sample, made: Vectors, treated: Treated, workspace: Workspace, metric: str) -> dict[str, float]:
    """Of the sample's queries, by an exact search of the kept documents, as the evaluation scores."""
    ids, texts = list(sample.cached), list(sample.cached.values())
    blocks = (
        finish(block, sample.leg, sample.resolved) for block in stream(sample.resolved, texts, "document", workspace)
    )
    best = retrieval.exact(blocks, finish(made, sample.leg, sample.resolved), min(retrieval.DEPTH, len(ids)))
    found = {
        query: settled(
            [(ids[row], float(score)) for row, score in zip(best.rows[i], best.scores[i], strict=True)],
            treated.own.get(query, frozenset()),
        )
        for i, query in enumerate(sample.queries)
    }
    judgments = {query: dict(treated.dataset.judgments[query]) for query in sample.queries}
    return scoring.score(found, judgments, [metric])[metric]
