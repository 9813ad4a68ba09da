"""What is checked, and what it was asked: each query once, for all checks that look at its answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from knowledge.errors import AdvisorError
from knowledge.results.handover import Handover, HandoverQuery
from knowledge.results.verification import Check, Fault, Subject
from knowledge.wording import Text
from tools.stopping import stop_point
from tools.verify.embedding import ANSWERED, RefusedError
from tools.verify.own_model import OwnModel
from tools.verify.pipeline import Pipeline
from tools.workspace import Workspace

#: documents asked for of each query: as deep as an evaluation ranks
DEPTH = 100
#: questions in a row that nobody answers: a server that is down or hangs is not asked hundreds of times
GIVES_UP = 3


@dataclass
class Deployed:
    """A deployed pipeline beside what it should be.

    Attributes:
        documents: id -> text, where the data is at hand.
        model: the recommended encoder, or why there is none to compare with.
        depth: documents asked for; a service that refuses so many is asked for as many as were kept.
        found: query id -> ids, best first, as they came.
        failures: query id -> why there is no answer.
        unanswered: questions in a row, up to the last one, that nobody answered; a refusal is an answer.
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
    unanswered: int = 0

    @cached_property
    def queries(self) -> tuple[HandoverQuery, ...]:
        """The evaluation's own."""
        return self.handover.queries

    def ask_all(self, on_each: Callable[[], None]) -> None:
        """Put every query of the evaluation; one that fails does not end it, but nobody there does."""
        self.pipeline.prepare([query.text for query in self.queries])
        for query in self.queries:
            stop_point()
            if self.is_down:
                self.failures[query.id] = self.failures[next(reversed(self.failures))]
                continue
            try:
                self.found[query.id] = self.ask(query.text)
            except AdvisorError as error:
                self.failures[query.id] = error
            on_each()

    @property
    def finds(self) -> bool:
        """Whether it found anything for any query."""
        return any(self.found.values())

    @property
    def is_down(self) -> bool:
        """Whether nobody has answered for so long that nobody will."""
        return self.unanswered >= GIVES_UP

    @property
    def reach(self) -> int:
        """How deep its answers go: some services give ten, whatever is asked for."""
        longest = max(map(len, self.found.values()), default=0)
        return self.depth if longest >= min(self.depth, self.handover.documents) else longest

    def ask(self, text: str) -> list[str]:
        """One question; raises what the pipeline raises."""
        self.asked += 1
        self.unanswered += 1
        try:
            found = self._search(text)
        except ANSWERED:
            self.unanswered = 0
            raise
        self.unanswered = 0
        return found

    def _search(self, text: str) -> list[str]:
        try:
            return self.pipeline.search(text, self.depth)
        except RefusedError:
            if self.depth <= self.handover.depth or self.found:
                raise
            self.depth = self.handover.depth  # the first question of all: so many may be more than it gives
            return self.pipeline.search(text, self.depth)

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
