"""The MCP server: the advisor as tools for other programs' language models."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from agent.settings import Settings


def main(
    settings: Settings,
    *,
    transport: Literal["stdio", "http"],
    host: str,
    port: int,
    allowed: Sequence[str] = (),
    announce: Callable[[str], None] | None = None,
) -> None:
    """Serve until interrupted, or until the client hangs up.

    Args:
        settings: what the environment says.
        transport: standard input and output, or streamable HTTP.
        host: address to listen on; one that other machines can reach needs a key (``advisor keys add``).
        port: port to listen on; 0 takes a free one.
        allowed: other names that this server is called by, such as ``advisor.example.org``.
        announce: told the address; None: a line on standard error has it.

    Raises:
        UserError: other machines could come in without a key, or the address cannot be listened on.
    """
    from app.mcp.server import serve_http, serve_stdio

    if transport == "stdio":
        serve_stdio(settings)
    else:
        serve_http(settings, host, port, allowed, announce)
