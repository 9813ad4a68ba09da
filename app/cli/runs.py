"""`advisor runs`: what was measured before, shown, compared and exported."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli import completion
from app.cli.settings import read_settings

if TYPE_CHECKING:
    from rich.table import Table

    from tools.run_history import RunSummary
    from tools.run_scores import RunsCompared

FORMATS = ("csv", "json", "parquet", "ir-measures")


class RunKindName(StrEnum):
    """Kinds of runs; the names are those of `tools.run_history`."""

    evaluation = "evaluation"
    benchmark = "benchmark"
    gains = "gains"
    hard_cases = "hard-cases"
    rag = "rag"
    verify = "verify"
    recheck = "recheck"
    load = "load"
    tuning = "tuning"
    indexes = "index"


RunName = Annotated[
    str, typer.Argument(help="A run: its name, the beginning of it, or latest.", autocompletion=completion.runs)
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
Specs = Annotated[
    list[str] | None,
    typer.Option("--candidate", "-c", help="Only this candidate. Repeatable.", autocompletion=completion.candidates),
]


def make_runs_app() -> typer.Typer:
    """The commands below ``advisor runs``."""
    app = typer.Typer(help="Look at what was measured before, compare it, export it.", no_args_is_help=True)
    app.command("list")(list_)
    for command in (show, compare, export):
        app.command()(command)
    return app


def list_(
    kind: Annotated[RunKindName | None, typer.Option("--kind", help="Only these.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="Runs at most.")] = 20,
    json: Json = False,
) -> None:
    """List finished runs, the latest first."""
    from app.cli.printed import print_json
    from app.cli.records import RunsListed
    from app.cli.terminal import console, shown
    from knowledge.wording import say
    from tools.run_history import list_runs

    found = list_runs(read_settings().workspace(), kind=kind.value if kind else None, most=limit)
    if json:
        print_json(RunsListed(found))
    elif found:
        console().print(_list_table(found))
    else:
        sys.stderr.write(
            shown(say("Nothing was measured yet. Measure with: advisor evaluate --data DIR -c bm25")) + "\n"
        )


def _list_table(found: tuple[RunSummary, ...]) -> Table:
    from rich.table import Table
    from rich.text import Text as Plain

    from app.cli.terminal import shown
    from knowledge.wording import say

    table = Table()
    table.add_column(shown(say("run")), no_wrap=True)
    table.add_column(shown(say("data")), overflow="fold")
    table.add_column(shown(say("texts × queries")), justify="right", overflow="fold")
    table.add_column(shown(say("candidates")), overflow="fold", min_width=20)
    for run in found:
        names = [f"{spec} ★" if spec == run.best and len(run.candidates) > 1 else spec for spec in run.candidates]
        sizes = f"{run.documents:,} × {run.queries:,}" if run.documents else f"– × {run.queries:,}"
        cells = (run.run_id, "\n".join(_data_cell(run)), sizes, "\n".join(names))
        table.add_row(*map(Plain, cells))  # a name in square brackets is no markup
    return table


def _data_cell(run: RunSummary) -> Iterator[str]:
    """The data's name, and what is particular about its labels."""
    from app.cli.terminal import shown
    from knowledge.wording import say

    yield run.dataset or "–"
    if run.silver:
        yield shown(say("silver queries"))
    if run.given:
        yield shown(say("{count} judged here", count=run.given))


def show(run: RunName = "latest", json: Json = False) -> None:
    """Show a run as it was printed when it was measured."""
    from app.cli import gains, hard_cases, index_load, load, load_candidate, rag, rechecking, verification
    from app.cli.measuring import show_benchmark, show_evaluation
    from app.cli.printed import print_json
    from knowledge.results import Benchmark, Evaluation, HardCasesRun
    from knowledge.results.index_load import IndexLoad
    from knowledge.results.load import LoadTest
    from knowledge.results.next_gain import NextGain
    from knowledge.results.recheck import Recheck
    from knowledge.results.service import Tuning
    from knowledge.results.verification import Verification
    from tools.run_history import find_run

    found = find_run(read_settings().workspace(), run)
    if json:
        print_json(found)
    elif isinstance(found, Evaluation):
        show_evaluation(found)
    elif isinstance(found, Benchmark):
        show_benchmark(found)
    elif isinstance(found, NextGain):
        gains.show(found)
    elif isinstance(found, LoadTest):
        load.show(found)
    elif isinstance(found, Tuning):
        load_candidate.show_tuning(found)
    elif isinstance(found, IndexLoad):
        index_load.show(found)
    elif isinstance(found, Verification):
        verification.show(found)
    elif isinstance(found, Recheck):
        rechecking.show(found)
    elif isinstance(found, HardCasesRun):
        hard_cases.show(found.probes, found.robustness, found.candidates[0])
    else:
        rag.show(found)


