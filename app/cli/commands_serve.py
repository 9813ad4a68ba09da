"""The commands that serve. Each imports what it needs when it runs."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.settings import read_settings

if TYPE_CHECKING:
    pass
from app.cli.options import Json


class Transport(StrEnum):
    """How an MCP client talks to the server."""

    stdio = "stdio"
    http = "http"


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
