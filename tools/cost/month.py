"""A month's arithmetic for one candidate: machines, tokens, disk, and what is embedded again."""

from __future__ import annotations

import math
from dataclasses import dataclass

from knowledge.results.cost import Volume
from tools.cost.holding import Choice, hold, shares_machines
from tools.cost.known import Known
from tools.cost.texts import Kind

HOURS = 730.0
SECONDS = HOURS * 3600
MONTHS = 12


@dataclass(frozen=True)
class Month:
    """What a candidate takes in a month; money is None where a machine's price or a speed is not known.

    Machines are None where a load test found that none like it holds the latency that is asked for.
    """

    choice: Choice
    machines: int | None
    for_queries: int
    machines_usd: float | None
    disk_usd: float
    tokens_usd: float
    changed_usd: float | None
    reembed_usd: float | None

    @property
    def usd(self) -> float | None:
        """All of it; None where a part is not known."""
        parts = (self.machines_usd, self.disk_usd, self.tokens_usd, self.changed_usd, self.reembed_usd)
        known = [part for part in parts if part is not None]
        return sum(known) if len(known) == len(parts) else None


def embed_hours(known: Known, documents: float) -> float | None:
    """Hours of one machine to embed so many documents; None for an API and where its speed is not known."""
    rate = known.documents_per_second
    return documents / rate / 3600 if rate else None


def embed_usd(known: Known, documents: float, volume: Volume) -> float | None:
    """What that costs: tokens, or hours of a machine that runs for it alone."""
    if known.hosting == "api":
        price = known.usd_per_million_tokens
        return None if price is None else documents * _tokens(known, volume, "document") * price / 1e6
    hours = embed_hours(known, documents)
    return None if hours is None or volume.machine_usd_per_hour is None else hours * volume.machine_usd_per_hour


def _tokens(known: Known, volume: Volume, kind: Kind) -> float:
    """Of a mean text, as its own tokenizer counts; else as the volume has it."""
    if kind in known.tokens:
        return known.tokens[kind].mean
    return volume.document_tokens if kind == "document" else volume.query_tokens


def month(known: Known, volume: Volume) -> Month:
    """The month of a candidate at a volume."""
    choice = hold(known, volume.documents, volume)
    mean = volume.queries_per_month / SECONDS
    rate = known.rate.per_second
    for_queries = math.ceil(mean * volume.peak / rate) if rate else 0
    together = shares_machines(known, volume)
    machines: int | None = (
        max(choice.chosen.machines, for_queries) if together else choice.chosen.machines + max(1, for_queries)
    )
    if known.rate.missed_p95_ms is not None:
        machines = None
    price = volume.machine_usd_per_hour
    tokens = volume.queries_per_month * _tokens(known, volume, "query") / 1e6 * (known.usd_per_million_tokens or 0.0)
    all_once = embed_usd(known, volume.documents, volume)
    return Month(
        choice=choice,
        machines=machines,
        for_queries=for_queries,
        machines_usd=None if price is None or machines is None else machines * price * HOURS,
        disk_usd=choice.chosen.disk_gb * volume.replicas * volume.disk_usd_per_gb_month,
        tokens_usd=tokens,
        changed_usd=None if all_once is None else all_once * volume.changed_per_month,
        reembed_usd=None if all_once is None else all_once * volume.reembeddings_per_year / MONTHS,
    )
