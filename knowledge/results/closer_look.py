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
        at_query_time: whether it is known before anything is found, from the query alone.
    """

    trait: Text
    part: Text
    queries: int
    scores: tuple[SliceScore, ...]
    at_query_time: bool = False

    @property
    def best(self) -> str | None:
        """The candidate shown to be ahead here: a rival ahead of the winner, or the winner ahead of all; else None."""
        rivals = [score for score in self.scores if score.difference is not None]
        ahead = [score for score in rivals if score.difference and score.difference.low > 0]
        if ahead:
            return max(ahead, key=lambda score: score.quality.mean).spec
        behind = all(score.difference and score.difference.high < 0 for score in rivals)
        return self.scores[0].spec if rivals and behind else None


class Routed(Record):
    """Queries that another candidate than the winner would answer.

    Attributes:
        difference: candidate minus the winner on these queries, at `Slices.level`.
        cites: evidence id of `difference`.
    """

    part: Text
    spec: str
    queries: int
    difference: Interval
    cites: dict[str, str] = {}


class Routing(Record):
    """Two or more candidates, one for each part of the queries, in place of the winner alone.

    Attributes:
        trait: by which a query is sent to a candidate; it is known from the query alone.
        parts: where a query goes, if not to the winner.
        otherwise: the winner, for all other queries.
        queries: of all parts together.
        gain: of the whole, over the winner alone: who answers which part was chosen on one half of the queries and
            measured on the other, so that it is not what happened to come out best.
        over: the same over each other candidate alone.
        memory_mb: of all of them loaded at once; None where it was not measured.
        shared: whether the others need nothing loaded that the winner does not need anyway.
        cites: evidence ids of ``gain`` and ``over/SPEC``.
    """

    trait: Text
    parts: tuple[Routed, ...]
    otherwise: str
    queries: int
    gain: Interval
    over: dict[str, Interval] = {}
    memory_mb: float | None = None
    shared: bool = False
    cites: dict[str, str] = {}


class Slices(Record):
    """The winner and its nearest rivals on parts of the queries.

    Attributes:
        level: of the intervals of differences: so high that all of them hold together in 95 of 100 cases (Bonferroni).
        fewest: parts with fewer queries are not shown.
        left_out: how many parts had fewer.
        margin: of the decision; a routing needs to be better by more on the queries it is about.
        routing: what parts of the queries had better go to another candidate, most gain first; mostly nothing.
    """

    metric: str
    level: float
    fewest: int
    left_out: int = 0
    slices: tuple[Slice, ...]
    margin: float = 0.02
    routing: tuple[Routing, ...] = ()
    evidence: tuple[Evidence, ...] = ()
