"""The user's data in memory: what is searched, what is asked, and which answers are right."""

from __future__ import annotations

from dataclasses import dataclass, field

from knowledge.results import DatasetSummary


@dataclass(frozen=True)
class Dataset:
    """Documents, queries and judgments, by id.

    Attributes:
        documents: id -> text; where the source has titles, title, one space, text.
        queries: id -> text; may be empty.
        judgments: query id -> document id -> grade (0 = judged not relevant, absent = not judged).
        summary: counts, content hash and where the labels came from.
    """

    summary: DatasetSummary
    documents: dict[str, str]
    queries: dict[str, str] = field(default_factory=dict)
    judgments: dict[str, dict[str, int]] = field(default_factory=dict)
