"""The commands. Each imports what it needs when it runs, so that `advisor --help` answers at once."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli import completion
from app.cli.catalog import make_catalog_app
from app.cli.config import make_config_app
from app.cli.failures import EXIT_CODES
from app.cli.keys import make_keys_app
from app.cli.runs import make_runs_app
from app.cli.settings import give, read_settings

if TYPE_CHECKING:
    from knowledge.requirements import Requirements
    from knowledge.results import Consent
    from tools.data_source import DataSource


class MeasurableTask(StrEnum):
    """What can be measured; the names are those of `knowledge.measured_task`."""

    ranking = "ranking"
    classification = "classification"
    clustering = "clustering"
    similarity = "similarity"
    deduplication = "deduplication"
    bitext = "bitext"


class Lang(StrEnum):
    """Languages of the output."""

    en = "en"
    zh = "zh"


Data = Annotated[str | None, typer.Option("--data", help="Folder or file with your data, or 'stdlib' for the sample.")]
NeededData = Annotated[str, typer.Option("--data", help="Folder or file with your data, or 'stdlib' for the sample.")]
Candidates = Annotated[
    list[str] | None,
    typer.Option(
        "--candidate",
        "-c",
        help="A candidate, such as bm25 or st:MODEL?dim=256. Repeatable.",
        autocompletion=completion.candidates,
    ),
]
RequirementsFile = Annotated[
    Path | None, typer.Option("--requirements", "-r", help="Requirements file (JSON).", show_default=False)
]
FreeText = Annotated[str | None, typer.Option("--text", "-t", help="What you need, in your own words.")]
Weight = Annotated[
    list[str] | None,
    typer.Option(
        "--weight",
        metavar="NAME=NUMBER",
        help="Beside quality, which is 1: robustness=0.3, correctness=0.3. Repeatable",
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only show what it would do and cost.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Agree to measuring on this machine.")]
NoInput = Annotated[bool, typer.Option("--no-input", help="Never ask anything.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")]
Download = Annotated[bool, typer.Option("--download", help="Agree to downloading models.")]
SendTo = Annotated[list[str] | None, typer.Option("--send-to", help="Agree to sending texts to this host. Repeatable.")]
Columns = Annotated[list[str] | None, typer.Option("--column", help="Which column is which: text=body. Repeatable.")]
SkipBad = Annotated[bool, typer.Option("--skip-bad", help="Leave out entries that cannot be used.")]
Documents = Annotated[int | None, typer.Option("--documents", min=1, help="Size of the stdlib sample.")]
Queries = Annotated[int | None, typer.Option("--queries", min=1, help="Queries of the stdlib sample.")]
Silver = Annotated[
    bool, typer.Option("--silver", help="With queries made from your documents, not your own; BM25 beside.")
]
Out = Annotated[Path | None, typer.Option("--out", "-o", help="Folder for report.md, report.html and report.json.")]


def make_app() -> typer.Typer:
    """The command line."""
    app = typer.Typer(
        help="Which embedding model? Measured on your data, justified, and cheap enough.",
        epilog=EXIT_CODES,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )

    @app.callback()
    def common(
        lang: Annotated[Lang | None, typer.Option("--lang", help="Language of the output.")] = None,
        version: Annotated[
            bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=_show_version)
        ] = False,
        config: Annotated[
            Path | None, typer.Option("--config", help="Configuration file (TOML).", show_default=False)
        ] = None,
        set_: Annotated[
            list[str] | None,
            typer.Option(
                "--set",
                metavar="NAME=VALUE",
                help="A setting, for this run. Repeatable.",
                autocompletion=completion.settings,
            ),
        ] = None,
    ) -> None:
        if lang:
            from app.cli.terminal import choose_language

            choose_language(lang.value)
        give(config, set_ or ())

    for command in (
        chat,
        ask,
        recommend,
        shortlist,
        preflight,
        evaluate,
        rag,
        judge,
        silver,
        benchmark,
        probes,
        robustness,
        gains,
        models,
        doctor,
        demo,
        serve,
        slack,
        mcp,
    ):
        app.command(epilog=EXIT_CODES if command in (recommend, evaluate) else None)(command)
    app.command()(schema)
    app.add_typer(make_config_app(), name="config")
    app.add_typer(make_runs_app(), name="runs")
    app.add_typer(make_catalog_app(), name="catalog")
    app.add_typer(make_keys_app(), name="keys")
    return app


def chat(
    thread: Annotated[
        str | None, typer.Option("--thread", help="Go on with this conversation.", autocompletion=completion.threads)
    ] = None,
    data: Data = None,
    skip_bad: SkipBad = False,
    out: Out = None,
    json: Annotated[
        bool, typer.Option("--json", help="Print each event as a line of JSON; messages are read from standard input.")
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Talk with the advisor."""
    from app.cli.catalog import catalog_in_use
    from app.cli.conversation import converse

    settings = read_settings()
    catalog_in_use(settings)  # tells why, where the user's copy is not used
    converse(settings, thread, _source(data, None, skip_bad, None, None), out, as_json=json, quiet=quiet)


