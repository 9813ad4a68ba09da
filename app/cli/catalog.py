"""`advisor catalog build`, `refresh` and `diff`: a newer catalog of one's own, and what is new in it."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli.settings import read_settings

if TYPE_CHECKING:
    from agent.settings import Settings
    from knowledge.catalog_diff import CatalogDiff, ListDiff
    from knowledge.catalog_in_use import CatalogInUse
    from knowledge.manifest import Manifest
    from tools.catalog_refresh import Refreshed

#: so many names or changes of a kind are shown; the rest is counted, and in --json
SHOWN = 20

Json = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")]


def make_catalog_app() -> typer.Typer:
    """The commands below ``advisor catalog``."""
    app = typer.Typer(help="Make a newer catalog of your own, and see what is new in it.", no_args_is_help=True)
    for command in (build, refresh, diff):
        app.command()(command)
    return app


def build(
    results: Annotated[
        Path | None, typer.Option("--results", help="Folder of mteb's results, or its cached file (needs mteb).")
    ] = None,
    tables: Annotated[Path | None, typer.Option("--tables", help="Folder of distilled tables instead.")] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder to write to, instead of your own copy.")
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Build the catalog from an installed mteb and a folder of results."""
    import datetime as dt

    from app.cli.terminal import ProgressLine, shown
    from knowledge.wording import say
    from tools.catalog_build.from_mteb import read_mteb
    from tools.catalog_build.tables import read_tables
    from tools.catalog_refresh import build_folder, rebuild, snapshot_of

    if (results is None) == (tables is None):
        raise typer.BadParameter(shown(say("give either --results FOLDER or --tables FOLDER")))
    now = dt.datetime.now(dt.UTC).replace(microsecond=0)
    home, in_use = _home(), catalog_in_use(read_settings())

    def read(before: Any) -> Any:
        if tables is not None:
            return read_tables(tables)
        assert results is not None
        return read_mteb(results, snapshot_of(results, now), before)

    line = ProgressLine(quiet or json)
    if out is None:
        made = rebuild(read, home, in_use, now, line.show)
        line.end()
        _print_made(made, as_json=json)
    else:
        rows = read(in_use.scores)
        built = build_folder(rows, out, now)
        _print_notes(rows.notes)
        _say_done(str(out), built, as_json=json)


def refresh(
    yes: Annotated[bool, typer.Option("--yes", "-y", "--download", help="Agree to the download.")] = False,
    json: Json = False,
    no_input: Annotated[bool, typer.Option("--no-input", help="Never ask anything.")] = False,
    quiet: Quiet = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what it would download.")] = False,
) -> None:
    """Fetch the newest published results and make your own copy of the catalog."""
    import datetime as dt

    from app.cli.printed import print_json
    from app.cli.records import CatalogOffered
    from app.cli.terminal import ProgressLine, shown
    from knowledge.errors import ConsentNeeded
    from knowledge.wording import say
    from tools import catalog_refresh

    settings = read_settings()
    in_use = catalog_in_use(settings)
    found = catalog_refresh.offer(settings.catalog_results_url, offline=settings.offline)
    size = f"{found.bytes / 1e6:.1f} MB" if found.bytes else "?"
    what = say("The published results ({size}) are downloaded from {url}.", size=size, url=found.url)
    if dry_run:
        if json:
            print_json(CatalogOffered(url=found.url, bytes=found.bytes))
        else:
            sys.stdout.write(shown(what) + "\n")
        return
    if not yes and sys.stdin.isatty() and not (no_input or json):
        sys.stderr.write(f"{shown(what)}\n{shown(say('Download them now? [y/N]'))} ")
        sys.stderr.flush()
        yes = sys.stdin.readline().strip().lower() in ("y", "yes", "j", "是", "好")
    if not yes:
        raise ConsentNeeded(what, say("Agree with --yes, or build from a folder: advisor catalog build."))
    line = ProgressLine(quiet or json)
    now = dt.datetime.now(dt.UTC).replace(microsecond=0)
    made = catalog_refresh.refresh(found, settings.workspace().home, in_use, now, line.show)
    line.end()
    _print_made(made, as_json=json)


