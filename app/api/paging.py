"""Lists page by page: a cursor says where to go on, and is nobody's to make up."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated

from fastapi import Query

from app.api.problems import ProblemError
from knowledge.wording import say

Limit = Annotated[int, Query(ge=1, le=100, description="Entries of one page.")]
Cursor = Annotated[
    str | None, Query(max_length=100, description="`next_cursor` of the page before; leave it out for the first page.")
]


def cursor_of(number: int) -> str:
    """A place in a list, as callers get it."""
    return base64.urlsafe_b64encode(f"after:{number}".encode()).decode().rstrip("=")


def place_of(cursor: str | None) -> int | None:
    """The place that a cursor names; None for the first page."""
    if cursor is None:
        return None
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        word, _, number = base64.b64decode(padded, altchars=b"-_", validate=True).decode("ascii").partition(":")
        if word != "after" or not (number.isascii() and number.isdigit()) or len(number) > 18:
            raise ValueError(cursor)
        return int(number)
    except (ValueError, UnicodeError, binascii.Error) as error:
        raise ProblemError(
            "invalid-request",
            say("That cursor was not made here."),
            say("Take `next_cursor` of the page before, or leave it out for the first page."),
        ) from error
