"""Measure candidates on the user's data: encode, search in Milvus, score each query."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from knowledge.candidate import Candidate, Leg, parse_candidate
from knowledge.dataset import Dataset
from knowledge.errors import AdvisorError, ConsentNeeded, DatasetError, ProviderError
from knowledge.progress import Meter, OnProgress, ignore
from knowledge.results import Consent, Evaluation, FailedCandidate, MeasuredCandidate
from knowledge.wording import Text, say
from tools import encoders, hub, retrieval
from tools.bm25 import BM25Index
from tools.encoders import Resolved
from tools.encoding import Encoded, encode
from tools.metrics import scoring
from tools.run_store import RunStore, content_key, new_run_id
from tools.statistics import bootstrap_interval
from tools.vector_store import VectorStore
from tools.workspace import Workspace

#: raised when the method changes in a way that makes earlier measurements incomparable
METHOD = 1
#: documents ranked per query: enough for every metric offered by default
DEPTH = 100
NO_CONSENT = Consent()


@dataclass(frozen=True)
class _Searched:
    """One leg, searched: its rankings and what they cost."""

    rankings: retrieval.Rankings
    dimension: int | None = None
    encoded: tuple[Encoded, ...] = ()
    cached_texts: int = 0
    index_seconds: float = 0.0
    search_seconds: float = 0.0


@dataclass
class _Session:
    """What one evaluation has at hand; legs shared by several candidates are searched once."""

    dataset: Dataset
    queries: dict[str, str]
    workspace: Workspace
    store: VectorStore
    meter: Meter
    resolved: dict[Leg, Resolved]
    legs: dict[Leg, _Searched] = field(default_factory=dict)
    encoded: dict[str, tuple[Encoded, Encoded]] = field(default_factory=dict)


def evaluate(
    dataset: Dataset,
    candidates: Sequence[str],
    workspace: Workspace,
    *,
    metrics: Sequence[str] = scoring.DEFAULT,
    consent: Consent = NO_CONSENT,
    on_progress: OnProgress = ignore,
) -> Evaluation:
    """Measure each candidate over all queries that have at least one relevant document.

    Args:
        dataset: documents, queries and judgments.
        candidates: specs.
        workspace: caches, keys, Milvus.
        metrics: names as ir-measures prints them; the first is the primary one, on which candidates are compared.
        consent: what may be downloaded and sent.
        on_progress: told how far it has come, in characters encoded.

    A candidate that fails is listed in `failed` with its reason and the others go on.

    Raises:
        SpecError, UserError: a spec or metric that does not exist (before anything is spent).
        DatasetError: no documents, or no query has a relevant document.
        AdvisorError: the failure of the first candidate, when every one failed.
    """
    scoring.check_metrics(metrics)
    parsed = list(dict.fromkeys(parse_candidate(spec) for spec in candidates))
    for candidate in parsed:
        retrieval.check(candidate)
    judgments = _judged(dataset)
    queries = {q: dataset.queries[q] for q in judgments}
    started = dt.datetime.now(dt.UTC)
    run_id = new_run_id("evaluation", started)
    failures: dict[Candidate, AdvisorError] = {}
    resolved = _resolve(parsed, workspace, consent, failures)
    measured: list[MeasuredCandidate] = []
    runs = RunStore(workspace.store)
    try:
        with VectorStore(workspace) as store:
            meter = _meter(parsed, failures, resolved, dataset, queries, on_progress)
            session = _Session(dataset, queries, workspace, store, meter, resolved)
            for candidate in parsed:
                if candidate in failures:
                    continue
                try:
                    measured.append(_measure(candidate, session, judgments, metrics, runs, run_id))
                except AdvisorError as error:
                    failures[candidate] = error
        if not measured:
            raise next(iter(failures.values()))
        evaluation = Evaluation(
            run_id=run_id,
            started=started,
            dataset=dataset.summary,
            primary=metrics[0],
            candidates=tuple(measured),
            failed=tuple(_failed(candidate.spec, error) for candidate, error in failures.items()),
            store=runs.name,
            judged_queries=len(judgments),
        )
        runs.save_run(run_id, "evaluation", evaluation.model_dump(mode="json"), dt.datetime.now(dt.UTC))
    finally:
        runs.close()
    return evaluation


def query_scores(evaluation: Evaluation, workspace: Workspace) -> dict[str, dict[str, float]]:
    """Per-query scores in the primary metric, as the run store kept them: {spec: {query id: score}}."""
    runs = RunStore(workspace.store)
    try:
        return {c.spec: runs.query_scores(c.key, evaluation.primary) for c in evaluation.candidates}
    finally:
        runs.close()


def _judged(dataset: Dataset) -> dict[str, dict[str, int]]:
    """The judgments that can be scored: of known queries with at least one relevant document."""
    if not dataset.documents:
        raise DatasetError(
            say("The dataset {name} has no documents.", name=dataset.summary.name),
            say("See “Your data” in the README for the forms that are read."),
        )
    judgments = {q: j for q, j in dataset.judgments.items() if q in dataset.queries and any(g > 0 for g in j.values())}
    if not judgments:
        raise DatasetError(
            say(
                "The dataset {name} has no query with a relevant document, so quality cannot be measured.",
                name=dataset.summary.name,
            ),
            say("Add judgments (qrels.tsv: query-id, doc-id, grade); 50 queries are a start, 300 are good."),
        )
    return judgments


def _resolve(
    parsed: Sequence[Candidate], workspace: Workspace, consent: Consent, failures: dict[Candidate, AdvisorError]
) -> dict[Leg, Resolved]:
    """Find every encoder, downloading what may be downloaded; what cannot be had fails its candidates only."""
    found: dict[Leg, Resolved] = {}
    for candidate in parsed:
        try:
            for leg in candidate.legs:
                if leg.backend != "bm25" and leg not in found:
                    found[leg] = _obtain(encoders.resolve(leg, workspace), leg, workspace, consent)
        except AdvisorError as error:
            failures[candidate] = error
    return found


def _obtain(resolved: Resolved, leg: Leg, workspace: Workspace, consent: Consent) -> Resolved:
    if resolved.endpoint and resolved.endpoint not in consent.hosts:
        raise ConsentNeeded(
            say("{spec} would send your texts to {host}.", spec=resolved.spec, host=resolved.endpoint),
            say("Agree to it with --send-to {host}.", host=resolved.endpoint),
        )
    if resolved.on_disk:
        return resolved
    if not consent.download:
        raise ConsentNeeded(
            say(
                "{spec} has to be downloaded first ({size} GB).",
                spec=resolved.spec,
                size=round((resolved.download_bytes or 0) / 1e9, 2),
            ),
            say("Agree to it with --download."),
        )
    hub.download(resolved.model, resolved.revision or "main", workspace)
    return encoders.resolve(leg, workspace)


def _meter(
    parsed: Sequence[Candidate],
    failures: Mapping[Candidate, AdvisorError],
    resolved: Mapping[Leg, Resolved],
    dataset: Dataset,
    queries: Mapping[str, str],
    on_progress: OnProgress,
) -> Meter:
    """Counts characters to encode: each distinct encoder reads all documents and queries once."""
    legs = {leg for c in parsed if c not in failures for leg in c.legs if leg in resolved}
    keys = {resolved[leg].fingerprint: leg for leg in legs}
    characters = sum(map(len, set(dataset.documents.values()))) + sum(map(len, set(queries.values())))
    return Meter("evaluate", say("Encoding and searching"), max(len(keys) * characters, 1), on_progress)


def _measure(
    candidate: Candidate,
    session: _Session,
    judgments: Mapping[str, Mapping[str, int]],
    metrics: Sequence[str],
    runs: RunStore,
    run_id: str,
) -> MeasuredCandidate:
    """One candidate's quality: from the run store when the same was measured before, else searched and kept."""
    legs = [session.resolved[leg] for leg in candidate.legs if leg in session.resolved]
    key = content_key(
        method=METHOD,
        spec=candidate.spec,
        encoders=[leg.fingerprint for leg in legs],
        prompts=[leg.prompts for leg in legs],
        dataset=session.dataset.summary.hash,
        metrics=list(metrics),
        depth=DEPTH,
    )
    known = runs.measurement(key)
    if known:
        earlier = MeasuredCandidate.model_validate(known[1])
        texts = earlier.encoded_texts + earlier.cached_texts
        note = say("measured before, in {run}", run=known[0])
        return earlier.model_copy(
            update={"encode_seconds": 0.0, "encoded_texts": 0, "cached_texts": texts, "notes": (*earlier.notes, note)}
        )
    searched = [_search(leg, session) for leg in candidate.legs]
    rankings = retrieval.rank(
        candidate, {leg: s.rankings for leg, s in zip(candidate.legs, searched, strict=True)}, DEPTH
    )
    ids = list(session.dataset.documents)
    by_query = {
        query: [(ids[row], score) for row, score in zip(rows, scores, strict=True)]
        for query, rows, scores in zip(session.queries, rankings.rows.tolist(), rankings.scores.tolist(), strict=True)
    }
    scores = scoring.score(by_query, judgments, metrics)
    measured = _record(candidate, key, legs, searched, scores, metrics[0])
    runs.save_measurement(key, "quality", candidate.spec, run_id, measured.model_dump(mode="json"), scores)
    return measured


