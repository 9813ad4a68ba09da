"""Single changes to a candidate, measured: what each gains or loses, and what it costs or saves."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from knowledge.results.base import Record
from knowledge.results.data import DatasetSummary
from knowledge.results.evaluation import FailedCandidate
from knowledge.results.evidence import Evidence, Interval
from knowledge.wording import Text

ChangeKind = Literal["dimension", "storage", "two stages", "index", "fusion", "precision", "named"]


class Change(Record):
    """One change. Scores are the primary metric's; `cites` maps a field to its evidence id.

    Attributes:
        what: the change in words.
        difference: changed minus base, paired by query, with its bootstrap interval.
        p_better: one-sided paired randomisation test of "no better", Holm-corrected over all changes.
        p_worse: one-sided test of "worse by more than the margin", Holm-corrected: small means no measurable loss.
        verdict: gains: shown to be better; holds: shown to lose no more than the margin; loses: shown to be worse, and
            not within the margin; open: these queries cannot tell.
        query_ms: of one query, text to ids; None where that is not known (of an index in Milvus Lite, for one).
        added_ms: to those of the base.
        bytes_per_document: of its vectors and index; None where that is not known.
        points_per_ms: points (hundredths) of the metric gained for each added millisecond; None unless it gains and
            takes longer.
        points_per_gb: the same for each GB more that a million documents take.
    """

    kind: ChangeKind
    spec: str
    what: Text
    quality: Interval
    difference: Interval
    p_better: float
    p_worse: float
    verdict: Literal["gains", "holds", "loses", "open"]
    query_ms: float | None = None
    added_ms: float | None = None
    bytes_per_document: float | None = None
    points_per_ms: float | None = None
    points_per_gb: float | None = None
    notes: tuple[Text, ...] = ()
    cites: dict[str, str] = {}


class NextGain(Record):
    """The cheapest next gain: single changes to one candidate on one dataset, the largest gain first.

    Attributes:
        base: the candidate that was changed.
        buys_most: the change with the largest gain among those shown to gain; None where none is.
        buys_most_per_ms: of these the one that gains most for its time; one that takes no longer comes first.
        saves_storage: of the changes that gain or hold the one with the fewest bytes, where they are fewer than now.
        saves_time: of these the fastest, where it is faster by more than repeated timing differs.
        failed: changes that could not be measured.
        evaluation: run in which base and changes were measured; None where another version did not note it.
    """

    version: Literal[1] = 1
    run_id: str
    evaluation: str | None = None
    started: dt.datetime
    dataset: DatasetSummary
    judged_queries: int
    primary: str
    margin: float
    base: str
    quality: Interval
    query_ms: float | None = None
    bytes_per_document: float | None = None
    changes: tuple[Change, ...]
    buys_most: str | None = None
    buys_most_per_ms: str | None = None
    saves_storage: str | None = None
    saves_time: str | None = None
    failed: tuple[FailedCandidate, ...] = ()
    evidence: tuple[Evidence, ...] = ()

    def change(self, spec: str | None) -> Change | None:
        """The change that makes this candidate."""
        return next((change for change in self.changes if change.spec == spec), None)
