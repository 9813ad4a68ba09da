"""What the OpenAPI file says of every route alike, and how the file is put in order."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from app.api.problems import MEDIA_TYPE, Problem

Responses = dict[int | str, dict[str, Any]]

_WORDS = {
    401: "No key, or none that is valid.",
    403: "The key lacks a scope.",
    404: "There is no such thing, or it is another's.",
    409: "Not at this moment: see `next_step`.",
    413: "The body is too large.",
    415: "The body is of another type.",
    422: "Something that was sent cannot be used.",
    429: "Too many requests or jobs.",
    503: "The server cannot do it now.",
}
_RETRY = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}, "required": True}}
LOCATION = {"Location": {"description": "Where it is.", "schema": {"type": "string"}, "required": True}}
ACCEPTED = LOCATION | _RETRY
#: the schema is that of each event
STREAM: dict[str, Any] = {
    "content": {
        "text/event-stream": {
            "schema": {
                "type": "object",
                "properties": {name: {"type": "string"} for name in ("id", "event", "data")},
                "required": ["data"],
            }
        }
    }
}


def problems(*statuses: int) -> Responses:
    """The problems that a route may answer with: these, and those of all."""
    found: Responses = {}
    for status in sorted({401, 403, 422, 429, 503, *statuses}):
        found[status] = {"model": Problem, "description": _WORDS[status]}
        if status in (429, 503):
            found[status]["headers"] = _RETRY
    return found


def with_body(*statuses: int) -> Responses:
    """`problems` of a route that reads a body."""
    return problems(413, 415, *statuses)


def openapi(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI file: problems under their media type, sentences as the strings that they are sent as."""
    if app.openapi_schema is None:
        made = get_openapi(
            title=app.title,
            version="1",
            description=app.description,
            routes=app.routes,
            separate_input_output_schemas=True,
        )
        for path in made["paths"].values():
            for operation in path.values():
                _problems_under_their_type(operation)
        schemas = made["components"]["schemas"]
        for name in schemas:
            if name == "Text" or name.startswith("Text-"):
                schemas[name] = {"type": "string", "title": "Text", "description": "In the caller's language."}
            elif name.startswith("Slot"):
                schemas[name] = _bare_or_slot(schemas[name])
        app.openapi_schema = made
    return app.openapi_schema


def _problems_under_their_type(operation: dict[str, Any]) -> None:
    for status, response in operation["responses"].items():
        content = response.get("content", {})
        if status.startswith(("4", "5")) and "application/json" in content:
            response["content"] = {MEDIA_TYPE: content["application/json"]}


def _bare_or_slot(slot: dict[str, Any]) -> dict[str, Any]:
    """A slot of the requirements may be written as its bare value."""
    bare = {key: value for key, value in slot["properties"]["value"].items() if key != "title"}
    return {"anyOf": [bare, slot], "title": slot.get("title", "Slot"), "description": slot.get("description", "")}
