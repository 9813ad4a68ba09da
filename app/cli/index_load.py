"""`advisor index`: searches a second against recall, of Milvus's indexes over your vectors."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from rich.table import Table
from rich.text import Text as Plain

from agent.settings import Settings
from app.cli.failures import INTERRUPTED
from app.cli.load import told_if_nothing_is_kept
from app.cli.measuring import named_once
from app.cli.printed import print_json
from app.cli.terminal import ProgressLine, console, language, shown
from app.wording import as_text, dataset_lines
from knowledge.candidate import Leg, parse_candidate
from knowledge.errors import SpecError
from knowledge.quantities import duration, rate
from knowledge.results.index_load import IndexLoad, IndexPlan
from knowledge.wording import say
from tools.data_source import DataSource
from tools.index_load import SWEPT, encoder_of, index_load
from tools.index_words import fastest, name, searched
from tools.workspace import Workspace

_BAR = 7


def sweep(
    settings: Settings,
    source: DataSource,
    spec: str,
    *,
    vectors: int | None,
    concurrency: Sequence[int],
    seconds: float,
    send_to: Sequence[str],
    as_json: bool,
    quiet: bool,
) -> int:
    """Measure and print; returns the exit code."""
    workspace, line = settings.workspace(), ProgressLine(quiet)
    leg = _encoder(spec, workspace, line)
    dataset = source.read()
    line.note(as_text(dataset_lines(dataset.summary, language())))
    with told_if_nothing_is_kept():
        found = index_load(
            leg,
            dataset,
            workspace,
            vectors=vectors,
            concurrency=tuple(concurrency),
            seconds=seconds,
            send_to=send_to,
            on_progress=line.show,
        )
    line.end()
    if as_json:
        print_json(found)
    else:
        show(found)
    return INTERRUPTED if found.ended else 0


def _encoder(spec: str, workspace: Workspace, line: ProgressLine) -> Leg:
    (spec,) = named_once([spec], workspace, line)
    leg = parse_candidate(spec)
    if not isinstance(leg, Leg):
        raise SpecError(
            say("{spec} is more than one encoder.", spec=spec), say("Name one of its encoders: an index holds one.")
        )
    return leg


def plan(
    settings: Settings, spec: str, concurrency: Sequence[int], seconds: float, *, as_json: bool, quiet: bool
) -> None:
    """Print what a sweep would do, and who would embed the texts where that is not this machine."""
    workspace = settings.workspace()
    resolved = encoder_of(_encoder(spec, workspace, ProgressLine(quiet)), workspace)
    points = sum(max(1, len(values)) for _, _, values in SWEPT.values()) * len(concurrency)
    if as_json:
        print_json(IndexPlan(points=points, seconds=points * seconds, sends_text_to=resolved.endpoint))
        return
    if resolved.endpoint:
        told = say("{spec} would send your texts to {host}.", spec=resolved.spec, host=resolved.endpoint)
        sys.stdout.write(shown(told) + "\n")
    told = say(
        "{points} settings, {time} of searching beside encoding and building; vectors go to Milvus, and nowhere else.",
        points=points,
        time=duration(points * seconds),
    )
    sys.stdout.write(shown(told) + "\n")


def show(found: IndexLoad) -> None:
    """What is fastest at a usual recall, then every point as a row, most searches a second as a bar."""
    for told in fastest(found):
        sys.stdout.write(shown(told) + "\n")
    table = Table(title=Plain(shown(searched(found))), title_justify="left")
    table.add_column(shown(say("index")), overflow="fold", min_width=12)
    for head in (say("recall"), say("clients"), say("searches/s"), say("p50 ms"), say("p95 ms"), say("p99 ms")):
        table.add_column(shown(head), justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    most = max((point.qps for point in found.points), default=1.0) or 1.0
    for point in found.points:
        times = (f"{ms:,.4g}" if ms else "–" for ms in (point.p50_ms, point.p95_ms, point.p99_ms))
        bar = "█" * round(point.qps / most * _BAR)
        cells = (name(point), f"{point.recall:.3f}", str(point.concurrency), rate(point.qps), *times, bar)
        table.add_row(*map(Plain, cells))
    console().print(table)
    for note in found.notes:
        sys.stdout.write(shown(note) + "\n")
    sys.stderr.write(f"{found.run_id}\n")
