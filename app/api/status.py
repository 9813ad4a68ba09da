"""How the server is, and what its problems mean."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, Response

from app.api.documented import Responses, problems
from app.api.given import Health, ProblemKind, ProblemList
from app.api.metrics import MEDIA_TYPE
from app.api.problems import KINDS, TYPES, Problem, ProblemError, not_found
from app.api.rendering import answer
from app.api.service import Lang, Observer, Use
from knowledge import __version__
from knowledge.errors import AdvisorError
from knowledge.wording import Language, say

router = APIRouter(tags=["server"])
_NOT_READY: Responses = {503: {"model": Problem, "description": "Something that is needed is not there."}}


@router.get("/health", responses={200: {"model": Health}})
async def health() -> JSONResponse:
    """Whether the server answers at all."""
    return answer(Health(status="ok", version=__version__), "en")


@router.get("/ready", responses={200: {"model": Health}, **_NOT_READY})
async def ready(service: Use, language: Lang) -> JSONResponse:
    """Whether the server can do its work: the store is there, the catalog is read, the workers are alive, what the
    first caller would wait for is loaded.
    """
    checks = {
        "store": await run_in_threadpool(_store_answers, service),
        "catalog": bool(service.advisor.context.catalog.cards),
        "workers": service.jobs.at_work,
        "warm": service.warm.is_set(),
    }
    if not all(checks.values()):
        missing = ", ".join(name for name, there in checks.items() if not there)
        raise ProblemError(
            "not-serving",
            say("Not ready: {parts}.", parts=missing),
            say("Wait a moment; if it lasts, look at the server's log and its disk."),
            headers={"Retry-After": "5"},
            more={"checks": checks},
        )
    return answer(Health(status="ok", version=__version__, checks=checks), "en")


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}, **problems()})
def metrics(service: Use, caller: Observer) -> Response:
    """Figures of the server itself, for Prometheus."""
    return Response(service.metrics.text(), headers={"Content-Type": MEDIA_TYPE})


@router.get("/v1/problems", responses={200: {"model": ProblemList}})
async def list_problems(language: Lang) -> JSONResponse:
    """All kinds of problems, by their type."""
    return answer(ProblemList(data=[_kind(name, language) for name in KINDS]), language)


@router.get("/v1/problems/{name}", responses={200: {"model": ProblemKind}, 404: {"model": Problem}})
async def show_problem(name: str, language: Lang) -> JSONResponse:
    """One kind of problem: what a problem's `type` leads to."""
    if name not in KINDS:
        raise not_found(name, "/v1/problems")
    return answer(_kind(name, language), language)


def _kind(name: str, language: Language) -> ProblemKind:
    return ProblemKind(type=TYPES + name, status=KINDS[name].status, title=KINDS[name].title.render(language))


def _store_answers(service: Use) -> bool:
    try:
        service.store.counts()
    except AdvisorError:
        return False
    return True
