"""An embedding server as a target: one text a request, over connections that are kept."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from pydantic import SecretStr

from knowledge.wording import say
from tools.load.address import Address
from tools.load.protocols.base import Wire
from tools.load.target import RequestFailed

if TYPE_CHECKING:
    import aiohttp

#: no vector is longer: 65,536 numbers of 20 characters; more is no answer but an attack on memory
MOST_BYTES = 2_000_000


class Endpoint:
    """Asks a server (see `tools.load.target.Target`). It follows no redirect and uses no proxy.

    Args:
        address: where it is; its path is what stands before the protocol's own.
        wire: how it is asked.
        protocol: the name of that.
        model: as the server calls it; empty where the protocol names none.
        key: sent as a bearer token.
    """

    def __init__(self, address: Address, wire: Wire, protocol: str, model: str, key: SecretStr | None = None) -> None:
        self.address, self.protocol, self.model = address, protocol, model
        self.name = f"{address.url} ({model})" if model else address.url
        self._wire, self._key = wire, key
        self._url = address.url + wire.path
        self._session: aiohttp.ClientSession | None = None
        self._read_once = False

    async def ask(self, text: str) -> Mapping[str, float]:
        import aiohttp

        if self._session is None:
            self._session = session(self._key)
        body = json.dumps(self._wire.request(text, self.model)).encode()
        try:
            async with self._session.post(self._url, data=body, allow_redirects=False) as response:
                content = await _content(response)
                if response.status != 200:
                    raise self._refused(response.status, content)
                self._check(content)
                return self._wire.took(response.headers)
        except aiohttp.ClientError as error:
            raise self._unreachable(error) from error

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _check(self, content: bytes) -> None:
        """Raise RequestFailed where this is no vector."""
        if self._read_once:
            usable = self._wire.sign in content
        else:
            try:
                vector = self._wire.vector(json.loads(content))
                usable = bool(vector) and all(isinstance(number, int | float) for number in vector)
            except (ValueError, KeyError, IndexError, TypeError):
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
        if status in (401, 403):
            step = say("Set ADVISOR_ENDPOINT_API_KEY to a key that may use this endpoint.")
        elif status in (429, 503):
            step = say("It is overloaded, or limits how fast it may be asked: offer less, or raise that limit.")
        elif 300 <= status < 400:
            step = say("Give the address it moved to: redirects are not followed.")
        else:
            step = say("Check the address, --protocol and --model.")
        return RequestFailed(f"HTTP {status}", cause, step)

    def _unreachable(self, error: aiohttp.ClientError) -> RequestFailed:
        import aiohttp

        if isinstance(error, aiohttp.ClientConnectorCertificateError | aiohttp.ClientSSLError):
            kind = "TLS"
        elif isinstance(error, aiohttp.ClientConnectorError):
            kind = "no connection"
        elif isinstance(error, aiohttp.ServerDisconnectedError | aiohttp.ClientOSError):
            kind = "connection lost"
        else:
            kind = type(error).__name__
        why = (str(error).splitlines() or [""])[0][:200] or type(error).__name__
        return RequestFailed(
            kind,
            say("{url} cannot be asked: {why}", url=self._url, why=why),
            say("Check that the server runs, and its address."),
        )


def session(key: SecretStr | None) -> aiohttp.ClientSession:
    """A client: as many connections as requests are on their way, each kept for the next one."""
    import aiohttp

    headers = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
    if key is not None:
        headers["Authorization"] = f"Bearer {key.get_secret_value()}"
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0),
        timeout=aiohttp.ClientTimeout(total=None),  # whoever asks says how long
        headers=headers,
        cookie_jar=aiohttp.DummyCookieJar(),
        skip_auto_headers=("User-Agent",),
        trust_env=False,
        auto_decompress=False,  # none was asked for: what comes compressed all the same may be a bomb
    )


async def _content(response: aiohttp.ClientResponse) -> bytes:
    """All that was answered; raises RequestFailed where that is more than any vector."""
    told = response.content_length
    if told is not None and told <= MOST_BYTES:
        return await response.read()
    found: list[bytes] = []
    size = 0
    async for part in response.content.iter_any():
        size += len(part)
        if size > MOST_BYTES:
            response.close()
            raise RequestFailed(
                "answer too long",
                say("{url} answered with more than {size:,} bytes.", url=str(response.url), size=MOST_BYTES),
                say("Check the address, --protocol and --model."),
            )
        found.append(part)
    return b"".join(found)


def _beginning(content: bytes) -> str:
    """The first words of an answer, on one line and without control characters."""
    text = " ".join(content[:1000].decode("utf-8", "replace").split())
    return "".join(c for c in text if c.isprintable())[:200] or "–"
