"""Recommendations, evaluations and benchmarks: accepted at once, done by the workers, looked at as jobs."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Header, Path, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, Response

from agent.asking import check_needs
from app.api.documented import ACCEPTED, STREAM, Responses, problems, with_body
from app.api.given import JobList, JobRecord
from app.api.hooks import check_hook
from app.api.paging import Cursor, Limit, cursor_of, place_of
from app.api.problems import Problem, not_found
from app.api.rendering import answer, event_json, failure_json, moment
from app.api.sent import BenchmarkIn, EvaluationIn, RecommendationIn
from app.api.service import (
    Caller,
    IdempotencyKey,
    Lang,
    Measurer,
    Reader,
    Service,
    Use,
    made_before,
    make_once,
    once,
)
from app.api.sources import source_of, specs_of
from app.api.sse import ALIVE, frame, stream
from app.jobs import JobKind, Work, event_of, result_of
from knowledge.wording import Language
from tools.job_store import Job, JobEvent
from tools.tasks import check_metrics

router = APIRouter(tags=["jobs"])
#: seconds after which a job is worth another look
LOOK_AGAIN = "2"
#: seconds between two looks for what another process noted, and between two signs of life
POLL, ALIVE_EVERY = 1.0, 15.0
_TAKEN: Responses = {
    202: {"model": JobRecord, "headers": ACCEPTED, "description": "Accepted: it will end, whatever happens."}
}
JobId = Annotated[str, Path(pattern=r"^job-[0-9a-f]{24}$")]


@router.post("/v1/recommendations", status_code=202, responses={**_TAKEN, **with_body(404, 409)})
def recommend(
    body: RecommendationIn,
    request: Request,
    service: Use,
    caller: Measurer,
    language: Lang,
    idempotency_key: IdempotencyKey = None,
) -> JSONResponse:
    """Recommend a model: shortlist, measure on the data as far as that is agreed to, decide, report."""
    return _accepted(body, request, service, caller, language, idempotency_key, "recommendation")


@router.post("/v1/evaluations", status_code=202, responses={**_TAKEN, **with_body(404, 409)})
def evaluate(
    body: EvaluationIn,
    request: Request,
    service: Use,
    caller: Measurer,
    language: Lang,
    idempotency_key: IdempotencyKey = None,
) -> JSONResponse:
    """Measure the quality of candidates on data with labels: judgments, classes, or pairs and their scores."""
    if body.metrics:
        check_metrics(body.task, body.metrics)
    return _accepted(body, request, service, caller, language, idempotency_key, "evaluation")


@router.post("/v1/benchmarks", status_code=202, responses={**_TAKEN, **with_body(404, 409)})
def benchmark(
    body: BenchmarkIn,
    request: Request,
    service: Use,
    caller: Measurer,
    language: Lang,
    idempotency_key: IdempotencyKey = None,
) -> JSONResponse:
    """Measure latency, throughput, memory and size of candidates on the server's machine."""
    return _accepted(body, request, service, caller, language, idempotency_key, "benchmark")


@router.get("/v1/jobs", responses={200: {"model": JobList}, **problems()})
def list_jobs(
    service: Use,
    caller: Reader,
    language: Lang,
    kind: Annotated[JobKind | None, Query()] = None,
    limit: Limit = 20,
    cursor: Cursor = None,
) -> JSONResponse:
    """Your jobs, the latest first, without what they found."""
    found = service.store.jobs(caller.owner, limit + 1, place_of(cursor), kind)
    following = cursor_of(found[limit - 1].number) if len(found) > limit else None
    data = [record_of(job, language, whole=False) for job in found[:limit]]
    return answer(JobList(data=data, next_cursor=following), language)


@router.get("/v1/jobs/{job}", responses={200: {"model": JobRecord}, **problems(404)})
def show_job(job: JobId, service: Use, caller: Reader, language: Lang) -> JSONResponse:
    """How far a job is, and what it found."""
    found = _own(service, caller, job)
    return answer(record_of(found, language), language, headers={"Retry-After": LOOK_AGAIN} if found.is_open else None)


@router.delete("/v1/jobs/{job}", status_code=202, responses={202: {"model": JobRecord}, **problems(404)})
def cancel_job(job: JobId, service: Use, caller: Measurer, language: Lang) -> JSONResponse:
    """Have a job end where nothing is lost; its record stays, and one that has ended is left as it is."""
    found = _own(service, caller, job)
    service.jobs.cancel(found)
    return answer(record_of(_own(service, caller, job), language), language, 202)


