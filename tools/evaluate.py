"""Measure candidates on the user's data: encode, search in Milvus, score each query."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, field
from importlib import import_module
from threading import Thread
from typing import Any

from knowledge.candidate import Candidate, Leg
from knowledge.dataset import Dataset
from knowledge.errors import AdvisorError, ConsentNeeded, DatasetError
from knowledge.progress import Meter, OnProgress, Progress, ignore
from knowledge.results import Consent, Evaluation, FailedCandidate, MeasuredCandidate, Preflight, RecallByCut
from knowledge.wording import Text, say
from tools import encoders, hub, retrieval
from tools.bm25 import BM25Index
from tools.encoders import Kind, Resolved
from tools.encoding import Cost, ensure, stream, vectors
from tools.fitness import cut_documents, examine, unfit
from tools.metrics import judgments as labels
from tools.metrics import scoring
from tools.preflight import recall_by_cut
from tools.run_store import RunStore, content_key, new_run_id
from tools.statistics import bootstrap_interval, by_text
from tools.vector_store import VectorStore
from tools.workspace import Workspace

#: raised when the method changes in a way that makes earlier measurements incomparable
METHOD = 3
#: documents ranked per query, unless a metric's cut-off asks for more
DEPTH = 100
NO_CONSENT = Consent()
KINDS: tuple[Kind, Kind] = ("document", "query")


@dataclass(frozen=True)
class _Searched:
    """One leg, searched: its rankings and what they cost."""

    rankings: retrieval.Rankings
    dimension: int | None = None
    cost: Cost = field(default_factory=Cost)
    index_seconds: float = 0.0
    search_seconds: float = 0.0
    note: Text | None = None


@dataclass
class _Session:
    """What one evaluation has at hand; legs shared by several candidates are encoded and searched once."""

    treated: labels.Treated
    queries: dict[str, str]
    workspace: Workspace
    resolved: dict[Leg, Resolved]
    depth: int
    costs: dict[str, Cost] = field(default_factory=dict)
    legs: dict[Leg, _Searched] = field(default_factory=dict)
    checked: dict[Leg, Preflight] = field(default_factory=dict)
    cuts: dict[str, dict[str, bool] | None] = field(default_factory=dict)

    @property
    def dataset(self) -> Dataset:
        return self.treated.dataset

    def texts(self, kind: Kind) -> list[str]:
        return list((self.dataset.documents if kind == "document" else self.queries).values())


def evaluate(
    dataset: Dataset,
    candidates: Sequence[str],
    workspace: Workspace,
    *,
    metrics: Sequence[str] = scoring.DEFAULT,
    consent: Consent = NO_CONSENT,
    preflight: bool = True,
    on_progress: OnProgress = ignore,
) -> Evaluation:
    """Measure each candidate over all queries that have at least one relevant document.

    Args:
        dataset: documents, queries and judgments.
        candidates: specs.
        workspace: caches, keys, Milvus.
        metrics: names as ir-measures prints them; the first is the primary one, on which candidates are compared.
        consent: what may be downloaded and sent.
        preflight: look at each encoder on a small sample first, and leave out those whose figures would mean nothing.
        on_progress: told how far it has come, in characters encoded.

    A candidate that fails is listed in `failed` with its reason and the others go on.

    Raises:
        SpecError, UserError: no candidate, or a spec or metric that does not exist (before anything is spent).
        DatasetError: no documents, or no query has a relevant document.
        AdvisorError: the failure of the first candidate, when every one failed.
    """
    scoring.check_metrics(metrics)
    parsed = retrieval.parse(candidates)
    treated = labels.treat(dataset)
    dataset = treated.dataset
    judgments = _judged(dataset)
    queries = {q: dataset.queries[q] for q in judgments}
    started = dt.datetime.now(dt.UTC)
    run_id = new_run_id("evaluation", started)
    failures: dict[Candidate, AdvisorError] = {}
    resolved = _resolve(parsed, workspace, consent, failures)
    session = _Session(treated, queries, workspace, resolved, max(DEPTH, scoring.depth_of(metrics)))
    runs = RunStore(workspace.store)
    try:
        keys = {c: _key(c, session, metrics) for c in parsed if c not in failures}
        known = {c: earlier for c, key in keys.items() if (earlier := runs.measurement(key))}
        if preflight:
            _check(list(keys), set(known), session, runs, run_id, failures, on_progress)
        _encode([c for c in keys if c not in known and c not in failures], session, failures, on_progress)
        found = {candidate: _again(*earlier) for candidate, earlier in known.items() if candidate not in failures}
        missing = [c for c in keys if c not in known and c not in failures]
        # opened only now: Milvus Lite complains about clients that idle while models encode
        with _store_for(missing, session) as store:
            for candidate in missing:
                try:
                    new, scores = _measure(candidate, keys[candidate], session, store, judgments, metrics)
                except AdvisorError as error:
                    failures[candidate] = error
                    continue
                payload = new.model_dump(mode="json")
                runs.save_measurement(new.key, "quality", new.spec, run_id, payload, scores)
                found[candidate] = new
        if not found:
            raise next(failures[c] for c in parsed if c in failures)
        evaluation = Evaluation(
            run_id=run_id,
            started=started,
            dataset=dataset.summary,
            primary=metrics[0],
            candidates=tuple(found[c] for c in parsed if c in found),
            failed=tuple(_failed(c.spec, failures[c]) for c in parsed if c in failures),
            store=runs.name,
            judged_queries=len(judgments),
            notes=labels.notes(treated),
            warnings=labels.warnings([found[c] for c in parsed if c in found], treated, metrics[0]),
            same_queries=treated.same_queries,
            preflight=tuple(session.checked.values()),
        )
        runs.save_run(run_id, "evaluation", evaluation.model_dump(mode="json"), dt.datetime.now(dt.UTC))
    finally:
        runs.close()
    return evaluation


def check_first(
    dataset: Dataset,
    candidates: Sequence[str],
    workspace: Workspace,
    consent: Consent = NO_CONSENT,
    on_progress: OnProgress = ignore,
) -> tuple[tuple[Preflight, ...], tuple[FailedCandidate, ...]]:
    """The preflight of `evaluate` by itself: what was found, and the candidates that are not fit to be measured.

    Raises:
        SpecError, UserError: as `evaluate`.
        AdvisorError: why the first candidate is not fit, when none is.
    """
    parsed = retrieval.parse(candidates)
    treated = labels.treat(dataset)
    resolved = _resolve(parsed, workspace, consent, {})
    session = _Session(treated, dict(treated.dataset.queries), workspace, resolved, DEPTH)
    failures: dict[Candidate, AdvisorError] = {}
    runs = RunStore(workspace.store)
    try:
        run_id = new_run_id("preflight", dt.datetime.now(dt.UTC))
        _check(parsed, set(), session, runs, run_id, failures, on_progress)
    finally:
        runs.close()
    if len(failures) == len(parsed):
        raise failures[parsed[0]]
    return tuple(session.checked.values()), tuple(_failed(c.spec, error) for c, error in failures.items())


def query_scores(evaluation: Evaluation, workspace: Workspace) -> dict[str, dict[str, float]]:
    """Per-query scores in the primary metric, as the run store kept them: {spec: {query id: score}}."""
    runs = RunStore(workspace.store)
    try:
        return {c.spec: runs.query_scores(c.key, evaluation.primary) for c in evaluation.candidates}
    finally:
        runs.close()


def _judged(dataset: Dataset) -> dict[str, dict[str, int]]:
    """The judgments that can be scored: of known queries and documents, where at least one document is relevant."""
    if not dataset.documents:
        raise DatasetError(
            say("The dataset {name} has no documents.", name=dataset.summary.name),
            say("See “Your data” in the README for the forms that are read."),
        )
    known = {
        query: {document: grade for document, grade in judged.items() if document in dataset.documents}
        for query, judged in dataset.judgments.items()
        if query in dataset.queries
    }
    judgments = {query: judged for query, judged in known.items() if any(grade > 0 for grade in judged.values())}
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
                    found[leg] = obtain(encoders.resolve(leg, workspace), leg, workspace, consent)
        except AdvisorError as error:
            failures[candidate] = error
    return found


def obtain(resolved: Resolved, leg: Leg, workspace: Workspace, consent: Consent) -> Resolved:
    """The encoder ready to use: agreed to where it is an endpoint, downloaded where it must and may be."""
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
    hub.download(resolved.model, leg.revision, workspace)
    return encoders.resolve(leg, workspace)


def _key(candidate: Candidate, session: _Session, metrics: Sequence[str]) -> str:
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


def _check(
    candidates: Sequence[Candidate],
    known: AbstractSet[Candidate],
    session: _Session,
    runs: RunStore,
    run_id: str,
    failures: dict[Candidate, AdvisorError],
    on_progress: OnProgress,
) -> None:
    """Look at each encoder before its first document is encoded; candidates that are not fit are left out.

    Of those `known`, measured before, nothing new is looked at.
    """
    legs = {leg for c in candidates if c not in known for leg in c.legs if leg in session.resolved}
    meter = Meter("evaluate", say("Checking"), max(len(legs), 1), on_progress)
    session.checked = examine(
        session.resolved,
        legs,
        session.dataset,
        session.workspace,
        runs,
        run_id,
        meter.advance,
    )
    for candidate in candidates:
        reason = unfit(candidate, session.checked)
        if reason:
            failures[candidate] = reason


def _encode(
    candidates: Sequence[Candidate],
    session: _Session,
    failures: dict[Candidate, AdvisorError],
    on_progress: OnProgress,
) -> None:
    """Encode everything for everyone; each distinct encoder reads all documents and queries once.

    An encoder that fails fails the candidates that use it, and no others.
    """
    users: dict[str, list[Candidate]] = {}
    encoders_: dict[str, Resolved] = {}
    for candidate in candidates:
        for leg in candidate.legs:
            if leg in session.resolved:
                found = session.resolved[leg]
                encoders_[_identity(found)] = found
                users.setdefault(_identity(found), []).append(candidate)
    texts: dict[Kind, list[str]] = {kind: session.texts(kind) for kind in KINDS}
    characters = sum(len(text) for of in texts.values() for text in set(of))
    total = max(len(encoders_) * characters, 1)
    meter = Meter("evaluate", say("Encoding"), total, on_progress)
    # beside the child, which spends its first seconds on imports too, with one core
    ahead = Thread(target=_import_ahead, daemon=True)
    if encoders_:
        ahead.start()
    for identity, resolved in encoders_.items():
        if all(candidate in failures for candidate in users[identity]):
            meter.advance(characters)  # another leg of theirs has failed already
            continue
        begun = time.monotonic()

        def wait(resolved: Resolved = resolved, begun: float = begun) -> None:
            label = say("Waiting for another evaluation that encodes with {spec}", spec=resolved.spec)
            elapsed = round(time.monotonic() - begun, 2)
            on_progress(Progress(stage="evaluate", label=label, done=meter.done, total=total, elapsed_seconds=elapsed))

        try:
            session.costs[identity] = ensure(resolved, texts, session.workspace, meter.advance, wait)
        except AdvisorError as error:
            failures.update(dict.fromkeys(users[identity], error))
    if encoders_:
        ahead.join()  # two threads that import parts of scipy at once can break it


def _import_ahead() -> None:
    """Load what comes after encoding while somebody else encodes."""
    for name in ("pymilvus", "milvus_lite.adapter.grpc.server", "scipy.stats", "ir_measures"):
        with suppress(ImportError):
            import_module(name)


def _identity(resolved: Resolved) -> str:
    return resolved.key("document") + resolved.key("query")


def _again(run_id: str, payload: dict[str, Any]) -> MeasuredCandidate:
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


def _measure(
    candidate: Candidate,
    key: str,
    session: _Session,
    store: VectorStore | None,
    judgments: Mapping[str, Mapping[str, int]],
    metrics: Sequence[str],
) -> tuple[MeasuredCandidate, dict[str, dict[str, float]]]:
    """One candidate's quality and its per-query scores."""
    for leg in candidate.legs:
        if leg not in session.legs:
            session.legs[leg] = _search_bm25(leg, session) if leg.backend == "bm25" else _search(leg, session, store)
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
    return measured.model_copy(update=found), scores


