"""Options that several commands take, and what is made of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli import completion

if TYPE_CHECKING:
    from collections.abc import Sequence

    from knowledge.requirements import Requirements
    from knowledge.wording import Text
    from tools.data_source import DataSource

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
AgreeToPlan = Annotated[bool, typer.Option("--yes", "-y", help="Agree to what --dry-run shows.")]
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


def given_in(context: typer.Context) -> set[str]:
    """Names of the parameters that the command line itself sets, and not to no."""
    return {
        name
        for name, value in context.params.items()
        if value not in (None, False) and getattr(context.get_parameter_source(name), "name", "") == "COMMANDLINE"
    }


def needs_of(requirements: Path | None, text: str | None) -> tuple[Requirements | None, str]:
    """The requirements, or the words, of which exactly one is given."""
    if (requirements is None) == (text is None):
        from app.cli.mistyped import usage_error
        from knowledge.wording import say

        raise usage_error(say("give either --requirements FILE or --text 'what you need'"))
    if requirements is None:
        return None, text or ""
    from knowledge.requirements import read_requirements

    return read_requirements(requirements), ""


def source_of(
    data: str | None, columns: list[str] | None, skip_bad: bool, documents: int | None, queries: int | None
) -> DataSource | None:
    """The data as the options name it; None where none is named."""
    if data is None:
        return None
    from knowledge.wording import say
    from tools.data_source import DataSource as Made

    form = say("write --column text=body: our name, an equals sign, your column")
    return Made(
        path=data,
        columns=_pairs(columns, form),
        skip_bad=skip_bad,
        documents=documents,
        queries=queries,
    )


def settings_given(given: Sequence[str] | None) -> dict[str, str]:
    """The settings of this run: name -> value, as each ``--set NAME=VALUE`` has it."""
    from knowledge.wording import say

    return _pairs(given, say("write --set NAME=VALUE: a setting, an equals sign, its value"))


def _pairs(given: Sequence[str] | None, form: Text) -> dict[str, str]:
    """``NAME=VALUE`` options, each name once; `form` tells whoever mistypes one how it is written."""
    found = {}
    for pair in given or ():
        name, middle, value = pair.partition("=")
        if not middle or not name:
            from app.cli.mistyped import usage_error

            raise usage_error(form)
        found[name] = value
    return found


def with_words(candidates: list[str] | None) -> list[str] | None:
    """Word matching beside the candidates: how well it does tells how far silver queries copy their answers."""
    named = candidates or []
    return [*named, "bm25"] if named and not any(spec.strip().startswith("bm25") for spec in named) else candidates


def named(candidates: list[str] | None) -> list[str]:
    """The candidates, of which there must be one."""
    if not candidates:
        from app.cli.mistyped import usage_error
        from knowledge.wording import say

        raise usage_error(say("name at least one candidate: --candidate bm25 --candidate st:MODEL"))
    return candidates
