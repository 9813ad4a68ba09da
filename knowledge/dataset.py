"""The user's data in memory: what is searched, what is asked, and which answers are right."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
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
        sources, query_sources: document or query id -> where it comes from or what it is about, such as its folder or
            category; for parts of the queries alone, nothing is measured by it.
    """

    summary: DatasetSummary
    documents: dict[str, str]
    queries: dict[str, str] = field(default_factory=dict)
    judgments: dict[str, dict[str, int]] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    query_sources: dict[str, str] = field(default_factory=dict)


def content_hash(
    documents: Mapping[str, str], queries: Mapping[str, str], judgments: Mapping[str, Mapping[str, int]]
) -> str:
    """SHA-256 (hex) of ids, texts and grades in sorted order: the same data has the same hash wherever it is stored."""
    digest = hashlib.sha256()

    def add(*fields: str | int) -> None:
        digest.update(json.dumps(fields, ensure_ascii=False).encode("utf-8") + b"\n")

    for document_id in sorted(documents):
        add("document", document_id, documents[document_id])
    for query_id in sorted(queries):
        add("query", query_id, queries[query_id])
    for query_id in sorted(judgments):
        for document_id in sorted(judgments[query_id]):
            add("judgment", query_id, document_id, judgments[query_id][document_id])
    return digest.hexdigest()
