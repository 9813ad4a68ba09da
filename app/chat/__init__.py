"""The web chat: the same conversation as everywhere, in a browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.settings import Settings


def main(settings: Settings, *, host: str, port: int, announce: Callable[[str], None] | None = None) -> None:
    """Serve the web chat until interrupted.

    Args:
        settings: what the environment says.
        host: address to listen on; one that other machines can reach needs ``ADVISOR_PASSWORD``.
        port: port to listen on; 0 takes a free one.
        announce: told the address; None: a line on standard output has it.

    Raises:
        UserError: other machines could come in without a password, or the address cannot be listened on.
    """
    from app.chat.server import serve

    serve(settings, host, port, announce)
