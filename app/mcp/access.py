"""Who calls over HTTP, and whether they may: the names a browser sends along, and keys."""

from __future__ import annotations

import json
from collections.abc import Collection
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import anyio.to_thread

from app.rate_limit import RateLimits
from knowledge.errors import AdvisorError, UserError
from knowledge.wording import Text, say
from tools.key_store import SCOPES, Key, KeyStore


@dataclass(frozen=True)
class Caller:
    """Whoever calls.

    Attributes:
        owner: jobs and conversations of the same owner are the same caller's, in the HTTP API too.
        scopes: what they may do.
        rate: requests a minute; None: any number.
    """

    owner: str
    scopes: frozenset[str]
    rate: int | None = None


#: whoever sits at this machine
LOCAL = Caller("local", frozenset(SCOPES))

_caller: ContextVar[Caller] = ContextVar("caller", default=LOCAL)


class NotAllowedError(UserError):
    """A key that is not good for what is asked."""


def caller_with(scope: str) -> Caller:
    """Whoever makes the call that is being answered.

    Raises:
        NotAllowedError: their key is not for that.
    """
    caller = _caller.get()
    if scope not in caller.scopes:
        raise NotAllowedError(
            say("Your key is not for that: it lacks the scope “{scope}”.", scope=scope),
            say("Ask for another: advisor keys add NAME --scope {scope}.", scope=scope),
        )
    return caller


class Gate:
    """ASGI middleware: what is called by another name, or from a page of another origin, or without a key, is refused.

    A page from elsewhere could point its own name at this machine (DNS rebinding), and a browser sends along where the
    page came from; programs send no Origin.
    """

    def __init__(self, app: Any, keys: KeyStore, *, names: Collection[str] | None, keyless: bool) -> None:
        """Guard an application.

        Args:
            app: what is behind it.
            keys: the keys that are good.
            names: those that this server answers to, without ports; None: any.
            keyless: whether no key is needed while there is none at all.
        """
        self._app, self._keys, self._keyless = app, keys, keyless
        self._limits = RateLimits()
        self._names = None if names is None else {name.lower() for name in names}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        host, origin = headers.get("host", ""), headers.get("origin")
        if self._names is not None and _name(host) not in self._names:
            await _refuse(send, 421, say("This server does not answer to that name."), say("Call it by its address."))
        elif origin is not None and urlsplit(origin).netloc.lower() != host.lower():
            await _refuse(
                send, 403, say("A page of another origin wants to use this server."), say("Call it from a program.")
            )
        else:
            await self._with_key(headers, scope, receive, send)

    async def _with_key(self, headers: dict[str, str], scope: Any, receive: Any, send: Any) -> None:
        kind, _, given = headers.get("authorization", "").partition(" ")
        try:
            found = await anyio.to_thread.run_sync(
                partial(self._who, given.strip() if kind.lower() == "bearer" else "")
            )
        except AdvisorError as error:  # the keys cannot be read
            await _refuse(send, 503, error.cause, error.next_step)
            return
        if found is None:
            cause = say("The key is not valid.") if given else say("There is no key in the request.")
            await _refuse(
                send, 401, cause, say("Send “Authorization: Bearer KEY”; a key is made with: advisor keys add NAME.")
            )
            return
        if wait := self._limits.take(found.owner, found.rate):
            cause = say("Your key is good for {rate} requests a minute.", rate=found.rate or 0)
            await _refuse(send, 429, cause, say("Try again in {seconds} s.", seconds=wait), wait)
            return
        token = _caller.set(found)
        try:
            await self._app(scope, receive, send)
        finally:
            _caller.reset(token)

    def _who(self, given: str) -> Caller | None:
        if self._keyless and not self._keys.any_valid():
            return LOCAL
        key: Key | None = self._keys.who(given)
        return None if key is None else Caller(f"key:{key.name}", frozenset(key.scopes), key.rate)


def _name(host: str) -> str:
    """A Host header without its port."""
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdigit() else host).lower()


async def _refuse(send: Any, status: int, cause: Text, next_step: Text, wait: int = 0) -> None:
    body = json.dumps({"error": cause.render("en"), "next_step": next_step.render("en")}, ensure_ascii=False).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    if status == 401:
        headers.append((b"www-authenticate", b'Bearer realm="advisor"'))
    if wait:
        headers.append((b"retry-after", str(wait).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
