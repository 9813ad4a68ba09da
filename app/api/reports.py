"""`/v1/reports`: what recommendations were handed over as."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from fastapi.responses import FileResponse, JSONResponse

from app.api.documented import problems
from app.api.given import ReportItem, ReportList
from app.api.paging import Cursor, Limit, cursor_of, place_of
from app.api.problems import not_found
from app.api.rendering import answer, moment
from app.api.service import Lang, Reader, Use, own

router = APIRouter(tags=["reports"])
Form = Literal["json", "markdown", "html", "deployment"]
_FILES: dict[Form, tuple[str, str]] = {
    "json": ("report.json", "application/json"),
    "markdown": ("report.md", "text/markdown; charset=utf-8"),
    "html": ("report.html", "text/html; charset=utf-8"),
    "deployment": ("deployment.zip", "application/zip"),
}


@router.get("/v1/reports", responses={200: {"model": ReportList}, **problems()})
def list_reports(
    service: Use, caller: Reader, language: Lang, limit: Limit = 20, cursor: Cursor = None
) -> JSONResponse:
    """Your reports, the latest first."""
    found = service.store.things("report", caller.owner, limit + 1, place_of(cursor))
    following = cursor_of(found[limit - 1].number) if len(found) > limit else None
    data = [
        ReportItem.model_validate(
            {"id": t.id, "created": moment(t.created), "thread": t.content["thread"], "url": f"/v1/reports/{t.id}"}
        )
        for t in found[:limit]
    ]
    return answer(ReportList(data=data, next_cursor=following), language)


@router.get(
    "/v1/reports/{run}",
    response_class=FileResponse,
    responses={
        200: {
            "content": {
                "application/json": {"schema": {"type": "object"}},
                "text/markdown": {"schema": {"type": "string"}},
                "text/html": {"schema": {"type": "string"}},
                "application/zip": {"schema": {"type": "string", "format": "binary"}},
            }
        },
        **problems(404),
    },
)
def show_report(
    run: Annotated[str, Path(pattern=r"^[A-Za-z0-9-]{1,80}$")],
    service: Use,
    caller: Reader,
    form: Annotated[Form, Query(alias="format")] = "json",
) -> FileResponse:
    """A report in one of its three forms, as it was written; or the files that put its decision into production."""
    own(service, caller, "report", run)
    name, kind = _FILES[form]
    path = service.advisor.context.report_folder_of(run) / name
    if not path.is_file():
        raise not_found(f"{run}/{name}", "/v1/reports")
    # opened as a page, it has no access to whatever else this server has
    policy = {"Content-Security-Policy": "sandbox allow-scripts allow-popups allow-downloads"}
    return FileResponse(path, media_type=kind, headers=policy)