def _record(
    candidate: Candidate,
    key: str,
    legs: Sequence[Resolved],
    searched: Sequence[_Searched],
    scores: Mapping[str, Mapping[str, float]],
    primary: str,
) -> MeasuredCandidate:
    import numpy as np

    encoded = [e for s in searched for e in s.encoded]
    tokens = [e.tokens for e in encoded if e.tokens is not None]
    dimensions = [s.dimension for s in searched if s.dimension is not None]
    return MeasuredCandidate(
        spec=candidate.spec,
        key=key,
        model=legs[0].model if len(legs) == 1 else None,
        revision=legs[0].revision if len(legs) == 1 else None,
        metrics={name: float(np.mean(list(values.values()))) for name, values in scores.items()},
        interval=bootstrap_interval(np.array(list(scores[primary].values()))),
        dimension=sum(dimensions) if dimensions else None,
        encode_seconds=round(sum(e.seconds for e in encoded), 3),
        encoded_texts=sum(e.encoded for e in encoded),
        cached_texts=sum(s.cached_texts for s in searched),
        index_seconds=round(sum(s.index_seconds for s in searched), 3),
        search_seconds=round(sum(s.search_seconds for s in searched), 3),
        tokens=sum(tokens) if tokens else None,
        notes=tuple(leg.note for leg in legs if leg.note),
    )


