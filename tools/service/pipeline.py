"""A loaded candidate that answers batches of queries, in two halves: encoding, and what comes after it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from knowledge.candidate import Candidate, Leg
from knowledge.wording import Text
from tools import encoders, retrieval
from tools.encoders import Encoder, Resolved
from tools.pairs import as_text
from tools.retrieval import Rankings
from tools.service.legs import Opened, ServedLeg, opened
from tools.service.stages import Stages
from tools.timed_legs import TimedReranker
from tools.vector_store import VectorStore
from tools.workspace import Workspace

#: documents in an answer
DEPTH = 10


@dataclass(frozen=True)
class Encoded:
    """A batch between the two halves.

    Attributes:
        queries: their texts.
        asked: what each leg searches by.
        stages: what the first half took.
        done: second in which it was.
    """

    queries: tuple[str, ...]
    asked: dict[Leg, Any]
    stages: Stages
    done: float


class Pipeline:
    """Models loaded, documents indexed; closed by the block that it is opened with.

    Attributes:
        load_seconds: to load the models, and to answer for the first time.
        index_seconds: to put the documents' vectors, which were there, into the index.
        notes: what the user should know of how it searches.
    """

    def __init__(
        self,
        candidate: Candidate,
        resolved: dict[str, Resolved],
        documents: Sequence[str],
        workspace: Workspace,
        until: ExitStack,
        *,
        lite: bool = True,
    ) -> None:
        begun = time.perf_counter()
        self._candidate, self._reach = candidate, retrieval.reach(candidate, DEPTH)
        loaded: dict[Leg, Encoder] = {
            leg: encoders.load(resolved[leg.spec]) for leg in candidate.legs if leg.backend != "bm25"
        }
        for leg, encoder in loaded.items():
            encoder.embed([as_text("warm", "warm") if retrieval.reranks(leg) else "warm"], kind="query")
        self.load_seconds = time.perf_counter() - begun
        begun = time.perf_counter()
        self._legs: dict[Leg, ServedLeg] = {}
        in_milvus = lite or workspace.milvus_uri is not None
        encodes = any(leg in loaded for leg in candidate.searched)
        store = until.enter_context(VectorStore(workspace)) if in_milvus and encodes else None
        with_ = Opened(store, workspace.vectors, until)
        for leg in candidate.searched:
            self._legs[leg] = opened(leg, resolved.get(leg.spec), loaded.get(leg), documents, with_)
        self._rerankers = {
            leg: TimedReranker(leg, encoder, documents) for leg, encoder in loaded.items() if leg not in self._legs
        }
        self.index_seconds = time.perf_counter() - begun
        self.notes: tuple[Text, ...] = tuple(dict.fromkeys(n for leg in self._legs.values() for n in leg.notes))

    def encode(self, queries: Sequence[str]) -> Encoded:
        """The first half: one batch at a time."""
        stages = Stages()
        asked = {leg: of.encode(queries, stages) for leg, of in self._legs.items()}
        return Encoded(tuple(queries), asked, stages, time.perf_counter())

    def find(self, encoded: Encoded) -> Rankings:
        """The second half: several batches at once. Its stages are added to those of the first."""
        stages = encoded.stages
        stages.add("handover", time.perf_counter() - encoded.done)
        found = {leg: of.search(encoded.asked[leg], self._reach, stages) for leg, of in self._legs.items()}

        def rescore(leg: Leg, rows: NDArray[np.int64]) -> NDArray[np.float64]:
            each = zip(encoded.queries, rows, strict=True)
            with stages.stage("rerank"):
                return np.vstack([self._rerankers[leg].scores(query, of[None]) for query, of in each])

        begun, before = time.perf_counter(), stages.ms.get("rerank", 0.0)
        ranked = retrieval.rank(self._candidate, found, DEPTH, rescore)
        again = (stages.ms.get("rerank", 0.0) - before) / 1000
        stages.add("fusion", time.perf_counter() - begun - again)
        return ranked
