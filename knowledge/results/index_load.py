"""Searches a second against recall, of Milvus's indexes over one encoder's vectors."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from knowledge.results.base import Record
from knowledge.results.speed import Hardware
from knowledge.wording import Text


class IndexPoint(Record):
    """One index with one set of search parameters, asked by so many clients at a time.

    Attributes:
        parameters: of building and searching, in this program's names.
        recall: of the k best documents by exact search the share that was found, mean over queries.
        index_seconds: to put all vectors in and build it.
        qps: searches a second, closed loop, one query a search.
    """

    kind: Literal["flat", "hnsw", "ivf_flat", "ivf_sq8"]
    parameters: dict[str, int] = {}
    recall: float
    index_seconds: float
    concurrency: int
    qps: float
    p50_ms: float
    p95_ms: float
    p99_ms: float


class IndexPlan(Record):
    """What a sweep would take: so many settings, and seconds of searching beside encoding and building.

    Attributes:
        sends_text_to: the host that would embed the texts; None where none leaves this machine.
    """

    points: int
    seconds: float
    sends_text_to: str | None = None


class IndexLoad(Record):
    """A sweep.

    Attributes:
        vectors: searched.
        real: of these, the user's own; the others are theirs, moved a little.
        queries: of the user, all different.
        k: documents asked for.
        seconds: each point was asked for.
        data: hash of the dataset; empty where an earlier version measured.
        lite: whether it was Milvus Lite, whose rates are no server's.
        ended: whether the user ended it before all was swept (Ctrl-C).
    """

    version: Literal[1] = 1
    run_id: str
    started: dt.datetime
    machine: Hardware
    spec: str
    vectors: int
    real: int
    dimension: int
    queries: int
    k: int
    seconds: float
    data: str = ""
    lite: bool
    points: tuple[IndexPoint, ...]
    ended: bool = False
    notes: tuple[Text, ...] = ()

    def fastest(self, recall: float) -> IndexPoint | None:
        """The most searches a second at this recall or more."""
        return max((p for p in self.points if p.recall >= recall), key=lambda p: p.qps, default=None)
