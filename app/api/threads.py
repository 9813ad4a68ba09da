"""`/v1/threads`: conversations, and the messages in them."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import AsyncIterator, Iterator
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, Response

from agent import events
from agent.at_once import answers_at_once
from agent.interview import asking
from agent.transcript import shown
from app.api.documented import ACCEPTED, LOCATION, STREAM, Responses, problems, with_body
from app.api.given import AskedRecord, EventList, MessageRecord, StopRecord, ThreadItem, ThreadList, ThreadRecord
from app.api.paging import Cursor, Limit, cursor_of, place_of
from app.api.problems import ProblemError, not_found
from app.api.rendering import answer, event_json, moment
from app.api.sent import MessageIn, ThreadIn
from app.api.service import (
    Caller,
    IdempotencyKey,
    Lang,
    Measurer,
    Reader,
    Service,
    Use,
    Writer,
    made_before,
    make_once,
    once,
    own,
)
from app.api.sources import source_of, specs_of
from app.api.sse import ALIVE, frame, stream
from app.api.turns import Turn
from knowledge.wording import Language, say
from tools.job_store import MadeAlreadyError, Once, Thing

router = APIRouter(tags=["threads"])
ThreadId = Annotated[str, Path(pattern=r"^(thread|job)-[0-9a-f]{24}$")]
_TAKEN: Responses = {
    200: {**STREAM, "description": "The answer's events as they come, where `stream` is asked for."},
    202: {"model": MessageRecord, "headers": ACCEPTED, "description": "Kept, and being answered."},
}


@router.post(
    "/v1/threads", status_code=201, responses={201: {"model": ThreadRecord, "headers": LOCATION}, **with_body(409)}
)
def begin_thread(
    body: ThreadIn,
    request: Request,
    service: Use,
    caller: Writer,
    language: Lang,
    idempotency_key: IdempotencyKey = None,
) -> JSONResponse:
    """Begin a conversation."""
    wanted = once(idempotency_key, request, body)

    def make() -> str:
        name = new_thread()
        service.store.keep("thread", name, caller.owner, {"note": body.note}, once=wanted)
        return name

    thing = own(service, caller, "thread", make_once(service, caller, wanted, make))
    record = _record(service, thing, language)
    return answer(record, language, 201, {"Location": record.url})


@router.get("/v1/threads", responses={200: {"model": ThreadList}, **problems()})
def list_threads(
    service: Use, caller: Reader, language: Lang, limit: Limit = 20, cursor: Cursor = None
) -> JSONResponse:
    """Your conversations, the latest first."""
    found = service.store.things("thread", caller.owner, limit + 1, place_of(cursor))
    following = cursor_of(found[limit - 1].number) if len(found) > limit else None
    return answer(ThreadList(data=[_item(thing) for thing in found[:limit]], next_cursor=following), language)


@router.get("/v1/threads/{thread}", responses={200: {"model": ThreadRecord}, **problems(404)})
def show_thread(thread: ThreadId, service: Use, caller: Reader, language: Lang) -> JSONResponse:
    """What is known in a conversation, and what is asked."""
    thing = own(service, caller, "thread", thread)
    wake(service, thing)
    return answer(_record(service, thing, language), language)


@router.post("/v1/threads/{thread}/messages", status_code=202, responses={**_TAKEN, **with_body(404, 409)})
def say_something(
    thread: ThreadId,
    body: MessageIn,
    request: Request,
    service: Use,
    caller: Measurer,
    language: Lang,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Say something in a conversation. It is answered whether you listen or not."""
    thing = own(service, caller, "thread", thread)
    wanted = once(idempotency_key, request, body)
    if made_before(service, caller, wanted) is None and not body.dataset and answers_at_once(body.text):
        told = list(service.advisor.at_once(thread, body.text))
        if told:
            return _stopped(thread, told, body, language)
    number, turn = _taken(service, caller, thing, body, wanted)
    if body.stream:
        return stream(frames(turn, language) if turn else _again(service, thread, number, language))
    record = _message(service, thread, number, language)
    return answer(record, language, 202, {"Location": record.url, "Retry-After": "1"})


@router.get("/v1/threads/{thread}/messages/{number}", responses={200: {"model": MessageRecord}, **problems(404)})
def show_message(
    thread: ThreadId,
    number: Annotated[int, Path(ge=1, le=2**53)],
    service: Use,
    caller: Reader,
    language: Lang,
) -> JSONResponse:
    """A message, and the events of its answer so far."""
    thing = own(service, caller, "thread", thread)
    wake(service, thing)
    record = _message(service, thread, number, language)
    return answer(record, language, headers=None if record.answered else {"Retry-After": "1"})


@router.post("/v1/threads/{thread}/stop", responses={200: {"model": StopRecord}, **problems(404)})
def stop_thread(thread: ThreadId, service: Use, caller: Writer, language: Lang) -> JSONResponse:
    """Have what runs in a conversation end where nothing is lost; “go on” continues it."""
    own(service, caller, "thread", thread)
    return answer(StopRecord(stopping=service.advisor.cancel(thread)), language)


@router.get("/v1/threads/{thread}/events", responses={200: {"model": EventList}, **problems(404)})
def list_events(
    thread: ThreadId,
    service: Use,
    caller: Reader,
    language: Lang,
    cursor: Annotated[str | None, Query(max_length=100, description="`next_cursor` of an earlier look.")] = None,
) -> JSONResponse:
    """All that was said in a conversation, or what is new since a cursor."""
    thing = own(service, caller, "thread", thread)
    wake(service, thing)
    start = place_of(cursor) or 0
    told, end = service.advisor.transcript.read(thread, start)
    data = [event_json(event, language) for event in (told if start else shown(told))]
    return answer(EventList(data=data, next_cursor=cursor_of(end)), language)


