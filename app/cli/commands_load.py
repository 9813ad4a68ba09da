"""`advisor load`'s options. It imports what it needs when it runs."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from app.cli.options import (
    AgreeToPlan,
    Columns,
    Documents,
    DryRun,
    Json,
    NeededData,
    NoInput,
    Queries,
    Quiet,
    SendTo,
    SkipBad,
    given_in,
    source_of,
)
from app.cli.settings import read_settings


class ArrivalsName(StrEnum):
    """How requests are spread over time; the names are those of `knowledge.results.load`."""

    poisson = "poisson"
    constant = "constant"


def load(
    context: typer.Context,
    target: Annotated[
        str,
        typer.Option("--target", help="Address of an embedding server (http://host:8080), or a candidate (st:MODEL)."),
    ],
    data: NeededData = "stdlib",
    protocol: Annotated[
        str | None, typer.Option("--protocol", help="openai, tei, ollama or infinity; default: ask the server.")
    ] = None,
    model: Annotated[str | None, typer.Option("--model", help="As the server calls it; default: its only one.")] = None,
    goal_p95: Annotated[float, typer.Option("--goal-p95", min=0.1, help="95 of 100 answers within so many ms.")] = 50.0,
    rate: Annotated[
        float | None, typer.Option("--rate", min=0.01, help="Only this rate a second; default: search for the highest.")
    ] = None,
    concurrency: Annotated[
        int | None, typer.Option("--concurrency", min=1, help="Only so many at a time; implies --closed.")
    ] = None,
    closed: Annotated[
        bool, typer.Option("--closed/--open", help="So many at a time, or when they come, as users do.")
    ] = False,
    arrivals: Annotated[
        ArrivalsName, typer.Option("--arrivals", help="Of --open: poisson (independent users) or constant.")
    ] = ArrivalsName.poisson,
    seconds: Annotated[float, typer.Option("--seconds", min=0.1, help="Of one step.")] = 5.0,
    repeats: Annotated[int, typer.Option("--repeats", min=1, max=50, help="Of what was found.")] = 3,
    requests: Annotated[int, typer.Option("--requests", min=1, help="No more than these in all.")] = 100_000,
    limit: Annotated[float, typer.Option("--limit", min=1, help="Seconds for all of it.")] = 180.0,
    timeout: Annotated[float, typer.Option("--timeout", min=0.01, help="Seconds a request may take.")] = 10.0,
    in_flight: Annotated[
        int, typer.Option("--in-flight", min=1, max=10_000, help="Requests that wait at once, at most.")
    ] = 512,
    seed: Annotated[int, typer.Option("--seed", help="Of the order of texts and of arrivals.")] = 0,
    tune: Annotated[
        bool, typer.Option("--tune", help="Of a candidate: try precisions, threads and batches for the highest rate.")
    ] = False,
    threads: Annotated[int | None, typer.Option("--threads", min=1, help="Of a candidate's libraries.")] = None,
    max_batch: Annotated[
        int, typer.Option("--max-batch", min=1, max=4096, help="Queries a candidate encodes together, at most.")
    ] = 16,
    max_wait: Annotated[
        float, typer.Option("--max-wait", min=0, max=10_000, help="Milliseconds a query waits for others to join it.")
    ] = 0.0,
    in_memory: Annotated[
        bool, typer.Option("--in-memory", help="Of a candidate: compare in memory rather than search Milvus Lite.")
    ] = False,
    send_to: SendTo = None,
    yes: AgreeToPlan = False,
    column: Columns = None,
    skip_bad: SkipBad = False,
    documents: Documents = None,
    queries: Queries = None,
    dry_run: DryRun = False,
    json: Json = False,
    no_input: NoInput = False,
    quiet: Quiet = False,
) -> int:
    """How many requests a second does an embedding server hold, or a candidate on this machine, with your texts?"""
    from app.cli import load as loading
    from knowledge.results.load import Goal, Limits
    from tools.load.steps import Course

    loading.fits_together(target, given_in(context))
    source = source_of(data, column, skip_bad, documents, queries)
    assert source
    asked = loading.Asked(
        target=target,
        protocol=protocol,
        model=model,
        course=Course(
            goal=Goal(p95_ms=goal_p95),
            limits=Limits(
                seconds=limit, step_seconds=seconds, requests=requests, in_flight=in_flight, timeout_s=timeout
            ),
            loop="closed" if closed or concurrency is not None else "open",
            arrivals=arrivals.value,
            rate=rate,
            concurrency=concurrency,
            repeats=repeats,
            seed=seed,
        ),
    )
    from tools.load.address import is_address

    if not is_address(target):
        from app.cli import load_candidate as here
        from tools.service.settings import Settings

        given = Settings(threads=threads, max_batch=max_batch, max_wait_ms=max_wait, lite=not in_memory)
        if dry_run:
            here.plan(read_settings(), source, asked, given, tune=tune, as_json=json, quiet=quiet)
            return 0
        run = here.tuning if tune else here.test
        return run(read_settings(), source, asked, given, as_json=json, quiet=quiet)
    if dry_run:
        loading.plan(read_settings(), source, asked, as_json=json)
        return 0
    return loading.test(read_settings(), source, asked, send_to=send_to or (), yes=yes, as_json=json, quiet=quiet)


def index(
    candidate: Annotated[
        str, typer.Option("--candidate", "-c", help="An encoder, such as st:MODEL?dim=256.", show_default=False)
    ],
    data: NeededData = "stdlib",
    vectors: Annotated[
        int | None, typer.Option("--vectors", min=10, help="So many; beyond your documents, copies moved a little.")
    ] = None,
    concurrency: Annotated[
        list[int] | None, typer.Option("--concurrency", min=1, max=256, help="Clients at a time. Repeatable.")
    ] = None,
    seconds: Annotated[float, typer.Option("--seconds", min=0.1, max=60, help="Each setting is asked.")] = 1.0,
    send_to: SendTo = None,
    column: Columns = None,
    skip_bad: SkipBad = False,
    documents: Documents = None,
    queries: Queries = None,
    dry_run: DryRun = False,
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Searches a second against recall: FLAT, HNSW and IVF in your Milvus, over your vectors, parameters swept."""
    from app.cli import index_load as sweeping

    source = source_of(data, column, skip_bad, documents, queries)
    assert source
    clients = concurrency or [1, 4, 16]
    if dry_run:
        sweeping.plan(read_settings(), candidate, clients, seconds, as_json=json, quiet=quiet)
        return 0
    return sweeping.sweep(
        read_settings(),
        source,
        candidate,
        vectors=vectors,
        concurrency=clients,
        seconds=seconds,
        send_to=send_to or (),
        as_json=json,
        quiet=quiet,
    )
