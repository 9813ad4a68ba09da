"""What every request passes before a route: whose it is, how many there were, how much it carries."""

from __future__ import annotations

import secrets
import time
from collections.abc import MutableMapping
from typing import Any
from urllib.parse import urlsplit

from app.api.metrics import Metrics
from app.api.problems import ProblemError, respond
from app.api.service import LOCAL, Caller
from app.rate_limit import RateLimits
from app.serving import accepted
from knowledge.doors import Door, through
from knowledge.errors import AdvisorError
from knowledge.wording import say
from tools.key_store import KeyStore

#: bytes of a body; an upload's chunk has a limit of its own
MOST_BODY = 2**20
#: what nobody needs a key for
OPEN = ("/health", "/ready", "/v1/openapi.json")
OPEN_BELOW = "/v1/problems"
#: below these it is talked, and what to do next is something to say
TALK = ("/v1/threads", "/v1/chat/", "/v1/openai/chat/")

Scope = Any


class Gate:
    """ASGI middleware."""

    def __init__(self, app: Any, *, keys: KeyStore, metrics: Metrics, keyless: bool) -> None:
        self._app = app
        self._keys = keys
        self._metrics = metrics
        self._keyless = keyless
        self._limits = RateLimits()

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = time.monotonic()
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        language = accepted(headers.get("accept-language"))
        number = secrets.token_hex(8)
        state = scope.setdefault("state", {})
        state["language"] = language
        status = 500

        async def sending(message: MutableMapping[str, Any]) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                given = {name.lower() for name, _ in message.get("headers", ())}
                extra = [(b"x-request-id", number.encode()), (b"x-content-type-options", b"nosniff")]
                if b"cache-control" not in given:
                    extra.append((b"cache-control", b"no-store"))
                message = {**message, "headers": [*message.get("headers", ()), *extra]}
                self._metrics.answered(scope["method"], _route(scope), status, time.monotonic() - begun)
            await send(message)

        with through(_door(scope["path"])):
            try:
                state["caller"] = self._admitted(scope["path"], headers)
                await self._app(scope, self._limited(scope, headers, receive), sending)
            except ProblemError as problem:
                self._metrics.refused(problem.kind)
                await respond(problem, language)(scope, receive, sending)
            except AdvisorError as error:  # the keys cannot be read
                refusal = ProblemError("resource", error.cause, error.next_step, headers={"Retry-After": "5"})
                await respond(refusal, language)(scope, receive, sending)

    def _admitted(self, path: str, headers: dict[str, str]) -> Caller | None:
        """Who calls; None where that does not matter."""
        if path in OPEN or path == OPEN_BELOW or path.startswith(f"{OPEN_BELOW}/"):
            return None
        caller = self._caller(headers)
        if caller is LOCAL and not _same_origin(headers):
            raise ProblemError(
                "foreign-origin",
                say("A page of {origin} wants to use this server.", origin=headers.get("origin", "?")[:200]),
                say("Call it from a program, or make a key with: advisor keys add NAME."),
            )
        if wait := self._limits.take(caller.owner, caller.rate):
            raise ProblemError(
                "too-many-requests",
                say("Your key is good for {rate} requests a minute.", rate=caller.rate or 0),
                say("Try again in {seconds} s.", seconds=wait),
                headers={"Retry-After": str(wait)},
            )
        return caller

    def _caller(self, headers: dict[str, str]) -> Caller:
        if self._keyless and not self._keys.any_valid():
            return LOCAL
        scheme, _, given = headers.get("authorization", "").partition(" ")
        key = self._keys.who(given.strip()) if scheme.lower() == "bearer" else None
        if key is None:
            raise ProblemError(
                "no-key",
                say("The key is not valid.") if given else say("There is no key in the request."),
                say("Send “Authorization: Bearer KEY”; a key is made with: advisor keys add NAME."),
                headers={"WWW-Authenticate": 'Bearer realm="advisor"'},
            )
        return Caller(f"key:{key.name}", frozenset(key.scopes), key.rate)

    @staticmethod
    def _limited(scope: Scope, headers: dict[str, str], receive: Any) -> Any:
        """The same request, refused where its body is too large."""
        if scope["method"] == "PATCH":  # an upload, which counts by itself
            return receive
        declared = headers.get("content-length", "")
        if declared.isdigit() and int(declared) > MOST_BODY:
            raise _too_large()
        seen = 0

        async def receiving() -> Any:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > MOST_BODY:
                raise _too_large()
            return message

        return receiving


def _too_large() -> ProblemError:
    return ProblemError(
        "body-too-large",
        say("A body may have {mb} MB here.", mb=MOST_BODY // 2**20),
        say("Upload data as a dataset, in chunks, and name it in the request."),
    )


def _same_origin(headers: dict[str, str]) -> bool:
    origin = headers.get("origin")
    return origin is None or urlsplit(origin).netloc == headers.get("host", "")


def _door(path: str) -> Door:
    return "talk" if path.startswith(TALK) else "api"


def _route(scope: Scope) -> str:
    """The pattern of the route that answers."""
    return str(getattr(scope.get("route"), "path", "-"))
