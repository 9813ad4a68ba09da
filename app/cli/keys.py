"""`advisor keys add`, `list` and `revoke`: who may call the HTTP API."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.settings import read_settings

if TYPE_CHECKING:
    from tools.key_store import Key, KeyStore

Json = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]


def make_keys_app() -> typer.Typer:
    """The commands below ``advisor keys``."""
    app = typer.Typer(help="Make, list and take away keys for the HTTP API.", no_args_is_help=True)
    app.command("add")(add)
    app.command("list")(show)
    app.command("revoke")(revoke)
    return app


def add(
    name: Annotated[str, typer.Argument(help="Whose key it is. Keys of one name see the same things.")],
    scope: Annotated[
        list[str] | None,
        typer.Option("--scope", help="read, write, measure or metrics. Repeatable; default: the first three."),
    ] = None,
    rate: Annotated[int, typer.Option("--rate", min=1, max=1_000_000, help="Requests a minute.")] = 600,
    json: Json = False,
) -> None:
    """Make a key. It is shown once, and kept only as a hash."""
    from app.cli.printed import print_json
    from app.cli.records import KeyMade
    from app.cli.terminal import shown
    from knowledge.errors import UserError
    from knowledge.wording import say
    from tools.key_store import DEFAULT_SCOPES, SCOPES

    scopes = tuple(dict.fromkeys(scope or DEFAULT_SCOPES))
    wrong = [word for word in scopes if word not in SCOPES]
    if wrong:
        raise typer.BadParameter(
            shown(say("“{name}” is not a scope: there are {scopes}", name=wrong[0], scopes=", ".join(SCOPES)))
        )
    if not name.strip() or len(name) > 100 or not name.isprintable():
        raise UserError(say("That cannot name a key."), say("Use at most 100 printable characters."))
    with _store() as store:
        known = store.keys()
        made, secret = store.add(name.strip(), scopes, rate)
    if others := [key.id for key in known if key.name == made.name and key.revoked is None]:
        older = say(
            "“{name}” has other keys ({ids}), which stay good and see the same. Take one away with: advisor keys "
            "revoke ID.",
            name=made.name,
            ids=", ".join(others),
        )
        sys.stderr.write(shown(older) + "\n")
    if json:
        print_json(KeyMade(**_record(made), key=secret))
        return
    sys.stdout.write(f"{secret}\n")
    sys.stderr.write(shown(say("Keep it: it is not shown again. Send it as “Authorization: Bearer KEY”.")) + "\n")


def show(json: Json = False) -> None:
    """List the keys, without the keys themselves."""
    from app.cli.printed import print_json
    from app.cli.records import KeyListed, KeysListed
    from app.cli.terminal import console, shown
    from knowledge.wording import say

    with _store() as store:
        found = store.keys()
    if json:
        print_json(KeysListed(tuple(KeyListed(**_record(key)) for key in found)))
        return
    if not found:
        sys.stderr.write(shown(say("There is no key. Make one with: advisor keys add NAME.")) + "\n")
        return
    from rich.table import Table

    table = Table()
    for title in (say("id"), say("name"), say("scopes"), say("requests a minute"), say("made"), say("revoked")):
        table.add_column(shown(title), overflow="fold")
    for key in found:
        record = _record(key)
        revoked = record["revoked"]
        table.add_row(
            key.id,
            key.name,
            ", ".join(key.scopes),
            str(key.rate),
            f"{record['created']:%Y-%m-%d %H:%M}",
            f"{revoked:%Y-%m-%d %H:%M}" if revoked else "",
        )
    console().print(table)


def revoke(
    name: Annotated[str, typer.Argument(help="The key's id, or a name: then all keys of that name.")],
    json: Json = False,
) -> None:
    """Take a key away, from its next request on."""
    from app.cli.printed import print_json
    from app.cli.records import KeyListed, KeysListed
    from app.cli.terminal import shown
    from knowledge.errors import UserError
    from knowledge.wording import say

    with _store() as store:
        gone = store.revoke(name)
    if not gone:
        raise UserError(
            say("There is no valid key of the id or name “{name}”.", name=name[:100]), say("See: advisor keys list.")
        )
    if json:
        print_json(KeysListed(tuple(KeyListed(**_record(key)) for key in gone)))
        return
    sys.stdout.write(shown(say("Revoked: {names}.", names=", ".join(f"{key.id} ({key.name})" for key in gone))) + "\n")


@contextmanager
def _store() -> Iterator[KeyStore]:
    from tools.key_store import KeyStore as Opened

    store = Opened(read_settings().workspace().store)
    try:
        yield store
    finally:
        store.close()


def _record(key: Key) -> dict[str, object]:
    import datetime as dt

    def moment(seconds: float | None) -> dt.datetime | None:
        return None if seconds is None else dt.datetime.fromtimestamp(seconds, dt.UTC).replace(microsecond=0)

    return {
        "id": key.id,
        "name": key.name,
        "scopes": key.scopes,
        "rate": key.rate,
        "created": moment(key.created),
        "revoked": moment(key.revoked),
    }
