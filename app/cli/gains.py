"""`advisor gains`: single changes to one candidate, measured, and which of them is worth it."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from rich.table import Table

from agent.settings import Settings
from app.cli.measuring import failures, named_once
from app.cli.planned import print_plan
from app.cli.printed import print_json
from app.cli.terminal import ProgressLine, console, language, shown
from app.wording import as_text, dataset_lines
from knowledge.quantities import milliseconds, points
from knowledge.results import Consent
from knowledge.results.next_gain import NextGain
from knowledge.wording import say
from tools.data_source import DataSource
from tools.next_gain import next_gain, plan_gains
from tools.next_gain.words import VERDICTS, answer, method, time_change, title


def plan(
    settings: Settings,
    source: DataSource,
    base: str,
    *,
    also: Sequence[str],
    minutes: float,
    as_json: bool,
    quiet: bool,
) -> None:
    """Print which changes would be measured, and what that would cost."""
    workspace = settings.workspace()
    (base,) = named_once([base], workspace, ProgressLine(quiet))
    _, found = plan_gains(source.read(), base, workspace, also=also, minutes=minutes)
    print_plan(found, as_json=as_json)


def measure(
    settings: Settings,
    source: DataSource,
    base: str,
    *,
    margin: float,
    consent: Consent,
    also: Sequence[str],
    minutes: float,
    as_json: bool,
    quiet: bool,
) -> None:
    """Measure the changes and print what they are worth."""
    workspace = settings.workspace()
    line = ProgressLine(quiet)
    (base,) = named_once([base], workspace, line)
    dataset = source.read()
    line.note(as_text(dataset_lines(dataset.summary, language())))
    found = next_gain(
        dataset, base, workspace, margin=margin, also=also, minutes=minutes, consent=consent, on_progress=line.show
    )
    line.end()
    if as_json:
        print_json(found)
    else:
        show(found)


def show(found: NextGain) -> None:
    """The answer first, then every change as a row of a table."""
    for sentence in answer(found):
        sys.stdout.write(shown(sentence) + "\n")
    table = Table(title=shown(title(found)), title_justify="left")
    table.add_column(shown(say("change")), overflow="fold")
    for name in (say("points"), say("95 %"), say("verdict"), say("time a query"), say("bytes/document")):
        table.add_column(shown(name), justify="right")
    table.add_row(
        shown(say("as it is: {metric} {value:.3f}", metric=found.primary, value=found.quality.mean)),
        "",
        f"{found.quality.low:.3f} … {found.quality.high:.3f}",
        "",
        shown(milliseconds(found.query_ms)) if found.query_ms is not None else "–",
        f"{found.bytes_per_document:,.0f}" if found.bytes_per_document is not None else "–",
        end_section=True,
    )
    for change in found.changes:
        ends = f"{points(change.difference.low)} … {points(change.difference.high)}"
        longer = time_change(change)
        size = f"{change.bytes_per_document:,.0f}" if change.bytes_per_document is not None else "–"
        table.add_row(
            f"{shown(change.what)}\n{change.spec}",
            points(change.difference.mean),
            ends,
            shown(VERDICTS[change.verdict]),
            shown(longer) if longer else "–",
            size,
        )
    console().print(table)
    sys.stderr.write(shown(method(found)) + "\n")
    failures(found.failed)
