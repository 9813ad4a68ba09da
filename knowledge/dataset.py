"""The user's data in memory: what is searched, what is asked, and which answers are right."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from knowledge.results import DatasetSummary

#: what a labelled text or pair is for, where the data says so
Part = Literal["train", "test"]


@dataclass(frozen=True)
class Pair:
    """Two documents that belong together more or less.

    Attributes:
        first, second: document ids.
        score: how alike they are, or 1 for the same and 0 for not; None: each is the other's translation, or answers
            it.
    """

    first: str
    second: str
    score: float | None = None


@dataclass(frozen=True)
class Dataset:
    """Documents, queries and judgments, by id; or texts with their classes; or pairs of texts.

    Attributes:
        documents: id -> text; where the source has titles, title, one space, text.
        queries: id -> text; may be empty.
        judgments: query id -> document id -> grade (0 = judged not relevant, absent = not judged).
        summary: counts, content hash and where the labels came from.
        titles: id -> title, of documents that have one; their texts begin with it.
        sources, query_sources: document or query id -> where it comes from or what it is about, such as its folder or
            category; for parts of the queries alone, nothing is measured by it.
        classes: document id -> its class, for classification and clustering.
        pairs: id -> two documents, for similarity, deduplication and bitext mining.
        parts: id of a labelled document or a pair -> whether it is for training or for testing; empty where the data
            does not say.
        no_silver: that queries were to be made from the documents, and none can be; the summary's notes say why.
    """

    summary: DatasetSummary
    documents: dict[str, str]
    queries: dict[str, str] = field(default_factory=dict)
    judgments: dict[str, dict[str, int]] = field(default_factory=dict)
    titles: dict[str, str] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    query_sources: dict[str, str] = field(default_factory=dict)
    classes: dict[str, str] = field(default_factory=dict)
    pairs: dict[str, Pair] = field(default_factory=dict)
    parts: dict[str, Part] = field(default_factory=dict)
    no_silver: bool = False

    def text_of(self, item: str) -> str:
        """The text of what is scored: a query, a labelled text, or both texts of a pair; empty for an unknown id."""
        if item in self.queries:
            return self.queries[item]
        if item in self.pairs:
            pair = self.pairs[item]
            return f"{self.documents[pair.first]} | {self.documents[pair.second]}"
        return self.documents.get(item, "")


def content_hash(
    documents: Mapping[str, str],
    queries: Mapping[str, str],
    judgments: Mapping[str, Mapping[str, int]],
    *,
    classes: Mapping[str, str] | None = None,
    pairs: Mapping[str, Pair] | None = None,
    parts: Mapping[str, Part] | None = None,
) -> str:
    """SHA-256 (hex) of ids, texts and labels in sorted order: the same data has the same hash wherever it is stored."""
    digest = hashlib.sha256()

    def add(*fields: str | int | float | None) -> None:
        digest.update(json.dumps(fields, ensure_ascii=False).encode("utf-8") + b"\n")

    for document_id in sorted(documents):
        add("document", document_id, documents[document_id])
    for query_id in sorted(queries):
        add("query", query_id, queries[query_id])
    for query_id in sorted(judgments):
        for document_id in sorted(judgments[query_id]):
            add("judgment", query_id, document_id, judgments[query_id][document_id])
    for document_id, name in sorted((classes or {}).items()):
        add("class", document_id, name)
    for pair_id, pair in sorted((pairs or {}).items(), key=lambda item: item[0]):
        add("pair", pair_id, pair.first, pair.second, pair.score)
    for item_id, part in sorted((parts or {}).items()):
        add("part", item_id, part)
    return digest.hexdigest()
