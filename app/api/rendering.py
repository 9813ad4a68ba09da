"""Records and events as JSON in the caller's language, without the names of this machine's files."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fastapi.responses import JSONResponse
from pydantic import BaseModel, TypeAdapter

from agent import events
from app.api.problems import kind_of, members
from knowledge.wording import Language, Text
from tools.report import portable

_EVENT: TypeAdapter[events.Event] = TypeAdapter(events.Event)


def dumped(record: BaseModel, language: Language) -> Any:
    """A record, its sentences in a language."""
    return portable(_without_paths(record.model_dump(mode="json", context={"language": language})))


def answer(
    record: BaseModel, language: Language, status: int = 200, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """A response with a record."""
    return JSONResponse(dumped(record, language), status_code=status, headers=headers)


def report_url(event: events.Reported) -> str:
    """Where the API hands a report out."""
    return f"/v1/reports/{Path(event.markdown).parent.name}"


def event_json(event: events.Event, language: Language) -> dict[str, Any]:
    """An event; a report is named by its address, data by its own name."""
    if isinstance(event, events.Reported):
        url = report_url(event)
        offer = event.offer.render(language) if event.offer else None
        answers = [answer.render(language) for answer in event.answers]
        return {"kind": event.kind, "report": url.rpartition("/")[2], "url": url, "offer": offer, "answers": answers}
    if isinstance(event, events.Failed):
        return {"kind": event.kind, **members(kind_of(event.error), event.cause, event.next_step, language)}
    dump = _EVENT.dump_python(event, mode="json", context={"language": language})
    found: dict[str, Any] = portable(_without_paths(dump))
    if isinstance(event, events.Heard) and event.data is not None:
        found["data"] = {"name": Path(event.data.path).name}
    if isinstance(event, events.Shortlisted):
        found["shortlist"]["rejected"] = []
    return found


def failure_json(kept: dict[str, Any], language: Language) -> dict[str, Any]:
    """A job's problem as it was kept."""
    cause, next_step = Text.model_validate(kept["cause"]), Text.model_validate(kept["next_step"])
    return members(kind_of(kept["error"]), cause, next_step, language)


def moment(seconds: float | None) -> dt.datetime | None:
    """Seconds since 1970 as a time."""
    return None if seconds is None else dt.datetime.fromtimestamp(seconds, dt.UTC)


def _without_paths(found: Any) -> Any:
    """The same without the folder that a dataset was read from, and the file that measurements are in."""
    if isinstance(found, dict):
        hidden = (
            {"path"} if "hash" in found and "format" in found else {"store"} if "judged_queries" in found else set()
        )
        return {name: "" if name in hidden else _without_paths(value) for name, value in found.items()}
    if isinstance(found, list):
        return [_without_paths(value) for value in found]
    return found
