"""The application: routes, the gate before them, workers and webhooks beside them."""

from __future__ import annotations

import gc
import logging
import re
from threading import Thread
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.routing import compile_path

from agent.advisor import Advisor
from agent.settings import Settings
from app.api import completions, datasets, jobs, labels, models, reports, shortlists, status, threads
from app.api.documented import openapi
from app.api.gate import Gate
from app.api.hooks import Hooks
from app.api.metrics import Metrics
from app.api.misunderstood import misunderstood
from app.api.problems import ProblemError, problem_of, respond
from app.api.rendering import dumped
from app.api.service import Service
from app.api.turns import Turns
from app.bug_log import write_bug_log
from app.jobs import Jobs, bug
from app.uploads import Uploads
from knowledge.doors import through
from knowledge.errors import AdvisorError
from knowledge.wording import Language, say
from tools.job_store import Job, JobStore
from tools.key_store import KeyStore

LOG = logging.getLogger(__name__)
#: whose paths are the API's where it shares a server with pages
PATHS = re.compile(r"/v1(/|$)|/(health|ready|metrics)$")
#: when Python looks for cycles: as often as it does by itself took a quarter of a shortlist's time
RARELY = (20_000, 20, 20)
_ABOUT = (
    "Which embedding model? Shortlists from a catalog, measurements on your own data, and a recommendation with its "
    "reasons. Sentences come in English or Chinese (Accept-Language); errors are problems (RFC 9457) with a stable "
    "`type` and a `next_step`."
)


class Api:
    """The HTTP API of one engine.

    Attributes:
        app: the ASGI application.
        service: what its routes work with.
    """

    def __init__(self, advisor: Advisor, settings: Settings, *, local: bool) -> None:
        workspace = advisor.context.workspace
        store = JobStore(workspace.store)
        self.keys = KeyStore(workspace.store)
        metrics = Metrics(store.counts)
        self._jobs = Jobs(advisor, store, workspace.home, settings.jobs)
        self.service = Service(
            advisor=advisor,
            store=store,
            keys=self.keys,
            jobs=self._jobs,
            turns=Turns(advisor, workspace.home, metrics.turns),
            uploads=Uploads(workspace.home / "datasets", settings.upload_mb * 2**20),
            metrics=metrics,
            local=local,
            # who has set a password wants one to be asked for, whatever the server listens on
            keyless=local and settings.password is None,
        )
        self._hooks = Hooks(store, _told, metrics, local)
        self._jobs.on_end.append(lambda job: metrics.job_ended(job.kind, job.state))
        self._jobs.on_end.append(lambda job: self._hooks.look())
        self.app = _application(self.service)

    def start(self, *, warm: bool = False) -> None:
        """Begin to work on jobs, those that a killed server left behind first.

        With `warm`, all that the first callers would wait seconds for is loaded beside that, and until it is the server
        is not ready.
        """
        self.service.advisor.context.catalog.cards  # noqa: B018 - read now, not by the first caller
        gc.collect()
        gc.freeze()  # the catalog stays: looking through it again and again took up to 80 ms of a request
        gc.set_threshold(*RARELY)
        self._jobs.start()
        self._hooks.start()
        if warm:
            Thread(target=self._warm, name="warm", daemon=True).start()
        else:
            self.service.warm.set()

    def _warm(self) -> None:
        try:
            self.service.advisor.warm()
            gc.freeze()  # that stays too
        finally:  # whatever is wrong with it, the first caller is told
            self.service.warm.set()

    def close(self) -> None:
        """End what runs where nothing is lost."""
        self._jobs.close()
        self._hooks.close()
        self.service.store.close()
        self.keys.close()


@through("api")
def _told(job: Job) -> Any:
    """What a webhook tells of a job: all but what it found, which its address has."""
    return dumped(jobs.record_of(job, "en", whole=False), "en")


def _application(service: Service) -> FastAPI:
    app = FastAPI(
        title="Embedding Advisor",
        description=_ABOUT,
        version="1",
        docs_url=None,
        redoc_url=None,
        openapi_url="/v1/openapi.json",
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
    )
    app.state.service = service
    app.state.answers = shortlists.Answers()
    for part in (shortlists, jobs, labels, datasets, threads, completions, models, reports, status):
        app.include_router(part.router)
    app.openapi = lambda: openapi(app)  # type: ignore[method-assign]
    app.add_exception_handler(ProblemError, _refuse)  # type: ignore[arg-type]
    app.add_exception_handler(AdvisorError, _fail)  # type: ignore[arg-type]
    app.add_exception_handler(RequestValidationError, _misunderstand)  # type: ignore[arg-type]
    app.add_exception_handler(HTTPException, _misdirect)  # type: ignore[arg-type]
    app.add_exception_handler(Exception, _break)
    app.add_middleware(Gate, keys=service.keys, metrics=service.metrics, keyless=service.keyless)
    return app


def _language(request: Request) -> Language:
    found: Language = request.scope.get("state", {}).get("language", "en")
    return found


def _refuse(request: Request, problem: ProblemError) -> JSONResponse:
    return respond(problem, _language(request))


def _fail(request: Request, error: AdvisorError) -> JSONResponse:
    return respond(problem_of(error), _language(request))


def _misunderstand(request: Request, error: RequestValidationError) -> JSONResponse:
    language = _language(request)
    return respond(misunderstood(request, error, language), language)


def _misdirect(request: Request, error: HTTPException) -> JSONResponse:
    """What the routing itself refuses."""
    if error.status_code == 405:
        problem = ProblemError(
            "method-not-allowed",
            say("{method} is not for this address.", method=request.method[:20]),
            say("See the OpenAPI file at /v1/openapi.json for what is."),
            headers={"Allow": _allowed(request, (error.headers or {}).get("Allow", ""))},
        )
    elif error.status_code in (400, 413, 415, 422):
        kind = {413: "body-too-large", 415: "unsupported-media-type"}.get(error.status_code, "invalid-request")
        problem = ProblemError(
            kind, say("The body cannot be read: {why}.", why=str(error.detail)[:200]), say("Send JSON, in UTF-8.")
        )
    else:
        problem = ProblemError(
            "not-found", say("There is nothing at this address."), say("See the OpenAPI file at /v1/openapi.json.")
        )
    return respond(problem, _language(request))


def _allowed(request: Request, of_first: str) -> str:
    """All methods of an address; the routing names those of the first of its routes."""
    found: set[str] = set()
    for path, methods in request.app.openapi()["paths"].items():
        if compile_path(path)[0].match(request.url.path):
            found |= {method.upper() for method in methods}
    return ", ".join(sorted(found)) or of_first


def _break(request: Request, error: Exception) -> JSONResponse:
    log = write_bug_log(error, request.app.state.service.advisor.context.workspace.home)
    LOG.error("bug in the HTTP API: %r (see %s)", error, log)
    return respond(problem_of(bug(error, log)), _language(request))
