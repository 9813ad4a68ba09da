"""Figures that answers cite, and figures with their interval."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from knowledge.results.base import Record
from knowledge.wording import Text


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
