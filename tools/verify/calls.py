"""JSON over HTTP to a host that the user named: one request, its status whatever it is, and no other host.

Redirects are not followed, and an answer larger than any sane one is cut off.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener

from knowledge.errors import ProviderError, UserError
from knowledge.wording import say

#: seconds that a request may take: who searches has long gone
PATIENCE = 30.0
MOST_BYTES = 256 * 2**20


@dataclass(frozen=True)
class Answer:
    """What came back: `body` is None where it is no JSON."""

    status: int
    body: Any
    text: str = ""

    @property
    def ok(self) -> bool:
        """Whether the request was served."""
        return 200 <= self.status < 300


class _Stay(HTTPRedirectHandler):
    """An answer that leads elsewhere is an answer, not a way to another host."""

    def redirect_request(self, *args: object, **kwargs: object) -> None:
        """No further request."""
        return None


#: no proxy: what is checked is the address that was named
_OPENER = build_opener(_Stay, ProxyHandler({}))


def host_of(url: str) -> str:
    """Host and port of an address, without a password that it may hold.

    Raises:
        UserError: it is no address of a web server.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        parts, host, port = None, None, None
    if parts is None or parts.scheme not in ("http", "https") or not host:
        raise UserError(
            say("“{url}” is no address of a web server.", url=url[:200]),
            say("Write it like http://localhost:8080/search."),
        )
    return f"{host}:{port}" if port else host


def post(url: str, body: object, headers: Mapping[str, str] | None = None, *, seconds: float = PATIENCE) -> Answer:
    """Send JSON; what a server answers, errors too, is returned.

    Raises:
        ProviderError: nobody answers, or not in time.
        UserError: the address is none.
    """
    host = host_of(url)
    content = json.dumps(body).encode("utf-8")  # ASCII: control characters and lone surrogates arrive as they are
    request = Request(  # noqa: S310 - http and https only: host_of saw to it
        url, content, {"Content-Type": "application/json", "Accept": "application/json", **(headers or {})}
    )
    try:
        with _OPENER.open(request, timeout=seconds) as response:
            return _read(response.status, response.read(MOST_BYTES))
    except HTTPError as error:
        with error:
            return _read(error.code, error.read(MOST_BYTES))
    except (URLError, OSError, http.client.HTTPException, ValueError) as error:
        why = getattr(error, "reason", None) or error
        raise ProviderError(
            say("{host} does not answer: {why}.", host=host, why=(str(why) or type(error).__name__)[:200]),
            say("Check the address, and that the server runs."),
        ) from error


def _read(status: int, content: bytes) -> Answer:
    text = content[:500].decode("utf-8", "replace")
    try:
        return Answer(status, json.loads(content), text)
    except (ValueError, RecursionError):
        return Answer(status, None, text)
