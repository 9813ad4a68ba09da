"""How an open page hears that something is new: server-sent events, which browsers connect to again by themselves.

Gradio's own streams are not used for it: a chat that a stream writes to counts as being answered, with its buttons
switched off, and a page whose stream has broken off stays silent until it is loaded again.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator
from typing import Any

from fastapi import APIRouter, HTTPException
from fastapi.responses import StreamingResponse

from agent.thread_locks import names_thread
from app.conversations import Conversations

#: seconds between two looks at a conversation, between two ticks of a step's clock, and between two signs of life
LOOK_EVERY, TICK, ALIVE_EVERY = 0.1, 1.0, 15.0
#: what a page does with it: asks what is new, and listens only while it is looked at, for browsers open few connections
SCRIPT = """
const thread = new URLSearchParams(location.search).get('thread');
let source = null;
const lost = shown => element.querySelector('[role=status]').hidden = !shown;
// the address names what runs, beside the conversation
const name = job => {
  const here = new URL(location);
  if (job === '-') here.searchParams.delete('job'); else here.searchParams.set('job', job);
  if (here.href !== location.href) history.replaceState(history.state, '', here);
};
const listen = () => {
  source = new EventSource('/pulse/' + encodeURIComponent(thread));
  source.onmessage = event => { lost(false); name(event.data); trigger('tick'); };
  source.onerror = () => lost(true);
};
document.addEventListener('visibilitychange', () => {
  if (document.hidden) { source?.close(); source = null; }
  else if (thread && !source) listen();
});
addEventListener('pagehide', () => source?.close());
if (thread) listen();
"""


class Pulse:
    """Notices that something is new in a conversation; cheap, so that it can be asked often."""

    def __init__(self, conversations: Conversations, thread: str) -> None:
        self._conversations, self._thread = conversations, thread
        self._seen: tuple[Any, ...] | None = None

    def beats(self) -> bool:
        """Whether something has changed since it was asked last, be it only a step's clock."""
        live = self._conversations.now(self._thread)
        ticks = None if live.elapsed is None else int(live.elapsed / TICK)
        now = (live.version, self._conversations.advisor.transcript.size(self._thread), ticks)
        changed = now != self._seen
        self._seen = now
        return changed


def make_router(conversations: Conversations) -> APIRouter:
    """The route ``/pulse/THREAD``: an event whenever something has changed in a conversation, and one at once.

    Its data is the number of the message that a long step runs for, or ``-``.
    """
    router = APIRouter()

    @router.get("/pulse/{thread}")
    async def pulse(thread: str) -> StreamingResponse:
        """The events."""
        if not names_thread(thread):
            raise HTTPException(404)
        return StreamingResponse(
            beats(conversations, thread), media_type="text/event-stream", headers={"Cache-Control": "no-store"}
        )

    return router


async def beats(conversations: Conversations, thread: str) -> AsyncIterator[str]:
    """Server-sent events; work that a stopped server left behind goes on once somebody looks."""
    pulse = Pulse(conversations, thread)
    for beat in itertools.count(1):
        told = time.monotonic()
        while not pulse.beats():
            await asyncio.sleep(LOOK_EVERY)
            if time.monotonic() - told > ALIVE_EVERY:
                told = time.monotonic()
                yield ": alive\n\n"
        yield f"data: {conversations.now(thread).job or '-'}\n\n"
        if beat == 1:
            await asyncio.to_thread(conversations.wake, thread)
