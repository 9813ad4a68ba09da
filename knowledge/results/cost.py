"""What candidates cost and how large they grow. Money is in US dollars, sizes in GB of 10^9 bytes, times in hours."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from knowledge.results.base import Record
from knowledge.results.evidence import Evidence
from knowledge.wording import Text

Origin = Literal["stated", "measured", "published", "assumed"]
Hosting = Literal["own", "api"]
#: how tokens are known: as the user said, as an endpoint reported them, by the model's tokenizer, by a rule, or not
Counted = Literal["stated", "reported", "counted", "estimated", "assumed"]
#: how vectors are held: by the set-up that was measured, or by an index of Milvus over the whole float32 vectors
HoldingKind = Literal["measured", "hnsw", "ivf_sq8", "diskann"]
#: how it is known what one machine answers: by a load test, by the time of one query alone, by the model's size
RateBasis = Literal["load", "alone", "size"]
#: what a number of vectors takes: Milvus on one machine, the same with vectors in fewer bits or on disk, or a cluster
Need = Literal["one machine", "quantised", "disk", "cluster"]


class Volume(Record):
    """How much is searched and asked, and what machines and disks cost; where each comes from is an `Assumption`.

    Attributes:
        queries_per_month: searches; each is embedded once.
        document_tokens, query_tokens: mean of a text, which decides what an API bills.
        replicas: copies of the index that are searched.
        changed_per_month: share of the documents that is new or changed and so embedded again each month.
        reembeddings_per_year: how often everything is embedded anew, as for a new model.
        peak: queries in the busiest second over those of the mean second.
        machine_usd_per_hour: of one machine as the one measured; None: not known, so nothing of one's own has a price.
        machine_memory_gb: of that machine.
        disk_usd_per_gb_month: of a fast disk.
    """

    documents: int
    queries_per_month: float
    document_tokens: float
    query_tokens: float
    replicas: int = 1
    changed_per_month: float = 0.0
    reembeddings_per_year: float = 1.0
    peak: float = 4.0
    machine_usd_per_hour: float | None = None
    machine_memory_gb: float
    disk_usd_per_gb_month: float = 0.0


class Assumption(Record):
    """One thing that the figures rest on, with where it comes from."""

    key: str
    what: Text
    value: float | None = None
    unit: str = ""
    origin: Origin
    because: Text


class TokenCount(Record):
    """Mean tokens of a text of one kind, as a model's API bills them.

    Attributes:
        because: how they are known, in words: which tokenizer, over how many texts.
        exact: what would make it exact; None where it is.
    """

    mean: float
    how: Counted
    because: Text
    exact: Text | None = None


class Holding(Record):
    """One way to hold an index: memory and disk of one copy, and the machines for all copies."""

    kind: HoldingKind
    memory_gb: float
    disk_gb: float
    machines: int


class Size(Record):
    """A candidate at one number of documents; `cites` maps a field to its evidence id.

    Attributes:
        embed_hours: to embed all once on one machine as the one measured; None for an API, or where nothing is known.
        embed_usd: of that, or of the tokens; None where it has no price.
        holdings: all ways that are possible, the plainest first.
        chosen: the first of them that one machine can hold, else the one that takes the fewest machines.
        why: the rule that says so, with its source.
        build_hours: to build the index anew on one machine; None where no growth is on record for its kind.
        search_ms: of one query in that index, without its embedding; likewise.
    """

    documents: int
    embed_hours: float | None = None
    embed_usd: float | None = None
    holdings: tuple[Holding, ...]
    chosen: HoldingKind
    need: Need
    why: Text
    build_hours: float | None = None
    search_ms: float | None = None
    cites: dict[str, str] = {}

    @property
    def holding(self) -> Holding:
        """The chosen one."""
        return next(one for one in self.holdings if one.kind == self.chosen)


class CostOfCandidate(Record):
    """What one candidate costs at a volume; `cites` maps a field to its evidence id.

    Attributes:
        measured: whether its speed and size were; else they follow from published facts.
        quality: the primary metric's mean, where it was measured.
        queries_per_second: that one machine answers, one query after the other or as a load test found; None for an API
            and where it is not known.
        rate_by: how that is known.
        missed_p95_ms: the p95 that no rate kept in a load test: no number of such machines does, so neither they nor a
            month are given.
        machines: for queries and index together; those for either alone are beside it.
        changed_usd_per_month: for embedding what is new or changed.
        reembed_usd_per_month: a month's share of embedding everything anew.
        tokens: of an API, of a "document" and a "query"; empty for one's own machines.
        usd_per_month: all of a month; None where a machine's price is not known.
        at: the size at this volume; `sizes`: at larger ones.
        limits: documents that one machine holds, by kind of index.
    """

    spec: str
    model: str | None = None
    hosting: Hosting
    measured: bool
    quality: float | None = None
    usd_per_million_tokens: float | None = None
    tokens: dict[str, TokenCount] = {}
    documents_per_second: float | None = None
    queries_per_second: float | None = None
    rate_by: RateBasis | None = None
    missed_p95_ms: float | None = None
    machines: int | None
    machines_for_queries: int
    machines_for_index: int
    machines_usd_per_month: float | None
    disk_usd_per_month: float
    query_tokens_usd_per_month: float
    changed_usd_per_month: float | None
    reembed_usd_per_month: float | None
    usd_per_month: float | None
    at: Size
    sizes: tuple[Size, ...] = ()
    limits: dict[HoldingKind, int] = {}
    cites: dict[str, str] = {}


class CostPoint(Record):
    """A month's cost of both at one number of queries a month, or documents."""

    x: float
    own_usd: float
    api_usd: float