def new_thread() -> str:
    """A name for a new conversation that nobody guesses."""
    return f"thread-{secrets.token_hex(12)}"


def watched(service: Service, owner: str, thread: str, told: Iterator[events.Event]) -> Iterator[events.Event]:
    """The same events; a report that comes of them belongs to the conversation's owner."""
    for event in told:
        if isinstance(event, events.Reported):
            _keep_report(service, owner, thread)
        yield event


def wake(service: Service, thing: Thing) -> None:
    """Go on with what a killed server left behind in a conversation; a job's is the workers' business."""
    if not thing.id.startswith("job-") or "said" in thing.content:
        told = lambda: watched(service, thing.owner, thing.id, service.advisor.resume(thing.id))  # noqa: E731
        service.turns.wake(thing.id, told)


async def frames(turn: Turn, language: Language) -> AsyncIterator[bytes]:
    """The events of an answer as they come, and a last one that says so."""
    async for event in turn.follow():
        yield ALIVE if event is None else frame(event_json(event, language), event.kind)
    yield frame({"kind": "done"}, "done")


def begin_turn(service: Service, owner: str, thread: str, number: int) -> Turn:
    """Answer a message in the background."""
    service.turns.seen(thread)
    return service.turns.begin(thread, lambda: watched(service, owner, thread, service.advisor.answer(thread, number)))


async def _again(service: Service, thread: str, number: int, language: Language) -> AsyncIterator[bytes]:
    """What came of a message that was sent again."""
    told, _ = await run_in_threadpool(service.advisor.told, thread, number)
    for event in told:
        yield frame(event_json(event, language), event.kind)
    yield frame({"kind": "done"}, "done")


def _taken(
    service: Service, caller: Caller, thing: Thing, body: MessageIn, wanted: Once | None
) -> tuple[int, Turn | None]:
    """The message's number, and its turn unless it was taken before."""
    claim = f"{thing.id} {wanted.key}" if wanted else ""
    if wanted is not None:
        if made_before(service, caller, wanted) is not None:
            return _taken_before(service, caller, claim), None
        service.turns.check()
    source = source_of(service, caller, body.dataset)
    specs = None if body.candidates is None else list(specs_of(service, body.candidates))
    service.turns.check()
    if wanted is not None:
        try:
            service.store.keep("message", claim, caller.owner, {"number": None}, once=wanted)
        except MadeAlreadyError:
            return _taken_before(service, caller, claim), None
    try:
        number = service.advisor.put(
            thing.id, body.text, data=source, specs=specs, about=body.about, language=body.language
        )
    except BaseException:
        if wanted is not None:  # it was refused: whoever mends it may use the same key
            service.store.forget_once(caller.owner, wanted.key)
            service.store.remove(own(service, caller, "message", claim))
        raise
    if wanted is not None:
        service.store.change(own(service, caller, "message", claim), {"number": number})
    if thing.id.startswith("job-"):
        service.store.change(thing, thing.content | {"said": True})
    return number, begin_turn(service, caller.owner, thing.id, number)


def _taken_before(service: Service, caller: Caller, claim: str) -> int:
    number = own(service, caller, "message", claim).content["number"]
    if number is None:
        raise ProblemError(
            "not-ready",
            say("The same message is being taken at this moment."),
            say("Look at the conversation's events before you send it again with another key."),
            headers={"Retry-After": "1"},
        )
    return int(number)


def _stopped(thread: str, told: list[events.Event], body: MessageIn, language: Language) -> Response:
    """What is said at once where a message was meant to end what runs, or asked how long it takes."""
    data = [event_json(event, language) for event in told]
    if body.stream:

        async def all_of_it() -> AsyncIterator[bytes]:
            for event in data:
                yield frame(event, str(event["kind"]))
            yield frame({"kind": "done"}, "done")

        return stream(all_of_it())
    url = f"/v1/threads/{thread}/events"
    record = MessageRecord(thread=thread, number=0, url=url, answered=True, events=data)
    return answer(record, language, 202, {"Location": url, "Retry-After": "1"})


def _message(service: Service, thread: str, number: int, language: Language) -> MessageRecord:
    told, answered = service.advisor.told(thread, number)
    if answered and not told:
        raise not_found(f"{thread}/messages/{number}")
    return MessageRecord(
        thread=thread,
        number=number,
        url=f"/v1/threads/{thread}/messages/{number}",
        answered=answered,
        events=[event_json(event, language) for event in told],
    )


def _keep_report(service: Service, owner: str, thread: str) -> str | None:
    found = service.advisor.state(thread).get("recommendation")
    if found is None:
        return None
    with contextlib.suppress(MadeAlreadyError):
        service.store.keep("report", found.run_id, owner, {"thread": thread})
    return found.run_id


def _item(thing: Thing) -> ThreadItem:
    created = moment(thing.created)
    assert created
    return ThreadItem(
        id=thing.id,
        note=thing.content.get("note", ""),
        created=created,
        url=f"/v1/threads/{thing.id}",
        events=f"/v1/threads/{thing.id}/events",
    )


def _record(service: Service, thing: Thing, language: Language) -> ThreadRecord:
    state = service.advisor.state(thing.id)
    asked, found = state.get("asked"), state.get("recommendation")
    question = asked and AskedRecord(
        about=asked.about,
        text=asking(asked).render(language),
        answers=[choice.label.render(language) for choice in asked.answers],
    )
    run = _keep_report(service, thing.owner, thing.id) if found and state.get("status") == "done" else None
    return ThreadRecord(
        **dict(_item(thing)),
        status=state.get("status"),
        requirements=state.get("requirements"),
        question=question,
        report=f"/v1/reports/{run}" if run else None,
    )
