"""A request without the form that is documented: where, and what is wrong there."""

from __future__ import annotations

from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError

from app.api.problems import ProblemError
from app.mistakes import mistake
from knowledge.wording import Language, say

#: mistakes that are told of one request
_MOST = 20


def misunderstood(request: Request, error: RequestValidationError, language: Language) -> ProblemError:
    """What is told of it; all mistakes are listed in `errors`."""
    errors = error.errors()[:_MOST]
    said = [(_place(e), mistake({**e, "loc": tuple(e["loc"])[1:] or e["loc"]}, _form(request))) for e in errors]
    more = {"errors": [{"where": where, "what": what.render(language)} for where, what in said]}
    first: dict[str, Any] = errors[0] if errors else {"loc": (), "type": ""}
    kind = request.headers.get("Content-Type", "")
    if tuple(first["loc"]) == ("body",) and "json" not in kind:  # as curl -d sends it, unless told otherwise
        cause = (
            say("The body is not marked as JSON (its Content-Type is “{kind}”).", kind=kind[:100]) if kind else _NO_BODY
        )
        return ProblemError("unsupported-media-type", cause, _SEND_JSON, more=more)
    if tuple(first["loc"]) == ("body",) and first["type"] == "missing":
        return ProblemError("invalid-request", _NO_BODY, _SEND_JSON, more=more)
    if first["type"] == "json_invalid":
        why, place = str((first.get("ctx") or {}).get("error", ""))[:200], str(first["loc"][-1])
        return ProblemError(
            "invalid-request",
            say("The body is not JSON: {why} at character {place}.", why=why, place=place),
            say("Send JSON, in UTF-8."),
            more=more,
        )
    where, what = said[0] if said else ("", say("it is not as it should be"))
    return ProblemError(
        "invalid-request",
        say("At {where}: {what}.", where=where, what=what),
        say("Correct it; the OpenAPI file at /v1/openapi.json has the form."),
        more=more,
    )


_NO_BODY = say("The request has no body.")
_SEND_JSON = say("Send JSON, with the header Content-Type: application/json.")


def _place(error: dict[str, Any]) -> str:
    return "/".join(map(str, error["loc"]))[:300]


def _form(request: Request) -> Any:
    """What the body of this address is to be."""
    field = getattr(request.scope.get("route"), "body_field", None)
    return field.field_info.annotation if field is not None else None
