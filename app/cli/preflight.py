"""`advisor preflight`: what is wrong with a candidate, found before it costs anything."""

from __future__ import annotations

import sys

from rich.table import Table
from rich.text import Text as Plain

from agent.settings import Settings
from app.cli.measuring import named_once
from app.cli.printed import print_json
from app.cli.records import CheckedCandidates, CheckedEncoder
from app.cli.terminal import ProgressLine, console, shown
from knowledge.candidate import parse_candidate
from knowledge.errors import AdvisorError, UserError
from knowledge.progress import Meter, ignore
from knowledge.results import Consent, FailedCandidate, Finding, Preflight
from knowledge.wording import Text, say
from tools import encoders
from tools.data_source import DataSource
from tools.evaluate import obtain
from tools.metrics.judgments import treat
from tools.preflight import preflight
from tools.report.checks import CHECKS, SEVERITIES

#: the exit code where a candidate failed a check
FAILED = UserError.exit_code


def check(
    settings: Settings,
    source: DataSource,
    candidates: list[str],
    hosts: frozenset[str],
    *,
    as_json: bool,
    quiet: bool,
) -> int:
    """Check every encoder of the candidates, each once, and print what was found; returns the exit code."""
    line = ProgressLine(quiet)
    workspace = settings.workspace()
    named = [parse_candidate(spec) for spec in named_once(candidates, workspace, line)]
    all_legs = dict.fromkeys(leg for candidate in named for leg in candidate.legs)
    legs = [leg for leg in all_legs if leg.backend != "bm25"]
    idle = [leg.spec for leg in all_legs if leg.backend == "bm25"]
    dataset = treat(source.read()).dataset  # as an evaluation takes it
    meter = Meter("evaluate", say("Checking"), max(len(legs), 1), line.show if legs else ignore)
    found: list[Preflight] = []
    refused: list[FailedCandidate] = []
    for leg in legs:
        try:
            found.append(
                preflight(
                    leg,
                    obtain(encoders.resolve(leg, workspace), leg, workspace, Consent(hosts=hosts)),
                    dataset,
                    workspace,
                )
            )
        except AdvisorError as error:
            refused.append(FailedCandidate(spec=leg.spec, reason=error.cause, next_step=error.next_step))
        meter.advance()
    line.end()
    if as_json:
        checked = tuple(CheckedEncoder(**{name: getattr(p, name) for name in Preflight.model_fields}) for p in found)
        print_json(CheckedCandidates(checked=checked, refused=tuple(refused), nothing_to_check=tuple(idle)))
    else:
        _show(found, refused, idle)
    return 0 if not refused and all(p.passed for p in found) else FAILED


def _show(found: list[Preflight], refused: list[FailedCandidate], idle: list[str]) -> None:
    for checked in found:
        table = Table(title=Plain(shown(_title(checked))), title_justify="left", show_lines=True)
        for name in (say("check"), say("found"), say("what to do")):
            table.add_column(shown(name), overflow="fold")
        for f in checked.findings:
            cells = (f"{shown(CHECKS[f.check])}: {shown(SEVERITIES[f.severity])}", shown(f.finding), _remedy(f))
            table.add_row(*(Plain(cell) for cell in cells))  # a prompt in square brackets is no markup
        console().print(table)
    for spec in idle:
        nothing = say("{spec}: nothing to check: it has no weights, no prompt and no limit.", spec=spec)
        sys.stdout.write(shown(nothing) + "\n")
    for left_out in refused:
        sys.stderr.write(f"{left_out.spec}: {shown(left_out.reason)}\n  → {shown(left_out.next_step)}\n")


def _title(checked: Preflight) -> Text:
    verdict = say("fit to be measured") if checked.passed else say("not fit to be measured")
    return say(
        "{spec}: {verdict} ({documents} documents and {queries} queries tried in {seconds:.0f} s)",
        spec=checked.spec,
        verdict=verdict,
        documents=checked.documents,
        queries=checked.queries,
        seconds=checked.seconds,
    )


def _remedy(finding: Finding) -> str:
    return shown(finding.remedy) if finding.remedy else ""
