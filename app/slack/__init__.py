"""Slack: the same conversation as everywhere, in a thread."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.settings import Settings


def main(settings: Settings, *, http: bool, host: str, port: int) -> None:
    """Answer in Slack until interrupted.

    Args:
        settings: what the environment says, the app's tokens among it.
        http: wait for Slack's requests instead of connecting with it (Socket Mode).
        host: address to wait for them at.
        port: port to wait for them at; 0 takes a free one.

    Raises:
        UserError: a token is missing, or the address cannot be listened on.
        ProviderError: Slack refuses the token, or cannot be reached.
    """
    from app.slack import server

    if http:
        server.serve_http(settings, host, port)
    else:
        server.serve_socket(settings)


def manifest(url: str | None = None, *, assistant: bool = False) -> str:
    """What Slack makes the app from; arguments as `make_manifest`."""
    from app.slack.app_manifest import make_manifest

    return make_manifest(url, assistant=assistant)
