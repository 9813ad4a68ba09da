"""Server-sent events."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

from fastapi.responses import StreamingResponse

#: what keeps a connection open through proxies while nothing happens
ALIVE = b": still here\n\n"


def frame(data: Any, event: str | None = None, number: int | None = None) -> bytes:
    """One event."""
    head = "" if number is None else f"id: {number}\n"
    head += "" if event is None else f"event: {event}\n"
    # JSON has no line break of its own, which would end the field
    return f"{head}data: {data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)}\n\n".encode()


def stream(frames: AsyncIterator[bytes]) -> StreamingResponse:
    """A response of events, which nobody on the way may keep back."""
    return StreamingResponse(frames, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})
