"""What candidates lose when queries come with mistakes, in capitals, cut short."""

from __future__ import annotations

from knowledge.results.base import Record
from knowledge.results.evaluation import FailedCandidate
from knowledge.results.evidence import Evidence, Interval
from knowledge.wording import Text


class QueryChange(Record):
    """One candidate on queries of one kind.

    Attributes:
        before: its score on the same queries as they are.
        change: score on the perturbed queries minus that, paired by query; below zero it loses.
        p: two-sided paired randomisation test of "no change", Holm-corrected over the kinds.
        cites: evidence ids of `before` and `change`.
    """

    spec: str
    before: float
    change: Interval
    p: float
    cites: dict[str, str] = {}


class Perturbation(Record):
    """Queries perturbed in one way.

    Attributes:
        kind: the same in every language, such as "typos".
        queries: how many were changed and asked.
        changes: in the order in which the candidates were given; of a conversation the winner first.
        example: a query before and after.
    """

    kind: str
    name: Text
    queries: int
    changes: tuple[QueryChange, ...]
    example: tuple[str, str] | None = None


class Robustness(Record):
    """Change of the evaluation's primary metric by kind of perturbation.

    Attributes:
        fewest: kinds that change fewer queries are not shown.
        skipped: candidates that were not asked, and why.
        characters: that one encoder had to read for this beyond the evaluation's own.
        share: of the evaluation's own characters.
        seconds: this took, with what was measured beside it; 0 where all was known.
    """

    metric: str
    fewest: int
    kinds: tuple[Perturbation, ...]
    left_out: tuple[Text, ...] = ()
    skipped: tuple[FailedCandidate, ...] = ()
    characters: int = 0
    share: float | None = None
    seconds: float = 0.0
    evidence: tuple[Evidence, ...] = ()

    def change(self, spec: str) -> float | None:
        """Mean over the kinds, each weighing the same; None where the candidate was not asked."""
        found = [change.change.mean for kind in self.kinds for change in kind.changes if change.spec == spec]
        return sum(found) / len(found) if found else None
