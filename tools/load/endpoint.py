"""An embedding server as a target: one text a request, over connections that are kept."""

from __future__ import annotations

import json
from collections.abc import Mapping

from pydantic import SecretStr

from knowledge.wording import say
from tools.load.address import Address
from tools.load.http import Client
from tools.load.protocols.base import Wire
from tools.load.target import RequestFailed

#: answers of who wants a key, or another one
NO_KEY = (401, 403)


class Endpoint:
    """Asks a server (see `tools.load.target.Target`). It follows no redirect and uses no proxy.

    Args:
        address: where it is; its path is what stands before the protocol's own.
        wire: how it is asked.
        protocol: the name of that.
        model: as the server calls it; empty where the protocol names none.
        key: sent as a bearer token.

    Raises:
        UserError: the key cannot be sent.
    """

    def __init__(self, address: Address, wire: Wire, protocol: str, model: str, key: SecretStr | None = None) -> None:
        self.address, self.protocol, self.model = address, protocol, model
        self.name = f"{address.url} ({model})" if model else address.url
        self._wire = wire
        self._path, self._url = address.path + wire.path, address.url + wire.path
        self._client = Client(address, key)
        self._read_once = False

    async def ask(self, text: str) -> Mapping[str, float]:
        body = json.dumps(self._wire.request(text, self.model)).encode()
        reply = await self._client.ask("POST", self._path, body)
        if reply.status != 200:
            raise self._refused(reply.status, reply.content)
        self._check(reply.content)
        return self._wire.took(reply.headers)

    async def close(self) -> None:
        await self._client.close()

    def _check(self, content: bytes) -> None:
        """Raise RequestFailed where this is no vector."""
        if self._read_once:
            usable = self._wire.sign in content
        else:
            try:
                vector = self._wire.vector(json.loads(content))
                usable = bool(vector) and all(isinstance(number, int | float) for number in vector)
            except (ValueError, KeyError, IndexError, TypeError, RecursionError):
                usable = False
            self._read_once = usable
        if not usable:
            raise RequestFailed(
                "no vector",
                say("{url} answered, but not with a vector: {what}", url=self._url, what=_beginning(content)),
                say("Check the address, --protocol and --model."),
            )

    def _refused(self, status: int, content: bytes) -> RequestFailed:
        cause = say("{url} answered {status}: {what}", url=self._url, status=status, what=_beginning(content))
        if status in NO_KEY:
            step = say("Set ADVISOR_ENDPOINT_API_KEY to a key that may use this endpoint.")
        elif status in (429, 503):
            step = say("It is overloaded, or limits how fast it may be asked: offer less, or raise that limit.")
        elif 300 <= status < 400:
            step = say("Give the address it moved to: redirects are not followed.")
        elif status == 413:
            step = say("It takes no text of this length: raise its limit, or leave out such texts.")
        elif status >= 500:
            step = say("The server failed: its own log has the reason.")
        else:
            step = say("Check the address, --protocol and --model.")
        return RequestFailed(f"HTTP {status}", cause, step)


def _beginning(content: bytes) -> str:
    """The first words of an answer, on one line and without control characters."""
    text = " ".join(content[:1000].decode("utf-8", "replace").split())
    return "".join(c for c in text if c.isprintable())[:200] or "–"
