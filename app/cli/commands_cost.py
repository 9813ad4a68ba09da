"""The command that computes costs; it imports what it needs when it runs."""

from __future__ import annotations

from typing import Annotated

import typer

from app.cli import completion
from app.cli.options import Candidates, Columns, Data, Json, SkipBad, source_of
from app.cli.settings import read_settings

Amount = str | None


def cost(
    run: Annotated[
        str | None,
        typer.Argument(help="A run that timed candidates; default: latest.", autocompletion=completion.runs),
    ] = None,
    candidate: Candidates = None,
    documents: Annotated[Amount, typer.Option("--documents", help="So many, such as 10M; default: as now.")] = None,
    queries_per_month: Annotated[Amount, typer.Option("--queries-per-month", help="Searches, such as 3M.")] = None,
    machine_usd_per_hour: Annotated[
        float | None, typer.Option("--machine-usd-per-hour", min=0, help="Price of a machine like the one measured.")
    ] = None,
    machine_memory_gb: Annotated[
        float | None, typer.Option("--machine-memory-gb", min=0, help="Memory of such a machine.")
    ] = None,
    replicas: Annotated[int | None, typer.Option("--replicas", min=1, help="Copies of the index.")] = None,
    changed_per_month: Annotated[
        float | None, typer.Option("--changed", min=0, max=1, help="Share of the documents that changes in a month.")
    ] = None,
    reembeddings_per_year: Annotated[
        float | None, typer.Option("--reembeddings", min=0, help="Times a year that all is embedded anew.")
    ] = None,
    peak: Annotated[float | None, typer.Option("--peak", min=1, help="Busiest second over the mean one.")] = None,
    document_tokens: Annotated[
        float | None,
        typer.Option("--document-tokens", min=1, help="Mean of a document; default: your data's."),
    ] = None,
    query_tokens: Annotated[float | None, typer.Option("--query-tokens", min=1, help="The same of a query.")] = None,
    api: Annotated[
        str | None,
        typer.Option("--api", help="Compare with this API; default: the cheapest.", autocompletion=completion.models),
    ] = None,
    data: Data = None,
    column: Columns = None,
    skip_bad: SkipBad = False,
    json: Json = False,
) -> None:
    """What would it cost a month, at which size, and is an API cheaper? With --candidate and no run: as published."""
    from app.cli.amounts import amount
    from app.cli.cost import tell
    from tools.cost import Stated

    stated = Stated(
        documents=round(amount(documents)) if documents is not None else None,
        queries_per_month=amount(queries_per_month) if queries_per_month is not None else None,
        machine_usd_per_hour=machine_usd_per_hour,
        machine_memory_gb=machine_memory_gb,
        replicas=replicas,
        changed_per_month=changed_per_month,
        reembeddings_per_year=reembeddings_per_year,
        peak=peak,
        document_tokens=document_tokens,
        query_tokens=query_tokens,
    )
    source = source_of(data, column, skip_bad, None, None)
    tell(read_settings(), run, candidate or [], api, source, stated, as_json=json)