def compare(
    runs: Annotated[
        list[str] | None,
        typer.Argument(help="One run or several on the same data; default: latest.", autocompletion=completion.runs),
    ] = None,
    candidate: Specs = None,
    metric: Annotated[
        str | None, typer.Option("--metric", help="As ir-measures writes it; default: the run's first.")
    ] = None,
    margin: Annotated[float, typer.Option("--margin", min=0, max=1, help="Loss that counts as none.")] = 0.02,
    queries: Annotated[int, typer.Option("--queries", min=0, help="Queries to show, most different first.")] = 10,
    json: Json = False,
) -> None:
    """Compare candidates of one run, or of several on the same data, query by query, with intervals; or load tests."""
    from app.cli.printed import print_json
    from tools.run_history import LATEST, find_evaluation, find_loads
    from tools.run_scores import compare_runs

    workspace = read_settings().workspace()
    names = list(dict.fromkeys(runs or [LATEST]))
    if runs and (tests := find_loads(workspace, names)):
        from app.cli.load import show_compared
        from tools.load.comparing import compare_loads

        loads = compare_loads(tests)
        if json:
            print_json(loads)
        else:
            show_compared(loads)
        return
    evaluations = [find_evaluation(workspace, name) for name in names]
    found = compare_runs(workspace, evaluations, specs=candidate or (), metric=metric, margin=margin)
    if json:
        print_json(found)
    else:
        _show_compared(found, queries)


def _show_compared(found: RunsCompared, most: int) -> None:
    from rich.table import Table
    from rich.text import Text as Plain

    from app.cli.terminal import console, shown
    from knowledge.wording import Text, say
    from tools.report.comparison import VERDICTS

    out = console()
    title = say("{queries} queries of {data}, paired", queries=len(found.queries), data=found.dataset.name)
    table = Table(title=Plain(shown(title)), title_justify="left")
    table.add_column(shown(say("candidate")), overflow="fold", min_width=14)
    for heading in (f"{found.metric} (95 %)", shown(say("difference (95 %)"))):
        table.add_column(heading, justify="right", no_wrap=True)
    for name in (say("won / lost / equal"), Text(template="p"), say("verdict")):
        table.add_column(shown(name), justify="right")
    for scored, c in zip(found.candidates, found.comparisons, strict=True):
        mean = f"{scored.mean.mean:.3f}\n[{scored.mean.low:.3f}, {scored.mean.high:.3f}]"
        best = c.verdict == "best"
        difference = "" if best else f"{c.difference.mean:+.3f}\n[{c.difference.low:+.3f}, {c.difference.high:+.3f}]"
        counts, p = ("", "") if best else (f"{c.wins}/{c.losses}/{c.draws}", f"{c.p_different:.3f}")
        table.add_row(*map(Plain, (scored.label, mean, difference, counts, p, shown(VERDICTS[c.verdict]))))
    out.print(table)
    for comparison in found.comparisons:
        if comparison.queries_needed:
            needed = say(
                "Too few queries to place {names}; about {needed} would settle it.",
                names=comparison.spec,
                needed=comparison.queries_needed,
            )
            sys.stdout.write(shown(needed) + "\n")
    for note in found.notes:
        sys.stdout.write(shown(note) + "\n")
    if not most:
        return
    labels = [scored.label for scored in found.candidates]
    by_query = Table(title=Plain(shown(say("Queries on which they differ most"))), title_justify="left")
    by_query.add_column(shown(say("query")), overflow="fold")
    for label in labels:
        by_query.add_column(Plain(label), justify="right", overflow="fold")
    for query in found.queries[:most]:
        by_query.add_row(*map(Plain, (query.query, *(f"{query.scores[label]:.3f}" for label in labels))))
    out.print(by_query)


def export(
    run: RunName = "latest",
    out: Annotated[Path | None, typer.Option("--out", "-o", help="File; default: standard output.")] = None,
    format_: Annotated[
        str | None,
        typer.Option("--format", "-f", help=f"{', '.join(FORMATS)}; default: as the file is called, else csv."),
    ] = None,
    candidate: Specs = None,
    metric: Annotated[list[str] | None, typer.Option("--metric", help="Only this measure. Repeatable.")] = None,
    json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
) -> None:
    """Write the scores of each query: as CSV, JSON, Parquet, or as ir-measures prints them."""
    from app.cli.exporting import write
    from app.cli.mistyped import usage_error
    from knowledge.wording import say
    from tools.run_history import find_evaluation

    named = format_ or ("json" if json else (out.suffix.removeprefix(".").lower() if out else "")) or "csv"
    wanted = {"tsv": "ir-measures", "txt": "ir-measures"}.get(named, named)
    if wanted not in FORMATS:
        raise usage_error(say("“{name}” is no format: write one of {names}", name=named, names=", ".join(FORMATS)))
    workspace = read_settings().workspace()
    write(workspace, find_evaluation(workspace, run), wanted, out, candidate or [], metric or [])
