"""Finished runs, listed and found again by name, each as what its kind is kept as."""

from __future__ import annotations

import datetime as dt
import difflib
from collections.abc import Sequence
from contextlib import closing
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ValidationError

from knowledge.errors import ResourceError, UserError
from knowledge.results import (
    Benchmark,
    DatasetSummary,
    Evaluation,
    HardCasesRun,
    RagJudgement,
    Record,
)
from knowledge.results.index_load import IndexLoad
from knowledge.results.load import LoadTest
from knowledge.results.next_gain import NextGain
from knowledge.results.recheck import Recheck
from knowledge.results.service import Tuning
from knowledge.results.verification import Verification
from knowledge.wording import how_to, say
from tools.run_store import Run, RunStore
from tools.workspace import Workspace

#: stands for the run that finished last
LATEST = "latest"
RunKind = Literal[
    "evaluation", "benchmark", "gains", "hard-cases", "rag", "load", "tuning", "index", "verify", "recheck"
]
FoundRun = (
    Evaluation
    | Benchmark
    | NextGain
    | HardCasesRun
    | RagJudgement
    | LoadTest
    | Tuning
    | IndexLoad
    | Verification
    | Recheck
)
#: what a run of each kind is kept as; a run's name begins with its kind
FORMS: dict[RunKind, type[FoundRun]] = {
    "evaluation": Evaluation,
    "benchmark": Benchmark,
    "gains": NextGain,
    "hard-cases": HardCasesRun,
    "rag": RagJudgement,
    "load": LoadTest,
    "tuning": Tuning,
    "index": IndexLoad,
    "verify": Verification,
    "recheck": Recheck,
}
R = TypeVar("R", bound=BaseModel)


class RunSummary(Record):
    """A finished run in one line.

    Attributes:
        kind: evaluation, benchmark (speed), gains (single changes to a candidate), hard-cases (altered facts, queries
            with mistakes), rag (answers judged by a language model), load (what a server or candidate holds), tuning
            (its settings), index (searches a second against recall), verify (a deployed search checked) or recheck (a
            decision looked at again).
        best: the candidate with the highest mean, of evaluations.
        silver: whether a program made the queries.
        given: how many judgments were given here.
    """

    run_id: str
    kind: RunKind
    finished: dt.datetime
    dataset: str | None = None
    documents: int = 0
    queries: int
    candidates: tuple[str, ...]
    metric: str | None = None
    best: str | None = None
    silver: bool = False
    given: int = 0


def list_runs(workspace: Workspace, *, kind: str | None = None, most: int | None = None) -> tuple[RunSummary, ...]:
    """Finished runs, the latest first; what another version wrote and this one cannot read is passed over."""
    if not workspace.store.exists():
        return ()
    with closing(RunStore(workspace.store)) as store:
        found = [_summary(run, store) for run in store.runs(kind, most)]
    return tuple(summary for summary in found if summary is not None)


def find_run(workspace: Workspace, name: str) -> FoundRun:
    """A finished run by its name, by a beginning that only it has, or as ``latest``.

    Raises:
        UserError: no run is meant, or several.
        ResourceError: another version wrote it, and this one cannot read it.
    """
    with closing(RunStore(workspace.store)) as store:
        run_id = _meant(name, store)
        payload = store.run(run_id) or {}
    form = next((form for kind, form in FORMS.items() if run_id.startswith(f"{kind}-")), Evaluation)
    return _read(form, payload, run_id)


def find_evaluation(workspace: Workspace, name: str) -> Evaluation:
    """As `find_run`, of evaluations only."""
    if name == LATEST:
        listed = list_runs(workspace, kind="evaluation", most=1)
        name = listed[0].run_id if listed else name
    found = find_run(workspace, name)
    if isinstance(found, Evaluation):
        return found
    raise UserError(
        say("{run} has no scores of queries.", run=found.run_id),
        how_to("evaluations"),
    )


def find_loads(workspace: Workspace, names: Sequence[str]) -> list[LoadTest]:
    """The load tests of these names; none unless the first of them is one.

    Raises:
        UserError: the first is a load test and another is not; or as `find_run`.
    """
    found: list[LoadTest] = []
    for name in names:
        run = find_run(workspace, name)
        if isinstance(run, LoadTest):
            found.append(run)
        elif found:
            raise UserError(
                say("{run} is no load test, and cannot be compared with one.", run=run.run_id),
                say("Name another one; see: advisor runs list --kind load."),
            )
        else:
            return []
    return found


