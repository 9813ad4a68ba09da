"""`advisor deploy`: the files that put a measured candidate into production."""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path

from agent.deploying import report_of_run, written_report
from agent.settings import Settings
from app.cli.printed import print_json
from app.cli.records import DeploymentMade
from app.cli.terminal import language, shown
from knowledge.requirements import read_requirements
from knowledge.results.deployment import SETTLED
from knowledge.wording import say
from tools.data_source import DataSource
from tools.decided import find_decision
from tools.deployment import make_deployment, write_deployment

#: an evaluation alone knows no licence, limit or budget
NOBODYS = say(
    "No recommendation was made from this run, so no demand is known: decided by quality and cost alone. Licences and "
    "limits count with --requirements FILE (a report's requirements.json)."
)


def deploy(
    settings: Settings,
    run: str | None,
    source: DataSource | None,
    *,
    candidate: str | None,
    requirements: Path | None,
    name: str | None,
    out: Path,
    force: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Make the files of a kept run's decision, and write them."""
    workspace, now = settings.workspace(), dt.datetime.now(dt.UTC)
    evaluation = find_decision(workspace, run)
    needs = read_requirements(requirements) if requirements else None
    reports = workspace.home / "reports"
    report = report_of_run(evaluation, workspace, reports, requirements=needs, now=now)
    if needs is None and candidate is None and written_report(reports, evaluation) is None:
        sys.stderr.write(shown(NOBODYS) + "\n")
    dataset = (source or DataSource(path=evaluation.dataset.path)).read()
    made = make_deployment(report, dataset, workspace, now=now, spec=candidate, name=name, language=language())
    if not dry_run:
        write_deployment(made, out, force=force)
    if as_json:
        print_json(
            DeploymentMade(folder=None if dry_run else str(out), files=tuple(sorted(made.files)), plan=made.plan)
        )
        return
    sys.stdout.write(f"{made.plan.spec}\n")
    for decision in made.plan.decisions:
        cites = "".join(f" [{cite}]" for cite in decision.cites)
        sys.stdout.write(
            f"- {shown(SETTLED[decision.about])}: {shown(decision.choice)} {shown(decision.reason)}{cites}\n"
        )
    for text in made.plan.differs:
        sys.stdout.write(f"! {shown(text)}\n")
    told = (
        say("{count} files would be written to {folder}.", count=len(made.files), folder=str(out))
        if dry_run
        else say(
            "{count} files written to {folder}; begin with {readme}.",
            count=len(made.files),
            folder=str(out),
            readme=str(out / "README.md"),
        )
    )
    sys.stderr.write(shown(told) + "\n")
