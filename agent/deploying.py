"""What is deployed: the decision of a kept run, as a report has it."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

from agent.reporting import MADE_BY
from knowledge.catalog_in_use import usable_catalog
from knowledge.errors import AdvisorError
from knowledge.requirements import Requirements
from knowledge.results import Benchmark, Evaluation, Recommendation, Report, Shortlist
from tools.decided import timed_with
from tools.deployment import make_deployment, zipped
from tools.evaluate import query_scores
from tools.recommend import Decision, recommend
from tools.shortlist import shortlist
from tools.whole_files import write_whole
from tools.workspace import Workspace

if TYPE_CHECKING:
    from agent.context import Context
    from agent.state import State

#: beside a report: the files that put its decision into production
ARCHIVE = "deployment.zip"


def write_archive(report: Report, state: State, context: Context, folder: Path) -> bool:
    """Write them beside the report; false where there is nothing to deploy, or the data is there no more.

    Raises:
        ResourceError: the disk is full or the folder is not writable.
    """
    source, advice = state.get("data"), report.recommendation
    if source is None or report.evaluation is None or report.evaluation.task != "ranking" or advice.winner is None:
        return False
    try:
        made = make_deployment(
            report,
            context.dataset(source),
            context.workspace,
            now=advice.created,
            language=state.get("language", "en"),
        )
    except AdvisorError:  # a set-up that no files are written for, or data that has changed: the command says which
        return False
    write_whole({folder / ARCHIVE: zipped(made, "deployment")})
    return True


def report_of_run(
    evaluation: Evaluation,
    workspace: Workspace,
    reports: Path,
    *,
    requirements: Requirements | None = None,
    now: dt.datetime,
) -> Report:
    """The report that was written of a run, where there is one for these requirements; else the decision made anew.

    Args:
        evaluation: the run.
        workspace: where its scores are.
        reports: folder of the reports, one folder a run.
        requirements: what to decide by; None: what the report was made for, else nobody's.
        now: date of a decision made anew.
    """
    written = written_report(reports, evaluation)
    if written is not None and written.evaluation is not None and requirements in (None, written.requirements):
        return written
    needs = requirements or Requirements()
    listed = Shortlist(requirements=needs, kept=(), rejected=(), considered=0)
    if requirements is not None:  # who breaks a demand by a model's facts, its licence for one, takes no part
        in_use = usable_catalog(workspace.home)
        listed = shortlist(needs, in_use.catalog, in_use.scores)
    scores = query_scores(evaluation, workspace)

    def decided(timed: Benchmark | None) -> Decision:
        # other demands on the same measurements: what was asked for the report counts here too
        return recommend(
            needs,
            listed,
            evaluation,
            scores,
            timed,
            screening=written.screening if written else None,
            now=now,
            probes=written.probes if written else None,
            robustness=written.robustness if written else None,
        )

    timed = written.benchmark if written else None
    if timed is None:
        timed = timed_with(workspace, {one.spec for one in evaluation.candidates})
        timed = timed if timed and _timed_all_tied(timed, decided(None).recommendation) else None
    decision = decided(timed)
    return Report(
        requirements=needs,
        shortlist=listed,
        evaluation=evaluation,
        benchmark=timed,
        comparisons=decision.comparisons,
        recommendation=decision.recommendation,
        reproduce=f"advisor runs show {evaluation.run_id}",
        made_by=MADE_BY,
    )


def _timed_all_tied(timed: Benchmark, among: Recommendation) -> bool:
    """Whether a benchmark of its own tells who of the tied is cheapest: nobody tried to time the others in it.

    `recommend` takes who was not timed for the dearest, which holds where all were to be timed.
    """
    tried = {one.spec for one in timed.candidates} | {one.spec for one in timed.failed}
    return {spec for spec in (among.best, *among.tied) if spec} <= tried


def written_report(reports: Path, evaluation: Evaluation) -> Report | None:
    """The report of a run as it was written; None where there is none, or another version wrote it."""
    try:
        return Report.model_validate_json((reports / evaluation.run_id / "report.json").read_bytes())
    except (OSError, ValueError):
        return None
