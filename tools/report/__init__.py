"""The recommendation rendered: Markdown, HTML with plots, JSON, and a terminal's summary; all say the same."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from knowledge.results import Report
from knowledge.wording import Language
from tools.report.files import ReportFiles
from tools.report.html import as_html
from tools.report.markdown import as_markdown
from tools.report.sections import make_document
from tools.report.terminal import for_terminal
from tools.whole_files import write_whole

if TYPE_CHECKING:
    from rich.console import Group

__all__ = [
    "REQUIREMENTS_FILE",
    "ReportFiles",
    "render_html",
    "render_json",
    "render_markdown",
    "render_terminal",
    "report_schema",
    "write_report",
]


#: beside the report: what the reproduce command reads
REQUIREMENTS_FILE = "requirements.json"


def write_report(report: Report, folder: Path, language: Language = "en") -> ReportFiles:
    """Write ``report.md``, ``report.html``, ``report.json`` and the requirements into a folder, made when missing.

    Raises:
        ResourceError: the disk is full or the folder is not writable; then nothing was written.
    """
    written = ReportFiles(folder / "report.md", folder / "report.html", folder / "report.json")
    document = make_document(report, language)
    contents = {
        written.json: render_json(report, language),
        written.markdown: as_markdown(document),
        written.html: as_html(document),
        folder / REQUIREMENTS_FILE: _as_json(report.requirements.model_dump(mode="json")),
    }
    write_whole({path: text.encode() for path, text in contents.items()})
    return written


def render_markdown(report: Report, language: Language = "en") -> str:
    """The report as GitHub-flavoured Markdown."""
    return as_markdown(make_document(report, language))


def render_html(report: Report, language: Language = "en") -> str:
    """The report as one HTML file that loads nothing from anywhere."""
    return as_html(make_document(report, language))


def render_json(report: Report, language: Language = "en") -> str:
    """The report as JSON (``templates/report.schema.json``), its sentences finished in the language.

    ``Report.model_validate_json`` reads it back; sentences then stay in that language.
    """
    data = report.model_dump(mode="json", context={"language": language})
    return _as_json(data)


def _as_json(data: Any) -> str:
    return json.dumps(portable(data), ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def render_terminal(report: Report, language: Language = "en") -> Group:
    """What a terminal shows, for rich's ``print``: answer, reasons, table and limits."""
    from rich.console import Group

    return Group(*for_terminal(report, make_document(report, language), language))


def report_schema() -> dict[str, Any]:
    """The JSON schema of ``report.json``; ``templates/report.schema.json`` is this, kept by a test."""
    schema = Report.model_json_schema(mode="serialization")
    schema["$defs"]["Text"] = {"type": "string", "description": "A sentence in the report's language."}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def portable(value: Any) -> Any:
    """JSON knows no NaN, and UTF-8 no half characters (as in a file name that is not UTF-8)."""
    match value:
        case float():
            return value if math.isfinite(value) else None
        case str():
            return value.encode("utf-8", "replace").decode("utf-8")
        case dict():
            return {portable(k): portable(v) for k, v in value.items()}
        case list():
            return [portable(v) for v in value]
        case _:
            return value
