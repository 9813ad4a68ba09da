"""Whether candidates find what is true, or only what is about the same."""

from __future__ import annotations

from knowledge.results.base import Record
from knowledge.results.evaluation import FailedCandidate
from knowledge.results.evidence import Evidence, Interval
from knowledge.wording import Text


class ProbeScore(Record):
    """One candidate on one kind of probes.

    Attributes:
        accuracy: share of the probes in which it scores the true passage higher, a tie counting half (Wilson interval).
        ties: probes in which it scores both alike, or finds neither.
        cites: evidence id of `accuracy`.
    """

    spec: str
    accuracy: Interval
    ties: int = 0
    cites: dict[str, str] = {}


class ProbeExample(Record):
    """One probe, its passages cut around the place in which they differ."""

    query: str
    right: str
    wrong: str


class ProbeKind(Record):
    """Probes of one kind of fact.

    Attributes:
        kind: the same in every language, such as "negation".
        probes: how many.
        reworded: in how many the query says the fact in other words than the passage.
        scores: in the order in which the candidates were given; of a conversation the winner first.
    """

    kind: str
    name: Text
    probes: int
    reworded: int = 0
    scores: tuple[ProbeScore, ...]
    example: ProbeExample | None = None


class RerankerGain(Record):
    """What a reranker adds on the probes of all kinds, paired: share of probes right with it minus without it."""

    spec: str
    base: str
    gain: Interval
    cites: dict[str, str] = {}


class Probes(Record):
    """Paired accuracy by kind of fact; chance is one half.

    Attributes:
        threshold: an accuracy that is not above it says that a candidate finds the topic, not the truth.
        fewest: kinds with fewer probes are not shown.
        left_out: names of these kinds.
        reworded: the probes of all kinds whose query says the fact in other words than the passage, where words that
            are repeated help nobody; None where they are too few.
        skipped: candidates that were not asked, and why.
        characters: that one encoder had to read for the probes beyond the evaluation's own.
        share: of the evaluation's own characters.
        seconds: this took, with what was measured beside it; 0 where all was known.
    """

    threshold: float
    fewest: int
    kinds: tuple[ProbeKind, ...]
    left_out: tuple[Text, ...] = ()
    reworded: ProbeKind | None = None
    skipped: tuple[FailedCandidate, ...] = ()
    gains: tuple[RerankerGain, ...] = ()
    characters: int = 0
    share: float | None = None
    seconds: float = 0.0
    evidence: tuple[Evidence, ...] = ()

    def accuracy(self, spec: str) -> float | None:
        """Mean over the kinds, each weighing the same; None where it was not asked."""
        found = [score.accuracy.mean for kind in self.kinds for score in kind.scores if score.spec == spec]
        return sum(found) / len(found) if found else None

    def weak(self, spec: str) -> tuple[ProbeKind, ...]:
        """The kinds, and the reworded ones of all kinds, in which a candidate is not above the threshold."""
        return tuple(
            kind
            for kind in (*self.kinds, *((self.reworded,) if self.reworded else ()))
            if any(score.spec == spec and score.accuracy.mean <= self.threshold for score in kind.scores)
        )
