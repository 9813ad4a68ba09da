"""`advisor verify`: a deployed search against the evaluation that recommended it."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table
from rich.text import Text as Plain

from agent.settings import Settings
from app.cli.failures import CHECKS_FAILED
from app.cli.mistyped import usage_error
from app.cli.named_pipeline import Built, Service
from app.cli.printed import print_json
from app.cli.terminal import ProgressLine, console, language, shown
from app.cli.writing import append_to, write_to
from knowledge.catalog_in_use import usable_catalog
from knowledge.dataset import Dataset
from knowledge.errors import AdvisorError
from knowledge.quantities import duration
from knowledge.requirements import Requirements, read_requirements
from knowledge.results import Consent
from knowledge.results.handover import Handover
from knowledge.results.verification import Verification, VerificationPlan
from knowledge.wording import Text, say
from tools.data_source import DataSource
from tools.decided import find_decision
from tools.label_store import with_given
from tools.run_scores import MARGIN
from tools.sending import agree, sends_line
from tools.verify import SUBJECTS as PARTS
from tools.verify import verify
from tools.verify.kept import handover_of_run, read_handover
from tools.verify.planning import plan_verification
from tools.verify.rendered import MARKS, SUBJECTS, headline, junit_error, junit_xml, markdown
from tools.workspace import Workspace


@dataclass(frozen=True)
class Decided:
    """Where the decision is: a handover file, or a run; and what is to be taken in place of what it says."""

    handover: Path | None
    run: str | None
    candidate: str | None
    requirements: Path | None
    margin: float | None


def check(
    settings: Settings,
    decided: Decided,
    asked: Service | Built,
    source: DataSource | None,
    *,
    send_to: frozenset[str],
    yes: bool,
    seconds: float,
    subjects: Sequence[str] | None,
    junit: Path | None,
    summary: Path | None,
    dry_run: bool,
    as_json: bool,
    quiet: bool,
) -> int:
    """Check it, print and write what was found; of a dry run, what would be asked. Returns the exit code."""
    line = ProgressLine(quiet)
    workspace = settings.workspace()
    asked.check(workspace)  # before the data is read, which may take long
    dataset = with_given(source.read(), workspace) if source else None
    handover = _handover(decided, dataset, workspace)
    planned = plan_verification(
        handover,
        asked.target(handover, workspace),
        usable_catalog(workspace.home).catalog,
        documents=dataset.documents if dataset else None,
        seconds=seconds,
        subjects=subjects or PARTS,
    )
    if dry_run:
        if as_json:
            print_json(planned)
        else:
            show_plan(planned)
        return 0
    host = planned.sends_text_to or ""
    how = say("Agree to it with --send-to {host}, or look at less with --only.", host=host)
    agree(planned, send_to, yes=yes, otherwise=how)
    consent = Consent(measure=True, hosts=send_to | {host})
    try:
        with asked.opened(handover, workspace, consent) as pipeline:
            found = verify(
                handover,
                pipeline,
                workspace,
                documents=dataset.documents if dataset else None,
                consent=consent,
                seconds=seconds,
                subjects=subjects or PARTS,
                on_progress=line.show,
            )
    except AdvisorError as error:
        if junit:
            write_to(junit, junit_error(error, handover.run_id, language()))
        raise
    line.end()
    if junit:
        write_to(junit, junit_xml(found, language()))
    if summary:
        append_to(summary, markdown(found, language()))
    if as_json:
        print_json(found)
    else:
        show(found)
    return 0 if found.passed else CHECKS_FAILED


def _handover(decided: Decided, dataset: Dataset | None, workspace: Workspace) -> Handover:
    needs = read_requirements(decided.requirements) if decided.requirements else None
    if decided.handover:
        changed = {"requirements": needs, "margin": decided.margin}
        given = {name: value for name, value in changed.items() if value is not None}
        return read_handover(decided.handover).model_copy(update=given)
    if dataset is None:
        raise usage_error(say("name what was decided: --handover FILE, or --run NAME with --data DIR"))
    margin = decided.margin if decided.margin is not None else needs.margin.value if needs else MARGIN
    return handover_of_run(
        find_decision(workspace, decided.run),
        decided.candidate,
        dataset,
        workspace,
        margin=margin,
        requirements=needs or Requirements(),
        now=dt.datetime.now(dt.UTC),
    )


def show_plan(planned: VerificationPlan) -> None:
    """What would be asked, how often, how long that takes and what it costs."""
    lines = [
        say(
            "{pipeline} would be checked against {run} ({spec}); nothing was asked yet.",
            pipeline=planned.pipeline,
            run=planned.decision,
            spec=planned.spec,
        )
    ]
    names: dict[str, Text] = dict(SUBJECTS) | {"answers": say("the evaluation's own queries")}
    lines += [say("{what}: {count:,} questions.", what=names[name], count=n) for name, n in planned.asks.items()]
    if planned.lookups:
        lines.append(say("{count:,} documents looked up in the collection.", count=planned.lookups))
    lines.append(
        say(
            "At most {count:,} questions, about {time} where each takes a tenth of a second.",
            count=planned.requests,
            time=duration(planned.seconds),
        )
    )
    lines.append(sends_line(planned) or say("No text leaves this machine."))
    sys.stdout.write("".join(f"{shown(line)}\n" for line in lines))


def show(found: Verification) -> None:
    """The answer first, then every check as a row."""
    sys.stdout.write(shown(headline(found)) + "\n")
    table = Table()
    for heading in (say("check"), say("result")):
        table.add_column(shown(heading), overflow="fold")
    table.add_column(shown(say("why")), overflow="fold", ratio=1)
    for check_ in found.checks:
        why = shown(check_.reason)
        if check_.status == "fail" and check_.remedy:
            why += f"\n→ {shown(check_.remedy)}"
        name = f"{shown(SUBJECTS[check_.subject])}: {check_.name}"
        mark = f"{MARKS[check_.status]} {check_.fault or ''}".strip()
        style = {"fail": "bold red", "skipped": "dim"}.get(check_.status, "")
        table.add_row(Plain(name), Plain(mark, style=style), Plain(why))
    console().print(table)
    told = say("{asked} questions in {seconds:.0f} s.", asked=found.asked, seconds=found.seconds)
    sys.stderr.write(f"{shown(told)} {found.run_id}\n")
