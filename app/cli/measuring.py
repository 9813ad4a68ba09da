"""`advisor evaluate` and `advisor benchmark`: the two measurements by themselves."""

from __future__ import annotations

import json
import sys

from rich.table import Table

from agent.settings import Settings
from app.cli.terminal import ProgressLine, console, language, shown
from app.wording import as_text, dataset_lines
from knowledge.results import Benchmark, Consent, Evaluation, FailedCandidate, Preflight
from knowledge.wording import say
from tools import benchmark as speed
from tools import evaluate as quality
from tools.data_source import DataSource
from tools.metrics import scoring


def evaluate(
    settings: Settings,
    source: DataSource,
    candidates: list[str],
    metrics: list[str] | None,
    consent: Consent,
    *,
    preflight: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Measure quality and print it."""
    line = ProgressLine(quiet)
    dataset = source.read()
    line.note(as_text(dataset_lines(dataset.summary, language())))
    found = quality.evaluate(
        dataset,
        candidates,
        settings.workspace(),
        metrics=metrics or scoring.DEFAULT,
        consent=consent,
        preflight=preflight,
        on_progress=line.show,
    )
    line.end()
    if as_json:
        sys.stdout.write(_json(found))
        return
    table = Table(title=shown(quality.describe_method(found)), title_justify="left")
    table.add_column(shown(say("candidate")), overflow="fold")
    names = [name for name in found.candidates[0].metrics if name != found.primary]
    for name in (f"{found.primary} (95 %)", *names[:5]):
        table.add_column(name, justify="right", no_wrap=True)
    for c in sorted(found.candidates, key=lambda c: -c.primary_mean):
        primary = f"{c.primary_mean:.3f} [{c.interval.low:.3f}, {c.interval.high:.3f}]"
        table.add_row(c.spec, primary, *(f"{c.metrics[name]:.3f}" for name in names[:5]))
    console().print(table)
    tell_remarks(found)


def tell_remarks(found: Evaluation) -> None:
    """What the table does not say: notes on candidates and data, what preflight warns of, and who failed."""
    for c in found.candidates:
        for note in c.notes:
            sys.stderr.write(f"{c.spec}: {shown(note)}\n")
    _warnings(found.preflight)
    for about_all in (*found.notes, *found.warnings):
        sys.stderr.write(f"{shown(about_all)}\n")
    _failures(found.failed)


def _warnings(preflight: tuple[Preflight, ...]) -> None:
    """What is wrong with encoders that were measured all the same."""
    for checked in preflight:
        for finding in checked.findings:
            if finding.severity == "warns":
                remedy = f"\n  → {shown(finding.remedy)}" if finding.remedy else ""
                sys.stderr.write(f"{checked.spec}: {shown(finding.finding)}{remedy}\n")


def benchmark(
    settings: Settings, source: DataSource, candidates: list[str], repeats: int, *, as_json: bool, quiet: bool
) -> None:
    """Measure cost and print it."""
    line = ProgressLine(quiet)
    found = speed.benchmark(source.read(), candidates, settings.workspace(), repeats=repeats, on_progress=line.show)
    line.end()
    if as_json:
        sys.stdout.write(_json(found))
        return
    h = found.hardware
    table = Table(title=f"{h.cpu}, {h.cores} cores, {h.memory_gb} GB", title_justify="left")
    table.add_column(shown(say("candidate")), overflow="fold")
    for name in (
        say("p50 ms"),
        say("p95 ms"),
        say("p99 ms"),
        say("documents/s"),
        say("load s"),
        say("memory MB"),
        say("bytes/document"),
    ):
        table.add_column(shown(name), justify="right", no_wrap=True)
    for c in found.candidates:
        table.add_row(
            c.spec,
            f"{c.query_p50_ms:.3g}",
            f"{c.query_p95_ms:.3g}",
            f"{c.query_p99_ms:.3g}",
            f"{c.documents_per_second:.0f}",
            f"{c.load_seconds:.1f}",
            f"{c.peak_memory_mb:.0f}",
            f"{c.bytes_per_vector:.0f}",
        )
    console().print(table)
    _failures(found.failed)


def _failures(failed: tuple[FailedCandidate, ...]) -> None:
    for f in failed:
        sys.stderr.write(f"{f.spec}: {shown(f.reason)}\n  → {shown(f.next_step)}\n")


def _json(found: Evaluation | Benchmark) -> str:
    return (
        json.dumps(found.model_dump(mode="json", context={"language": language()}), ensure_ascii=False, indent=2) + "\n"
    )
