"""What each stage finds, in flow order. Times are in seconds unless the name says otherwise; scores run from 0 to 1."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from pydantic import BaseModel, ConfigDict

from knowledge.model_card import Modality
from knowledge.requirements import Requirements
from knowledge.wording import Text


class Record(BaseModel):
    """Base of all results: immutable, and strict about its fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


# ---------------------------------------------------------------- evidence


class Evidence(Record):
    """One figure that an answer may cite.

    Attributes:
        id: short and unique within its report, such as ``E7``.
        kind: published (a benchmark's figure), measured (by a run of ours), or computed (from other evidence).
        source: publication or method; with `date`, enough to find the figure again.
        run_id: the run that measured it.
        computed_from: ids of the evidence it was computed from.
    """

    id: str
    kind: Literal["published", "measured", "computed"]
    about: str
    what: Text
    value: float
    unit: str = ""
    source: Text
    date: dt.date | None = None
    run_id: str | None = None
    computed_from: tuple[str, ...] = ()


class Interval(Record):
    """A figure with its interval (95 % unless `level` says otherwise)."""

    mean: float
    low: float
    high: float
    level: float = 0.95


# ---------------------------------------------------------------- data


class Lengths(Record):
    """Lengths in tokens as this program estimates them (see ``tools/profile.py``)."""

    mean: float
    p50: float
    p95: float
    max: int


class DatasetSummary(Record):
    """What a dataset holds and what was done to read it.

    Attributes:
        columns: role -> column it was read from (see ``tools/datasets/columns.py``).
        skipped: lines, rows and files left out because something was wrong with them; `problems` counts them by kind.
        notes: how it was read where that is not plain: an encoding that was guessed, columns that nothing is read from.
    """

    name: str
    path: str
    hash: str
    format: str
    documents: int
    queries: int
    judgments: int
    columns: dict[str, str] = {}
    skipped: int = 0
    problems: dict[str, int] = {}
    labels: Literal["gold", "silver", "none"] = "none"
    label_origin: Text | None = None
    notes: tuple[Text, ...] = ()


class DataProfile(Record):
    """What the user's data is like. Shares run from 0 to 1."""

    dataset: DatasetSummary
    modality: Modality = "text"
    languages: dict[str, float] = {}
    query_languages: dict[str, float] = {}
    document_tokens: Lengths | None = None
    query_tokens: Lengths | None = None
    duplicate_share: float = 0.0
    word_overlap: float | None = None
    pii_share: float = 0.0
    warnings: tuple[Text, ...] = ()


# ---------------------------------------------------------------- shortlist


class Figure(Record):
    """One published score (0 to 1; correlations may be negative), as the benchmark reports it.

    Attributes:
        trained: the model's card says that it was trained on the task, or on a near-duplicate of it.
        suspect: stands out so far that it may be a mistake.
    """

    task: str
    language: str
    metric: str
    score: float
    trained: bool = False
    suspect: bool = False


class Prediction(Record):
    """Expected score on the user's task, with an interval (80 %) and the figures it rests on."""

    mean: float
    low: float
    high: float
    level: float = 0.8
    metric: str = "nDCG@10"
    tasks_in_language: int = 0
    tasks_in_all: int = 0


class Pick(Record):
    """A model kept, with the spec that would build it (None: no backend here builds it).

    Attributes:
        reasons: the most telling first.
        figures: the published scores that tell most about the user's task.
    """

    spec: str | None
    model: str
    predicted: Prediction
    reasons: tuple[Text, ...] = ()
    unknown: tuple[Text, ...] = ()
    figures: tuple[Figure, ...] = ()


class Rejection(Record):
    """A model left out, by the constraint that did it."""

    model: str
    constraint: str
    reason: Text


class Shortlist(Record):
    """The models kept, best prediction first, and each model rejected with its reason.

    Attributes:
        beside: what to measure with them and takes none of their places: word matching, and the cheapest static model.
        considered: all models; each is kept, beside or rejected.
    """

    requirements: Requirements
    kept: tuple[Pick, ...]
    beside: tuple[Pick, ...] = ()
    rejected: tuple[Rejection, ...]
    considered: int
    notes: tuple[Text, ...] = ()


class Obstacle(Record):
    """A hard demand, and how many models it alone leaves out."""

    kind: str
    demand: Text
    excluded: int


class Admitted(Record):
    """A model that a relaxation would admit, with the facts that break the demands it gives up."""

    model: str
    predicted: Prediction
    breaks: tuple[Text, ...]


class Relaxation(Record):
    """One way to give up as few demands as possible: some of them, or as much of their numbers as it takes.

    Attributes:
        kinds: of the demands it changes.
        models: how many it would admit.
        best: of these, those run in the user's language first, then by prediction.
    """

    kinds: tuple[str, ...]
    how: Literal["drop", "loosen"]
    change: Text
    models: int
    best: tuple[Admitted, ...]


class Clash(Record):
    """Why no model is left: what each hard demand leaves out, which few already leave none, and what could give.

    Attributes:
        considered: models that could be on a list at all.
        together: kinds of the smallest set of demands that no model meets.
    """

    considered: int
    obstacles: tuple[Obstacle, ...]
    together: tuple[str, ...]
    relaxations: tuple[Relaxation, ...]