class Crossing(Record):
    """Where the cheaper of the two changes."""

    x: float
    cheaper_beyond: Hosting


class BreakEven(Record):
    """One's own machines against an API, over a range of volumes, all else as in the `Volume`.

    Attributes:
        points: for a drawing; own machines come in whole numbers, so their line has steps.
        crossings: every place in the range where the cheaper one changes, ascending.
        cheaper_now: at the volume as it is.
        equal_usd_per_hour: price of a machine at which both cost the same now; None where there is none above zero.
    """

    own: str
    api: str
    over: Literal["queries_per_month", "documents"]
    points: tuple[CostPoint, ...]
    crossings: tuple[Crossing, ...] = ()
    cheaper_now: Hosting
    equal_usd_per_hour: float | None = None
    cites: dict[str, str] = {}


class PerPoint(Record):
    """What the better of two costs more.

    Attributes:
        points: hundredths of the primary metric by which it is better.
        usd_per_month: by which it is dearer; negative: cheaper as well.
        usd_per_point: a month, for each point; None where it is not dearer.
    """

    better: str
    other: str
    points: float
    usd_per_month: float
    usd_per_point: float | None = None
    cites: dict[str, str] = {}


class Costs(Record):
    """What candidates cost at a volume, how that grows, and where an API is cheaper.

    Attributes:
        run_id: the benchmark whose figures it rests on; None: on published facts alone.
        assumptions: all that is not measured or published, and what is, each with its origin.
        candidates: the recommended one first.
        not_counted: what such a calculation leaves out.
    """

    version: Literal[1] = 1
    computed: dt.datetime
    run_id: str | None = None
    measured: bool
    primary: str = "nDCG@10"
    volume: Volume
    assumptions: tuple[Assumption, ...]
    candidates: tuple[CostOfCandidate, ...]
    break_even: tuple[BreakEven, ...] = ()
    per_point: tuple[PerPoint, ...] = ()
    not_counted: tuple[Text, ...] = ()
    evidence: tuple[Evidence, ...] = ()

    def uncited(self) -> Costs:
        """The same without ids of evidence, for figures that stand in no report."""
        bare: dict[str, dict[str, str]] = {"cites": {}}
        return self.model_copy(
            update={
                "candidates": tuple(
                    one.model_copy(update=bare | {"at": one.at.model_copy(update=bare)}) for one in self.candidates
                ),
                "break_even": tuple(one.model_copy(update=bare) for one in self.break_even),
                "per_point": tuple(one.model_copy(update=bare) for one in self.per_point),
            }
        )

    def candidate(self, spec: str | None) -> CostOfCandidate | None:
        """A candidate's cost by its spec."""
        return next((one for one in self.candidates if one.spec == spec), None)
