"""A finished run as a calculation of costs needs it: quality and speed, which are runs of their own, and its report."""

from __future__ import annotations

from collections.abc import Set
from typing import NamedTuple

from pydantic import ValidationError

from knowledge.errors import UserError
from knowledge.requirements import Requirements
from knowledge.results import Benchmark, DataProfile, Evaluation, Recommendation, Report
from knowledge.results.service import UnderLoad
from knowledge.wording import how_to, say
from tools.decided import find_decision, timed_with
from tools.run_history import LATEST, find_evaluation, find_run, list_runs
from tools.workspace import Workspace

#: where a conversation's reports go, one folder a run
REPORTS = "reports"


class Kept(NamedTuple):
    """What is known of a run: its measurements, and what its report says of the texts and the demands."""

    requirements: Requirements
    profile: DataProfile | None
    evaluation: Evaluation | None
    benchmark: Benchmark
    recommendation: Recommendation | None
    load: UnderLoad | None = None


def kept(workspace: Workspace, name: str) -> Kept:
    """The run of this name, with the run that belongs to it: quality and speed are kept apart.

    Raises:
        UserError: there is no such run, or nothing of it was timed.
    """
    found = _latest(workspace) if name == LATEST else find_run(workspace, name)
    if isinstance(found, Benchmark):
        evaluation, benchmark = _evaluated_with(workspace, {one.spec for one in found.candidates}), found
    elif not isinstance(found, Evaluation):
        raise UserError(say("{run} is neither an evaluation nor a benchmark.", run=name), how_to("runs"))
    else:
        evaluation = found
        timed = timed_with(workspace, {one.spec for one in found.candidates})
        if timed is None:
            raise UserError(
                say("Nothing of {run} was timed, and cost follows from speed and size.", run=found.run_id),
                say("Time its candidates with: advisor benchmark --data DIR -c SPEC. Or give --candidate alone."),
            )
        benchmark = timed
    report = _report(workspace, evaluation.run_id) if evaluation else None
    if report is None:
        return Kept(Requirements(), None, evaluation, benchmark, None)
    return Kept(report.requirements, report.profile, evaluation, benchmark, report.recommendation, report.load)


def _report(workspace: Workspace, run: str) -> Report | None:
    """The report of a run where it is in its usual place; one of another version is none."""
    path = workspace.home / REPORTS / run / "report.json"
    try:
        return Report.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None


def _latest(workspace: Workspace) -> object:
    """The latest decision; where only speed was measured, that."""
    decided = list_runs(workspace, kind="evaluation", most=1)
    return find_run(workspace, LATEST) if not decided and list_runs(workspace, most=1) else find_decision(workspace)


def _evaluated_with(workspace: Workspace, specs: Set[str]) -> Evaluation | None:
    """The latest evaluation with one of these candidates."""
    run = next((one for one in list_runs(workspace, kind="evaluation") if specs & set(one.candidates)), None)
    return find_evaluation(workspace, run.run_id) if run else None
