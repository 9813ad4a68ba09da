"""The commands that ask hard cases: altered facts, queries with mistakes. Each imports what it needs when it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from app.cli.options import (
    Candidates,
    Columns,
    Data,
    Documents,
    Download,
    Json,
    NeededData,
    Queries,
    Quiet,
    SendTo,
    SkipBad,
    named,
    source_of,
)
from app.cli.settings import read_settings


def probes(
    data: Data = None,
    contrast: Annotated[
        Path | None,
        typer.Option("--contrast", help="A labelled set instead: query, right, wrong and maybe kind.", dir_okay=False),
    ] = None,
    candidate: Candidates = None,
    download: Download = False,
    send_to: SendTo = None,
    column: Columns = None,
    skip_bad: SkipBad = False,
    documents: Documents = None,
    queries: Queries = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Ask candidates for what is true: passages of your data against the same with one fact altered."""
    from app.cli.hard_cases import contrasts, hard_cases
    from knowledge.results import Consent

    consent = Consent(measure=True, download=download, hosts=frozenset(send_to or ()))
    source = source_of(data, column, skip_bad, documents, queries)
    if (source is None) == (contrast is None):
        from app.cli.mistyped import usage_error
        from knowledge.wording import say

        raise usage_error(say("give either --data FOLDER or --contrast FILE"))
    if contrast is not None:
        contrasts(read_settings(), contrast, named(candidate), consent, as_json=json, quiet=quiet)
    elif source is not None:
        hard_cases(
            read_settings(), source, named(candidate), None, consent, kinds=("probes",), as_json=json, quiet=quiet
        )


def robustness(
    data: NeededData,
    candidate: Candidates = None,
    metric: Annotated[str | None, typer.Option("--metric", help="As ir-measures writes it.")] = None,
    download: Download = False,
    send_to: SendTo = None,
    column: Columns = None,
    skip_bad: SkipBad = False,
    documents: Documents = None,
    queries: Queries = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Measure what candidates lose on your queries with typing mistakes, cut short, in other letters, with emoji."""
    from app.cli.hard_cases import hard_cases
    from knowledge.results import Consent

    consent = Consent(measure=True, download=download, hosts=frozenset(send_to or ()))
    source = source_of(data, column, skip_bad, documents, queries)
    assert source
    metrics = [metric] if metric else None
    hard_cases(
        read_settings(), source, named(candidate), metrics, consent, kinds=("robustness",), as_json=json, quiet=quiet
    )
