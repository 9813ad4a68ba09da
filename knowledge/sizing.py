"""Rules and list prices that sizes and costs are computed with (``knowledge/data/sizing.json``), with their sources."""

from __future__ import annotations

import datetime as dt
import json
from functools import cache
from importlib.resources import files

from pydantic import BaseModel, ConfigDict

from knowledge.wording import Text, say


class _Fact(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SizingSource(_Fact):
    """Where a figure comes from; `date`: when it was looked up, or held."""

    title: str
    url: str | None = None
    date: dt.date
    note: str = ""

    @property
    def cited(self) -> Text:
        """The source in a sentence."""
        return say("{title}, {date}", title=self.title, date=self.date.isoformat())


class Figure(_Fact):
    """One number of a rule."""

    value: float
    source: str


class DiskAnn(_Fact):
    """Milvus's defaults: what of the raw vectors stays in memory as codes and as cache, and links of the graph."""

    code_share: float
    cache_share: float
    links: int
    bytes_per_link: int
    source: str

    @property
    def memory_share(self) -> float:
        """Of the raw vectors, in memory."""
        return self.code_share + self.cache_share


class ListedMachine(_Fact):
    """A machine with its list price; `memory_gb` as marketed (2^30 bytes)."""

    name: str
    cores: int
    memory_gb: float
    gpu: str | None
    usd_per_hour: float
    source: str


class GrowthPoint(_Fact):
    """One index as it was measured: vectors, seconds to build it, milliseconds of one query on one core."""

    vectors: int
    build_seconds: float
    search_ms: float


class Growth(_Fact):
    """How indexes grew in a measurement of ours: by kind, at one dimension, built on so many cores."""

    dimension: int
    cores: int
    kinds: dict[str, tuple[GrowthPoint, ...]]
    source: str


class Sizing(_Fact):
    """All of them."""

    sources: dict[str, SizingSource]
    diskann: DiskAnn
    memory_share: Figure
    lite_vectors: Figure
    standalone_vectors: Figure
    disk_usd_per_gb_month: Figure
    machines: tuple[ListedMachine, ...]
    growth: Growth | None = None

    def source(self, of: Figure | DiskAnn | ListedMachine | Growth) -> SizingSource:
        """Where a figure comes from."""
        return self.sources[of.source]

    def machine_like(self, cores: int, memory_gb: float, gpus: tuple[str, ...] = ()) -> ListedMachine | None:
        """The cheapest listed machine that has as much; of machines with a GPU the ones with the very same.

        Args:
            cores: as the system counts them.
            memory_gb: in units of 2^30 bytes; a machine shows a little less than what is sold.
            gpus: names as the driver tells them; more than one is nothing of what is listed.
        """
        if len(gpus) > 1:
            return None
        fitting = [
            one
            for one in self.machines
            if one.cores >= cores and one.memory_gb >= memory_gb and _same_gpu(one.gpu, next(iter(gpus), None))
        ]
        return min(fitting, key=lambda one: one.usd_per_hour, default=None)


def _same_gpu(listed: str | None, has: str | None) -> bool:
    return (listed is None and has is None) or (listed is not None and has is not None and listed in has.split())


@cache
def sizing() -> Sizing:
    """The rules that come with the program."""
    raw = json.loads((files("knowledge") / "data" / "sizing.json").read_text("utf-8"))
    return Sizing.model_validate({k: v for k, v in raw.items() if k not in ("format", "version")})
