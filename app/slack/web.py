"""Slack's Web API as the rest of this door sees it: what to do about each kind of refusal."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from agent.settings import Settings
from app.slack.messages import Outgoing
from knowledge.errors import ProviderError, UserError
from knowledge.wording import say

if TYPE_CHECKING:
    from slack_sdk import WebClient

    from app.slack.records import Place

LOG = logging.getLogger(__name__)
#: tries after “too many requests”, each as long after the last as Slack says; and after a broken connection
MOST_TRIES, RECONNECTS = 8, 3
#: seconds that one request may take
TIMEOUT = 30
#: what Slack says of blocks that it does not like, in which case the words go out without them
_BLOCKS_REFUSED = frozenset({"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "invalid_attachments"})
#: what may be over after a while
_PASSING = frozenset({"ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable"}) | {
    "request_timeout",
    "team_added_to_org",
}


class Unreachable(Exception):
    """Slack could not be reached, or is not well: it is to be tried again later."""


class Refused(Exception):
    """Slack will not do this, now or later; `why` is Slack's word for it."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def make_client(settings: Settings) -> WebClient:
    """A client with the app's token.

    Raises:
        UserError: there is no token.
    """
    from slack_sdk import WebClient
    from slack_sdk.http_retry.builtin_handlers import ConnectionErrorRetryHandler, RateLimitErrorRetryHandler

    if settings.slack_bot_token is None:
        raise UserError(
            say("There is no token of a Slack app."),
            say(
                "Make an app from “advisor slack --manifest” at {url}, install it, and set SLACK_BOT_TOKEN.",
                url="https://api.slack.com/apps",
            ),
        )
    return WebClient(
        token=settings.slack_bot_token.get_secret_value(),
        base_url=settings.slack_api_url.rstrip("/") + "/",
        timeout=TIMEOUT,
        retry_handlers=[
            ConnectionErrorRetryHandler(max_retry_count=RECONNECTS),
            RateLimitErrorRetryHandler(max_retry_count=MOST_TRIES),
        ],
    )


def checked(client: WebClient) -> Mapping[str, Any]:
    """Who the app is, as Slack knows it.

    Raises:
        ProviderError: Slack does not know the token, or cannot be reached.
    """
    try:
        return _call(client.auth_test)
    except Refused as error:
        raise ProviderError(
            say("Slack refuses the app's token: {why}.", why=error.why),
            say("Set SLACK_BOT_TOKEN to the token under “OAuth & Permissions” of the app; it begins with xoxb-."),
        ) from error
    except Unreachable as error:
        raise ProviderError(
            say("Slack cannot be reached: {why}.", why=str(error)),
            say("Look at the network, at a proxy (HTTPS_PROXY) and at {url}.", url="https://slack-status.com"),
        ) from error


class Web:
    """What this door asks of Slack."""

    def __init__(self, client: WebClient) -> None:
        self.client = client

    def post(self, place: Place, message: Outgoing) -> str:
        """Post a message in a thread; returns its time stamp."""
        return self._with_blocks(
            message, lambda **content: self.client.chat_postMessage(**_in(place), **_QUIET, **content)
        )

    def post_root(self, channel: str, message: Outgoing) -> str:
        """Post a message that a thread will hang from; returns its time stamp."""
        return self._with_blocks(
            message, lambda **content: self.client.chat_postMessage(channel=channel, **_QUIET, **content)
        )

    def update(self, place: Place, ts: str, message: Outgoing) -> None:
        """Put another message in place of an earlier one."""
        self._with_blocks(
            message,
            lambda **content: self.client.chat_update(channel=place.channel, ts=ts, parse="none", **content),
        )

    def whisper(self, place: Place, user: str, text: str) -> None:
        """Tell one person something; whether that works is not important."""
        self.may(
            lambda: self.client.chat_postEphemeral(
                channel=place.channel, thread_ts=place.ts, user=user, text=text, parse="none"
            )
        )

    def call(self, what: Callable[..., Any], **arguments: Any) -> Mapping[str, Any]:
        """Call a method of the client.

        Raises:
            Refused: Slack will not.
            Unreachable: Slack cannot at present.
        """
        return _call(what, **arguments)

    def may(self, what: Callable[[], Any]) -> bool:
        """Do something that not every plan or installation has; whether it worked."""
        try:
            _call(what)
        except (Refused, Unreachable) as error:
            LOG.info("Slack: %s", error)
            return False
        return True

    def _with_blocks(self, message: Outgoing, send: Callable[..., Any]) -> str:
        try:
            found = _call(send, text=message.text, blocks=list(message.blocks))
        except Refused as error:
            if error.why not in _BLOCKS_REFUSED or not message.blocks:
                raise
            LOG.warning("Slack refused blocks (%s): the words go out without them", error.why)
            found = _call(send, text=message.text)
        return str(found["ts"])


#: nothing in our words is looked up, linked or unfolded
_QUIET: dict[str, Any] = {
    "mrkdwn": False,
    "parse": "none",
    "link_names": False,
    "unfurl_links": False,
    "unfurl_media": False,
}


def _in(place: Place) -> dict[str, Any]:
    return {"channel": place.channel, "thread_ts": place.ts}


def _call(what: Callable[..., Any], **arguments: Any) -> Mapping[str, Any]:
    from http.client import HTTPException

    from slack_sdk.errors import SlackApiError, SlackClientError

    try:
        found: Mapping[str, Any] = what(**arguments)
    except SlackApiError as error:
        why = why_of(error)
        if why in _PASSING or getattr(error.response, "status_code", 200) >= 500:
            raise Unreachable(why) from error
        raise Refused(why) from error
    except (OSError, HTTPException, SlackClientError) as error:
        raise Unreachable(f"{type(error).__name__}: {error}"[:200]) from error
    return found


def why_of(error: Exception) -> str:
    """Slack's word for what is wrong, or what the error says where Slack said nothing."""
    try:
        return str(error.response["error"])[:100]  # type: ignore[attr-defined]
    except (AttributeError, KeyError, TypeError):  # no answer of Slack's, or one that is not JSON
        return " ".join(str(error).split())[:200].rstrip(".") or type(error).__name__
