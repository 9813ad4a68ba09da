"""`/v1/chat/completions`: the advisor as a chat model, for front ends that know how to talk to OpenAI's.

Such a client sends the whole conversation each time, and names none. What the user has said so far finds the
conversation that has heard exactly that, and goes on in it; where there is none (a message was edited, an answer is to
be made again), the words are said anew in a new one, which costs little: what was measured is known.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from agent import events
from app.api.documented import STREAM, with_body
from app.api.models import ADVISOR
from app.api.problems import ProblemError
from app.api.rendering import report_url
from app.api.service import Caller, Lang, Measurer, Service, Use
from app.api.sse import ALIVE, frame, stream
from app.api.threads import new_thread, watched
from app.api.turns import Turn
from app.wording import (
    Line,
    as_markdown,
    duration,
    escape,
    noted_lines,
    plan_card,
    plan_table,
    profiled_lines,
    recommendation_markdown,
    shortlist_lines,
)
from knowledge.wording import Language, Text, say

router = APIRouter(tags=["chat"])
#: characters of all messages together, and how many there may be
LONGEST, MOST_MESSAGES = 500_000, 400
#: of that, what the user may say in one message
LONGEST_SAID = 20_000


class Part(BaseModel):
    """A part of a message; only text is read."""

    model_config = ConfigDict(extra="allow", strict=True)

    type: str
    text: str = ""


class ChatMessage(BaseModel):
    """A message as OpenAI's clients send it."""

    model_config = ConfigDict(extra="allow", strict=True)

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[Part] | None = None

    @property
    def text(self) -> str:
        """Its words."""
        if isinstance(self.content, str) or self.content is None:
            return self.content or ""
        return "\n".join(part.text for part in self.content if part.type == "text")


class CompletionIn(BaseModel):
    """A conversation so far. What only a language model has a use for (temperature and the like) is passed over."""

    model_config = ConfigDict(extra="allow", strict=True)

    model: Annotated[str, Field(max_length=200)] = ADVISOR
    messages: Annotated[list[ChatMessage], Field(min_length=1, max_length=MOST_MESSAGES)]
    stream: bool | None = False
    user: Annotated[str, Field(max_length=200)] | None = None


class Said(BaseModel):
    """What the advisor says."""

    role: Literal["assistant"] = "assistant"
    content: str
    refusal: None = None


class Choice(BaseModel):
    """The one answer."""

    index: int = 0
    message: Said
    finish_reason: Literal["stop"] = "stop"
    logprobs: None = None


class Completion(BaseModel):
    """An answer, as OpenAI's clients read it."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    choices: list[Choice]


_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"model": Completion, **STREAM, "description": "The answer; as it comes, where `stream` is asked for."},
    **with_body(),
}


@router.post("/v1/chat/completions", responses=_ANSWERS)
@router.post("/v1/openai/chat/completions", responses=_ANSWERS, name="complete_chat_beside")
async def complete_chat(body: CompletionIn, service: Use, caller: Measurer, language: Lang) -> Response:
    """Talk with the advisor as with a chat model of OpenAI's."""
    said = _said(body)
    spoken: Language | None = None if language == "en" else language
    turn = await run_in_threadpool(_begin, service, caller, said, body.user or "")
    name, created = f"chatcmpl-{secrets.token_hex(12)}", int(time.time())
    if body.stream:
        return stream(_chunks(turn, name, created, said, spoken))
    parts = [part async for part in _parts(turn, said, spoken) if part is not None]
    made = Completion(
        id=name,
        created=created,
        model=ADVISOR,
        choices=[Choice(message=Said(content="".join(parts).strip()))],
    )
    return JSONResponse(made.model_dump(mode="json"))


def _said(body: CompletionIn) -> list[str]:
    """What the user has said, message by message."""
    said = [message.text for message in body.messages if message.role == "user"]
    if not said or body.messages[-1].role != "user" or not said[-1].strip():
        raise ProblemError(
            "invalid-request",
            say("The last message is not one of the user's, or it has no text."),
            say("Send the conversation so far, the user's new message last."),
        )
    if sum(map(len, said)) > LONGEST or max(map(len, said)) > LONGEST_SAID:
        raise ProblemError(
            "body-too-large",
            say("A message may have {count} characters.", count=LONGEST_SAID),
            say("Upload data as a dataset, and say in the message what you need."),
        )
    return said