# ---------------------------------------------------------------- plan


class PlannedCandidate(Record):
    """A candidate to be measured, or the reason why it cannot be measured here."""

    spec: str
    model: str | None = None
    why: Text
    minutes: float = 0.0
    download_gb: float = 0.0
    usd: float = 0.0
    sends_text_to: str | None = None
    obstacle: Text | None = None


class Plan(Record):
    """What measuring would cost, to be agreed to before it starts."""

    candidates: tuple[PlannedCandidate, ...]
    not_measured: tuple[PlannedCandidate, ...] = ()
    documents: int
    queries: int

    @property
    def minutes(self) -> float:
        """All estimated minutes."""
        return sum(c.minutes for c in self.candidates)

    @property
    def download_gb(self) -> float:
        """All gigabytes to download."""
        return sum(c.download_gb for c in self.candidates)

    @property
    def usd(self) -> float:
        """All money, in US dollars."""
        return sum(c.usd for c in self.candidates)


class Consent(Record):
    """What the user has agreed to: measuring at all, downloads, and the hosts that may receive the texts."""

    measure: bool = False
    download: bool = False
    hosts: frozenset[str] = frozenset()


# ---------------------------------------------------------------- preflight


class Finding(Record):
    """What one check of an encoder found, before anything is encoded in earnest.

    Attributes:
        check: prompts, pooling, limits, truncation, parity, sanity, language, dimension, served, or run (it cannot be
            used).
        severity: "fails" makes the candidate's figures meaningless; "warns" makes them worse, or not what they seem;
            "notes" is good to know.
        figures: the evidence, by name.
    """

    check: str
    severity: Literal["fails", "warns", "notes"]
    finding: Text
    remedy: Text | None = None
    figures: dict[str, float] = {}


class Truncation(Record):
    """What a model does not read of the user's texts, by its own tokenizer, prompt and special tokens included.

    Attributes:
        sbert_limit: ``max_seq_length``, which sentence-transformers goes by.
        tokenizer_limit: ``model_max_length``.
        position_limit: positions the weights have.
        option_limit: what the candidate asks for (``max_tokens``).
        effective_limit: the smallest of these; None where nothing is ever cut, or nobody knows.
        counted: documents counted; all, or an evenly spread sample where that would take long.
        share_cut: of the documents, with its interval (of no width where all were counted).
        tokens_lost: share of the documents' tokens beyond the limit.
        queries_cut: share of the queries.
        unknown_tokens: share of the documents' tokens that the tokenizer has no entry for.
    """

    sbert_limit: int | None = None
    tokenizer_limit: int | None = None
    position_limit: int | None = None
    option_limit: int | None = None
    effective_limit: int | None = None
    documents: int
    counted: int
    share_cut: Interval
    tokens_lost: float
    longest: int
    queries_counted: int = 0
    queries_cut: float = 0.0
    unknown_tokens: float = 0.0


class Preflight(Record):
    """One encoder, looked at on a small sample of the user's data before the rest is encoded.

    Attributes:
        documents, queries: size of the sample; its vectors are kept, so that an evaluation does not make them again.
        extra_texts: texts encoded that an evaluation has no use for.
        tokens: read in all, where the encoder counts them (endpoints bill them).
        seconds: all of it, loading the model included.
    """

    spec: str
    findings: tuple[Finding, ...] = ()
    truncation: Truncation | None = None
    documents: int = 0
    queries: int = 0
    extra_texts: int = 0
    tokens: int | None = None
    seconds: float = 0.0

    @property
    def passed(self) -> bool:
        """Whether the candidate's figures would mean something."""
        return all(finding.severity != "fails" for finding in self.findings)


class RecallByCut(Record):
    """Recall of relevant documents that the model read whole, against those it read only the beginning of.

    Attributes:
        whole, cut: share of the (query, relevant document) pairs found; None where there is no such pair.
    """

    k: int
    whole: float | None
    cut: float | None
    whole_pairs: int
    cut_pairs: int


# ---------------------------------------------------------------- evaluation


class MeasuredCandidate(Record):
    """One candidate's quality on the user's data.

    Attributes:
        key: of the measurement in the run store, where its per-query scores are.
        metrics: name as ir-measures prints it -> mean over all judged queries.
        interval: of the primary metric, by bootstrap over queries.
        encode_seconds: spent on encoding in this run; texts found in the cache cost nothing.
        encoded_texts: texts encoded in this run after the preflight, whose sample comes from the cache.
        tokens: read by an endpoint for this measurement, its preflight included.
        search_seconds: for all queries, as one batch.
        unjudged: share of the first ten documents that nobody judged (hole@10), mean over queries.
        condensed: the primary metric on judged documents only.
        recall_by_cut: recall of documents read whole against those read in part; None where none is cut, or for
            fusions.
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
    tokens: int | None = None
    usd: float | None = None
    unjudged: float | None = None
    condensed: float | None = None
    recall_by_cut: RecallByCut | None = None
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
        notes: what was done to queries, documents and labels before anything was scored, with counts.
        warnings: why the order of the candidates may be another than the figures say.
        same_queries: ids of queries with the same text; tests take them for one.
        preflight: what was found of each encoder before anything was encoded in earnest.
    """

    run_id: str
    started: dt.datetime
    dataset: DatasetSummary
    primary: str = "nDCG@10"
    candidates: tuple[MeasuredCandidate, ...]
    failed: tuple[FailedCandidate, ...] = ()
    store: str
    judged_queries: int
    notes: tuple[Text, ...] = ()
    warnings: tuple[Text, ...] = ()
    same_queries: tuple[tuple[str, ...], ...] = ()
    preflight: tuple[Preflight, ...] = ()


