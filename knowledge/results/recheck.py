"""Is a decision still the best: what is new since then, how the data moved, what the candidates score today."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from knowledge.results.base import Record
from knowledge.results.evidence import Interval
from knowledge.results.plan import Plan
from knowledge.results.shortlist import Prediction
from knowledge.wording import Text


class TextSample(Record):
    """Texts of one kind as they are remembered: nothing of it can be read as text.

    Attributes:
        count: of all texts, of which this is a sample.
        marks: hashes of texts, the smallest ones; the same text is in the sample whenever it is in the data.
        tokens: estimated, of each sampled text.
        words: counts of hashed words, one row of bytes a text, in base64.
        languages: share of each.
    """

    count: int
    marks: tuple[str, ...]
    tokens: tuple[int, ...]
    words: str
    languages: dict[str, float] = {}


class DataBaseline(Record):
    """What data was like when something was decided on it."""

    dataset: str
    taken: dt.date
    documents: TextSample
    queries: TextSample


class Shift(Record):
    """One thing about the data, then and now.

    Attributes:
        effect: how far it moved; by `what`: 1 - cosine of mean word counts, ratio of mean lengths, share that changed.
        p: permutation test of "the same texts", Holm-corrected; None where nothing is tested.
        moved: further than it takes to matter, and not by chance.
    """

    of: Literal["documents", "queries"]
    what: Literal["words", "lengths", "languages"]
    effect: float
    p: float | None = None
    moved: bool
    reason: Text


class DataDrift(Record):
    """Today's data against that of the decision. Shares run from 0 to 1."""

    since: dt.date
    documents_then: int
    documents_now: int
    new_documents: float
    gone_documents: float
    new_queries: float
    shifts: tuple[Shift, ...]

    @property
    def moved(self) -> bool:
        """Whether any of it matters."""
        return any(shift.moved for shift in self.shifts)


class NewModel(Record):
    """A model that came since the decision and meets the demands.

    Attributes:
        predicted: from published scores.
        gain: predicted mean minus that of the model in use; None where nothing is published of that.
        better: by more than the margin.
        known_since: the last check had it too.
    """

    model: str
    spec: str | None
    released: dt.date | None = None
    predicted: Prediction
    gain: float | None = None
    better: bool
    known_since: dt.date | None = None


class Rescored(Record):
    """A candidate on today's data, against another figure of the same queries.

    Attributes:
        against: what it is compared with.
        difference: mean over the common queries, with an interval at a level corrected for the number of comparisons.
        beyond: the interval lies beyond the margin.
    """

    spec: str
    against: str
    queries: int
    now: Interval
    difference: Interval
    wins: int
    losses: int
    beyond: bool


class Threshold(Record):
    """A cut-off on scores of the old model, and what keeps the same share of right answers with the new one.

    Attributes:
        keeps: share of relevant pairs that score at least `old`.
        old_wrong, new_wrong: share of the other pairs that pass, before and after.
    """

    keeps: float
    old: float
    new: Interval
    old_wrong: float
    new_wrong: float


class Migration(Record):
    """How to change from one candidate to another.

    Attributes:
        hours: to embed all documents, at the rate that was measured; None where none was.
        usd: for an API's tokens; None where that is not known, or nothing is paid by token.
        rate: documents a second, and `rate_source` where it was measured.
        vector_bytes: of all new vectors, beside the old ones until the change is through.
        steps: in order.
        thresholds: cut-offs that move; empty where scores cannot be compared, and `no_thresholds` says why.
    """

    old: str
    new: str
    documents: int
    rate: float | None = None
    rate_source: Text | None = None
    hours: float | None = None
    usd: float | None = None
    vector_bytes: float | None = None
    steps: tuple[Text, ...]
    thresholds: tuple[Threshold, ...] = ()
    no_thresholds: Text | None = None


class AskedAgain(Record):
    """An endpoint that was asked again for vectors that are kept: is it still the model of the decision?

    Attributes:
        since: day of the decision, whose vectors these are compared with.
        texts: asked for again.
        cosine, lowest: of the new vectors with the kept ones, mean and lowest; None where their length is another.
        changed: they differ by more than arithmetic explains.
        tokens: that the endpoint counted; None where it counts none.
        usd: of them; None where no price is known.
        loss: the queries as they are embedded today, among the documents as they were stored, against both as they
            were: what a search does whose collection was filled before. None where nothing changed, or it cannot be
            told.
    """

    spec: str
    host: str
    since: dt.date
    texts: int
    cosine: float | None
    lowest: float | None
    changed: bool
    tokens: int | None = None
    usd: float | None = None
    loss: Rescored | None = None


class PlannedAsking(Record):
    """Texts that an endpoint would be asked for again, at most.

    Attributes:
        sends_text_to: its host.
        requests: texts; several go in one request.
        tokens: estimated.
        usd: of them; None where no price is known.
        price: what a million tokens cost, on which day, by which source.
    """

    spec: str
    sends_text_to: str
    requests: int
    tokens: int
    usd: float | None = None
    price: Text | None = None


class RecheckPlan(Record):
    """What a recheck would do, to be agreed to before it does; nothing was measured or sent.

    Attributes:
        asked_again: of endpoints in use, a sample of texts whose vectors are kept.
        measured: candidates that would be measured; what was measured on this data before costs nothing again.
        not_measured: why nothing would be.
        webhook: host that would be told of an alert.
    """

    decision: str
    incumbent: str
    new_models: tuple[str, ...] = ()
    asked_again: tuple[PlannedAsking, ...] = ()
    measured: Plan | None = None
    not_measured: Text | None = None
    webhook: str | None = None


class Recheck(Record):
    """One look at a decision.

    Attributes:
        decision: the run that decided; `incumbent` is the candidate in use.
        last: the check before this one.
        catalog: day on which the catalog was built.
        models_skipped, drift_skipped, measuring_skipped: why that was not looked at; None where it was.
        asked_again: endpoints of the candidate in use, asked again for vectors that are kept.
        incumbent_change: today against the decision.
        challengers: against the incumbent, today.
        failed: exit code of what kept the candidate in use from being measured, though that was asked for.
        alert: what beats the margin, or what changed under its name, a sentence each; empty: stay.
    """

    version: Literal[1] = 1
    run_id: str
    created: dt.datetime
    decision: str
    decided: dt.date
    incumbent: str
    metric: str
    margin: float
    dataset: str | None = None
    last: str | None = None
    catalog: dt.date
    new_models: tuple[NewModel, ...] = ()
    new_in_catalog: int = 0
    models_skipped: Text | None = None
    drift: DataDrift | None = None
    drift_skipped: Text | None = None
    asked_again: tuple[AskedAgain, ...] = ()
    incumbent_change: Rescored | None = None
    challengers: tuple[Rescored, ...] = ()
    measuring_skipped: Text | None = None
    evaluation: str | None = None
    migration: Migration | None = None
    failed: int | None = None
    alert: tuple[Text, ...] = ()
