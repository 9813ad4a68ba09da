"""The Slack app's two ways to hear from Slack: requests that Slack sends (HTTP), or a socket that it is asked for."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event
from typing import TYPE_CHECKING, Any

from agent.advisor import Advisor
from agent.settings import Settings
from app.conversations import Conversations
from app.serving import listen, serve_at
from app.slack.app_manifest import PATH
from app.slack.deliveries import Deliveries
from app.slack.desk import Desk
from app.slack.downloads import Downloads
from app.slack.listeners import make_bolt
from app.slack.teller import Teller
from app.slack.web import Web, checked, make_client, why_of
from app.uploads import Uploads
from knowledge.errors import ProviderError, UserError
from knowledge.wording import Text, say

if TYPE_CHECKING:
    from slack_bolt import App
    from starlette.applications import Starlette

#: bytes of a request; Slack's are some kilobytes
MOST_BYTES = 2**20
#: a request that was signed longer ago, or later, than this is refused
WINDOW = 300
_SIGNATURE, _SECONDS = re.compile(r"v0=[0-9a-f]{64}"), re.compile(r"\d{1,12}")


def serve_http(settings: Settings, host: str, port: int) -> None:
    """Wait for Slack's requests until interrupted."""
    secret = settings.slack_signing_secret
    if secret is None or not secret.get_secret_value().strip():
        raise UserError(
            say("There is no signing secret, and without one anybody could speak in Slack's name."),
            say("Set SLACK_SIGNING_SECRET (“Basic Information” of the app), or use Socket Mode: SLACK_APP_TOKEN."),
        )
    with listen(host, port) as listener, running(settings, secret.get_secret_value()) as bolt:
        serve_at(
            host,
            listener,
            make_app(bolt),
            lambda url: say("Slack's requests are awaited at {url} (Ctrl-C ends it).", url=url + PATH),
            settings.language or "en",
        )


def serve_socket(settings: Settings) -> None:
    """Be connected with Slack until interrupted; no address of this machine need be reachable.

    Raises:
        ProviderError: Slack does not let the app connect.
    """
    from slack_bolt.adapter.socket_mode import SocketModeHandler

    token = settings.slack_app_token
    if token is None:
        raise UserError(
            say("There is no token for Socket Mode."),
            say("Set SLACK_APP_TOKEN (“App-Level Tokens” of the app, right connections:write), or use --http."),
        )
    with running(settings, None) as bolt:
        handler = SocketModeHandler(bolt, token.get_secret_value(), web_client=bolt.client)
        try:
            try:
                handler.connect()  # type: ignore[no-untyped-call]
            except Exception as error:  # the SDK raises what its parts raise
                raise ProviderError(
                    say("Slack does not open a socket: {why}.", why=why_of(error)),
                    say("Look at SLACK_APP_TOKEN (it begins with xapp-) and at “Socket Mode” in the app's settings."),
                ) from error
            _announce(settings, say("Connected with Slack (Ctrl-C ends it)."))
            Event().wait()
        finally:
            handler.close()  # type: ignore[no-untyped-call]


@contextmanager
def running(settings: Settings, signing_secret: str | None) -> Iterator[App]:
    """All that this door is made of, from the advisor to the SDK's application."""
    home = settings.home.expanduser()
    client = make_client(settings)
    me = str(checked(client).get("user_id") or "")
    web = Web(client)
    with Advisor(settings, reads_paths=False) as advisor:
        conversations = Conversations(advisor, home, lambda thread: teller.wake(thread))
        deliveries = Deliveries(home / "slack" / "slack.sqlite")
        teller = Teller(conversations, deliveries, web, home)
        uploads = Uploads(home / "uploads", settings.upload_mb * 2**20)
        incoming = home / "uploads" / "incoming"
        downloads = Downloads(str(client.token), settings.slack_api_url, uploads.most_bytes, incoming)
        language = settings.language or "en"
        desk = Desk(conversations, deliveries, teller, web, downloads, uploads, home, language)
        bolt = make_bolt(client, signing_secret, desk, me, language)
        desk.start()
        try:
            yield bolt
        finally:
            desk.stop()
            deliveries.close()


def make_app(bolt: App) -> Starlette:
    """The web application: Slack's requests, each looked at before the SDK sees it; and a word that it lives."""
    from slack_bolt.adapter.starlette.handler import to_bolt_request, to_starlette_response
    from starlette.applications import Starlette
    from starlette.concurrency import run_in_threadpool
    from starlette.requests import Request
    from starlette.responses import JSONResponse, Response
    from starlette.routing import Route

    async def events(request: Request) -> Response:
        body = await _body(request)
        if body is None:
            return JSONResponse({"error": "too large"}, 413)
        if not _may_be_signed(request.headers, time.time()):
            return JSONResponse({"error": "invalid request"}, 401)
        try:
            made = to_bolt_request(request, body)
        except (ValueError, AttributeError, TypeError):  # not UTF-8, no JSON, or no object
            made = None
        if made is None or not isinstance(made.body, dict) or not made.body:  # Slack sends nothing of the kind
            return JSONResponse({"error": "invalid request"}, 400)
        return to_starlette_response(await run_in_threadpool(bolt.dispatch, made))

    async def health(request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    return Starlette(routes=[Route(PATH, events, methods=["POST"]), Route("/health", health)])


async def _body(request: Any) -> bytes | None:
    """The request's body; None where it is too large."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            return None
    return body


def _may_be_signed(headers: Any, now: float) -> bool:
    """Whether a request has a signature's form and age; whether it is the right one, the SDK finds out."""
    signature, signed = headers.get("x-slack-signature", ""), headers.get("x-slack-request-timestamp", "")
    if not _SIGNATURE.fullmatch(signature) or not _SECONDS.fullmatch(signed):
        return False
    return abs(now - int(signed)) <= WINDOW


def _announce(settings: Settings, what: Text) -> None:
    sys.stdout.write(what.render(settings.language or "en") + "\n")
    sys.stdout.flush()
