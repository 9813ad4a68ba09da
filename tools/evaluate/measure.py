"""A candidate's quality: its rankings scored query by query."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from knowledge.candidate import Candidate, Leg
from knowledge.results import IndexGap, MeasuredCandidate, RecallByCut
from knowledge.results.usage import together
from knowledge.wording import Text, say
from tools import retrieval
from tools.encoders import Resolved
from tools.evaluate.index_gap import index_gap
from tools.evaluate.rerank import Reranker, Scored
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


#: raised when `tools.bm25` reads texts in other languages than English otherwise
BM25_READING = 2

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
    by_words = any(leg.backend == "bm25" for leg in candidate.legs)
    # English is read as it always was
    words = {"words": [BM25_READING, session.words]} if by_words and session.words not in (None, "en") else {}
    return content_key(
        **words,
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
    by_query, searched, reranker = ranked(candidate, session, store)
    scores = scoring.score(by_query, judgments, metrics)
    legs = [session.resolved[leg] for leg in candidate.legs if leg in session.resolved]
    measured = record(candidate, key, legs, list(searched.values()), scores, session, metrics[0], reranker.scored)
    judged_only = scoring.score(labels.condensed(by_query, judgments), judgments, metrics[:1])[metrics[0]]
    found = {
        "unjudged": labels.unjudged_share(by_query, judgments),
        "condensed": sum(judged_only.values()) / len(judged_only),
        "recall_by_cut": _recall_by_cut(candidate, session, by_query, judgments),
        "index_gap": _index_gap(candidate, session, scores[metrics[0]], judgments, metrics[0]),
    }
    first = {query: [document for document, _ in ranked[:SHOWN]] for query, ranked in by_query.items()}
    return Measured(measured.model_copy(update=found), scores, first)


def ranked(
    candidate: Candidate, session: Session, store: VectorStore | None
) -> tuple[dict[str, labels.Ranking], dict[Leg, Searched], Reranker]:
    """What a candidate finds for each query, and what found it; no leg is searched twice."""
    for leg in candidate.searched:
        if leg not in session.legs:
            session.legs[leg] = search(leg, session, store)
    searched = {leg: session.legs[leg] for leg in candidate.searched}
    reranker = Reranker(session)
    rankings = retrieval.rank(candidate, {leg: s.rankings for leg, s in searched.items()}, session.depth, reranker)
    by_query = _by_query(candidate, rankings, session)
    return by_query, searched, reranker


def _by_query(candidate: Candidate, rankings: retrieval.Rankings, session: Session) -> dict[str, labels.Ranking]:
    """Documents and scores of each query, best first, as they are scored."""
    ids = list(session.dataset.documents)
    own, ties = session.treated.own, isinstance(candidate, Leg)  # a fusion has an order for equal scores
    return {
        query: labels.settled(
            [(ids[row], score) for row, score in zip(rows, scores, strict=True) if row >= 0],
            own.get(query, frozenset()),
            break_ties=ties,
        )
        for query, rows, scores in zip(session.queries, rankings.rows.tolist(), rankings.scores.tolist(), strict=True)
    }


def _index_gap(
    candidate: Candidate,
    session: Session,
    scores: Mapping[str, float],
    judgments: Mapping[str, Mapping[str, int]],
    primary: str,
) -> IndexGap | None:
    """What the index loses; not for several legs, of which each has its own."""
    if not isinstance(candidate, Leg):
        return None
    searched = session.legs[candidate]
    if searched.exact is None:
        return None
    exact = scoring.score(_by_query(candidate, searched.exact, session), judgments, [primary])[primary]
    return index_gap(
        candidate,
        searched.rankings,
        searched.exact,
        scores,
        exact,
        len(session.documents(candidate)),
        session.treated.same_queries,
    )


def _recall_by_cut(
    candidate: Candidate,
    session: Session,
    by_query: Mapping[str, Sequence[tuple[str, float]]],
    judgments: Mapping[str, Mapping[str, int]],
) -> RecallByCut | None:
    """Whether what the model cuts off is missed; not for several legs, which cut differently, nor for chunks."""
    if not isinstance(candidate, Leg) or candidate not in session.checked or session.chunks(candidate):
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


def record(
    candidate: Candidate,
    key: str,
    legs: Sequence[Resolved],
    searched: Sequence[Searched],
    scores: Mapping[str, Mapping[str, float]],
    session: Session,
    primary: str,
    scored: Sequence[Scored] = (),
) -> MeasuredCandidate:
    """The measurement as it is kept, from the scores of what was scored."""
    import numpy as np

    checked = [session.checked[leg] for leg in candidate.legs if leg in session.checked]
    costs = [*(s.cost for s in searched), *(s.cost for s in scored)]
    tokens = [count for count in (*(of.tokens for of in costs), *(of.tokens for of in checked)) if count is not None]
    one_endpoint = sum(not leg.local for leg in legs) == 1
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
        encode_seconds=round(sum(cost.seconds for cost in costs), 3),
        encoded_texts=sum(cost.encoded for cost in costs),
        cached_texts=sum(cost.cached for cost in costs),
        index_seconds=round(sum(s.index_seconds for s in searched), 3),
        search_seconds=round(sum(s.search_seconds for s in searched), 3),
        pairs=sum(s.pairs for s in scored),
        tokens=sum(tokens) if tokens else None,
        # what two endpoints count is no one's length of a text
        usage=together([*(dict(of.usage) for of in costs), *(of.usage for of in checked)]) if one_endpoint else {},
        notes=(
            *(leg.note for leg in legs if leg.note),
            *(note for s in searched for note in s.notes),
            *(note for s in scored for note in s.notes),
            *_chunk_notes(candidate, session),
        ),
    )


def _chunk_notes(candidate: Candidate, session: Session) -> list[Text]:
    """Into how many chunks the legs cut the documents."""
    cut = {leg: chunks for leg in candidate.legs if (chunks := session.chunks(leg)) is not None}
    return [
        say(
            "{spec} cuts the {documents} documents into {chunks} chunks.",
            spec=leg.spec,
            documents=len(session.dataset.documents),
            chunks=len(chunks.texts),
        )
        for leg, chunks in cut.items()
    ]