def ask(
    words: Annotated[list[str], typer.Argument(help="The question, in English or Chinese.")],
    thread: Annotated[
        str | None,
        typer.Option("--thread", help="Answer from what this conversation found.", autocompletion=completion.threads),
    ] = None,
    json: Json = False,
) -> None:
    """Answer a question about choosing, measuring and running embeddings, with its sources."""
    from app.cli.asking import answer

    answer(read_settings(), " ".join(words), thread, as_json=json)


def recommend(
    requirements: RequirementsFile = None,
    text: FreeText = None,
    data: Data = None,
    candidate: Candidates = None,
    yes: Yes = False,
    download: Download = False,
    send_to: SendTo = None,
    column: Columns = None,
    skip_bad: SkipBad = False,
    documents: Documents = None,
    queries: Queries = None,
    out: Out = None,
    weight: Weight = None,
    dry_run: DryRun = False,
    json: Json = False,
    no_input: NoInput = False,
    quiet: Quiet = False,
) -> int:
    """Recommend a model: shortlist, measure on your data, decide, report."""
    from app.cli.catalog import catalog_in_use
    from app.cli.conversation import recommend_once
    from app.cli.measuring import named_once
    from app.cli.terminal import ProgressLine
    from knowledge.results import Consent

    wanted, words = _needs(requirements, text)
    if weight:
        from app.cli.weights import with_weights

        wanted = with_weights(wanted, weight)
    consent = Consent(measure=yes, download=download, hosts=frozenset(send_to or ()))
    source = _source(data, column, skip_bad, documents, queries)
    ask = not (no_input or yes or json) and sys.stdin.isatty()
    settings = read_settings()
    catalog_in_use(settings)  # tells why, where the user's copy is not used
    if candidate:
        candidate = named_once(candidate, settings.workspace(), ProgressLine(quiet))
    if dry_run:
        from app.cli.planned import plan_recommendation

        return plan_recommendation(settings, wanted, words, source, candidate or [], as_json=json, quiet=quiet)
    return recommend_once(
        settings, wanted, words, source, candidate or [], consent, out, as_json=json, ask=ask, quiet=quiet
    )


def shortlist(
    requirements: RequirementsFile = None,
    text: FreeText = None,
    k: Annotated[int, typer.Option("-k", min=1, max=100, help="How many models.")] = 5,
    json: Json = False,
    no_input: NoInput = False,
    quiet: Quiet = False,
) -> None:
    """List the models worth measuring, from the catalog alone."""
    from app.cli.catalog import catalog_in_use
    from app.cli.printed import print_json
    from app.cli.terminal import language
    from app.cli.understood import understood
    from app.wording import as_text, shortlist_lines
    from tools.shortlist import shortlist as find

    wanted, words = _needs(requirements, text)
    if wanted is None:
        wanted = understood(words, quiet=quiet)
    in_use = catalog_in_use(read_settings())
    found = find(wanted, in_use.catalog, in_use.scores, k)
    if json:
        print_json(found)
    else:
        typer.echo(as_text(shortlist_lines(found, language())))


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

    source = _source(data, column, skip_bad, documents, queries)
    assert source
    if dry_run:
        from app.cli.planned import plan_measurement
        from tools.preflight.sample import DOCUMENTS

        plan_measurement(read_settings(), source, _some(candidate), most=DOCUMENTS, as_json=json, quiet=quiet)
        return 0
    return check(read_settings(), source, _some(candidate), frozenset(send_to or ()), as_json=json, quiet=quiet)


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

    source = _source(data, column, skip_bad, documents, queries)
    assert source
    source = source.model_copy(update={"silver": silver})
    candidate = _with_words(candidate) if silver else candidate
    if dry_run:
        from app.cli.planned import plan_measurement

        plan_measurement(
            read_settings(), source, _some(candidate), task=task.value if task else None, as_json=json, quiet=quiet
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
            _some(candidate),
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
        _some(candidate),
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

    source = _source(data, column, skip_bad, documents, queries)
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

    source = _source(data, column, skip_bad, None, None)
    assert source
    judge_answers(
        read_settings(),
        source,
        _some(candidate),
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

    source = _source(data, column, skip_bad, None, None)
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
    source = _source(data, column, skip_bad, documents, queries)
    if (source is None) == (contrast is None):
        from app.cli.mistyped import usage_error
        from knowledge.wording import say

        raise usage_error(say("give either --data FOLDER or --contrast FILE"))
    if contrast is not None:
        from app.cli.hard_cases import contrasts

        contrasts(read_settings(), contrast, _some(candidate), consent, as_json=json, quiet=quiet)
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
    source = _source(data, column, skip_bad, documents, queries)
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
        _some(candidate),
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

    source = _source(data, column, skip_bad, documents, queries)
    assert source
    if dry_run:
        from app.cli.planned import plan_measurement
        from tools.benchmark import DOCUMENTS

        plan_measurement(read_settings(), source, _some(candidate), most=DOCUMENTS, as_json=json, quiet=quiet)
        return
    measuring.benchmark(read_settings(), source, _some(candidate), repeats, as_json=json, quiet=quiet)


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

    source = _source(data, column, skip_bad, documents, queries)
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


def models(
    words: Annotated[list[str] | None, typer.Argument(help="Words to look for in names.")] = None,
    show: Annotated[
        str | None, typer.Option("--show", help="Show this model's card.", autocompletion=completion.models)
    ] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="Models at most.")] = 20,
    use: Annotated[
        str, typer.Option("--use", help="What its licences are read for: commercial, redistribution, derivative.")
    ] = "commercial",
    json: Json = False,
) -> None:
    """Search the catalog, or show a model's card: each figure with its source, its licences, its standing."""
    from app.cli.cards import list_models, show_card, uses_in
    from app.cli.catalog import catalog_in_use
    from knowledge.wording import say

    in_use = catalog_in_use(read_settings())
    if show:
        from app.cli.mistyped import usage_error

        try:
            uses = uses_in(use)
        except ValueError as error:
            raise usage_error(
                say(
                    "“{name}” is not a use: write commercial, redistribution or derivative, with commas between",
                    name=str(error),
                )
            ) from error
        show_card(in_use.catalog, in_use.scores, show, uses, as_json=json)
    else:
        list_models(in_use.catalog, " ".join(words or ()), limit, as_json=json)


