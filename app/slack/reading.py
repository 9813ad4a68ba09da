"""What Slack sends, as deliveries: pure functions of its payloads. What is not for the advisor is None."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from typing import Any

from app.slack import buttons
from app.slack.records import Clicked, Commanded, Opened, Place, Said, SlackFile

#: a message longer than this is cut: nobody describes a use case in more, and the rules read 10,000
LONGEST = 20_000
_USER = re.compile(r"<@([A-Z0-9]+)(?:\|[^>]*)?>")
#: kinds of messages that people write; others tell of changes, joins and the like
_WRITTEN = frozenset({None, "file_share", "thread_broadcast"})


def said(body: Mapping[str, Any], me: str) -> Said | None:
    """A message for the advisor, or one that may be; `me` is the app's user.

    A message in a channel that names the app comes as two events; both are read alike.
    """
    event = _mapping(body.get("event"))
    if event.get("subtype") not in _WRITTEN or event.get("bot_id") or not _is_name(event.get("user")):
        return None
    if event["user"] == me or event.get("hidden"):
        return None
    ts = event.get("ts")
    place = Place.of(body.get("team_id"), event.get("channel"), event.get("thread_ts") or ts)
    if place is None or not isinstance(ts, str):
        return None
    raw = event.get("text")
    text = raw if isinstance(raw, str) else ""
    mentioned = place.direct or event.get("type") == "app_mention" or me in _USER.findall(text)
    if not mentioned and _USER.match(text.strip()):
        return None  # it is said to somebody else
    files = tuple(file for found in event.get("files") or () if (file := _file(found)) is not None)
    return Said(
        place=place,
        user=event["user"],
        ts=ts,
        text=plain(text, me)[:LONGEST],
        files=files,
        mentioned=mentioned,
    )


def plain(text: str, me: str = "") -> str:
    """What somebody wrote, without Slack's marks: its mentions, links and escapes."""
    # whom it is said to is no part of what is said, and an id may read like a word
    text = re.sub(r"<@[A-Z0-9]+>[:,]?|<!(?:channel|here|everyone)(?:\|[^>]*)?>[:,]?", " ", text)
    text = re.sub(rf"<@{me}(?:\|[^>]*)?>[:,]?", " ", text) if me else text
    text = re.sub(r"<(?:mailto:|tel:)?([^<>|]*)\|([^<>]*)>", lambda m: m[2] or m[1], text)
    text = re.sub(r"<([@#!]?[^<>|]*)>", r"\1", text)
    words = html.unescape(text).encode("utf-8", "replace").decode("utf-8")
    return re.sub(r"[ \t]+", " ", words).strip()


def clicked(body: Mapping[str, Any]) -> Clicked | None:
    """A button of ours."""
    actions = body.get("actions")
    first = _mapping(actions[0]) if isinstance(actions, list) and actions else {}
    message, container = _mapping(body.get("message")), _mapping(body.get("container"))
    user, team = _mapping(body.get("user")).get("id"), _mapping(body.get("team")).get("id")
    channel = _mapping(body.get("channel")).get("id") or container.get("channel_id")
    ts = message.get("ts") or container.get("message_ts")
    place = Place.of(team, channel, message.get("thread_ts") or container.get("thread_ts") or ts)
    action = buttons.named(str(first.get("action_id")))
    if place is None or action is None or not _is_name(user) or not isinstance(ts, str):
        return None
    shown = message.get("blocks")
    return Clicked(
        place=place,
        user=str(user),
        action=action,
        value=str(first.get("value") or "")[:4000],
        ts=ts,
        text=html.unescape(str(message.get("text") or "")),
        blocks=tuple(b for b in shown if isinstance(b, dict)) if isinstance(shown, list) else (),
    )


def commanded(body: Mapping[str, Any]) -> Commanded | None:
    """The slash command."""
    names = [body.get(key) for key in ("team_id", "channel_id", "user_id", "trigger_id")]
    if not all(isinstance(name, str) and name for name in names):
        return None
    team, channel, user, trigger = map(str, names)
    if Place.of(team, channel, "1.1") is None or not _is_name(user):
        return None
    text = plain(str(body.get("text") or ""))[:LONGEST]
    return Commanded(team=team, channel=channel, user=user, text=text, trigger=trigger)


def opened(body: Mapping[str, Any]) -> Opened | None:
    """Somebody opened the advisor's pane."""
    thread = _mapping(_mapping(body.get("event")).get("assistant_thread"))
    place = Place.of(body.get("team_id"), thread.get("channel_id"), thread.get("thread_ts"))
    user = thread.get("user_id")
    return Opened(place=place, user=str(user)) if place is not None and _is_name(user) else None


def _file(found: Any) -> SlackFile | None:
    file = _mapping(found)
    url, name = file.get("url_private_download") or file.get("url_private"), file.get("name") or file.get("title")
    if not isinstance(url, str) or not isinstance(name, str) or file.get("mode") == "tombstone":
        return None
    size = file.get("size")
    return SlackFile(id=str(file.get("id")), name=name, size=size if isinstance(size, int) else 0, url=url)


def _mapping(found: Any) -> Mapping[str, Any]:
    return found if isinstance(found, dict) else {}


def _is_name(found: Any) -> bool:
    return isinstance(found, str) and re.fullmatch(r"[A-Z0-9]{1,30}", found) is not None