def _recall_by_cut(
    candidate: Candidate,
    session: _Session,
    by_query: Mapping[str, Sequence[tuple[str, float]]],
    judgments: Mapping[str, Mapping[str, int]],
) -> RecallByCut | None:
    """Whether what the model cuts off is missed; not for fusions, whose legs cut differently."""
    if not isinstance(candidate, Leg) or candidate not in session.checked:
        return None
    resolved = session.resolved[candidate]
    identity = _identity(resolved)
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
    searched: Sequence[_Searched],
    scores: Mapping[str, Mapping[str, float]],
    session: _Session,
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


def _search_bm25(leg: Leg, session: _Session) -> _Searched:
    begun = time.perf_counter()
    index = BM25Index(session.texts("document"), leg)
    indexed = time.perf_counter()
    rankings = retrieval.Rankings(*index.search(session.texts("query"), session.depth))
    return _Searched(rankings, index_seconds=indexed - begun, search_seconds=time.perf_counter() - indexed)


def _store_for(candidates: Sequence[Candidate], session: _Session) -> AbstractContextManager[VectorStore | None]:
    """Milvus, where a candidate has vectors to search."""
    dense = any(leg in session.resolved for candidate in candidates for leg in candidate.legs)
    return VectorStore(session.workspace) if dense else nullcontext()


