"""A client for HTTP/1.1 that takes as little time as there can be: its own time is in every figure of a load test.

It keeps connections, and does nothing else that a client may do: no redirects, proxies, cookies or compression.
"""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import Mapping
from typing import NamedTuple, Self, cast

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser
from pydantic import SecretStr

from knowledge.errors import UserError
from knowledge.wording import Text, say
from tools.load.address import Address
from tools.load.target import RequestFailed

#: no vector is longer: 65,536 numbers of 20 characters; more is no answer but an attack on memory
MOST_BYTES = 2_000_000


class Reply(NamedTuple):
    """What was answered; names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    content: bytes


class Client:
    """As many connections to one server as requests are on their way, each kept for the next one.

    Args:
        address: of the server; its path is left to each request.
        key: sent as a bearer token.

    Raises:
        UserError: the key cannot be sent.
    """

    def __init__(self, address: Address, key: SecretStr | None = None) -> None:
        self._address = address
        self._idle: list[_Connection] = []
        self._tls: ssl.SSLContext | None = None
        self._headers = (
            f"Host: {address.authority}\r\nContent-Type: application/json\r\n"
            f"Accept: application/json\r\nAccept-Encoding: identity\r\n{_authorization(key)}"
        )

    async def ask(self, method: str, path: str, body: bytes = b"") -> Reply:
        """Send one request and wait for its answer; whoever gives that up closes its connection.

        A server may close a kept connection at any time. What was sent over one at that moment, and of which no byte
        was answered, is sent again once, over a new one.

        Raises:
            RequestFailed: TLS, no connection, connection lost, not HTTP, or answer too long.
        """
        head = f"{method} {path} HTTP/1.1\r\n{self._headers}Content-Length: {len(body)}\r\n\r\n"
        request = head.encode() + body
        if self._idle:
            kept = self._idle.pop()
            try:
                return await kept.ask(request)
            except RequestFailed:
                if kept.received:
                    raise
        return await (await self._connect()).ask(request)

    async def close(self) -> None:
        """Close what is kept."""
        while self._idle:
            self._idle.pop().abort()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *raised: object) -> None:
        await self.close()

    async def _connect(self) -> _Connection:
        address = self._address
        if address.is_tls and self._tls is None:
            self._tls = ssl.create_default_context()
        try:
            _, connection = await asyncio.get_running_loop().create_connection(
                lambda: _Connection(address.root, self._idle),
                address.host,
                address.port,
                ssl=self._tls,
                happy_eyeballs_delay=0.25,  # of several addresses the first may be dead (RFC 8305)
            )
        except ssl.SSLError as error:
            raise _failed("TLS", address.root, error) from error
        except OSError as error:
            raise _failed("no connection", address.root, error) from error
        return connection


class _Connection(asyncio.Protocol):
    """One connection, and the request that is on its way over it.

    Args:
        server: as messages call it.
        idle: where it waits between requests.
    """

    _transport: asyncio.Transport

    def __init__(self, server: str, idle: list[_Connection]) -> None:
        self._server, self._idle = server, idle
        self._parser = HttpResponseParser(self)
        self._waiting: asyncio.Future[Reply] | None = None
        self._begin_answer()
        self.received = 0

    async def ask(self, request: bytes) -> Reply:
        self.received = 0
        if self._transport.is_closing():  # since it was last used, or as soon as it was made
            raise self._lost()
        waiting: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._waiting = waiting
        self._transport.write(request)
        try:
            return await waiting
        finally:
            if self._waiting is waiting:  # given up; whatever is answered now is nobody's
                self.abort()

    def abort(self) -> None:
        self._waiting = None
        self._transport.abort()

    # ---------------------------------------------------------------- what asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self.received += len(data)
        if self._waiting is None:  # nobody asked
            self.abort()
        elif self.received > MOST_BYTES:
            self._fail(
                RequestFailed(
                    "answer too long",
                    say("{url} answered with more than {size:,} bytes.", url=self._server, size=MOST_BYTES),
                    say("Check the address, --protocol and --model."),
                )
            )
        else:
            try:
                self._parser.feed_data(data)
            except (HttpParserError, HttpParserUpgrade) as error:
                self._fail(_failed("not HTTP", self._server, error))

    def connection_lost(self, error: Exception | None) -> None:
        if self._waiting is not None and self._until_close and error is None:
            self.on_message_complete()
        self._fail(self._lost(error))

    # ---------------------------------------------------------------- what the parser calls

    def on_message_begin(self) -> None:
        if self._waiting is None:  # a second answer to one request: none after it would be the right one
            self.abort()

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        self._until_close = not {"content-length", "transfer-encoding"} & self._headers.keys()

    def on_body(self, part: bytes) -> None:
        self._body.append(part)

    def on_message_complete(self) -> None:
        status, headers, body = self._parser.get_status_code(), self._headers, self._body
        self._begin_answer()
        if status < 200:  # the answer itself is still to come
            return
        waiting, self._waiting = self._waiting, None
        if self._parser.should_keep_alive():
            self._idle.append(self)
        else:
            self._transport.abort()
        if waiting is not None and not waiting.done():
            waiting.set_result(Reply(status, headers, b"".join(body)))

    # ----------------------------------------------------------------

    def _begin_answer(self) -> None:
        self._headers: dict[str, str] = {}
        self._body: list[bytes] = []
        self._until_close = False

    def _lost(self, error: Exception | None = None) -> RequestFailed:
        if error is None or isinstance(error, ConnectionResetError):  # which of the two is a matter of moments
            return _failed("connection lost", self._server, say("the server closed the connection"))
        return _failed("connection lost", self._server, error)

    def _fail(self, error: RequestFailed) -> None:
        waiting = self._waiting
        self.abort()
        if waiting is not None and not waiting.done():
            waiting.set_exception(error)


def _authorization(key: SecretStr | None) -> str:
    if key is None:
        return ""
    value = key.get_secret_value().strip()
    if not value.isascii() or not value.isprintable():
        raise UserError(
            say("The key of the endpoint holds a line break or another character that no key may hold."),
            say("Set ADVISOR_ENDPOINT_API_KEY anew."),
        )
    return f"Authorization: Bearer {value}\r\n"


def _failed(kind: str, server: str, error: Exception | Text) -> RequestFailed:
    if isinstance(error, ssl.SSLCertVerificationError):
        step = say("Give the name that its certificate is for, and of a CA of your own the file: SSL_CERT_FILE=ca.pem.")
    elif kind == "no connection":
        step = say("Check that the server runs, and its address.")
    else:  # somebody is there, who closes the connection or does not speak as expected
        step = say("Check that the server runs, and its address: http or https, and the port.")
    return RequestFailed(kind, say("{url} cannot be asked: {why}", url=server, why=_why(error)), step)


def _why(error: Exception | Text) -> Text | str:
    """The error in words, without the numbers and places in a source that libraries put before and behind it."""
    if isinstance(error, Text):
        return error
    if isinstance(error, ssl.SSLCertVerificationError):
        return say("its certificate is not trusted ({why})", why=error.verify_message)
    if isinstance(error, ssl.SSLError) and error.reason:
        return error.reason.replace("_", " ").lower()
    if isinstance(error, OSError) and (error.errno or 0) > 0:
        return os.strerror(error.errno or 0)
    told = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return (told.splitlines() or [""])[0][:200] or type(error).__name__
