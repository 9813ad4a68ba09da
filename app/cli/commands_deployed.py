"""The commands that look at what was deployed, again and again. Each imports what it needs when it runs."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from app.cli import completion
from app.cli.options import (
    AgreeToPlan,
    Columns,
    Data,
    Documents,
    Download,
    DryRun,
    Json,
    Queries,
    Quiet,
    RequirementsFile,
    SendTo,
    SkipBad,
    source_of,
)
from app.cli.settings import read_settings

Run = Annotated[
    str | None,
    typer.Option("--run", help="The evaluation that decided: its name, or latest.", autocompletion=completion.runs),
]
Spec = Annotated[
    str | None,
    typer.Option(
        "--candidate",
        "-c",
        help="The candidate in use; default: as handed over, of a run the one measured best.",
        autocompletion=completion.candidates,
    ),
]
Margin = Annotated[
    float | None, typer.Option("--margin", min=0, max=1, help="Loss that counts as none; default: as decided.")
]
Summary = Annotated[
    Path | None, typer.Option("--summary", help="Append Markdown to this file, such as $GITHUB_STEP_SUMMARY.")
]


class Part(StrEnum):
    """What can be looked at; the names are those of `knowledge.results.verification`."""

    identity = "identity"
    corpus = "corpus"
    quality = "quality"
    agreement = "agreement"
    speed = "speed"
    robustness = "robustness"
    edges = "edges"


def verify(
    handover: Annotated[
        Path | None, typer.Option("--handover", help="evaluation/verify.json of a deployment.", show_default=False)
    ] = None,
    run: Run = None,
    data: Data = None,
    candidate: Spec = None,
    search_url: Annotated[
        str | None, typer.Option("--search-url", help="A search service: POST {query, limit}, ids in its answer.")
    ] = None,
    endpoint: Annotated[
        str | None, typer.Option("--endpoint", help="Or the embedding server of the application, ...")
    ] = None,
    encoder: Annotated[
        str | None, typer.Option("--encoder", help="... or a model on this machine in its place, such as st:MODEL, ...")
    ] = None,
    milvus: Annotated[
        str | None, typer.Option("--milvus", help="... and its Milvus: a server, or a file; default: MILVUS_URI.")
    ] = None,
    collection: Annotated[str | None, typer.Option("--collection", help="A collection there, or an alias.")] = None,
    vector_field: Annotated[str | None, typer.Option("--vector-field", help="Its field of vectors.")] = None,
    id_field: Annotated[str | None, typer.Option("--id-field", help="Its field of documents' ids.")] = None,
    protocol: Annotated[
        str | None, typer.Option("--protocol", help="Of --endpoint: openai, tei, ollama, infinity.")
    ] = None,
    model: Annotated[str | None, typer.Option("--model", help="As --endpoint calls it; default: its only one.")] = None,
    query_prompt: Annotated[
        str | None,
        typer.Option("--query-prompt", help="What the application puts before queries; default: as decided."),
    ] = None,
    query_field: Annotated[
        str, typer.Option("--query-field", help="Of --search-url: what it calls the query.")
    ] = "query",
    limit_field: Annotated[
        str, typer.Option("--limit-field", help="And what the number of documents wanted.")
    ] = "limit",
    ids: Annotated[
        str | None, typer.Option("--ids", help="And where ids are, such as hits.id; default: where they usually are.")
    ] = None,
    requirements: RequirementsFile = None,
    margin: Margin = None,
    seconds: Annotated[float, typer.Option("--seconds", min=0.1, max=60, help="Of the load step.")] = 5.0,
    only: Annotated[
        list[Part] | None, typer.Option("--only", help="Look at this only. Repeatable; default: at everything.")
    ] = None,
    junit: Annotated[Path | None, typer.Option("--junit", help="Write JUnit XML to this file.")] = None,
    summary: Summary = None,
    send_to: SendTo = None,
    yes: AgreeToPlan = False,
    column: Columns = None,
    skip_bad: SkipBad = False,
    documents: Documents = None,
    queries: Queries = None,
    dry_run: DryRun = False,
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Check a deployed search against the evaluation that recommended it; exit code 10 where it fails."""
    from app.cli import verification
    from app.cli.named_pipeline import Built, Service, only_one

    only_one(search_url, endpoint, encoder, collection)
    decided = verification.Decided(handover, run, candidate, requirements, margin)
    asked: Service | Built = Built(
        endpoint, encoder, protocol, model, query_prompt, milvus, collection, vector_field, id_field
    )
    if search_url is not None:
        asked = Service(search_url, query_field, limit_field, ids)
    return verification.check(
        read_settings(),
        decided,
        asked,
        source_of(data, column, skip_bad, documents, queries),
        send_to=frozenset(send_to or ()),
        yes=yes,
        seconds=seconds,
        subjects=[part.value for part in only] if only else None,
        junit=junit,
        summary=summary,
        dry_run=dry_run,
        as_json=json,
        quiet=quiet,
    )


def recheck(
    handover: Annotated[
        Path | None, typer.Option("--handover", help="evaluation/verify.json of a deployment.", show_default=False)
    ] = None,
    run: Run = None,
    candidate: Spec = None,
    data: Data = None,
    challenger: Annotated[
        list[str] | None,
        typer.Option("--against", help="Measure this one too. Repeatable.", autocompletion=completion.candidates),
    ] = None,
    measure: Annotated[
        bool,
        typer.Option("--measure", help="Measure on today's data, new models that are predicted to be better too."),
    ] = False,
    requirements: RequirementsFile = None,
    margin: Margin = None,
    production: Annotated[
        int | None, typer.Option("--production-documents", min=1, help="Documents in production, for the plan.")
    ] = None,
    threshold: Annotated[
        list[float] | None, typer.Option("--threshold", help="A cut-off on scores in use, to be mapped. Repeatable.")
    ] = None,
    webhook: Annotated[str | None, typer.Option("--webhook", help="Tell this address of an alert.")] = None,
    summary: Summary = None,
    download: Download = False,
    send_to: SendTo = None,
    yes: AgreeToPlan = False,
    column: Columns = None,
    skip_bad: SkipBad = False,
    documents: Documents = None,
    queries: Queries = None,
    dry_run: DryRun = False,
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Is a decision still the best? New models, data that moved, scores of today; exit code 11 where it is not."""
    from app.cli import rechecking, verification

    return rechecking.look(
        read_settings(),
        verification.Decided(handover, run, candidate, requirements, margin),
        source_of(data, column, skip_bad, documents, queries),
        challengers=challenger or [],
        measure=measure,
        download=download,
        send_to=frozenset(send_to or ()),
        yes=yes,
        production=production,
        thresholds=threshold or [],
        webhook=webhook,
        summary=summary,
        dry_run=dry_run,
        as_json=json,
        quiet=quiet,
    )
