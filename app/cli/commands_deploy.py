"""The command that writes what is deployed. It imports what it needs when it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from app.cli import completion
from app.cli.options import Columns, Data, Documents, DryRun, Json, Queries, RequirementsFile, SkipBad, source_of
from app.cli.settings import read_settings


def deploy(
    run: Annotated[
        str | None,
        typer.Argument(help="The evaluation that decided; default: latest.", autocompletion=completion.runs),
    ] = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the files.")] = Path("deployment"),
    data: Data = None,
    candidate: Annotated[
        str | None,
        typer.Option(
            "--candidate", "-c", help="Another than the recommended one.", autocompletion=completion.candidates
        ),
    ] = None,
    requirements: RequirementsFile = None,
    name: Annotated[str | None, typer.Option("--name", help="Of the collection; default: the data's.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over files that are there.")] = False,
    column: Columns = None,
    skip_bad: SkipBad = False,
    documents: Documents = None,
    queries: Queries = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Write the files that put a measured candidate into production: Milvus, ingest, search, plan, checks."""
    from app.cli import deploying

    deploying.deploy(
        read_settings(),
        run,
        source_of(data, column, skip_bad, documents, queries),
        candidate=candidate,
        requirements=requirements,
        name=name,
        out=out,
        force=force,
        dry_run=dry_run,
        as_json=json,
    )
