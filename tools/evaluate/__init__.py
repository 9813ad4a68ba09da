"""Measure candidates on the user's data: encode, search in Milvus, score each query."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from knowledge.candidate import Candidate
from knowledge.dataset import Dataset
from knowledge.errors import AdvisorError
from knowledge.measured_task import MeasuredTask, counted
from knowledge.progress import Meter, OnProgress, ignore
from knowledge.requirements import Task
from knowledge.results import Consent, Evaluation, FailedCandidate, Preflight
from knowledge.wording import Text, say
from tools import retrieval, tasks
from tools.data_baseline import keep_baseline
from tools.evaluate.encode import encode
from tools.evaluate.measure import again
from tools.evaluate.session import Session, obtain, resolve
from tools.evaluate.work import DEPTH, work_for
from tools.fitness import examine, unfit
from tools.metrics import judgments as labels
from tools.metrics import scoring
from tools.run_store import RunStore, new_run_id
from tools.stopping import stoppably
from tools.workspace import Workspace

NO_CONSENT = Consent()


def evaluate(
    dataset: Dataset,
    candidates: Sequence[str],
    workspace: Workspace,
    *,
    task: Task | MeasuredTask | None = None,
    metrics: Sequence[str] | None = None,
    consent: Consent = NO_CONSENT,
    preflight: bool = True,
    on_progress: OnProgress = ignore,
) -> Evaluation:
    """Measure each candidate: its rankings for all queries that have a relevant document, or a task of `tools.tasks`.

    Args:
        dataset: documents, queries and judgments; or texts with classes; or pairs.
        candidates: specs.
        workspace: caches, keys, Milvus.
        task: what for; None: what the data has labels for.
        metrics: names as ir-measures prints them, or those of the task; the first is the primary one, on which
            candidates are compared. None: the usual ones.
        consent: what may be downloaded and sent.
        preflight: look at each encoder on a small sample first, and leave out those whose figures would mean nothing.
        on_progress: told how far it has come, in characters encoded.

    A candidate that fails is listed in `failed` with its reason and the others go on.

    Raises:
        SpecError, UserError: no candidate, or a spec or metric that does not exist (before anything is spent).
        DatasetError: no documents, no labels for this task, or labels that tell nothing.
        AdvisorError: the failure of the first candidate, when every one failed.
    """
    parsed = retrieval.parse(candidates)
    work = work_for(dataset, task, metrics)
    started = dt.datetime.now(dt.UTC)
    run_id = new_run_id("evaluation", started)
    failures: dict[Candidate, AdvisorError] = {}
    resolved = resolve(parsed, workspace, consent, failures)
    session = work.session(workspace, resolved)
    session.on_progress = on_progress
    failures |= {c: refused for c in parsed if c not in failures and (refused := work.refuse(c, session))}
    encoding = work.encoding(session)
    runs = RunStore(workspace.store)
    try:
        keys = {c: work.key(c, encoding) for c in parsed if c not in failures}
        known = {c: earlier for c, key in keys.items() if (earlier := runs.measurement(key))}
        if preflight:
            _check(list(keys), set(known), session, runs, run_id, failures, on_progress)
        encode([c for c in keys if c not in known and c not in failures], encoding, failures, on_progress)
        found = {candidate: again(*earlier) for candidate, earlier in known.items() if candidate not in failures}
        missing = [c for c in keys if c not in known and c not in failures]
        with work.measuring(missing, encoding) as measure:
            for candidate in stoppably(missing):
                try:
                    new, scores, first = measure(candidate, keys[candidate])
                except AdvisorError as error:
                    failures[candidate] = error
                    continue
                payload = new.model_dump(mode="json")
                runs.save_measurement(new.key, "quality", new.spec, run_id, payload, scores, first)
                found[candidate] = new
        if not found:
            raise next(failures[c] for c in parsed if c in failures)
        measured = tuple(found[c] for c in parsed if c in found)
        evaluation = Evaluation(
            run_id=run_id,
            started=started,
            dataset=dataset.summary,
            task=work.task,
            primary=work.metrics[0],
            candidates=measured,
            failed=tuple(_failed(c.spec, failures[c]) for c in parsed if c in failures),
            store=runs.name,
            judged_queries=work.count,
            notes=work.notes(measured),
            warnings=work.warnings(measured),
            same_queries=work.same,
            preflight=tuple(session.checked.values()),
        )
        keep_baseline(dataset, runs, run_id, started.date())  # later it is asked how the data has moved since
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
    resolved = resolve(parsed, workspace, consent, {})
    session = Session(treated, dict(treated.dataset.queries), workspace, resolved, DEPTH)
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


def measured_before(
    dataset: Dataset,
    candidates: Sequence[str],
    workspace: Workspace,
    metrics: Sequence[str] | None = None,
    task: Task | MeasuredTask | None = None,
) -> frozenset[str]:
    """Of these candidates, those that `evaluate` would find in the run store, and so neither encode nor search.

    An endpoint's are never among them: its host would have to be agreed to.

    Raises:
        SpecError: one of them cannot be read.
        DatasetError: as `evaluate`.
    """
    parsed = retrieval.parse(candidates)
    if not workspace.store.exists():  # to look leaves nothing behind
        return frozenset()
    work = work_for(dataset, task, metrics)
    failures: dict[Candidate, AdvisorError] = {}
    resolved = resolve(parsed, workspace, NO_CONSENT, failures)
    session = work.encoding(work.session(workspace, resolved))
    runs = RunStore(workspace.store)
    try:
        return frozenset(
            c.spec for c in parsed if c not in failures and runs.measurement(work.key(c, session)) is not None
        )
    finally:
        runs.close()


def query_scores(evaluation: Evaluation, workspace: Workspace) -> dict[str, dict[str, float]]:
    """Per-query scores in the primary metric, as the run store kept them: {spec: {query id: score}}."""
    runs = RunStore(workspace.store)
    try:
        return {c.spec: runs.query_scores(c.key, evaluation.primary) for c in evaluation.candidates}
    finally:
        runs.close()


def describe_method(evaluation: Evaluation) -> Text:
    """How it was measured, in one sentence."""
    if evaluation.task != "ranking":
        return say(
            "{items}, {method}.",
            items=counted(evaluation.task, evaluation.judged_queries),
            method=tasks.load(evaluation.task).METHOD,
        )
    return say(
        "{queries} queries over {documents} documents, {depth} documents ranked per query by exact search in Milvus.",
        queries=evaluation.judged_queries,
        documents=evaluation.dataset.documents,
        depth=min(
            max(DEPTH, scoring.depth_of(evaluation.candidates[0].metrics)),
            evaluation.dataset.documents,
        ),
    )


def _check(
    candidates: Sequence[Candidate],
    known: AbstractSet[Candidate],
    session: Session,
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


def _failed(spec: str, error: AdvisorError) -> FailedCandidate:
    return FailedCandidate(spec=spec, reason=error.cause, next_step=error.next_step)


__all__ = ["NO_CONSENT", "check_first", "describe_method", "evaluate", "obtain", "query_scores"]