def doctor(json: Json = False) -> None:
    """Look at this machine: hardware, packages, models, hub, Milvus; and what to do about what is missing."""
    from app.cli.checkup import check

    check(read_settings(), as_json=json)


def demo(
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the report.")] = Path("demo-report"),
    documents: Annotated[int, typer.Option("--documents", min=20, help="Size of the sample.")] = 1200,
    queries: Annotated[int, typer.Option("--queries", min=10, help="Queries of the sample.")] = 300,
    dry_run: DryRun = False,
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Play a whole conversation: questions, measurements, recommendation, report."""
    from app.cli.demo import plan, play

    if dry_run:
        return plan(read_settings(), documents, queries, as_json=json, quiet=quiet)
    return play(read_settings(), out, documents, queries, as_json=json, quiet=quiet)


def serve(
    host: Annotated[str, typer.Option("--host", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Port to listen on.")] = 7860,
    chat: Annotated[bool, typer.Option("--chat/--no-chat", help="The pages too, or the HTTP API alone.")] = True,
    json: Json = False,
) -> None:
    """Open the web chat and the HTTP API."""
    from importlib.util import find_spec

    from knowledge.errors import MissingExtraError
    from knowledge.wording import say

    if chat and find_spec("gradio") is None:
        raise MissingExtraError(
            say("The web chat needs gradio, which is not installed."),
            say("Install it with: pip install '{extra}'.", extra="embedding-advisor[ui]"),
        )
    if any(find_spec(name) is None for name in ("fastapi", "uvicorn", "prometheus_client")):
        raise MissingExtraError(
            say("The HTTP API needs FastAPI, uvicorn and prometheus-client, which are not all installed."),
            say("Install them with: pip install '{extra}'.", extra="embedding-advisor[server]"),
        )
    from app.cli.catalog import catalog_in_use
    from app.doors import door

    settings = read_settings()
    catalog_in_use(settings)  # tells why, where the user's copy is not used
    door("chat" if chat else "api")(settings, host=host, port=port, announce=_announce_json if json else None)


def slack(
    http: Annotated[
        bool, typer.Option("--http", help="Wait for Slack's requests instead of connecting (Socket Mode).")
    ] = False,
    host: Annotated[str, typer.Option("--host", help="With --http: address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="With --http: port to listen on.")] = 3000,
    manifest: Annotated[
        bool, typer.Option("--manifest", help="Print the manifest to make the Slack app from.")
    ] = False,
    url: Annotated[
        str | None, typer.Option("--url", help="With --manifest: the https address at which Slack reaches this.")
    ] = None,
    assistant: Annotated[
        bool, typer.Option("--assistant", help="With --manifest: the pane for assistants; not every plan has it.")
    ] = False,
) -> None:
    """Answer in Slack: mentions, direct messages, /embedding."""
    from importlib.util import find_spec

    from app.doors import door
    from knowledge.errors import MissingExtraError
    from knowledge.wording import say

    if manifest:
        typer.echo(door("slack", "manifest")(url, assistant=assistant), nl=False)
        return
    if any(find_spec(name) is None for name in ("slack_bolt", "uvicorn", "starlette")):
        raise MissingExtraError(
            say("Slack needs slack-bolt, which is not installed."),
            say("Install it with: pip install '{extra}'.", extra="embedding-advisor[slack]"),
        )
    from app.cli.catalog import catalog_in_use

    settings = read_settings()
    catalog_in_use(settings)  # tells why, where the user's copy is not used
    door("slack")(settings, http=http, host=host, port=port)


def schema(
    command: Annotated[
        list[str],
        typer.Argument(help="A command, such as evaluate or catalog diff.", autocompletion=completion.commands),
    ],
) -> None:
    """Print the JSON schema of what a command prints with --json."""
    import json

    from app.cli.mistyped import usage_error
    from app.cli.printed import FORMS, schema_of
    from knowledge.wording import say

    name = " ".join(command)
    if name not in FORMS:
        raise usage_error(say("“{name}” prints no JSON; these do: {names}", name=name, names=", ".join(FORMS)))
    typer.echo(json.dumps(schema_of(name), ensure_ascii=False, indent=2))


class Transport(StrEnum):
    """How an MCP client talks to the server."""

    stdio = "stdio"
    http = "http"


def mcp(
    transport: Annotated[
        Transport, typer.Option("--transport", help="stdio: a client starts it. http: clients connect to it.")
    ] = Transport.stdio,
    host: Annotated[str, typer.Option("--host", help="Address to listen on, for http.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Port to listen on, for http.")] = 7862,
    allow_host: Annotated[
        list[str] | None, typer.Option("--allow-host", help="Another name it is called by. Repeatable.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the address as JSON, for http.")] = False,
) -> None:
    """Serve the advisor as tools for other programs' language models (MCP)."""
    from importlib.util import find_spec

    from knowledge.errors import MissingExtraError
    from knowledge.wording import say

    if find_spec("mcp") is None:
        raise MissingExtraError(
            say("The MCP server needs mcp, which is not installed."),
            say("Install it with: pip install '{extra}'.", extra="embedding-advisor[mcp]"),
        )
    from app.cli.catalog import catalog_in_use
    from app.doors import door

    settings = read_settings()
    catalog_in_use(settings)  # tells why, where the user's copy is not used
    announce = _announce_json if json else None
    door("mcp")(settings, transport=transport.value, host=host, port=port, allowed=allow_host or (), announce=announce)


def _announce_json(url: str) -> None:
    from app.cli.printed import print_json
    from app.cli.records import Served

    print_json(Served(url=url), lines=True)


# ---------------------------------------------------------------- what the options mean


def _show_version(wanted: bool) -> None:
    if wanted:
        from knowledge import __version__

        typer.echo(f"advisor {__version__}")
        raise typer.Exit


def _needs(requirements: Path | None, text: str | None) -> tuple[Requirements | None, str]:
    if (requirements is None) == (text is None):
        from app.cli.mistyped import usage_error
        from knowledge.wording import say

        raise usage_error(say("give either --requirements FILE or --text 'what you need'"))
    if requirements is None:
        return None, text or ""
    from knowledge.requirements import read_requirements

    return read_requirements(requirements), ""


def _source(
    data: str | None, columns: list[str] | None, skip_bad: bool, documents: int | None, queries: int | None
) -> DataSource | None:
    if data is None:
        return None
    from tools.data_source import DataSource as Made

    pairs = [pair.partition("=") for pair in columns or ()]
    if any(not middle or not ours for ours, middle, _ in pairs):  # no column: there is none
        from app.cli.mistyped import usage_error
        from knowledge.wording import say

        raise usage_error(say("write --column text=body: our name, an equals sign, your column"))
    return Made(
        path=data,
        columns={ours: theirs for ours, _, theirs in pairs},
        skip_bad=skip_bad,
        documents=documents,
        queries=queries,
    )


def _with_words(candidates: list[str] | None) -> list[str] | None:
    """Word matching beside the candidates: how well it does tells how far silver queries copy their answers."""
    named = candidates or []
    return [*named, "bm25"] if named and not any(spec.strip().startswith("bm25") for spec in named) else candidates


def _some(candidates: list[str] | None) -> list[str]:
    if not candidates:
        from app.cli.mistyped import usage_error
        from knowledge.wording import say

        raise usage_error(say("name at least one candidate: --candidate bm25 --candidate st:MODEL"))
    return candidates
