"""The commands that measure candidates. Each imports what it needs when it runs."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from app.cli import completion
from app.cli.options import (
    Candidates,
    Columns,
    Documents,
    Download,
    DryRun,
    Json,
    NeededData,
    NoInput,
    Queries,
    Quiet,
    SendTo,
    Silver,
    SkipBad,
    Yes,
    named,
    source_of,
    with_words,
)
from app.cli.settings import read_settings


class MeasurableTask(StrEnum):
    """What can be measured; the names are those of `knowledge.measured_task`."""

    ranking = "ranking"
    classification = "classification"
    clustering = "clustering"
    similarity = "similarity"
    deduplication = "deduplication"
    bitext = "bitext"


def preflight(
    data: NeededData,
    candidate: Candidates = None,
    send_to: SendTo = None,
    column: Columns = None,
    skip_bad: SkipBad = False,
    documents: Documents = None,
    queries: Queries = None,
    dry_run: DryRun = False,
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Check candidates on a small sample before they are measured: prompts, pooling, limits, dimensions, sanity."""
    from app.cli.preflight import check

    source = source_of(data, column, skip_bad, documents, queries)
    assert source
    if dry_run:
        from app.cli.planned import plan_measurement
        from tools.preflight.sample import DOCUMENTS

        plan_measurement(read_settings(), source, named(candidate), most=DOCUMENTS, as_json=json, quiet=quiet)
        return 0
    return check(read_settings(), source, named(candidate), frozenset(send_to or ()), as_json=json, quiet=quiet)


def evaluate(
    data: NeededData,
    candidate: Candidates = None,
    metric: Annotated[
        list[str] | None,
        typer.Option(
            "--metric", help="As ir-measures writes it, or a task's, such as Accuracy; the first decides. Repeatable."
        ),
    ] = None,
    task: Annotated[
        MeasurableTask | None, typer.Option("--task", help="What for; default: what the data has labels for.")
    ] = None,
    adaptive: Annotated[
        bool, typer.Option("--adaptive", help="Only find the winner: encode no more for the others than it takes.")
    ] = False,
    budget: Annotated[
        float | None,
        typer.Option("--budget", min=0.1, help="Minutes for --adaptive, which it implies."),
    ] = None,
    preflight: Annotated[
        bool, typer.Option("--preflight/--no-preflight", help="Look at each encoder on a small sample first.")
    ] = True,
    probes: Annotated[
        bool, typer.Option("--probes", help="Then ask hard cases: altered facts, queries with mistakes.")
    ] = False,
    silver: Silver = False,
    download: Download = False,
    send_to: SendTo = None,
    column: Columns = None,
    skip_bad: SkipBad = False,
    documents: Documents = None,
    queries: Queries = None,
    dry_run: DryRun = False,
    json: Json = False,
    no_input: NoInput = False,
    yes: Yes = False,
    quiet: Quiet = False,
) -> None:
    """Measure the quality of candidates on your data."""
    from app.cli import measuring
    from knowledge.results import Consent

    source = source_of(data, column, skip_bad, documents, queries)
    assert source
    source = source.model_copy(update={"silver": silver})
    candidate = with_words(candidate) if silver else candidate
    if dry_run:
        from app.cli.planned import plan_measurement

        plan_measurement(
            read_settings(),
            source,
            named(candidate),
            task=task.value if task else None,
            as_json=json,
            quiet=quiet,
        )
        return
    consent = Consent(measure=True, download=download, hosts=frozenset(send_to or ()))
    if probes:
        if adaptive or budget is not None or task not in (None, MeasurableTask.ranking):
            from app.cli.mistyped import usage_error
            from knowledge.wording import say

            raise usage_error(say("--probes looks at rankings of all: leave out --adaptive, --budget and --task"))
        from app.cli.hard_cases import hard_cases

        hard_cases(
            read_settings(),
            source,
            named(candidate),
            metric,
            consent,
            with_evaluation=True,
            preflight=preflight,
            as_json=json,
            quiet=quiet,
        )
        return
    if adaptive or budget is not None:
        if task is not None and task is not MeasurableTask.ranking:
            from app.cli.mistyped import usage_error
            from knowledge.wording import say

            cause = say("--adaptive leaves out losers of rankings; leave it out with --task {task}", task=task.value)
            raise usage_error(cause)
        from app.cli import adaptive as sparing

        sparing.evaluate(
            read_settings(),
            source,
            named(candidate),
            metric,
            consent,
            budget_minutes=budget,
            preflight=preflight,
            as_json=json,
            quiet=quiet,
        )
        return
    measuring.evaluate(
        read_settings(),
        source,
        named(candidate),
        metric,
        consent,
        task=task.value if task else None,
        preflight=preflight,
        as_json=json,
        quiet=quiet,
    )


def benchmark(
    data: NeededData = "stdlib",
    candidate: Candidates = None,
    repeats: Annotated[int, typer.Option("--repeats", min=1, help="Single queries to time.")] = 100,
    column: Columns = None,
    skip_bad: SkipBad = False,
    documents: Documents = None,
    queries: Queries = None,
    dry_run: DryRun = False,
    json: Json = False,
    no_input: NoInput = False,
    yes: Yes = False,
    quiet: Quiet = False,
) -> None:
    """Measure latency, throughput, memory and size of candidates on this machine."""
    from app.cli import measuring

    source = source_of(data, column, skip_bad, documents, queries)
    assert source
    if dry_run:
        from app.cli.planned import plan_measurement
        from tools.benchmark import DOCUMENTS

        plan_measurement(read_settings(), source, named(candidate), most=DOCUMENTS, as_json=json, quiet=quiet)
        return
    measuring.benchmark(read_settings(), source, named(candidate), repeats, as_json=json, quiet=quiet)


def gains(
    data: NeededData,
    base: Annotated[str, typer.Option("--from", help="The candidate to change.", autocompletion=completion.candidates)],
    also: Annotated[
        list[str] | None,
        typer.Option("--also", help="Another candidate, one change to the first, such as a reranker. Repeatable."),
    ] = None,
    margin: Annotated[float, typer.Option("--margin", min=0.0, max=1.0, help="Loss that counts as none.")] = 0.02,
    minutes: Annotated[
        float, typer.Option("--minutes", min=0.0, help="Leave out changes whose encoding would take longer.")
    ] = 10.0,
    silver: Silver = False,
    download: Download = False,
    send_to: SendTo = None,
    column: Columns = None,
    skip_bad: SkipBad = False,
    documents: Documents = None,
    queries: Queries = None,
    dry_run: DryRun = False,
    json: Json = False,
    no_input: NoInput = False,
    yes: Yes = False,
    quiet: Quiet = False,
) -> None:
    """Which single change to a candidate gains most, and which saves most without a measurable loss?"""
    from app.cli import gains as single_changes
    from knowledge.results import Consent

    source = source_of(data, column, skip_bad, documents, queries)
    assert source
    source = source.model_copy(update={"silver": silver})
    if dry_run:
        single_changes.plan(read_settings(), source, base, also=also or (), minutes=minutes, as_json=json, quiet=quiet)
        return
    single_changes.measure(
        read_settings(),
        source,
        base,
        margin=margin,
        consent=Consent(measure=True, download=download, hosts=frozenset(send_to or ())),
        also=also or (),
        minutes=minutes,
        as_json=json,
        quiet=quiet,
    )
