"""The MCP server as other programs meet it: a process of its own, and the SDK's own client."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import httpx2
import jsonschema
from mcp import Client
from mcp.client.stdio import StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

from tools.key_store import KeyStore

ROOT = Path(__file__).parents[2]
#: seconds for what takes one on an idle machine
PATIENCE = 60


class HttpServer:
    """`advisor mcp --transport http` in a process of its own."""

    def __init__(self, home: Path, *arguments: str) -> None:
        self.home = home
        environment = os.environ | {"ADVISOR_HOME": str(home), "ADVISOR_OFFLINE": "1"}
        command = [sys.executable, "-m", "app", "mcp", "--transport", "http", "--port", "0", "--json", *arguments]
        self.process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
        try:
            self.url = json.loads(self.process.stdout.readline())["url"].replace("0.0.0.0", "127.0.0.1")
        except ValueError as error:
            self.close()
            raise AssertionError("the server did not start; standard error says why") from error

    def kill(self) -> None:
        """As kill -9 does; the children that it started go with it."""
        self.process.send_signal(signal.SIGKILL)
        self.close()

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def post(self, body: Any = None, **headers: str) -> httpx2.Response:
        """A request by hand."""
        content = body if isinstance(body, bytes) else json.dumps(body or LIST).encode()
        given = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"} | headers
        return httpx2.post(self.url, content=content, headers=given, timeout=PATIENCE)


LIST = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}


def add_key(home: Path, name: str, *scopes: str) -> str:
    store = KeyStore(home / "runs.sqlite")
    try:
        return store.add(name, scopes or ("read", "measure"))[1]
    finally:
        store.close()


def stdio(home: Path) -> StdioServerParameters:
    environment = os.environ | {"ADVISOR_HOME": str(home), "ADVISOR_OFFLINE": "1"}
    return StdioServerParameters(
        command=sys.executable, args=["-m", "app", "mcp"], env=dict(environment), cwd=str(ROOT)
    )


class Session:
    """A connected client that holds every answer against the schema that its tool declares."""

    def __init__(self, client: Client, schemas: dict[str, Any]) -> None:
        self.client, self._schemas = client, schemas
        #: how far the last call has told to have come
        self.progress: list[tuple[float, str | None]] = []

    async def __call__(self, tool: str, **arguments: Any) -> dict[str, Any]:
        told: list[tuple[float, str | None]] = []

        async def listen(progress: float, total: float | None, message: str | None) -> None:
            told.append((progress, message))

        found = await self.client.call_tool(tool, arguments, progress_callback=listen)
        self.progress = told
        assert not found.is_error, found.content[0].text
        jsonschema.validate(found.structured_content, self._schemas[tool])
        return found.structured_content

    async def refused(self, tool: str, **arguments: Any) -> str:
        found = await self.client.call_tool(tool, arguments)
        assert found.is_error, found.structured_content
        return found.content[0].text


def talk(server: Any, work: Callable[[Session], Awaitable[Any]], mode: str = "auto") -> Any:
    """Connect, do some work, and leave."""

    async def run() -> Any:
        async with Client(server, mode=mode, read_timeout_seconds=PATIENCE) as client:
            listed = await client.list_tools()
            return await work(Session(client, {tool.name: tool.output_schema for tool in listed.tools}))

    return anyio.run(run)


def talk_http(server: HttpServer, work: Callable[[Session], Awaitable[Any]], key: str | None = None) -> Any:
    """The same over HTTP, with a key."""

    async def run() -> Any:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        async with httpx2.AsyncClient(headers=headers, timeout=PATIENCE) as http:
            transport = streamable_http_client(server.url, http_client=http)
            async with Client(transport, read_timeout_seconds=PATIENCE) as client:
                listed = await client.list_tools()
                return await work(Session(client, {tool.name: tool.output_schema for tool in listed.tools}))

    return anyio.run(run)