def _search(leg: Leg, session: _Session, store: VectorStore | None) -> _Searched:
    assert store
    resolved = session.resolved[leg]
    documents = session.texts("document")
    asked = encoders.finish(vectors(resolved, session.texts("query"), "query", session.workspace), leg, resolved)
    size, dimension = len(documents), asked.shape[1]
    parts = (
        encoders.finish(part, leg, resolved) for part in stream(resolved, documents, "document", session.workspace)
    )
    begun = indexed = time.perf_counter()
    note = None
    if store.holds(size, dimension):
        with store.streamed(parts, size, dimension) as collection:
            indexed = time.perf_counter()
            rankings = retrieval.Rankings(*collection.search(asked, session.depth))
            done = time.perf_counter()
    else:
        note = say(
            "{rows} vectors of {dimension} numbers are more than Milvus Lite can hold in little memory: they were "
            "searched exactly without it, block by block. A Milvus server (MILVUS_URI) takes them all.",
            rows=size,
            dimension=dimension,
        )
        rankings = retrieval.exact(parts, asked, session.depth)
        done = time.perf_counter()
    return _Searched(
        rankings,
        dimension=dimension,
        cost=session.costs[_identity(resolved)],
        index_seconds=indexed - begun,
        search_seconds=done - indexed,
        note=note,
    )


def _failed(spec: str, error: AdvisorError) -> FailedCandidate:
    return FailedCandidate(spec=spec, reason=error.cause, next_step=error.next_step)


def describe_method(evaluation: Evaluation) -> Text:
    """How it was measured, in one sentence."""
    return say(
        "{queries} queries over {documents} documents, {depth} documents ranked per query by exact search in Milvus.",
        queries=evaluation.judged_queries,
        documents=evaluation.dataset.documents,
        depth=min(
            max(DEPTH, scoring.depth_of(evaluation.candidates[0].metrics)),
            evaluation.dataset.documents,
        ),
    )
