"""The app's manifest: what it is called, may do and listens to. Slack makes the app from it."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

from knowledge.errors import UserError
from knowledge.wording import say

#: the address of events, of clicks and of commands
PATH = "/slack/events"


def make_manifest(url: str | None = None, *, assistant: bool = False) -> str:
    """The manifest as JSON.

    Args:
        url: where Slack reaches this program (HTTP mode); None: Socket Mode, which needs no address.
        assistant: with the pane for assistants, which not every plan has.

    Raises:
        UserError: Slack sends requests to https addresses only.
    """
    found: dict[str, Any] = json.loads((files("app.slack") / "manifest.json").read_text("utf-8"))
    if url is not None:
        if not url.startswith("https://"):
            raise UserError(
                say("Slack sends requests to https addresses only, and not to {url}.", url=url[:200]),
                say("Put a proxy with a certificate before this program, or leave --url out for Socket Mode."),
            )
        address = url.rstrip("/") + ("" if url.rstrip("/").endswith(PATH) else PATH)
        settings = found["settings"]
        settings["socket_mode_enabled"] = False
        settings["event_subscriptions"]["request_url"] = address
        settings["interactivity"]["request_url"] = address
        for command in found["features"]["slash_commands"]:
            command["url"] = address
    if assistant:
        about = found["display_information"]["description"]
        found["features"]["assistant_view"] = {"assistant_description": about, "suggested_prompts": []}
        found["oauth_config"]["scopes"]["bot"].append("assistant:write")
        found["settings"]["event_subscriptions"]["bot_events"].append("assistant_thread_started")
    return json.dumps(found, indent=2, ensure_ascii=False) + "\n"
