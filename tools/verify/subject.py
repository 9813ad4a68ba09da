"""What is checked, and what it was asked: each query once, for all checks that look at its answer."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from knowledge.errors import AdvisorError
from knowledge.results.handover import Handover, HandoverQuery
from knowledge.results.verification import Check, Fault, Subject
from knowledge.wording import Text
from tools.verify.embedding import RefusedError
from tools.verify.own_model import OwnModel
from tools.verify.pipeline import Pipeline
from tools.workers import stop_point
from tools.workspace import Workspace

#: documents asked for of each query: as deep as an evaluation ranks
DEPTH = 100


@dataclass
class Deployed:
    """A deployed pipeline beside what it should be.

    Attributes:
        documents: id -> text, where the data is at hand.
        model: the recommended encoder, or why there is none to compare with.
        depth: documents asked for; a service that refuses so many is asked for as many as were kept.
        found: query id -> ids, best first, as they came.
        failures: query id -> why there is no answer.
    """

    handover: Handover
    pipeline: Pipeline
    workspace: Workspace
    model: OwnModel | Text
    documents: Mapping[str, str] | None = None
    depth: int = DEPTH
    asked: int = 0
    found: dict[str, list[str]] = field(default_factory=dict)
    failures: dict[str, AdvisorError] = field(default_factory=dict)
    milliseconds: list[float] = field(default_factory=list)

    @cached_property
    def queries(self) -> tuple[HandoverQuery, ...]:
        """The evaluation's own."""
        return self.handover.queries

    def ask_all(self, on_each: Callable[[], None]) -> None:
        """Put every query of the evaluation; one that fails does not end it."""
        self.pipeline.prepare([query.text for query in self.queries])
        for query in self.queries:
            stop_point()
            try:
                self.found[query.id] = self.ask(query.text)
            except AdvisorError as error:
                self.failures[query.id] = error
            on_each()

    @property
    def reach(self) -> int:
        """How deep its answers go: some services give ten, whatever is asked for."""
        longest = max(map(len, self.found.values()), default=0)
        return self.depth if longest >= min(self.depth, self.handover.documents) else longest

    def ask(self, text: str) -> list[str]:
        """One question; raises what the pipeline raises."""
        self.asked += 1
        begun = time.perf_counter()
        try:
            found = self.pipeline.search(text, self.depth)
        except RefusedError:
            if self.depth <= self.handover.depth or self.found:
                raise
            self.depth = self.handover.depth  # the first question of all: so many may be more than it gives
            found = self.pipeline.search(text, self.depth)
        self.milliseconds.append(1000 * (time.perf_counter() - begun))
        return found

    def ranking(self, found: Sequence[str], query: HandoverQuery) -> list[str]:
        """An answer as it is scored: one document of those with the same text, without the query itself."""
        twins, out = self.handover.twins, set(query.left_out)
        return [one for one in dict.fromkeys(twins.get(id, id) for id in found) if one not in out]


def passed(subject: Subject, name: str, reason: Text, figures: Mapping[str, float] | None = None) -> Check:
    """A check that found nothing wrong."""
    return Check(subject=subject, name=name, status="pass", reason=reason, figures=dict(figures or {}))


def skipped(subject: Subject, name: str, reason: Text, figures: Mapping[str, float] | None = None) -> Check:
    """A check that could not be made, or that there is nothing to hold against."""
    return Check(subject=subject, name=name, status="skipped", reason=reason, figures=dict(figures or {}))


def failed(
    subject: Subject,
    name: str,
    fault: Fault,
    reason: Text,
    remedy: Text | None = None,
    figures: Mapping[str, float] | None = None,
) -> Check:
    """A check that found something wrong."""
    return Check(
        subject=subject,
        name=name,
        status="fail",
        fault=fault,
        reason=reason,
        remedy=remedy,
        figures=dict(figures or {}),
    )
