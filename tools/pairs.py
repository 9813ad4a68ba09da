"""Pairs of a query and a document, written as one text: so they are cached and encoded as texts are."""

from __future__ import annotations

import json


def as_text(query: str, document: str) -> str:
    """One text for a pair; different pairs have different ones."""
    return json.dumps([query, document], ensure_ascii=False)


def as_pair(text: str) -> tuple[str, str]:
    """The pair that `as_text` wrote."""
    query, document = json.loads(text)
    return query, document
