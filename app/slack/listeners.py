"""What Slack's events do here, by the SDK: each is on disk when Slack is told that it arrived."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from app.slack import reading
from app.slack.desk import OPENINGS, Desk
from app.slack.records import Delivery
from knowledge.wording import Language, say

if TYPE_CHECKING:
    from slack_bolt import Ack, App
    from slack_sdk import WebClient

#: the SDK's loggers say what is in requests, from this level on nothing of that
_LEVEL = logging.ERROR


def make_bolt(client: WebClient, signing_secret: str | None, desk: Desk, me: str, language: Language) -> App:
    """The SDK's application.

    Args:
        client: with the app's token.
        signing_secret: that requests are signed with; None in Socket Mode, where there is nothing to sign.
        desk: takes what arrives.
        me: the app's user.
        language: of the help.
    """
    from slack_bolt import App

    logging.getLogger("slack_bolt").setLevel(_LEVEL)
    logger = logging.getLogger("slack_bolt.advisor")
    logger.setLevel(_LEVEL)
    app = App(
        client=client,
        logger=logger,
        signing_secret=signing_secret or "",
        request_verification_enabled=signing_secret is not None,
        token_verification_enabled=False,  # it was looked at
        # a listener runs before Slack gets its answer: that is what the answer is about
        process_before_response=True,
    )
    Listeners(desk, me, language).listen(app)
    return app


class Listeners:
    """One method for each kind of payload."""

    def __init__(self, desk: Desk, me: str, language: Language) -> None:
        self._desk, self._me, self._language = desk, me, language

    def listen(self, app: App) -> None:
        """Register with the SDK."""
        app.event("app_mention")(self._message)
        app.event("message")(self._message)
        app.event("assistant_thread_started")(self._opened)
        app.event(re.compile(".*"))(self._other)
        app.action(re.compile(".*"))(self._action)
        app.command(re.compile(".*"))(self._command)

    def _message(self, body: dict[str, Any]) -> None:
        said = reading.said(body, self._me)
        if said is not None and self._desk.concerns(said):
            self._take(body, said, f"{said.place.channel}:{said.ts}:{self._kind(body)}")

    def _opened(self, body: dict[str, Any]) -> None:
        self._take(body, reading.opened(body), "")

    def _action(self, body: dict[str, Any], ack: Ack) -> None:
        clicked = reading.clicked(body)
        if clicked is not None:
            self._desk.accept(clicked, f"action:{body.get('trigger_id')}:{clicked.action}")
        ack()

    def _command(self, body: dict[str, Any], ack: Ack) -> None:
        commanded = reading.commanded(body)
        if commanded is None or not commanded.text:
            name = str(body.get("command") or "/embedding")[:50]
            told = say(
                "Ask for a model or describe what you are building: {command} {example}",
                command=name,
                example=OPENINGS[0],
            )
            ack(text=told.render(self._language), response_type="ephemeral")
            return
        self._desk.accept(commanded, f"command:{commanded.trigger}")
        ack()

    def _other(self) -> None:
        """Nothing to do: joins, changes of messages, and the like."""

    def _take(self, body: Mapping[str, Any], delivery: Delivery | None, otherwise: str) -> None:
        if delivery is not None:
            event = body.get("event_id")
            self._desk.accept(delivery, f"event:{event}" if isinstance(event, str) and event else f"event:{otherwise}")

    @staticmethod
    def _kind(body: Mapping[str, Any]) -> str:
        event = body.get("event")
        return str(event.get("type")) if isinstance(event, dict) else ""
