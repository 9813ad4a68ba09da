"""What is looked at after the decision: query by query, and parts of the queries."""

from __future__ import annotations

from knowledge.results.base import Record
from knowledge.results.evidence import Evidence, Interval
from knowledge.wording import Text


class Hit(Record):
    """A document that was found; `grade` is None where nobody judged it."""

    document: str
    text: str
    grade: int | None = None


class Duel(Record):
    """One query.

    Attributes:
        scores: of the first and the second candidate, in the evaluation's primary metric.
        hits: what each found, best first; empty where that was not kept.
        missed: relevant documents that neither shows.
    """

    query: str
    text: str
    scores: tuple[float, float]
    hits: tuple[tuple[Hit, ...], tuple[Hit, ...]] = ((), ())
    missed: tuple[Hit, ...] = ()

    @property
    def difference(self) -> float:
        """Positive where the first candidate wins."""
        return self.scores[0] - self.scores[1]


class HeadToHead(Record):
    """Two candidates; `duels` are the queries on which they differ most, those that the first one wins before."""

    first: str
    second: str
    metric: str
    wins: int
    losses: int
    draws: int
    duels: tuple[Duel, ...]


class SliceScore(Record):
    """One candidate on some of the queries.

    Attributes:
        difference: candidate minus the winner, paired by query, at `Slices.level`; None for the winner itself.
        cites: evidence ids of `quality` and `difference`.
    """

    spec: str
    quality: Interval
    difference: Interval | None = None
    cites: dict[str, str] = {}


class Slice(Record):
    """Queries that have something in common.

    Attributes:
        trait: what was looked at, such as the length of the query.
        part: which of them these are, such as "up to 6 tokens".
        queries: how many; those of the same text count as one.
        scores: the winner first.
    """

    trait: Text
    part: Text
    queries: int
    scores: tuple[SliceScore, ...]


class Slices(Record):
    """The winner and its nearest rivals on parts of the queries.

    Attributes:
        level: of the intervals of differences: so high that all of them hold together in 95 of 100 cases (Bonferroni).
        fewest: parts with fewer queries are not shown.
        left_out: how many parts had fewer.
    """

    metric: str
    level: float
    fewest: int
    left_out: int = 0
    slices: tuple[Slice, ...]
    evidence: tuple[Evidence, ...] = ()
