"""The commands. Each imports what it needs when it runs, so that `advisor --help` answers at once."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from app.cli import completion
from app.cli.catalog import make_catalog_app
from app.cli.commands_cost import cost
from app.cli.commands_deploy import deploy
from app.cli.commands_deployed import recheck, verify
from app.cli.commands_hard_cases import probes, robustness
from app.cli.commands_judging import judge, rag, silver
from app.cli.commands_load import index, load
from app.cli.commands_measure import benchmark, evaluate, gains, preflight
from app.cli.commands_serve import mcp, serve, slack
from app.cli.config import make_config_app
from app.cli.failures import EXIT_CODES
from app.cli.keys import make_keys_app
from app.cli.options import (
    Candidates,
    Columns,
    Data,
    Documents,
    Download,
    DryRun,
    FreeText,
    Json,
    NoInput,
    Out,
    Queries,
    Quiet,
    RequirementsFile,
    SendTo,
    SkipBad,
    Weight,
    Yes,
    needs_of,
    settings_given,
    source_of,
)
from app.cli.runs import make_runs_app
from app.cli.settings import give, read_settings


class Lang(StrEnum):
    """Languages of the output."""

    en = "en"
    zh = "zh"


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
        give(config, settings_given(set_))

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
        cost,
        load,
        index,
        deploy,
        verify,
        recheck,
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
    converse(settings, thread, source_of(data, None, skip_bad, None, None), out, as_json=json, quiet=quiet)


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

    wanted, words = needs_of(requirements, text)
    if weight:
        from app.cli.weights import with_weights

        wanted = with_weights(wanted, weight)
    consent = Consent(measure=yes, download=download, hosts=frozenset(send_to or ()))
    source = source_of(data, column, skip_bad, documents, queries)
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
    from app.cli.terminal import language, put
    from app.cli.understood import understood
    from app.wording import as_text, shortlist_lines
    from tools.shortlist import shortlist as find

    wanted, words = needs_of(requirements, text)
    if wanted is None:
        wanted = understood(words, quiet=quiet)
    in_use = catalog_in_use(read_settings())
    found = find(wanted, in_use.catalog, in_use.scores, k)
    if json:
        print_json(found)
    else:
        put(as_text(shortlist_lines(found, language())))


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


def schema(
    command: Annotated[
        list[str] | None,
        typer.Argument(
            help="A command, such as evaluate or catalog diff; none: list those that have one.",
            autocompletion=completion.commands,
        ),
    ] = None,
) -> None:
    """Print the JSON schema of what a command prints with --json."""
    import json

    from app.cli.mistyped import usage_error
    from app.cli.printed import FORMS, schema_of
    from knowledge.wording import say

    if not command:
        typer.echo("\n".join(FORMS))
        return
    name = " ".join(command)
    if name not in FORMS:
        raise usage_error(say("“{name}” prints no JSON; these do: {names}", name=name, names=", ".join(FORMS)))
    typer.echo(json.dumps(schema_of(name), ensure_ascii=False, indent=2))


def _show_version(wanted: bool) -> None:
    if wanted:
        from knowledge import __version__

        typer.echo(f"advisor {__version__}")
        raise typer.Exit
