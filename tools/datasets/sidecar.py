"""What `save_dataset` notes of a dataset beside its files: where its labels came from."""

from __future__ import annotations

import json
from typing import Any, Literal, NamedTuple

from pydantic import ValidationError

from knowledge.results import DatasetSummary, SilverQueries
from knowledge.wording import Text, say
from tools.datasets.problems import shown


class Labels(NamedTuple):
    """Where the labels of a dataset came from.

    Attributes:
        silver: how a program made the queries, where it did.
    """

    kind: Literal["gold", "silver", "none"]
    origin: Text | None
    silver: SilverQueries | None = None


def note_of(summary: DatasetSummary) -> str:
    """The note, as JSON."""
    note = {
        "name": summary.name,
        "hash": summary.hash,
        "labels": summary.labels,
        "label_origin": summary.label_origin.render() if summary.label_origin else None,
        "silver": summary.silver.model_dump(mode="json") if summary.silver else None,
    }
    return json.dumps(note, ensure_ascii=False, indent=2) + "\n"


def labels_of(note: str, content: str) -> Labels:
    """Where labels came from; those without a readable note are the user's own.

    Args:
        note: the note's text; empty where there is none.
        content: hash of what was read: what the queries are like is believed only as long as nobody edited them.
    """
    try:
        noted = json.loads(note)
    except (ValueError, RecursionError):
        noted = None
    if not isinstance(noted, dict) or noted.get("labels") != "silver":
        return Labels("gold", say("judgments that came with the data"))
    # a plain string, so that nothing in the file is taken for a template
    origin = Text.model_validate(shown(noted.get("label_origin") or "", 1000))
    return Labels("silver", origin, _silver(noted.get("silver")) if noted.get("hash") == content else None)


def _silver(noted: Any) -> SilverQueries | None:
    try:
        return SilverQueries.model_validate(noted)
    except ValidationError:
        return None
