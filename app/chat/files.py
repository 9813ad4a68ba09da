"""What the server hands out besides its pages: reports of runs, and tables to try an upload with."""

from __future__ import annotations

import re
from pathlib import Path

from fastapi import APIRouter, HTTPException
from fastapi.responses import FileResponse, JSONResponse

from app.uploads import sample_file
from knowledge.wording import say

REPORT_FILES = {
    "report.html": "text/html; charset=utf-8",
    "report.md": "text/markdown; charset=utf-8",
    "report.json": "application/json",
    "deployment.zip": "application/zip",
}
MANIFEST = "application/manifest+json"
SAMPLE_FILES = {file.name: file for file in (sample_file("en"), sample_file("zh"))}


def make_router(reports: Path) -> APIRouter:
    """The routes: ``/reports/RUN/report.KIND`` and ``/samples/NAME``.

    Args:
        reports: folder of the reports, one folder a run.
    """
    router = APIRouter()

    @router.get("/reports/{run}/{name}")
    def report(run: str, name: str, download: bool = False) -> FileResponse:
        """One file of a run's report."""
        if name not in REPORT_FILES or not re.fullmatch(r"[A-Za-z0-9-]{1,80}", run):
            raise HTTPException(404)
        path = reports / run / name
        if not path.is_file():
            raise HTTPException(404)
        return FileResponse(
            path,
            media_type=REPORT_FILES[name],
            filename=f"{run}-{name}" if download else None,
            # opened as a page, a report has no access to the chat beside it
            headers={"Content-Security-Policy": "sandbox allow-scripts allow-popups allow-downloads"},
        )

    @router.get("/samples/{name}")
    def sample(name: str) -> FileResponse:
        """A small table to try an upload with."""
        if name not in SAMPLE_FILES:
            raise HTTPException(404)
        return FileResponse(SAMPLE_FILES[name], media_type="text/csv; charset=utf-8", filename=name)

    @router.get("/manifest.json")
    def manifest() -> JSONResponse:
        """What gradio's pages name as their manifest, at the root of the server."""
        name = say("Embedding Advisor").render("en")
        return JSONResponse({"name": name, "start_url": "/", "display": "browser"}, media_type=MANIFEST)

    @router.get("/favicon.ico", status_code=204)
    def icon() -> None:
        """There is none; browsers ask, and complain."""

    return router
