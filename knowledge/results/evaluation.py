"""Measured quality. Scores run from 0 to 1."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from knowledge.results.base import Record
from knowledge.results.data import DatasetSummary
from knowledge.results.evidence import Interval
from knowledge.results.index_gap import IndexGap
from knowledge.results.preflight import Preflight, RecallByCut
from knowledge.results.usage import Usage
from knowledge.wording import Text


class MeasuredCandidate(Record):
    """One candidate's quality on the user's data.

    Attributes:
        key: of the measurement in the run store, where its per-query scores are.
        metrics: name as ir-measures prints it -> mean over all judged queries.
        interval: of the primary metric, by bootstrap over queries.
        encode_seconds: spent on encoding in this run; texts found in the cache cost nothing.
        encoded_texts: texts encoded in this run after the preflight, whose sample comes from the cache.
        tokens: read by an endpoint for this measurement, its preflight included.
        usage: of these, those of the data's own texts as they were sent for the first time, by kind ("document",
            "query"); of candidates with one endpoint.
        search_seconds: for all queries, as one batch.
        pairs: of a query and a document that rerankers scored, whether in this run or found in the cache; their
            encoding is counted as that of texts.
        unjudged: share of the first ten documents that nobody judged (hole@10), mean over queries.
        condensed: the primary metric on judged documents only.
        recall_by_cut: recall of documents read whole against those read in part; None where none is cut, or for
            fusions.
        index_gap: what its approximate index loses; None where every document is compared, and for fusions.
    """

    spec: str
    key: str = ""
    model: str | None = None
    revision: str | None = None
    metrics: dict[str, float]
    interval: Interval
    dimension: int | None = None
    encode_seconds: float = 0.0
    encoded_texts: int = 0
    cached_texts: int = 0
    index_seconds: float = 0.0
    search_seconds: float = 0.0
    pairs: int = 0
    tokens: int | None = None
    usage: dict[str, Usage] = {}
    usd: float | None = None
    unjudged: float | None = None
    condensed: float | None = None
    recall_by_cut: RecallByCut | None = None
    index_gap: IndexGap | None = None
    notes: tuple[Text, ...] = ()

    @property
    def primary_mean(self) -> float:
        """The primary metric's mean (the first of `metrics`)."""
        return next(iter(self.metrics.values()))


class FailedCandidate(Record):
    """A candidate that could not be measured, with the reason."""

    spec: str
    reason: Text
    next_step: Text


class Comparison(Record):
    """A candidate against the best one, paired by query.

    Attributes:
        difference: candidate minus best, in the primary metric, with its bootstrap interval.
        p_different: two-sided paired randomisation test of "no difference", Holm-corrected.
        p_worse: one-sided test of "worse by more than the margin", Holm-corrected: small means non-inferior.
        wins, losses, draws: queries on which the candidate is better, worse, equal.
        queries_needed: about how many queries would settle it; None where it is settled, or where no reasonable number
            would.
        p_within: one-sided test of "worse than whichever is truly the best by more than the margin", Holm-corrected;
            None where it was not made.
        smallest_shown: the smallest true difference that a sample like this one shows in four of five cases; None where
            nothing differs.
        same_weights: it is tied not by the tests but because it is the best's own weights in other arithmetic and
            scores alike on every query.
    """

    spec: str
    best: str
    difference: Interval
    p_different: float
    p_worse: float
    wins: int
    losses: int
    draws: int
    verdict: Literal["best", "tied", "worse", "undecided"]
    queries_needed: int | None = None
    p_within: float | None = None
    smallest_shown: float | None = None
    same_weights: bool = False


class Evaluation(Record):
    """Measured quality of all candidates on one dataset. Per-query scores are in the run store under `run_id`.

    Attributes:
        task: what was measured; of all but rankings, texts or pairs stand where queries are spoken of.
        notes: what was done to queries, documents and labels before anything was scored, with counts.
        warnings: why the order of the candidates may be another than the figures say.
        same_queries: ids of queries with the same text; tests take them for one.
        preflight: what was found of each encoder before anything was encoded in earnest.
    """

    run_id: str
    started: dt.datetime
    dataset: DatasetSummary
    task: Literal["ranking", "classification", "clustering", "similarity", "deduplication", "bitext"] = "ranking"
    primary: str = "nDCG@10"
    candidates: tuple[MeasuredCandidate, ...]
    failed: tuple[FailedCandidate, ...] = ()
    store: str
    judged_queries: int
    notes: tuple[Text, ...] = ()
    warnings: tuple[Text, ...] = ()
    same_queries: tuple[tuple[str, ...], ...] = ()
    preflight: tuple[Preflight, ...] = ()
