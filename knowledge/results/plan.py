"""What measuring would cost, and what the user agrees to."""

from __future__ import annotations

from typing import Literal

from knowledge.results.base import Record
from knowledge.wording import Text, say

#: why a candidate is measured that the user named
NAMED = say("you named it")


class PlannedCandidate(Record):
    """A candidate to be measured, or the reason why it cannot be measured here; `notes`: what to know before."""

    spec: str
    model: str | None = None
    why: Text
    minutes: float = 0.0
    download_gb: float = 0.0
    usd: float = 0.0
    sends_text_to: str | None = None
    obstacle: Text | None = None
    notes: tuple[Text, ...] = ()


class Plan(Record):
    """What measuring would cost, to be agreed to before it starts.

    Attributes:
        queries: texts or pairs to judge by, where `task` is no ranking.
        silver: with queries that this program made.
        load_minutes: for load tests of those that tie in the end, at most; counted in `minutes`.
        hard_cases: whether minutes and money have what hard cases take at most: altered facts, queries with mistakes.
    """

    candidates: tuple[PlannedCandidate, ...]
    not_measured: tuple[PlannedCandidate, ...] = ()
    documents: int
    queries: int
    silver: bool = False
    hard_cases: bool = False
    load_minutes: float = 0.0
    task: Literal["ranking", "classification", "clustering", "similarity", "deduplication", "bitext"] = "ranking"

    @property
    def is_named(self) -> bool:
        """Whether the user named all candidates, so that nothing of a shortlist was wanted."""
        return bool(self.candidates) and all(c.why == NAMED for c in self.candidates)

    @property
    def minutes(self) -> float:
        """All estimated minutes."""
        return sum(c.minutes for c in self.candidates) + self.load_minutes

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
