"""A candidate's quality: its rankings scored query by query."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from knowledge.candidate import Candidate, Leg
from knowledge.results import MeasuredCandidate, RecallByCut
from knowledge.wording import say
from tools import retrieval
from tools.encoders import Resolved
from tools.evaluate.search import search
from tools.evaluate.session import Searched, Session
from tools.fitness import cut_documents
from tools.metrics import judgments as labels
from tools.metrics import scoring
from tools.preflight import recall_by_cut
from tools.run_store import content_key
from tools.statistics import bootstrap_interval, by_text
from tools.vector_store import VectorStore

#: raised when the method changes in a way that makes earlier measurements incomparable
METHOD = 3


#: so many of a query's documents are kept, to be looked at side by side with another candidate's
SHOWN = 10


class Measured(NamedTuple):
    """What was measured of a candidate.

    Attributes:
        scores: per query, {metric: {query id: score}}.
        rankings: the first documents of each query, {query id: [document id]}.
    """

    candidate: MeasuredCandidate
    scores: dict[str, dict[str, float]]
    rankings: dict[str, list[str]]


def key_of(candidate: Candidate, session: Session, metrics: Sequence[str]) -> str:
    """Identity of a measurement: everything that decides its result."""
    legs = [session.resolved[leg] for leg in candidate.legs if leg in session.resolved]
    return content_key(
        method=METHOD,
        spec=candidate.spec,
        encoders=[leg.fingerprint for leg in legs],
        prompts=[leg.prompts for leg in legs],
        normalise=[leg.normalise for leg in legs],
        dataset=session.dataset.summary.hash,
        metrics=list(metrics),
        depth=session.depth,
    )


def again(run_id: str, payload: dict[str, Any]) -> MeasuredCandidate:
    """A measurement found in the run store: it cost nothing this time."""
    earlier = MeasuredCandidate.model_validate(payload)
    return earlier.model_copy(
        update={
            "encode_seconds": 0.0,
            "encoded_texts": 0,
            "cached_texts": earlier.encoded_texts + earlier.cached_texts,
            "notes": (*earlier.notes, say("measured before, in {run}", run=run_id)),
        }
    )


def measure(
    candidate: Candidate,
    key: str,
    session: Session,
    store: VectorStore | None,
    judgments: Mapping[str, Mapping[str, int]],
    metrics: Sequence[str],
) -> Measured:
    """One candidate's quality, query by query."""
    for leg in candidate.legs:
        if leg not in session.legs:
            session.legs[leg] = search(leg, session, store)
    searched = {leg: session.legs[leg] for leg in candidate.legs}
    rankings = retrieval.rank(candidate, {leg: s.rankings for leg, s in searched.items()}, session.depth)
    ids = list(session.dataset.documents)
    own, ties = session.treated.own, isinstance(candidate, Leg)  # a fusion has an order for equal scores
    by_query = {
        query: labels.settled(
            [(ids[row], score) for row, score in zip(rows, scores, strict=True) if row >= 0],
            own.get(query, frozenset()),
            break_ties=ties,
        )
        for query, rows, scores in zip(session.queries, rankings.rows.tolist(), rankings.scores.tolist(), strict=True)
    }
    scores = scoring.score(by_query, judgments, metrics)
    legs = [session.resolved[leg] for leg in candidate.legs if leg in session.resolved]
    measured = _record(candidate, key, legs, list(searched.values()), scores, session, metrics[0])
    judged_only = scoring.score(labels.condensed(by_query, judgments), judgments, metrics[:1])[metrics[0]]
    found = {
        "unjudged": labels.unjudged_share(by_query, judgments),
        "condensed": sum(judged_only.values()) / len(judged_only),
        "recall_by_cut": _recall_by_cut(candidate, session, by_query, judgments),
    }
    first = {query: [document for document, _ in ranked[:SHOWN]] for query, ranked in by_query.items()}
    return Measured(measured.model_copy(update=found), scores, first)


def _recall_by_cut(
    candidate: Candidate,
    session: Session,
    by_query: Mapping[str, Sequence[tuple[str, float]]],
    judgments: Mapping[str, Mapping[str, int]],
) -> RecallByCut | None:
    """Whether what the model cuts off is missed; not for fusions, whose legs cut differently."""
    if not isinstance(candidate, Leg) or candidate not in session.checked:
        return None
    resolved = session.resolved[candidate]
    identity = resolved.identity
    if identity not in session.cuts:
        relevant = {d for judged in judgments.values() for d, grade in judged.items() if grade > 0}
        texts = {d: session.dataset.documents[d] for d in relevant}
        session.cuts[identity] = cut_documents(resolved, session.checked[candidate], texts, session.workspace)
    is_cut = session.cuts[identity]
    if is_cut is None:
        return None
    rankings = {query: [document for document, _ in ranked] for query, ranked in by_query.items()}
    return recall_by_cut(rankings, judgments, is_cut, k=10)


def _record(
    candidate: Candidate,
    key: str,
    legs: Sequence[Resolved],
    searched: Sequence[Searched],
    scores: Mapping[str, Mapping[str, float]],
    session: Session,
    primary: str,
) -> MeasuredCandidate:
    import numpy as np

    tried = [session.checked[leg].tokens for leg in candidate.legs if leg in session.checked]
    tokens = [count for count in (*(s.cost.tokens for s in searched), *tried) if count is not None]
    dimensions = [s.dimension for s in searched if s.dimension is not None]
    metrics = {name: float(np.mean(list(values.values()))) for name, values in scores.items()}
    interval = bootstrap_interval(np.array(list(by_text(scores[primary], session.treated.same_queries).values())))
    return MeasuredCandidate(
        spec=candidate.spec,
        key=key,
        model=legs[0].model if len(legs) == 1 else None,
        revision=legs[0].revision if len(legs) == 1 else None,
        metrics=metrics,
        interval=interval.model_copy(update={"mean": metrics[primary]}),
        dimension=sum(dimensions) if dimensions else None,
        encode_seconds=round(sum(s.cost.seconds for s in searched), 3),
        encoded_texts=sum(s.cost.encoded for s in searched),
        cached_texts=sum(s.cost.cached for s in searched),
        index_seconds=round(sum(s.index_seconds for s in searched), 3),
        search_seconds=round(sum(s.search_seconds for s in searched), 3),
        tokens=sum(tokens) if tokens else None,
        notes=tuple(note for note in (*(leg.note for leg in legs), *(s.note for s in searched)) if note),
    )
