"""Which kept run is the decision, and which timed its candidates: what deploys, costs and checks it begins with."""

from __future__ import annotations

from collections.abc import Set
from contextlib import closing

from knowledge.errors import UserError
from knowledge.results import Benchmark, Evaluation
from knowledge.wording import say
from tools.run_history import LATEST, find_evaluation, find_run, list_runs
from tools.run_store import RunStore
from tools.workspace import Workspace


def find_decision(workspace: Workspace, name: str | None = None) -> Evaluation:
    """As `find_evaluation`; the latest is the latest that is no check's own: rechecks measure too, and decide nothing.

    Raises:
        UserError: there is none of this name, or none at all.
    """
    if name not in (None, LATEST):
        return find_evaluation(workspace, name)
    if workspace.store.exists():
        with closing(RunStore(workspace.store)) as store:
            own = {run.payload.get("evaluation") for run in store.runs("recheck")}
            name = next((run.run_id for run in store.runs("evaluation") if run.run_id not in own), None)
        if name is not None:
            return find_evaluation(workspace, name)
    raise UserError(
        say("Nothing was measured yet that could be decided by."),
        say("Measure first: advisor evaluate --data DIR -c SPEC -c SPEC."),
    )


def timed_with(workspace: Workspace, specs: Set[str]) -> Benchmark | None:
    """The latest benchmark of one of these candidates: quality and speed are runs of their own."""
    run = next((one for one in list_runs(workspace, kind="benchmark") if specs & set(one.candidates)), None)
    found = find_run(workspace, run.run_id) if run else None
    return found if isinstance(found, Benchmark) else None
