"""Which kept run is the decision, and which timed its candidates: what deploys, costs and checks it begins with."""

from __future__ import annotations

from collections.abc import Set
from contextlib import closing

from knowledge.errors import UserError
from knowledge.results import Benchmark, Evaluation
from knowledge.wording import how_to, say
from tools.run_history import LATEST, find_evaluation, find_run, list_runs
from tools.run_store import RunStore
from tools.workspace import Workspace

#: runs with an evaluation of their own
_ASIDE = ("recheck", "gains")


def find_decision(workspace: Workspace, name: str | None = None) -> Evaluation:
    """As `find_evaluation`; the latest is the latest that candidates were chosen for.

    Rechecks and single changes (`advisor gains`) measure too, decide nothing, and time none of what they measure.

    Raises:
        UserError: there is none of this name, or none at all.
    """
    if name not in (None, LATEST):
        return find_evaluation(workspace, name)
    if workspace.store.exists():
        with closing(RunStore(workspace.store)) as store:
            own = {run.payload.get("evaluation") for kind in _ASIDE for run in store.runs(kind)}
            name = next((run.run_id for run in store.runs("evaluation") if run.run_id not in own), None)
        if name is not None:
            return find_evaluation(workspace, name)
    raise UserError(
        say("Nothing was measured yet that could be decided by."),
        how_to("measure"),
    )


def timed_with(workspace: Workspace, specs: Set[str]) -> Benchmark | None:
    """The benchmark that timed most of these candidates, of several such the latest: it is no part of an evaluation.

    Not the latest of any: what a run has not timed counts as dearest in it, so a run of one candidate, made to look
    closer at that, would let it win against those that are known to be cheaper.
    """
    timed = [(len(specs & set(one.candidates)), one.run_id) for one in list_runs(workspace, kind="benchmark")]
    most, run = max(timed, key=lambda one: one[0], default=(0, ""))  # the first of equals, which is the latest
    found = find_run(workspace, run) if most else None
    return found if isinstance(found, Benchmark) else None