def diff(
    folder: Annotated[Path | None, typer.Argument(help="A catalog's folder; default: your own copy.")] = None,
    json: Json = False,
) -> None:
    """Show what is new, changed and gone in a catalog, compared with the shipped one."""
    from knowledge.catalog import load_catalog
    from knowledge.catalog_diff import compare
    from knowledge.catalog_in_use import current_copy
    from knowledge.errors import UserError
    from knowledge.manifest import read_manifest
    from knowledge.scores import load_scores
    from knowledge.wording import say

    other = folder or current_copy(_home())
    if other is None:
        raise UserError(
            say("You have no copy of the catalog; the shipped one is in use."),
            say("Make one with: advisor catalog refresh. Or name a folder."),
        )
    read_manifest(other)
    found = compare((load_catalog(), load_scores()), (load_catalog(other), load_scores(other / "scores.npz")))
    _print_diff(found, as_json=json)


def catalog_in_use(settings: Settings) -> CatalogInUse:
    """The catalog to use; why a copy of the user's is not used goes to standard error."""
    from app.cli.terminal import shown
    from knowledge.catalog_in_use import usable_catalog
    from knowledge.wording import say

    found = usable_catalog(settings.workspace().home)
    if found.refused:
        sys.stderr.write(f"{shown(found.refused)} {shown(say('The shipped catalog is used.'))}\n")
    return found


def _home() -> Path:
    return read_settings().workspace().home


def _say_done(folder: str, made: Manifest, *, as_json: bool) -> None:
    from app.cli.printed import print_json
    from app.cli.records import CatalogMade
    from app.cli.terminal import shown
    from knowledge.wording import say

    if as_json:
        print_json(CatalogMade(folder=folder, manifest=made))
    else:
        sys.stdout.write(shown(say("The catalog is in {folder}.", folder=folder)) + "\n")


def _print_made(made: Refreshed, *, as_json: bool) -> None:
    from app.cli.printed import print_json
    from app.cli.records import CatalogRefreshed
    from app.cli.terminal import shown
    from knowledge.wording import say

    if as_json:
        print_json(CatalogRefreshed(folder=str(made.folder), manifest=made.manifest, notes=made.notes, diff=made.diff))
        return
    _print_notes(made.notes)
    _print_diff(made.diff, as_json=False)
    sys.stdout.write(shown(say("The catalog is in {folder}.", folder=str(made.folder))) + "\n")


def _print_notes(notes: Sequence[str]) -> None:
    from app.cli.terminal import shown
    from knowledge.wording import say

    if notes:
        title = say("{count} files of results could not be read and were left out:", count=len(notes))
        sys.stderr.write(shown(title) + "\n" + "".join(f"  {note}\n" for note in notes[:SHOWN]))


def _print_diff(found: CatalogDiff, *, as_json: bool) -> None:
    from app.cli.printed import print_json
    from app.cli.terminal import shown
    from knowledge.wording import say

    if as_json:
        print_json(found)
        return
    if found.empty:
        sys.stdout.write(shown(say("Nothing differs.")) + "\n")
        return
    _print_list(shown(say("Models")), found.models)
    _print_list(shown(say("Tasks")), found.tasks)
    counts = say("Scores: {old} before, {new} now", old=found.scores_old, new=found.scores_new)
    sys.stdout.write(shown(counts) + "\n")
    _print_some(f"{c.task}: {c.old} → {c.new}" for c in sorted(found.scores, key=lambda c: -abs(c.new - c.old)))


def _print_list(title: str, part: ListDiff) -> None:
    from app.cli.terminal import shown
    from knowledge.wording import say

    counts = say(
        "{new} new, {changed} changed, {gone} gone",
        new=len(part.new),
        gone=len(part.gone),
        changed=len({change.name for change in part.changed}),
    )
    sys.stdout.write(f"{title}: {shown(counts)}\n")
    _print_some(f"+ {name}" for name in part.new)
    _print_some(f"- {name}" for name in part.gone)
    _print_some(f"~ {c.name}: {c.fact}: {_short(c.old)} → {_short(c.new)}" for c in part.changed)


def _print_some(lines: Any) -> None:
    found = list(lines)
    sys.stdout.write("".join(f"  {line}\n" for line in found[:SHOWN]))
    if len(found) > SHOWN:
        from app.cli.terminal import shown
        from knowledge.wording import say

        more = shown(say("and {count} more (all with --json)", count=len(found) - SHOWN))
        sys.stdout.write(f"  … {more}\n")


def _short(value: Any) -> str:
    text = "?" if value is None else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:59] + "…"
