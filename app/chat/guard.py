"""What every request passes before it reaches a page: host name, password, and the way to a conversation."""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from agent.thread_locks import names_thread
from app.serving import accepted, is_local_name
from knowledge.wording import Language

USER = "advisor"
#: gradio's pages carry inline scripts and styles; nothing is fetched from, sent to or framed by any other origin
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' data: blob:; worker-src 'self' blob:; "
    "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'self'"
)

Scope = Any


class Guard:
    """ASGI middleware; what `is_api` says of a path goes to `api`, when it asks for this machine by its own name."""

    def __init__(
        self,
        app: Any,
        *,
        local: bool,
        password: str | None,
        language: Language | None,
        api: Any = None,
        is_api: Callable[[str], bool] = lambda path: False,
    ) -> None:
        self._app = app
        self._api, self._is_api = api, is_api
        self._local = local
        self._password = password
        self._language = language

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008})

    async def _http(self, scope: Scope, receive: Any, send: Any) -> None:
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        if self._local and not is_local_name(headers.get("host", "")):
            await _answer(send, 421, b"This server answers to localhost only.")
        elif self._api is not None and self._is_api(scope["path"]):
            await self._api(scope, receive, send)  # it asks for keys of its own, and never for the page's password
        elif self._password is not None and not is_login(headers.get("authorization", ""), self._password):
            await _answer(send, 401, b"Log in.", (b"www-authenticate", b'Basic realm="advisor", charset="UTF-8"'))
        elif scope["method"] == "GET" and (target := self._way(scope, headers)):
            await _answer(send, 307, b"", (b"location", target.encode()))
        else:
            await self._app(scope, receive, _with_policy(scope, send))

    def _way(self, scope: Scope, headers: dict[str, str]) -> str | None:
        """Where a page's visitor is sent: to the page in his language, with a conversation's name in its address."""
        path = scope["path"]
        if path.rstrip("/") not in ("", "/en", "/zh"):
            return None
        query = dict(parse_qsl(scope["query_string"].decode("latin-1")))
        asked = query.pop("lang", None)
        here = path.strip("/") or None
        wanted = asked if asked in ("en", "zh") else here or self._language or accepted(headers.get("accept-language"))
        if asked is None and path == f"/{wanted}/" and names_thread(query.get("thread", "")):
            return None
        if not names_thread(query.get("thread", "")):
            query["thread"] = conversation_left(headers.get("referer", ""), wanted) or new_thread()
        return f"/{wanted}/?{urlencode(query)}"


def conversation_left(referer: str, wanted: Language) -> str | None:
    """The conversation of a page in the other language, from which a visitor comes.

    Its link to here names the conversation only once the page has heard which one it shows.
    """
    left = urlsplit(referer)
    thread = dict(parse_qsl(left.query)).get("thread", "")
    other = {"en": "/zh/", "zh": "/en/"}[wanted]
    return thread if left.path == other and names_thread(thread) else None


def new_thread() -> str:
    """A name for a new conversation that nobody guesses."""
    return f"chat-{secrets.token_hex(8)}"


def is_login(authorization: str, password: str) -> bool:
    """Whether an Authorization header (Basic) has the user name and the password."""
    scheme, _, value = authorization.partition(" ")
    try:
        given = base64.b64decode(value.strip(), validate=True)
    except (binascii.Error, ValueError):
        return False
    return scheme.lower() == "basic" and secrets.compare_digest(given, f"{USER}:{password}".encode())


def _with_policy(scope: Scope, send: Any) -> Any:
    async def sending(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            extra = [(b"x-content-type-options", b"nosniff"), (b"referrer-policy", b"same-origin")]
            if not scope["path"].startswith("/reports/"):
                extra.append((b"content-security-policy", POLICY.encode()))
            message = {**message, "headers": [*message.get("headers", ()), *extra]}
        await send(message)

    return sending


async def _answer(send: Any, status: int, body: bytes, *headers: tuple[bytes, bytes]) -> None:
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [(b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"no-store"), *headers],
        }
    )
    await send({"type": "http.response.body", "body": body})