def _meant(name: str, store: RunStore) -> str:
    if name == LATEST:
        last = store.runs(most=1)
        if not last:
            raise UserError(say("Nothing was measured yet, so there is no latest run."), how_to("measure"))
        return last[0].run_id
    found = store.run_ids(name)
    if name in found or len(found) == 1:
        return name if name in found else found[0]
    if found:
        raise UserError(
            say("“{name}” is the beginning of {count} runs.", name=name[:100], count=len(found)),
            say("Take one of: {names}.", names=", ".join(found[:5])),
        )
    close = difflib.get_close_matches(name[:100], store.run_ids(), n=3)
    raise UserError(
        say("There is no run “{name}”.", name=name[:100]),
        say("Did you mean {names}?", names=", ".join(close)) if close else how_to("runs"),
    )


def _read(form: type[R], payload: object, run_id: str) -> R:
    try:
        return form.model_validate(payload)
    except ValidationError as error:
        raise ResourceError(
            say("The run {run} was kept by another version of this program, which this one cannot read.", run=run_id),
            say("Measure the same again: what was encoded is kept."),
        ) from error


def _summary(run: Run, store: RunStore) -> RunSummary | None:
    """None of what another version kept, or of a kind that this one does not know."""
    kind = next((kind for kind in FORMS if kind == run.kind), None)
    if kind is None:
        return None
    finished = run.finished if run.finished.tzinfo else run.finished.replace(tzinfo=dt.UTC)
    try:
        found = FORMS[kind].model_validate(run.payload)
    except ValidationError:
        return None
    about = RunSummary(run_id=run.run_id, kind=kind, finished=finished, **_told(found))
    data = _data_of(found, store)
    if data is None:
        return about
    more = {"dataset": data.name, "documents": data.documents, "silver": data.labels == "silver", "given": data.given}
    return about.model_copy(update=more)


def _told(found: FoundRun) -> dict[str, Any]:
    """What is particular to each kind."""
    if isinstance(found, Evaluation):
        specs = tuple(c.spec for c in found.candidates)
        best = max(found.candidates, key=lambda c: c.primary_mean).spec if found.candidates else None
        return {"queries": found.judged_queries, "candidates": specs, "metric": found.primary, "best": best}
    if isinstance(found, Benchmark):
        specs = tuple(c.spec for c in found.candidates)
        return {"documents": found.documents, "queries": found.queries, "candidates": specs}
    if isinstance(found, NextGain):
        specs = (found.base, *(change.spec for change in found.changes))
        return {"queries": found.judged_queries, "candidates": specs, "metric": found.primary}
    if isinstance(found, HardCasesRun):
        return {"queries": found.queries, "candidates": found.candidates, "metric": found.metric}
    if isinstance(found, Verification):
        return {"queries": found.queries, "candidates": (found.spec,)}
    if isinstance(found, Recheck):
        specs = (found.incumbent, *(one.spec for one in found.challengers))
        asked = found.incumbent_change.queries if found.incumbent_change else 0
        return {"queries": asked, "candidates": specs, "metric": found.metric}
    if isinstance(found, LoadTest):
        return {"dataset": found.data or None, "queries": found.texts.count, "candidates": (found.target,)}
    if isinstance(found, Tuning):
        return {"queries": 0, "candidates": tuple(dict.fromkeys(step.spec for step in found.steps))}
    if isinstance(found, IndexLoad):
        return {"documents": found.vectors, "queries": found.queries, "candidates": (found.spec,)}
    return {"queries": found.queries, "candidates": tuple(score.spec for score in found.scores)}


def _data_of(found: FoundRun, store: RunStore) -> DatasetSummary | None:
    """The data of a run; of judged answers that of the evaluation which found what they are written from."""
    if isinstance(found, Benchmark | LoadTest | Tuning | IndexLoad | Verification | Recheck):
        return None
    if not isinstance(found, RagJudgement):
        return found.dataset
    try:
        return Evaluation.model_validate(store.run(found.evaluation) or {}).dataset
    except ValidationError:
        return None
