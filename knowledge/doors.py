"""What to do next, in the words of the door through which it is read.

A command's option helps nobody who calls the HTTP API, and “say yes” nobody who runs a command. So a next step that
is another at each door is named (`knowledge.wording.how_to`), and worded when it is shown, like its language.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from importlib.resources import files
from typing import Literal

#: the command line; requests to the HTTP API; tools of the MCP server; any conversation but the command line's
Door = Literal["terminal", "api", "mcp", "talk"]

_door: ContextVar[Door] = ContextVar("door", default="terminal")


@contextmanager
def through(door: Door) -> Iterator[None]:
    """What is shown within is read at this door."""
    token = _door.set(door)
    try:
        yield
    finally:
        _door.reset(token)


@cache
def next_steps() -> Mapping[str, Mapping[str, Mapping[str, str]]]:
    """Action -> door, or ``else`` for those that are not named -> language -> template."""
    found: dict[str, dict[str, dict[str, str]]] = json.loads(
        (files("knowledge") / "data" / "next_steps.json").read_text("utf-8")
    )
    return found


def worded(action: str, language: str) -> str:
    """How an action is done at this door, as a template (``str.format``)."""
    of_doors = next_steps()[action]
    return of_doors.get(_door.get(), of_doors.get("else", of_doors["terminal"]))[language]
