"""The report's files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class ReportFiles:
    """Where the three forms of a report are."""

    markdown: Path
    html: Path
    json: Path
