"""``tasks.jsonl``: the benchmark tasks the published scores come from."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tools.catalog_build.languages import codes
from tools.catalog_build.models import SOURCE, whole
from tools.catalog_build.rows import Row
from tools.catalog_build.writing import known, write_lines

COLUMNS = (
    "task",
    "type",
    "category",
    "domains",
    "languages",
    "main_score",
    "modalities",
    "license",
    "sample_creation",
    "date",
    "adapted_from",
    "superseded_by",
    "is_public",
    "reference",
    "benchmarks",
    "n_models_scored",
    "n_docs",
    "n_queries",
    "avg_doc_chars",
    "avg_query_chars",
    "n_samples",
)


def build_tasks(rows: Iterable[Row], out: Path) -> None:
    """Write ``tasks.jsonl``; the order of the rows does not matter.

    Raises:
        CatalogError: a row names what is no language.
    """
    ordered = sorted(rows, key=lambda row: (row["task"].casefold(), row["task"]))
    write_lines(out / "tasks.jsonl", "tasks", (known(_task(row)) for row in ordered), source=SOURCE)


def _task(row: Row) -> dict[str, Any]:
    return {
        "task": row["task"],
        "type": row["type"],
        "category": row["category"],
        "domains": sorted(row["domains"] or ()),
        "languages": codes(row["languages"]),
        "main_score": row["main_score"],
        "modalities": sorted(row["modalities"] or ()),
        "license": row["license"] if row["license"] != "not specified" else None,
        "sample_creation": row["sample_creation"],
        "years": _years(row["date"]),
        "adapted_from": sorted(row["adapted_from"] or ()),
        "superseded_by": row["superseded_by"],
        "public": row["is_public"],
        "reference": row["reference"],
        "benchmarks": sorted(row["benchmarks"] or ()),
        "models_scored": whole(row["n_models_scored"]),
        "documents": whole(row["n_docs"]),
        "queries": whole(row["n_queries"]),
        "document_chars": _rounded(row["avg_doc_chars"]),
        "query_chars": _rounded(row["avg_query_chars"]),
        "samples": whole(row["n_samples"]),
    }


def _years(period: str | None) -> list[int] | None:
    """First and last year of the texts, from a period such as ``['2012-01-01', '2017-12-31']``."""
    years = [int(year) for year in re.findall(r"'(\d{4})-", period or "")]
    return [min(years), max(years)] if years else None


def _rounded(value: float | None) -> float | None:
    number = whole(value)
    return None if value is None or number is None else round(value, 1)
