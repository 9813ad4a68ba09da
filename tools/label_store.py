"""Judgments that users gave here, kept by the data they belong to.

Each person has one judgment of a pair, and may change it; where several judged the same, the latest counts. A row is on
disk before its question is answered to, so a kill costs nothing, and two people at once cost each other nothing.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from sqlalchemy import Column, ColumnElement, DateTime, Integer, MetaData, String, Table, and_, delete, insert, select

from knowledge.dataset import Dataset
from knowledge.results import Label
from knowledge.wording import say
from tools.database import Database
from tools.workspace import Workspace

_METADATA = MetaData()
_LABELS = Table(
    "labels",
    _METADATA,
    Column("dataset", String, primary_key=True),
    Column("query", String, primary_key=True),
    Column("document", String, primary_key=True),
    Column("who", String, primary_key=True),
    Column("grade", Integer),
    Column("given", DateTime(timezone=True), nullable=False),
)


class LabelStore(Database):
    """Judgments in an open database.

    Raises:
        ResourceError: from every method, when the database cannot be opened, read or written.
    """

    def __init__(self, where: Path | str) -> None:
        super().__init__(where, _METADATA)

    def give(self, dataset: str, labels: Sequence[Label]) -> None:
        """Keep judgments, each in place of what the same person said of the same pair; all of them or none.

        Args:
            dataset: which data, as `place_of` says.
            labels: the judgments.
        """
        with self._writing() as connection:
            for label in labels:
                connection.execute(delete(_LABELS).where(_is(dataset, label.query, label.document, label.who)))
                connection.execute(insert(_LABELS).values(dataset=dataset, **dict(label)))

    def take_back(self, dataset: str, query: str, document: str, who: str = "") -> bool:
        """Forget a judgment; False where there was none."""
        with self._writing() as connection:
            return bool(connection.execute(delete(_LABELS).where(_is(dataset, query, document, who))).rowcount)

    def given(self, dataset: str) -> list[Label]:
        """All judgments of some data, oldest first."""
        columns = [_LABELS.c[name] for name in Label.model_fields]
        query = select(*columns).where(_LABELS.c.dataset == dataset).order_by(_LABELS.c.given, _LABELS.c.who)
        return [Label(**{**row._mapping, "given": _aware(row.given)}) for row in self._all(query)]


def _is(dataset: str, query: str, document: str, who: str) -> ColumnElement[bool]:
    c = _LABELS.c
    return and_(c.dataset == dataset, c.query == query, c.document == document, c.who == who)


def _aware(moment: dt.datetime) -> dt.datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)  # SQLite keeps no zone


def counting(labels: Sequence[Label]) -> dict[tuple[str, str], Label]:
    """The judgments that count: of each pair the latest. They come oldest first."""
    return {(label.query, label.document): label for label in labels}


def original_hash(dataset: Dataset) -> str:
    """The hash of data as it was read, without judgments given here."""
    return dataset.summary.original or dataset.summary.hash


def with_labels(dataset: Dataset, labels: Sequence[Label]) -> Dataset:
    """The data with these judgments beside, and in place of, those that it came with; its hash is another.

    Judgments of queries or documents that are not there are left out, and so is who could not tell.
    """
    judgments = {query: dict(grades) for query, grades in dataset.judgments.items()}
    taken = []
    for (query, document), label in sorted(counting(labels).items()):
        if label.grade is not None and query in dataset.queries and document in dataset.documents:
            judgments.setdefault(query, {})[document] = label.grade
            taken.append((query, document, label.grade))
    if not taken:
        return dataset
    original = original_hash(dataset)
    digest = hashlib.sha256(json.dumps([original, taken], ensure_ascii=False).encode())
    summary = dataset.summary.model_copy(
        update={
            "hash": digest.hexdigest(),
            "original": original,
            "given": len(taken),
            "judgments": sum(map(len, judgments.values())),
            "notes": (*dataset.summary.notes, say("{count} of the judgments were given here.", count=len(taken))),
        }
    )
    return replace(dataset, judgments=judgments, summary=summary)


def place_of(dataset: Dataset, space: str = "") -> str:
    """Under what the judgments of some data are kept.

    Args:
        dataset: the data.
        space: whose they are, where people who share this machine are not to see each other's; empty: everybody's.
    """
    return f"{space}:{original_hash(dataset)}" if space else original_hash(dataset)


def with_given(dataset: Dataset, workspace: Workspace, space: str = "") -> Dataset:
    """The data with the judgments that were given here for it; `space` as for `place_of`."""
    if not workspace.store.exists():  # to look leaves nothing behind
        return dataset
    store = LabelStore(workspace.store)
    try:
        return with_labels(dataset, store.given(place_of(dataset, space)))
    finally:
        store.close()