def _search(leg: Leg, session: _Session) -> _Searched:
    if leg not in session.legs:
        session.legs[leg] = _search_bm25(leg, session) if leg.backend == "bm25" else _search_dense(leg, session)
    return session.legs[leg]


def _search_bm25(leg: Leg, session: _Session) -> _Searched:
    begun = time.perf_counter()
    index = BM25Index(list(session.dataset.documents.values()), leg)
    indexed = time.perf_counter()
    rankings = retrieval.Rankings(*index.search(list(session.queries.values()), DEPTH))
    return _Searched(rankings, index_seconds=indexed - begun, search_seconds=time.perf_counter() - indexed)


def _search_dense(leg: Leg, session: _Session) -> _Searched:
    documents, queries = _encode(session.resolved[leg], session)
    dimension = encoders.dimension_of(leg)
    full = documents.vectors.shape[1]
    if dimension is not None and dimension > full:
        raise ProviderError(
            say(
                "{spec} asks for {wanted} dimensions, but the model has {has}.",
                spec=leg.spec,
                wanted=dimension,
                has=full,
            ),
            say("Ask for at most {has}.", has=full),
        )
    stored = encoders.cut(documents.vectors, dimension)
    asked = encoders.cut(queries.vectors, dimension)
    begun = time.perf_counter()
    with session.store.collection(stored) as collection:
        indexed = time.perf_counter()
        rankings = retrieval.Rankings(*collection.search(asked, min(DEPTH, len(stored))))
        done = time.perf_counter()
    return _Searched(
        rankings,
        dimension=stored.shape[1],
        encoded=(documents, queries),
        cached_texts=len(documents.vectors) + len(queries.vectors) - documents.encoded - queries.encoded,
        index_seconds=indexed - begun,
        search_seconds=done - indexed,
    )


def _encode(resolved: Resolved, session: _Session) -> tuple[Encoded, Encoded]:
    """Documents and queries of one encoder; candidates that differ in their dimension share them."""
    key = resolved.key("document") + resolved.key("query")
    if key not in session.encoded:
        documents = encode(
            resolved, list(session.dataset.documents.values()), "document", session.workspace, session.meter.advance
        )
        queries = encode(resolved, list(session.queries.values()), "query", session.workspace, session.meter.advance)
        session.encoded[key] = documents, queries
    return session.encoded[key]


def _failed(spec: str, error: AdvisorError) -> FailedCandidate:
    return FailedCandidate(spec=spec, reason=error.cause, next_step=error.next_step)


def describe_method(evaluation: Evaluation) -> Text:
    """How it was measured, in one sentence."""
    return say(
        "{queries} queries over {documents} documents, {depth} documents ranked per query by exact search in Milvus.",
        queries=evaluation.judged_queries,
        documents=evaluation.dataset.documents,
        depth=DEPTH,
    )
