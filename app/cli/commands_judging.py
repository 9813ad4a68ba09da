"""The commands that get judgments: from people, from a language model, or from the documents themselves.

Each imports what it needs when it runs.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from app.cli import completion
from app.cli.options import (
    Candidates,
    Columns,
    Data,
    Documents,
    Download,
    DryRun,
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


def judge(
    run: Annotated[
        str | None,
        typer.Argument(help="An evaluation; default with no --candidate: latest.", autocompletion=completion.runs),
    ] = None,
    data: Data = None,
    candidate: Candidates = None,
    margin: Annotated[float, typer.Option("--margin", min=0, max=1, help="Loss that counts as none.")] = 0.02,
    most: Annotated[int, typer.Option("--most", min=1, help="Answers after which it is enough.")] = 100,
    who: Annotated[str, typer.Option("--who", help="A name that your judgments are kept under.")] = "",
    given: Annotated[
        Path | None,
        typer.Option("--given", help="Take judgments from this file (query, document, grade by tabs; - for stdin)."),
    ] = None,
    export: Annotated[
        Path | None, typer.Option("--export", help="Write all judgments to this file, in the form of qrels.tsv.")
    ] = None,
    download: Download = False,
    send_to: SendTo = None,
    column: Columns = None,
    skip_bad: SkipBad = False,
    documents: Documents = None,
    queries: Queries = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Judge the few passages that would settle between candidates; with --candidate, no judgments are needed before."""
    from app.cli import judging
    from app.cli.mistyped import usage_error
    from knowledge.results import Consent
    from knowledge.wording import say

    source = source_of(data, column, skip_bad, documents, queries)
    settings = read_settings()
    evaluation = None
    if candidate:
        if run is not None or source is None:
            raise usage_error(say("name a run, or --data and the candidates: --data DIR -c bm25 -c st:MODEL"))
        consent = Consent(measure=True, download=download, hosts=frozenset(send_to or ()))
        desk = judging.desk_for_data(settings, source, candidate, consent, margin, most, quiet=quiet)
    else:
        desk, evaluation = judging.desk_for_run(settings.workspace(), run or "latest", source, margin, most)
    judging.judge(desk, evaluation, who=who, given=given, export=export, as_json=json)


def rag(
    data: NeededData,
    candidate: Candidates = None,
    queries: Annotated[int, typer.Option("--queries", min=1, max=1000, help="Questions asked at most.")] = 20,
    contexts: Annotated[int, typer.Option("--contexts", min=1, max=10, help="Documents read for each.")] = 5,
    answers: Annotated[
        Path | None, typer.Option("--answers", help="Your own answers (columns query_id, answer).", show_default=False)
    ] = None,
    embedder: Annotated[
        str | None, typer.Option("--embedder", help="Encoder by which questions are compared.", show_default=False)
    ] = None,
    download: Download = False,
    send_to: SendTo = None,
    column: Columns = None,
    skip_bad: SkipBad = False,
    dry_run: DryRun = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Have a language model (ADVISOR_LLM) answer from what candidates find, and judge the answers (Ragas)."""
    from app.cli.rag import judge as judge_answers
    from knowledge.results import Consent

    source = source_of(data, column, skip_bad, None, None)
    assert source
    judge_answers(
        read_settings(),
        source,
        named(candidate),
        Consent(measure=True, download=download, hosts=frozenset(send_to or ())),
        queries=queries,
        contexts=contexts,
        answers=answers,
        embedder=embedder,
        dry_run=dry_run,
        as_json=json,
        quiet=quiet,
    )


def silver(
    data: NeededData,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the documents, queries and judgments.")],
    most: Annotated[int, typer.Option("--most", min=20, max=5000, help="Queries at most.")] = 300,
    seed: Annotated[int, typer.Option("--seed", help="Which documents are asked for.")] = 0,
    llm: Annotated[
        bool, typer.Option("--llm", help="Have the language model (ADVISOR_LLM) write them; needs --send-to.")
    ] = False,
    send_to: SendTo = None,
    column: Columns = None,
    skip_bad: SkipBad = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Make queries from documents that nobody asked for, and write them down with their right answers."""
    from app.cli.silver import make

    source = source_of(data, column, skip_bad, None, None)
    assert source
    hosts = frozenset(send_to or ())
    make(read_settings(), source, out, most, seed, hosts, written=llm, as_json=json, quiet=quiet)
