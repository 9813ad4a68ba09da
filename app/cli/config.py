"""`advisor config show`: every setting, and who says so."""

from __future__ import annotations

import re
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from knowledge.wording import Text

Json = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]

#: a name and password in an address
_LOGIN = re.compile(r"(?<=://)[^/@\s]+(?=@)")
#: what is passed behind an address, such as a key
_VALUES = re.compile(r"(?<=[?&])([^=&\s]+)=[^&\s]+")
MASK = "**********"


def make_config_app() -> typer.Typer:
    """The commands below ``advisor config``."""
    app = typer.Typer(help="Look at the settings.", no_args_is_help=True)

    @app.callback()
    def common() -> None:
        """Look at the settings: an option goes before the environment, that before the file, that before defaults."""

    app.command()(show)
    return app


def show(json: Json = False) -> None:
    """Show every setting in use, its value (secrets masked) and where it comes from."""
    from rich.table import Table
    from rich.text import Text as Plain

    from app.cli.printed import print_json
    from app.cli.records import SettingShown, SettingsShown
    from app.cli.settings import explained
    from app.cli.terminal import console, shown
    from knowledge.wording import say

    file, found = explained()
    settings = tuple(
        SettingShown(
            name=e.name,
            value=MASK if e.secret and e.value is not None else _masked(e.value),
            secret=e.secret,
            origin=e.origin,
            where=e.where,
            variables=e.variables,
        )
        for e in found
    )
    exists = file.is_file()
    warnings: tuple[Text, ...] = ()
    if any(s.secret and s.origin == "file" for s in settings) and exists and _others_read(file):
        warnings = (say("Others on this machine can read {file}, and it holds a secret: chmod 600.", file=str(file)),)
    result = SettingsShown(file=str(file), file_exists=exists, settings=settings, warnings=warnings)
    if json:
        print_json(result)
        return
    origins = {
        "flag": say("option"),
        "environment": say("environment"),
        "file": say("file"),
        "default": say("default"),
    }
    there = say("Configuration file: {file}", file=str(file))
    absent = say("Configuration file: {file} (there is none)", file=str(file))
    table = Table(title=Plain(shown(there if exists else absent)), title_justify="left")
    for name in (say("setting"), say("value"), say("from")):
        table.add_column(shown(name), overflow="fold")
    for s in settings:
        origin = shown(origins[s.origin]) + (f": {s.where}" if s.origin == "environment" else "")
        value = "–" if s.value is None else str(s.value)
        style = "dim" if s.origin == "default" else ""
        table.add_row(*(Plain(cell, style=style) for cell in (s.name, value, origin)))
    out = console()
    out.print(table)
    for warning in warnings:
        out.print(Plain(shown(warning)))


def _masked(value: object) -> object:
    """A value that may be shown: no login and no key in an address."""
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, str):
        return _VALUES.sub(rf"\1={MASK}", _LOGIN.sub(MASK, value)) if "://" in value else value
    return value


def _others_read(file: Path) -> bool:
    return bool(file.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH))
