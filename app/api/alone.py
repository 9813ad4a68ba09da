"""The API in a server of its own, without the web chat."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from agent.advisor import Advisor
from agent.settings import Settings
from app.api.application import Api
from app.api.problems import ProblemError, respond
from app.serving import is_local_name, is_loopback, keep_memory_together, listen, serve_at
from knowledge.errors import UserError
from knowledge.wording import say

#: a page that points its own name here gets no more than this
_MISDIRECTED = ProblemError(
    "misdirected",
    say("This server answers to localhost and 127.0.0.1 only."),
    say("Call it by one of these; with --host it listens beyond this machine, and answers to any name."),
)


def serve(settings: Settings, host: str, port: int, announce: Callable[[str], None] | None = None) -> None:
    """Listen, and serve until interrupted; `announce` tells the address, in place of our own line."""
    local = is_loopback(host)
    keep_memory_together()
    listener = listen(host, port)
    with Advisor(settings, reads_paths=local) as advisor:
        api = Api(advisor, settings, local=local)
        if not local and not api.keys.any_valid():
            raise UserError(
                say("Listening on {host} lets other machines in, and there is no key yet.", host=host),
                say("Make one with: advisor keys add NAME, or listen on 127.0.0.1."),
            )
        api.start(warm=True)
        try:
            serve_at(
                host,
                listener,
                HostCheck(api.app) if local else api.app,
                lambda url: say("The HTTP API is at {url}/v1 (Ctrl-C ends it).", url=url),
                settings.language or "en",
                announce,
            )
        finally:
            api.close()


class HostCheck:
    """Refuses other names than this machine's own: a page could point its name here (DNS rebinding)."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            host = next((v.decode("latin-1") for k, v in scope["headers"] if k == b"host"), "")
            if not is_local_name(host):
                await respond(_MISDIRECTED, "en")(scope, receive, send)
                return
        await self._app(scope, receive, send)