# ---------------------------------------------------------------- adaptive evaluation


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


# ---------------------------------------------------------------- benchmark


class Hardware(Record):
    """The machine a benchmark ran on."""

    cpu: str
    cores: int
    memory_gb: float
    gpus: tuple[str, ...] = ()
    platform: str = ""


class SpeedOfCandidate(Record):
    """What one candidate costs on this hardware, measured in a process of its own.

    Attributes:
        query_p50_ms, query_p95_ms, query_p99_ms: one query at a time, from text to ranked ids, the search being an
            exact scan in memory (so the encoder and the number of vectors count, not an index).
        encode_p50_ms, encode_p95_ms: the encoding part of it.
        documents_per_second: at `best_batch`, on a sample of the user's documents.
        peak_memory_mb: of the process, model and libraries included.
        bytes_per_vector: as stored in float32; for a sparse leg, index bytes per document.
        noise: median of the slowest round of queries over that of the quietest, which is the one reported; about 1 on
            an idle machine.
    """

    spec: str
    load_seconds: float
    query_p50_ms: float
    query_p95_ms: float
    query_p99_ms: float
    encode_p50_ms: float | None = None
    encode_p95_ms: float | None = None
    documents_per_second: float
    best_batch: int | None = None
    peak_memory_mb: float
    bytes_per_vector: float
    repeats: int
    noise: float = 1.0
    usd_per_million_tokens: float | None = None


class Benchmark(Record):
    """Measured speed, memory and size of candidates on this machine."""

    run_id: str
    started: dt.datetime
    hardware: Hardware
    candidates: tuple[SpeedOfCandidate, ...]
    failed: tuple[FailedCandidate, ...] = ()
    documents: int
    queries: int


# ---------------------------------------------------------------- recommendation


class Row(Record):
    """One candidate in the recommendation's table; `cites` maps a column to its evidence id.

    Attributes:
        standing: "alone" is the only candidate that was measured: it has won against nobody.
    """

    spec: str
    standing: Literal["winner", "alone", "tied", "undecided", "worse", "excluded"]
    quality: Interval
    difference: Interval | None = None
    p_different: float | None = None
    metrics: dict[str, float] = {}
    query_p95_ms: float | None = None
    documents_per_second: float | None = None
    peak_memory_mb: float | None = None
    bytes_per_vector: float | None = None
    usd_per_million_tokens: float | None = None
    on_pareto_front: bool = False
    excluded_by: Text | None = None
    cites: dict[str, str] = {}


class Recommendation(Record):
    """The decision, with every figure traceable through `evidence`.

    Attributes:
        winner: the cheapest candidate not measurably worse than the best by more than the margin.
        best: the candidate with the highest measured quality.
        tied: the other candidates shown to be no worse than the best by more than the margin.
        undecided: candidates the sample is too small to tell apart.
        confidence: how sure, in words that follow from the tests.
        cites: evidence ids of what stands in no row: ``predicted/MODEL``, ``data/FIELD``, ``plan/FIELD/SPEC``, and
            ``screening/FIELD/SPEC``.
    """

    version: Literal[1] = 1
    run_id: str
    created: dt.datetime
    measured: bool
    winner: str | None
    best: str | None
    tied: tuple[str, ...] = ()
    undecided: tuple[str, ...] = ()
    runner_up: str | None = None
    headline: Text
    reasons: tuple[Text, ...]
    confidence: Text
    rows: tuple[Row, ...]
    evidence: tuple[Evidence, ...]
    not_measured: tuple[Text, ...]
    what_would_change_it: tuple[Text, ...]
    next_steps: tuple[Text, ...] = ()
    primary: str = "nDCG@10"
    margin: float
    cites: dict[str, str] = {}


# ---------------------------------------------------------------- a closer look


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


class Report(Record):
    """Everything a rendered report is made of; this is what ``report.json`` holds.

    Attributes:
        slices: quality on parts of the queries; None where nothing was measured, or the queries are too few.
        head_to_head: the winner and its nearest rival, query by query.
    """

    schema_version: Literal[1] = 1
    requirements: Requirements
    profile: DataProfile | None = None
    shortlist: Shortlist
    plan: Plan | None = None
    screening: Screening | None = None
    evaluation: Evaluation | None = None
    comparisons: tuple[Comparison, ...] = ()
    benchmark: Benchmark | None = None
    recommendation: Recommendation
    slices: Slices | None = None
    head_to_head: HeadToHead | None = None
    reproduce: str
    made_by: str
