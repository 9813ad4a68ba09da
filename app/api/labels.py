"""`/v1/jobs/JOB/questions`: which pairs to judge so that a measurement decides, and the judgments."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Path, Query
from fastapi.responses import JSONResponse

from app.api.documented import problems, with_body
from app.api.given import LabelList
from app.api.problems import ProblemError, not_found
from app.api.rendering import answer
from app.api.sent import LabelsIn
from app.api.service import Caller, Lang, Reader, Service, Use, Writer
from app.jobs import Work, result_of, space_of
from knowledge.results import Evaluation, Judging, Label, Recommendation
from knowledge.wording import say
from tools.data_source import DataSource
from tools.judging_desk import Desk, desk_of, updated
from tools.run_scores import MARGIN

router = APIRouter(tags=["judgments"])
JobId = Annotated[str, Path(pattern=r"^job-[0-9a-f]{24}$")]
Count = Annotated[int, Query(ge=1, le=50, description="Pairs that are named as the next ones.")]


@router.get("/v1/jobs/{job}/questions", responses={200: {"model": Judging}, **problems(404, 409)})
def list_questions(job: JobId, service: Use, caller: Reader, language: Lang, count: Count = 5) -> JSONResponse:
    """How settled the decision of a measurement is by the judgments there are, and which pairs to judge next."""
    return answer(_desk(service, caller, job)[0].look(count), language)


@router.get("/v1/jobs/{job}/judgments", responses={200: {"model": LabelList}, **problems(404, 409)})
def list_judgments(job: JobId, service: Use, caller: Reader, language: Lang) -> JSONResponse:
    """The judgments that you gave for the data of a measurement."""
    return answer(LabelList(data=_desk(service, caller, job)[0].labels()), language)


@router.post("/v1/jobs/{job}/judgments", responses={200: {"model": Judging}, **with_body(404, 409)})
def give_judgments(
    body: LabelsIn, job: JobId, service: Use, caller: Writer, language: Lang, count: Count = 5
) -> JSONResponse:
    """Judge pairs, or judge them otherwise than before; they count in what is measured on this data from now on."""
    desk, _ = _desk(service, caller, job)
    now = dt.datetime.now(dt.UTC)
    desk.give([Label(given=now, **label.model_dump()) for label in body.judgments])
    return answer(desk.look(count), language)


@router.post("/v1/jobs/{job}/rescored", responses={200: {"model": Evaluation}, **problems(404, 409)})
def score_again(job: JobId, service: Use, caller: Writer, language: Lang) -> JSONResponse:
    """The measurement with your judgments in it, from the rankings that were kept: nothing is encoded again."""
    desk, evaluation = _desk(service, caller, job)
    return answer(updated(evaluation, desk, dt.datetime.now(dt.UTC)), language)


def _desk(service: Service, caller: Caller, name: str) -> tuple[Desk, Evaluation]:
    job = service.store.job(name)
    if job is None or job.owner != caller.owner:
        raise not_found(name)
    found, work, margin = result_of(job), Work.model_validate(job.request), MARGIN
    source: DataSource | None = work.source
    if isinstance(found, Recommendation):
        state = service.advisor.state(job.thread)
        margin, found, source = found.margin, state.get("evaluation"), state.get("data")
    if not isinstance(found, Evaluation) or source is None:
        raise ProblemError(
            "not-ready",
            say("The job {name} has measured no quality, or not yet.", name=name),
            say("Wait until an evaluation, or a recommendation that measures, is done."),
        )
    context = service.advisor.context
    dataset = context.unjudged(source)
    space = space_of(caller.owner, source)
    return desk_of(found, dataset, context.workspace, margin=margin, space=space), found
