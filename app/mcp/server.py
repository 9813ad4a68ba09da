"""The MCP server itself: its tools with their annotations, over standard input and output or HTTP."""

from __future__ import annotations

import difflib
import logging
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import CallToolResult, InputRequiredResult, ToolAnnotations
from pydantic import ValidationError

from agent.advisor import Advisor
from agent.settings import Settings
from app.jobs import Jobs
from app.mcp.access import Gate
from app.mcp.tools import Tools
from app.mistakes import mistake
from app.serving import LOCAL_NAMES, is_loopback, listen, serve_at
from knowledge import __version__
from knowledge.errors import UserError
from knowledge.wording import Language, say
from tools.job_store import JobStore
from tools.key_store import KeyStore

PATH = "/mcp"
INSTRUCTIONS = """\
Advises which embedding model to use, from a catalog with published scores and by measuring on the user's own data.
Begin with shortlist. Then recommend without measure, which says what measuring would cost; measuring, downloading
and sending texts away take the user's yes, asked by you. Give figures with their intervals, as they are returned."""

_LOOKS = ToolAnnotations(read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False)
#: what costs time, may download, and may send texts to services that were agreed to
_MEASURES = ToolAnnotations(read_only_hint=False, destructive_hint=False, idempotent_hint=False, open_world_hint=True)
_ENDS = ToolAnnotations(read_only_hint=False, destructive_hint=False, idempotent_hint=True, open_world_hint=False)


class Server(MCPServer[Any]):
    """An MCP server that refuses arguments which a tool does not have, and tells of wrong ones in our words.

    The SDK drops the former, so that a mistyped demand or consent would go unnoticed.
    """

    async def call_tool(
        self, name: str, arguments: dict[str, Any], context: Context[Any, Any] | None = None
    ) -> CallToolResult | InputRequiredResult:
        """Call a tool; raises ToolError where it has no such argument, or one has not the form that it should."""
        tool = next((tool for tool in await self.list_tools() if tool.name == name), None)
        known = list(tool.input_schema.get("properties", {})) if tool else list(arguments)
        unknown = next((argument for argument in arguments if argument not in known), None)
        language: Language = "zh" if arguments.get("language") == "zh" else "en"
        if unknown is not None:
            raise ToolError(_no_such(name, unknown, known).render(language))
        try:
            return await super().call_tool(name, arguments, context)
        except ToolError as error:
            if isinstance(error.__cause__, ValidationError):
                raise ToolError(_wrong(name, error.__cause__).render(language)) from error
            raise


def _no_such(tool: str, argument: str, known: Sequence[str]) -> UserError:
    close = difflib.get_close_matches(argument[:100], known, n=1)
    return UserError(
        say("{tool} has no argument “{name}”.", tool=tool, name=argument[:100]),
        say("Did you mean {names}?", names=close[0])
        if close
        else say("Its arguments are: {names}.", names=", ".join(known)),
    )


def _wrong(tool: str, error: ValidationError) -> UserError:
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(map(str, first["loc"]))[:100]
    return UserError(
        say("{tool}: {where}: {what}.", tool=tool, where=where, what=mistake(first)),
        say("Correct it and call it again; the tool's schema has the form."),
    )


def make_server(tools: Tools) -> MCPServer[Any]:
    """The server with its tools, always in the same order."""
    server = Server(
        "embedding-advisor",
        title="Embedding Advisor",
        instructions=INSTRUCTIONS,
        version=__version__,
        log_level="WARNING",
        subscriptions=False,
    )
    for tool, title, hints in (
        (tools.shortlist, "Shortlist models", _LOOKS),
        (tools.compare, "Compare models", _LOOKS),
        (tools.explain, "Explain", _LOOKS),
        (tools.search_models, "Search the catalog", _LOOKS),
        (tools.start_evaluation, "Start an evaluation", _MEASURES),
        (tools.get_evaluation, "Look at an evaluation", _LOOKS),
        (tools.cancel_evaluation, "End an evaluation", _ENDS),
        (tools.recommend, "Recommend a model", _MEASURES),
    ):
        told: Callable[..., Any] = tools.foreseen(tool)
        server.add_tool(told, title=title, annotations=hints, structured_output=True)
    return server


def serve_stdio(settings: Settings) -> None:
    """Serve one client over standard input and output, until it hangs up.

    The transport takes standard output for itself, so that whatever else is printed goes to standard error.
    """
    _log_to_stderr()
    with _at_work(settings, reads_paths=True) as tools:
        make_server(tools).run("stdio")


def serve_http(
    settings: Settings, host: str, port: int, allowed: Sequence[str], announce: Callable[[str], None] | None
) -> None:
    """Serve over streamable HTTP until interrupted; `announce` tells the address, in place of our own line."""
    _log_to_stderr()
    local = is_loopback(host)
    keys = KeyStore(settings.workspace().store)
    if not local and not keys.any_valid():
        raise UserError(
            say("Listening on {host} lets other machines in, and there is no key yet.", host=host),
            say("Make one with: advisor keys add NAME, or listen on 127.0.0.1."),
        )
    listener = listen(host, port)
    with _at_work(settings, reads_paths=local) as tools:
        app = make_app(make_server(tools), keys, local=local, allowed=allowed)
        serve_at(
            host,
            listener,
            app,
            lambda url: say("The MCP server is at {url} (Ctrl-C ends it).", url=url + PATH),
            settings.language or "en",
            (lambda url: announce(url + PATH)) if announce else None,
            sys.stderr,
        )


def make_app(server: MCPServer[Any], keys: KeyStore, *, local: bool, allowed: Sequence[str] = ()) -> Gate:
    """The application, guarded.

    Args:
        server: the tools.
        keys: those that are good; on this machine alone none is needed while there is none.
        local: whether only this machine can reach it.
        allowed: other names that it is called by.
    """
    from mcp.server.transport_security import TransportSecuritySettings

    names = {*allowed, *LOCAL_NAMES} if local or allowed else None
    inner = server.streamable_http_app(
        streamable_http_path=PATH,
        stateless_http=True,  # what a handle names is on disk, so that any process can answer
        transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),  # the gate does it
    )
    return Gate(inner, keys, names=names, keyless=local)


def _log_to_stderr() -> None:
    """Warnings and worse, of whatever library, however much that wants to tell."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setLevel(logging.WARNING)
    logging.basicConfig(handlers=[handler])


@contextmanager
def _at_work(settings: Settings, *, reads_paths: bool) -> Iterator[Tools]:
    """The tools, with somebody who works on what they start."""
    with Advisor(settings, reads_paths=reads_paths) as advisor:
        workspace = advisor.context.workspace
        store = JobStore(workspace.store)
        jobs = Jobs(advisor, store, workspace.home, settings.jobs)
        jobs.start()
        try:
            yield Tools(advisor, jobs, settings, reads_paths=reads_paths)
        finally:
            jobs.close()
            store.close()