@router.get("/v1/jobs/{job}/events", response_class=Response, responses={200: STREAM, 204: {}, **problems(404)})
async def follow_job(
    job: JobId,
    request: Request,
    service: Use,
    caller: Reader,
    language: Lang,
    last: Annotated[int, Header(alias="Last-Event-ID", ge=0, le=10**9, description="The last event that came.")] = 0,
) -> Response:
    """What happens in a job, as server-sent events from the first or after `Last-Event-ID` on; 204: that was all."""
    found = await run_in_threadpool(_own, service, caller, job)
    if not found.is_open and not await run_in_threadpool(service.store.events, job, last):
        return Response(status_code=204)
    return stream(_frames(service, job, language, last))


async def _frames(service: Service, job: str, language: Language, last: int) -> AsyncIterator[bytes]:
    loop, news = asyncio.get_running_loop(), asyncio.Event()

    def wake() -> None:
        with contextlib.suppress(RuntimeError):  # the server stops
            loop.call_soon_threadsafe(news.set)

    yield b"retry: 2000\n\n"
    quiet = 0.0
    with service.jobs.listening(job, wake):
        while True:
            news.clear()
            # the state is read first: whoever has ended a job has noted all its events
            found = await run_in_threadpool(service.store.job, job)
            new = await run_in_threadpool(service.store.events, job, last)
            for event in new:
                yield frame(_told(event, language), event.kind, event.number)
                last = event.number
            if not new and (found is None or not found.is_open):
                return
            if new:
                quiet = 0.0
                continue
            try:
                await asyncio.wait_for(news.wait(), POLL)
            except TimeoutError:
                quiet += POLL
                if quiet >= ALIVE_EVERY:
                    quiet = 0.0
                    yield ALIVE


def _told(event: JobEvent, language: Language) -> dict[str, object]:
    when = moment(event.at)
    told: dict[str, object] = {"at": when.isoformat() if when else None}
    if event.content.get("kind") == event.kind:
        return told | event_json(event_of(event.content), language)
    if "problem" in event.content:
        return told | {"kind": event.kind, "problem": failure_json(event.content["problem"], language)}
    return told | {"kind": event.kind, **event.content}


def _accepted(
    body: RecommendationIn | EvaluationIn | BenchmarkIn,
    request: Request,
    service: Service,
    caller: Caller,
    language: Language,
    key: str | None,
    kind: JobKind,
) -> JSONResponse:
    wanted = once(key, request, body)
    name = made_before(service, caller, wanted)
    if name is None:
        work, hook = _work(body, service, caller), check_hook(body.webhook, service.local)
        name = make_once(
            service,
            caller,
            wanted,
            lambda: service.jobs.submit(caller.owner, kind, work, hook=hook, once=wanted).id,
        )
    record = record_of(_own(service, caller, name), language)
    return answer(record, language, 202, {"Location": record.url, "Retry-After": LOOK_AGAIN})


def _work(body: RecommendationIn | EvaluationIn | BenchmarkIn, service: Service, caller: Caller) -> Work:
    work = Work(
        source=source_of(service, caller, body.dataset, body.documents, body.queries),
        candidates=specs_of(service, body.candidates),
    )
    if isinstance(body, RecommendationIn):
        if body.text and body.requirements is None:
            check_needs(body.text, service.advisor.context.understanding)
        more: dict[str, object] = {
            "requirements": body.requirements,
            "text": body.text,
            "consent": body.consent.record(),
        }
    elif isinstance(body, EvaluationIn):
        consent = body.consent.record().model_copy(update={"measure": True})
        more = {"task": body.task, "metrics": tuple(body.metrics), "consent": consent}
    else:
        more = {"repeats": body.repeats}
    return work.model_copy(update=more)


def _own(service: Service, caller: Caller, name: str) -> Job:
    found = service.store.job(name)
    if found is None or found.owner != caller.owner:
        raise not_found(name)
    return found


def record_of(job: Job, language: Language, *, whole: bool = True) -> JobRecord:
    """A job as its owner sees it; not `whole`: without what it found."""
    run = (job.result or {}).get("run_id") if job.kind == "recommendation" else None
    created = moment(job.created)
    assert created
    return JobRecord.model_validate(
        {
            "id": job.id,
            "kind": job.kind,
            "state": job.state,
            "cancelling": job.cancelling and job.is_open,
            "created": created,
            "started": moment(job.started),
            "finished": moment(job.finished),
            "thread": job.thread,
            "url": f"/v1/jobs/{job.id}",
            "events": f"/v1/jobs/{job.id}/events",
            "report": f"/v1/reports/{run}" if run else None,
            "result": result_of(job) if whole else None,
            "problem": Problem.model_validate(failure_json(job.problem, language)) if job.problem else None,
        }
    )
