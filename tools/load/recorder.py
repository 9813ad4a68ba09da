"""What happened to the requests of one step, counted as they end."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

from knowledge.results.load import Latency

if TYPE_CHECKING:
    from hdrh.histogram import HdrHistogram

#: values are kept in microseconds, from 1 to an hour, to three significant digits
_LOWEST, _HIGHEST, _DIGITS = 1, 3_600_000_000, 3
#: failures without any answer after which a step ends
_HOPELESS = 50


class Timings:
    """Durations in an HdrHistogram: memory does not grow with their number, and the tail keeps its digits."""

    def __init__(self) -> None:
        from hdrh.histogram import HdrHistogram

        self._values: HdrHistogram = HdrHistogram(_LOWEST, _HIGHEST, _DIGITS)

    def add(self, seconds: float) -> None:
        """Count one duration; anything under a microsecond counts as one, over an hour as an hour."""
        self._values.record_value(min(max(round(seconds * 1e6), _LOWEST), _HIGHEST))

    def latency(self) -> Latency | None:
        """The percentiles; None of nothing."""
        found, count = self._values, self._values.total_count
        if not count:
            return None
        # the smallest value that so many do not exceed: the library rounds to the nearest rank, which may be one lower
        ranks = (math.ceil(count * thousandths / 1000) for thousandths in (500, 950, 990, 999))
        p50, p95, p99, p999 = (found.get_value_at_percentile(100 * rank / count) / 1000 for rank in ranks)
        return Latency(
            count=count,
            p50_ms=p50,
            p95_ms=p95,
            p99_ms=p99,
            p999_ms=p999,
            max_ms=found.get_max_value() / 1000,
        )

    def encoded(self) -> str:
        """All of it, as HdrHistogram writes itself: V2, compressed, base64; empty of nothing."""
        return self._values.encode().decode("ascii") if self._values.total_count else ""


class Recorder:
    """Counts of one step. Times are those of the event loop's clock, in seconds.

    Attributes:
        requests: that were due.
        answered: of these, in time and without error.
        waiting: of these, sent and neither answered nor given up yet.
        errors: kind -> how many.
        example: the words of the first failure, by its kind.
    """

    def __init__(self) -> None:
        self.requests = self.answered = self.waiting = self.timeouts = self.dropped = 0
        self.errors: Counter[str] = Counter()
        self.example: tuple[str, Exception] | None = None
        self.first_due = self.last_due = self.first_done = self.last_done = 0.0
        self._latency, self._lateness = Timings(), Timings()
        self._parts: dict[str, Timings] = {}

    def due(self, when: float) -> None:
        """A request is due."""
        self.first_due = when if not self.requests else self.first_due
        self.last_due = when
        self.requests += 1

    def began(self, lateness: float) -> None:
        """A request is sent, so many seconds after it was due."""
        self._lateness.add(lateness)

    def done(self, due: float, now: float, parts: Mapping[str, float]) -> None:
        """A request that was due then is answered; `parts` are milliseconds."""
        self.first_done = now if not self.answered else self.first_done
        self.last_done = now
        self.answered += 1
        self._latency.add(now - due)
        for name, took in parts.items():
            if name not in self._parts:
                self._parts[name] = Timings()
            self._parts[name].add(took / 1000)

    def failed(self, kind: str, error: Exception) -> None:
        """A request failed."""
        self.errors[kind] += 1
        self.example = self.example or (kind, error)

    @property
    def hopeless(self) -> bool:
        """Whether so many failed and none was answered that nothing more is to be learned."""
        return not self.answered and self.errors.total() + self.timeouts >= _HOPELESS

    @property
    def offered(self) -> float:
        """Requests a second, over the time between the first and the last that were due."""
        return _rate(self.requests, self.first_due, self.last_due)

    @property
    def answered_a_second(self) -> float:
        """Answers a second, over the time between the first and the last answer.

        Not from the first request on: of a step of few seconds, one slow answer at its end would look like a target
        that cannot keep up. One that cannot spreads its answers over more time than the requests took to come.
        """
        return _rate(self.answered, self.first_done, self.last_done)

    def latency(self) -> Latency | None:
        """Of answered requests."""
        return self._latency.latency()

    def histogram(self) -> str:
        """Of answered requests, all of them (see `Timings.encoded`)."""
        return self._latency.encoded()

    def lateness(self) -> Latency | None:
        """Of the generator itself."""
        return self._lateness.latency()

    def parts(self) -> dict[str, Latency]:
        """Of the target's own parts."""
        return {name: found for name, timings in self._parts.items() if (found := timings.latency())}


def _rate(count: int, first: float, last: float) -> float:
    return (count - 1) / (last - first) if count > 1 and last > first else 0.0
