"""What can go wrong, as a caller meets it: RFC 9457 problems with stable types, each with its next step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict

from knowledge.errors import AdvisorError
from knowledge.wording import Language, Text, say

MEDIA_TYPE = "application/problem+json"
#: a problem's type is a path of this server, where it is described
TYPES = "/v1/problems/"


@dataclass(frozen=True)
class Kind:
    """A kind of problem: its HTTP status and what it is called."""

    status: int
    title: Text


KINDS: dict[str, Kind] = {
    "invalid-request": Kind(422, say("The request does not have the form that is documented")),
    "not-found": Kind(404, say("There is no such thing, or it is not yours")),
    "misdirected": Kind(421, say("This server is not called by that name")),
    "method-not-allowed": Kind(405, say("That cannot be done with this address")),
    "unsupported-media-type": Kind(415, say("The body is of a type that is not read here")),
    "body-too-large": Kind(413, say("The body is too large")),
    "no-key": Kind(401, say("A valid key is needed")),
    "missing-scope": Kind(403, say("The key may not do that")),
    "foreign-origin": Kind(403, say("Pages of other sites may not call this server")),
    "too-many-requests": Kind(429, say("Too many requests")),
    "too-many-jobs": Kind(429, say("Too many jobs are open")),
    "key-used-otherwise": Kind(422, say("The idempotency key was used for another request")),
    "upload-conflict": Kind(409, say("The upload is at another place")),
    "not-ready": Kind(409, say("It is not complete yet")),
    "user": Kind(422, say("Something that was given cannot be used")),
    "spec": Kind(422, say("A candidate cannot be read")),
    "unknown-model": Kind(422, say("A model is not known")),
    "requirements": Kind(422, say("The requirements cannot be read")),
    "dataset": Kind(422, say("The data cannot be used")),
    "nothing-left": Kind(422, say("No model meets all demands")),
    "consent-needed": Kind(422, say("It costs something, and nobody has agreed to it")),
    "missing-extra": Kind(501, say("A part of the program is not installed on the server")),
    "provider": Kind(502, say("Something outside the server failed")),
    "resource": Kind(503, say("The server has run out of memory or disk, or lost a process")),
    "not-serving": Kind(503, say("The server is not ready")),
    "catalog": Kind(500, say("The server's catalog is broken")),
    "bug": Kind(500, say("A bug in the advisor")),
}
#: the classes of `knowledge.errors`, and those of doors, by what their problem is called
_ERRORS = {
    "UserError": "user",
    "SpecError": "spec",
    "UnknownModelError": "unknown-model",
    "RequirementsError": "requirements",
    "DatasetError": "dataset",
    "NothingLeftError": "nothing-left",
    "TooManyJobsError": "too-many-jobs",
    "TooManyTurnsError": "too-many-requests",
    "ConsentNeeded": "consent-needed",
    "MissingExtraError": "missing-extra",
    "ProviderError": "provider",
    "HubUnreachableError": "provider",
    "ResourceError": "resource",
    "ChildLost": "resource",
    "CatalogError": "catalog",
}


class Problem(BaseModel):
    """A problem as it is sent (RFC 9457)."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str
    next_step: str


class ProblemError(Exception):
    """Something that a route refuses; `more` are further members of the problem."""

    def __init__(
        self,
        kind: str,
        cause: Text,
        next_step: Text,
        *,
        headers: Mapping[str, str] | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(kind)
        self.kind, self.cause, self.next_step = kind, cause, next_step
        self.headers, self.more = dict(headers or {}), dict(more or {})


def kind_of(error: str) -> str:
    """The kind of problem that an error's class is."""
    return _ERRORS.get(error, "bug")


def problem_of(error: AdvisorError) -> ProblemError:
    """A foreseen error as a problem."""
    kind = next((_ERRORS[c.__name__] for c in type(error).__mro__ if c.__name__ in _ERRORS), "bug")
    headers = {"Retry-After": "30"} if KINDS[kind].status in (429, 503) else {}
    return ProblemError(kind, error.cause, error.next_step, headers=headers)


#: where that is listed whose ids begin so
_LISTS = {"job-": "/v1/jobs", "data-": "/v1/datasets", "thread-": "/v1/threads"}


def not_found(name: str, listed: str = "") -> ProblemError:
    """Something that a request names and that is not there, or is another's: the answer is the same.

    Args:
        name: its id.
        listed: the address of the list that it would be in; by default the one of its kind.
    """
    listed = listed or next((path for start, path in _LISTS.items() if name.startswith(start)), "")
    return ProblemError(
        "not-found",
        say("There is no “{name}”, or it is not yours.", name=name[:200]),
        say("What is yours is listed by GET {path}.", path=listed)
        if listed
        else say("See the OpenAPI file at /v1/openapi.json."),
    )


def members(kind: str, cause: Text, next_step: Text, language: Language) -> dict[str, Any]:
    """The members of a problem."""
    return {
        "type": TYPES + kind,
        "title": KINDS[kind].title.render(language),
        "status": KINDS[kind].status,
        "detail": cause.render(language),
        "next_step": next_step.render(language),
    }


def respond(error: ProblemError, language: Language) -> JSONResponse:
    """The response that tells a problem."""
    content = members(error.kind, error.cause, error.next_step, language)
    # the OpenAI clients look for an `error`
    content["error"] = {
        "message": f"{content['detail']} {content['next_step']}",
        "type": error.kind,
        "code": error.kind,
        "param": None,
    }
    return JSONResponse(
        content | error.more,
        status_code=KINDS[error.kind].status,
        headers=error.headers,
        media_type=MEDIA_TYPE,
    )
