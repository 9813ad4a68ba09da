"""Figures of the server itself, in Prometheus' form: counts and times, and nothing of what anybody says."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class Metrics:
    """The figures of one application; `jobs` counts its jobs by state."""

    def __init__(self, jobs: Callable[[], dict[str, int]]) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "advisor_requests", "Requests answered.", ("method", "route", "status"), registry=self._registry
        )
        self._seconds = Histogram(
            "advisor_request_seconds",
            "From a request until its answer begins.",
            ("route",),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._refused = Counter("advisor_refused", "Requests refused at the door.", ("why",), registry=self._registry)
        self._turns = Gauge("advisor_turns_running", "Messages being answered.", registry=self._registry)
        self._ended = Counter("advisor_jobs_ended", "Jobs ended here.", ("kind", "state"), registry=self._registry)
        self._hooks = Counter("advisor_webhooks", "Tries to tell a job's end.", ("outcome",), registry=self._registry)
        self._registry.register(_Jobs(jobs))
        ProcessCollector(registry=self._registry)

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """A request was answered; `route` is its pattern, so that nobody's names become labels."""
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def refused(self, why: str) -> None:
        """A request was refused before it reached a route."""
        self._refused.labels(why).inc()

    def turns(self, running: int) -> None:
        """So many messages are being answered."""
        self._turns.set(running)

    def job_ended(self, kind: str, state: str) -> None:
        """A job ended."""
        self._ended.labels(kind, state).inc()

    def hook(self, outcome: str) -> None:
        """A job's end was told, or not."""
        self._hooks.labels(outcome).inc()

    def text(self) -> bytes:
        """All of it."""
        return generate_latest(self._registry)


class _Jobs(Collector):
    """Counted when somebody asks."""

    def __init__(self, counts: Callable[[], dict[str, int]]) -> None:
        self._counts = counts

    def collect(self) -> Iterable[Metric]:
        family = GaugeMetricFamily("advisor_jobs", "Jobs by state.", labels=["state"])
        for state, count in sorted(self._counts().items()):
            family.add_metric([state], count)
        yield family

    def describe(self) -> Iterable[Metric]:  # not asked at the start, when the store may not be there
        return ()