def _begin(service: Service, caller: Caller, said: list[str], user: str) -> Turn:
    """Go on in the conversation that has heard all but the last message, or in a new one."""
    service.turns.check()
    before, now = _name(user, said[:-1]), _name(user, said)
    known = service.store.thing("heard", _of(caller, before), caller.owner) if said[1:] else None
    # whoever removes it goes on in it: a second request with the same past gets a conversation of its own
    thread = known.content["thread"] if known is not None and service.store.remove(known) else None
    missing = said[-1:] if thread else said
    if thread is None:
        thread = new_thread()
        service.store.keep("thread", thread, caller.owner, {"note": said[0][:200]})

    def told() -> Iterator[events.Event]:
        for text in missing[:-1]:
            for _ in watched(service, caller.owner, thread, service.advisor.reply(thread, text)):
                pass
        yield from watched(service, caller.owner, thread, service.advisor.reply(thread, missing[-1]))
        service.store.keep("heard", _of(caller, now), caller.owner, {"thread": thread})

    service.turns.seen(thread)
    return service.turns.begin(thread, told)


def _name(user: str, said: list[str]) -> str:
    return hashlib.sha256(json.dumps([user, said]).encode()).hexdigest()


def _of(caller: Caller, name: str) -> str:
    return f"{caller.owner} {name}"


async def _parts(turn: Turn, said: list[str], language: Language | None) -> AsyncIterator[str | None]:
    """The answer piece by piece, in the language the user writes in unless he asks for another; None: still at it."""
    from agent.understanding.language import reply_language

    spoken = language or reply_language(said[-1], None)
    first = True
    async for event in turn.follow():
        text = None if event is None else written(event, spoken)
        if event is None:
            yield None
        elif text:
            yield text if first else f"\n\n{text}"
            first = False


async def _chunks(
    turn: Turn, name: str, created: int, said: list[str], language: Language | None
) -> AsyncIterator[bytes]:
    def chunk(delta: dict[str, str], finish: str | None = None) -> bytes:
        return frame(
            {
                "id": name,
                "object": "chat.completion.chunk",
                "created": created,
                "model": ADVISOR,
                "choices": [{"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}],
            }
        )

    yield chunk({"role": "assistant", "content": ""})
    async for part in _parts(turn, said, language):
        yield ALIVE if part is None else chunk({"content": part})
    yield chunk({}, "stop")
    yield frame("[DONE]")


def written(event: events.Event, language: Language) -> str:
    """An event as a paragraph of Markdown; empty where there is nothing to say of it."""
    if isinstance(event, events.Planned):
        title, table = plan_table(event.plan, language)
        return f"**{escape(title)}**\n\n{table}\n\n{plan_card(event.plan, language)}"
    if isinstance(event, events.Recommended):
        return recommendation_markdown(event.recommendation, language)
    if isinstance(event, events.Queued | events.StageStarted | events.StageDone):
        return f"*{escape(_aside(event).render(language))}*"
    return as_markdown(_lines(event, language))


def _aside(event: events.Queued | events.StageStarted | events.StageDone) -> Text:
    """What goes on meanwhile."""
    match event:
        case events.Queued():
            return say("Your message waits for {ahead} others.", ahead=event.ahead)
        case events.StageStarted():
            return say("{step} …", step=event.text)
        case _:
            return say("done after {seconds}", seconds=duration(event.seconds))


def _lines(event: events.Event, language: Language) -> Iterable[Line]:
    match event:
        case events.Said():
            return [Line(event.text.render(language))]
        case events.Noted():
            return noted_lines(event, language)
        case events.Question():
            answers = (Line(answer.render(language), "·", 1) for answer in event.answers)
            return [Line(event.text.render(language)), *answers]
        case events.Profiled():
            return profiled_lines(event, language)
        case events.Shortlisted():
            return shortlist_lines(event.shortlist, language)
        case events.Reported():
            told = say("The report is written: {url}.", url=report_url(event) + "?format=html")
            return [Line(told.render(language))]
        case events.Failed():
            return [Line(event.cause.render(language)), Line(f"→ {event.next_step.render(language)}")]
        case _:
            return []
