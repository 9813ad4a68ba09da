"""The commands that measure. Each imports what it needs when it runs."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli import completion
from app.cli.settings import read_settings

if TYPE_CHECKING:
    from knowledge.results import Consent
    from tools.data_source import DataSource
from app.cli.options import (
    Candidates,
    Columns,
    Data,
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
        _hard_cases(source, candidate, metric, consent, preflight=preflight, as_json=json, quiet=quiet)
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
    from knowledge.results import Consent

    consent = Consent(measure=True, download=download, hosts=frozenset(send_to or ()))
    source = source_of(data, column, skip_bad, documents, queries)
    if (source is None) == (contrast is None):
        from app.cli.mistyped import usage_error
        from knowledge.wording import say

        raise usage_error(say("give either --data FOLDER or --contrast FILE"))
    if contrast is not None:
        from app.cli.hard_cases import contrasts

        contrasts(read_settings(), contrast, named(candidate), consent, as_json=json, quiet=quiet)
    elif source is not None:
        _hard_cases(source, candidate, None, consent, kinds=("probes",), as_json=json, quiet=quiet)


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
    from knowledge.results import Consent

    consent = Consent(measure=True, download=download, hosts=frozenset(send_to or ()))
    source = source_of(data, column, skip_bad, documents, queries)
    assert source
    metrics = [metric] if metric else None
    _hard_cases(source, candidate, metrics, consent, kinds=("robustness",), as_json=json, quiet=quiet)


def _hard_cases(
    source: DataSource,
    candidate: list[str] | None,
    metrics: list[str] | None,
    consent: Consent,
    *,
    kinds: tuple[str, ...] = (),
    preflight: bool = True,
    as_json: bool,
    quiet: bool,
) -> None:
    """The kinds of hard cases named; without any all of them, and the evaluation before."""
    from app.cli.hard_cases import hard_cases

    hard_cases(
        read_settings(),
        source,
        named(candidate),
        metrics,
        consent,
        kinds=kinds or ("probes", "robustness"),
        with_evaluation=not kinds,
        preflight=preflight,
        as_json=as_json,
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
