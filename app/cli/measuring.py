"""`advisor evaluate` and `advisor benchmark`: the two measurements by themselves."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

from rich.table import Table

from agent.settings import Settings
from app.cli.printed import print_json
from app.cli.terminal import ProgressLine, console, language, shown
from app.wording import as_text, dataset_lines
from knowledge.candidate import parse_candidate
from knowledge.measured_task import MeasuredTask
from knowledge.results import Benchmark, Consent, Evaluation, FailedCandidate
from knowledge.wording import say
from tools import benchmark as speed
from tools import encoders, retrieval
from tools import evaluate as quality
from tools.data_source import DataSource
from tools.label_store import with_given
from tools.workspace import Workspace


def evaluate(
    settings: Settings,
    source: DataSource,
    candidates: list[str],
    metrics: list[str] | None,
    consent: Consent,
    *,
    task: MeasuredTask | None = None,
    preflight: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Measure quality and print it."""
    line = ProgressLine(quiet)
    candidates = named_once(candidates, settings.workspace(), line)
    dataset = with_given(source.read(), settings.workspace())
    line.note(as_text(dataset_lines(dataset.summary, language())))
    found = quality.evaluate(
        dataset,
        candidates,
        settings.workspace(),
        task=task,
        metrics=metrics or None,
        consent=consent,
        preflight=preflight,
        on_progress=line.show,
    )
    line.end()
    if as_json:
        print_json(found)
    else:
        show_evaluation(found)


def show_evaluation(found: Evaluation) -> None:
    """An evaluation as a table, and what the table does not say."""
    table = Table(title=shown(quality.describe_method(found)), title_justify="left")
    table.add_column(shown(say("candidate")), overflow="fold")
    names = [name for name in found.candidates[0].metrics if name != found.primary]
    for name in (f"{found.primary} (95 %)", *names[:5]):
        table.add_column(name, justify="right", no_wrap=True)
    for c in sorted(found.candidates, key=lambda c: -c.primary_mean):
        primary = f"{c.primary_mean:.3f} [{c.interval.low:.3f}, {c.interval.high:.3f}]"
        table.add_row(c.spec, primary, *(f"{c.metrics[name]:.3f}" for name in names[:5]))
    console().print(table)
    sys.stdout.write(shown(say("Run {run}, on {data}.", run=found.run_id, data=found.dataset.name)) + "\n")
    tell_remarks(found)


def tell_remarks(found: Evaluation) -> None:
    """What the table does not say: notes on candidates and data, what preflight warns of, and who failed."""
    _once_for_all((c.spec, shown(note)) for c in found.candidates for note in c.notes)
    _once_for_all(
        (checked.spec, shown(finding.finding) + (f"\n  → {shown(finding.remedy)}" if finding.remedy else ""))
        for checked in found.preflight  # what is wrong with encoders that were measured all the same
        for finding in checked.findings
        if finding.severity == "warns"
    )
    for about_all in (*found.notes, *found.warnings):
        sys.stderr.write(f"{shown(about_all)}\n")
    failures(found.failed)


def _once_for_all(remarks: Iterable[tuple[str, str]]) -> None:
    """Each remark once, behind the names of all it is about: variants of one encoder have most of them in common."""
    about: dict[str, list[str]] = {}
    for spec, remark in remarks:
        about.setdefault(remark, []).append(spec)
    for remark, specs in about.items():
        sys.stderr.write(f"{'; '.join(dict.fromkeys(specs))}: {remark}\n")


def named_once(candidates: Sequence[str], workspace: Workspace, line: ProgressLine) -> list[str]:
    """The candidates, each once and checked as far as that costs nothing; says which were named more than once.

    Raises:
        SpecError: one of them cannot be read, or asks for what there is not.
    """
    parsed = retrieval.parse(candidates)
    for leg in dict.fromkeys(leg for candidate in parsed for leg in candidate.legs if leg.backend != "bm25"):
        encoders.check_dimension(leg, workspace)
    specs = [candidate.spec for candidate in parsed]
    written = [parse_candidate(candidate).spec for candidate in candidates]
    doubled = [spec for spec in specs if written.count(spec) > 1]
    if doubled:
        line.note(shown(say("Named more than once, taken once: {names}.", names="; ".join(doubled))))
    return specs


def benchmark(
    settings: Settings, source: DataSource, candidates: list[str], repeats: int, *, as_json: bool, quiet: bool
) -> None:
    """Measure cost and print it."""
    line = ProgressLine(quiet)
    candidates = named_once(candidates, settings.workspace(), line)
    found = speed.benchmark(source.read(), candidates, settings.workspace(), repeats=repeats, on_progress=line.show)
    line.end()
    if as_json:
        print_json(found)
    else:
        show_benchmark(found)


def show_benchmark(found: Benchmark) -> None:
    """A benchmark as a table, and who failed."""
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
    failures(found.failed)


def failures(failed: tuple[FailedCandidate, ...]) -> None:
    """Who could not be measured, why, and what to do about it."""
    for f in failed:
        sys.stderr.write(f"{f.spec}: {shown(f.reason)}\n  → {shown(f.next_step)}\n")
