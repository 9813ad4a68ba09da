"""A winner found without encoding everything for everyone."""

from __future__ import annotations

from typing import Literal

from knowledge.results.base import Record
from knowledge.results.evaluation import Evaluation
from knowledge.results.evidence import Interval
from knowledge.wording import Text


class Parity(Record):
    """Whether a faster precision may stand in for the one asked for, seen on a sample of the user's data.

    Attributes:
        overlap: share of the first ten places that both fill alike, mean over the sample's queries.
        difference: fast minus asked, in the primary metric among the sample's documents.
        speed_up: seconds a character of the one over the other; None where nothing had to be encoded.
    """

    spec: str
    fast: str
    documents: int
    queries: int
    overlap: float
    difference: Interval
    speed_up: float | None = None
    accepted: bool


class Round(Record):
    """One round: some queries, a pool of documents, and who took part.

    Attributes:
        pool_share: of the corpus, in characters.
        taking_part: candidates still in it when the round began.
        completed: the encoder that read the whole corpus after this round, because it looked best.
        seconds: spent on encoding from the first round to the end of this one.
    """

    number: int
    queries: int
    documents: int
    pool_share: float
    taking_part: tuple[str, ...]
    completed: str | None = None
    seconds: float


class Elimination(Record):
    """A candidate left out before it had read everything (or before its precision was used), with the evidence.

    Attributes:
        kind: "worse" than `against` by more than the margin, or "dearer" without being better by more.
        difference: candidate minus `against` over `queries`; too high where the candidate has read only a pool.
        bound: one-sided confidence bound of it at `level`; the levels of all comparisons together stay under 5 %.
    """

    spec: str
    round: int
    kind: Literal["worse", "dearer"]
    against: str
    difference: float
    bound: float
    level: float
    queries: int
    reason: Text


class Screened(Record):
    """What the rounds know of a candidate.

    Attributes:
        score: the primary metric over the queries it was asked; an upper bound unless `exact`.
        exact: whether it has read the whole corpus, in its own or the faster precision that stands in.
    """

    spec: str
    score: Interval
    exact: bool
    queries: int


class EncodeWork(Record):
    """Seconds of encoding: spent, and what everything for everyone would have taken at the rates measured here.

    Attributes:
        full_seconds: None where not enough was encoded in this run to know a rate.
    """

    spent_seconds: float
    full_seconds: float | None = None

    @property
    def share(self) -> float | None:
        """Spent, of what everything would have taken."""
        return self.spent_seconds / self.full_seconds if self.full_seconds else None


class Screening(Record):
    """The rounds: who is left, who went and why, and what it cost.

    Attributes:
        winner: the cheapest not worse than the best by more than the margin, as far as is known.
        best: the best among those that have read everything.
        survivors: to be measured in full, cheapest first; the winner and the best are among them once it is settled.
        end: settled (nothing is open), budget (time is up), or stopped (by the user).
        open: candidates about which nothing is decided, where it was not settled.
    """

    primary: str
    margin: float
    rounds: tuple[Round, ...]
    parities: tuple[Parity, ...] = ()
    eliminated: tuple[Elimination, ...] = ()
    screened: tuple[Screened, ...] = ()
    winner: str | None
    best: str | None
    survivors: tuple[str, ...]
    open: tuple[str, ...] = ()
    end: Literal["settled", "budget", "stopped"]
    work: EncodeWork

    @property
    def stood_in(self) -> tuple[str, ...]:
        """Those not left out and not measured in full: a faster precision ranked the whole corpus for them."""
        done = {e.spec for e in self.eliminated} | set(self.survivors)
        return tuple(s.spec for s in self.screened if s.exact and s.spec not in done)


class AdaptiveEvaluation(Record):
    """A winner found without encoding everything for everyone.

    Attributes:
        evaluation: of the survivors, in full; None where time ran out before anything was read in full.
        winner: by that evaluation; where the screening was not settled, the answer so far.
    """

    screening: Screening
    evaluation: Evaluation | None = None
    winner: str | None = None
