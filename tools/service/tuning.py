"""The settings that serve one candidate best: one factor after another, each from the best so far."""

from __future__ import annotations

import asyncio
import datetime as dt
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace

from knowledge.candidate import Candidate, Fusion, Leg, parse_candidate
from knowledge.dataset import Dataset
from knowledge.errors import AdvisorError
from knowledge.progress import Meter, OnProgress, ignore
from knowledge.results.load import Goal, Limits
from knowledge.results.service import Factor, ServiceSettings, Tuning, TuningStep
from knowledge.wording import Text, say
from tools.fast import options_here
from tools.hardware import usable_cores
from tools.load.steps import Course
from tools.load.sweep import run_load
from tools.load.texts import texts_of
from tools.run_store import keep_run, new_run_id
from tools.service.client import Service
from tools.service.settings import Settings
from tools.service.stage import at_rest, searched_of
from tools.service.start import serving
from tools.workspace import Workspace

#: documents in the index: enough for its cost, few enough to encode anew in each precision
DOCUMENTS = 300
#: seconds of load for each setting, and for all of them unless the caller says otherwise
EACH_SECONDS, STEP_SECONDS, SECONDS = 10.0, 1.0, 240.0
MAX_BATCHES = (1, 4, 16, 64)
MAX_WAITS_MS = (0.0, 2.0, 8.0)
#: two figures nearer to each other than this are the noise of short tests: the setting that came first stays
BETTER, WORSE = 1.08, 0.9
FACTORS: tuple[Factor, ...] = ("way", "threads", "max_batch", "max_wait_ms")


@dataclass(frozen=True)
class _Point:
    """Where the search stands: a candidate in one way of running it, and settings."""

    candidate: Candidate
    settings: Settings


@dataclass
class _Search:
    """One factor after another, until the time is over; the first value that is clearly worse ends its direction."""

    measure: Callable[[_Point, Factor], TuningStep]
    until: float
    clock: Callable[[], float] = time.monotonic
    steps: list[TuningStep] = field(default_factory=list)
    best: int = 0
    not_tried: list[Factor] = field(default_factory=list)

    def run(self, start: _Point) -> _Point:
        """The best point found; the first step is where it starts."""
        self.steps.append(self.measure(start, "start"))
        here = start
        for factor in FACTORS:
            here = self._along(factor, here)
        return here

    def _along(self, factor: Factor, here: _Point) -> _Point:
        """The best value of one factor."""
        best, ended = here, set[bool]()
        for upwards, point in _others(factor, here):
            if upwards in ended:
                continue
            if self.clock() >= self.until:
                self.not_tried.append(factor)
                return best
            step = self.measure(point, factor)
            self.steps.append(step)
            before, now = self.steps[self.best].holds_qps or 0.0, step.holds_qps or 0.0
            if now > before * BETTER:
                self.best, best = len(self.steps) - 1, point
            elif factor in ("max_batch", "max_wait_ms") and now < before * WORSE:
                ended.add(upwards)
        return best


def _others(factor: Factor, here: _Point) -> Iterator[tuple[bool, _Point]]:
    """The other values of a factor, nearest first and upwards first; with each whether it is one upwards."""
    settings = here.settings
    if factor == "way":
        yield from ((True, _Point(candidate, settings)) for candidate in ways(here.candidate))
        return
    tried: dict[Factor, Sequence[float]] = {
        "threads": _threads(here.candidate),
        "max_batch": MAX_BATCHES,
        "max_wait_ms": MAX_WAITS_MS if settings.max_batch > 1 else (),  # a lone query waits for nobody
    }
    now = getattr(settings, factor) or 0
    for value in sorted(tried[factor], key=lambda value: (value < now, abs(value - now))):
        if value != now:
            yield value > now, _Point(here.candidate, settings.model_copy(update={factor: value}))


def most_settings(spec: str, settings: Settings) -> int:
    """How many settings `tune` tries at most from these, where no direction ends early."""
    start = _Point(parse_candidate(spec), settings)
    return 1 + sum(len(list(_others(factor, start))) for factor in FACTORS)


def ways(candidate: Candidate) -> list[Candidate]:
    """The candidate with its first encoder in each other backend and precision that this machine may run faster."""
    first = next((leg for leg in candidate.searched if leg.backend == "st"), None)
    return [] if first is None else [_with(candidate, first, other) for other in options_here(first)]


def _with(candidate: Candidate, leg: Leg, other: Leg) -> Candidate:
    """The candidate with one leg in place of another."""
    if isinstance(candidate, Leg):
        return other if candidate == leg else candidate
    if isinstance(candidate, Fusion):
        return candidate.model_copy(update={"parts": tuple(_with(part, leg, other) for part in candidate.parts)})
    return candidate.model_copy(update={"base": _with(candidate.base, leg, other)})


def _threads(candidate: Candidate) -> list[int]:
    """Numbers of threads worth a try; ONNX Runtime and OpenVINO see to their own."""
    torch = any(leg.backend not in ("bm25", "static") and "backend" not in leg.options for leg in candidate.legs)
    cores = usable_cores()
    return sorted({1, max(1, cores // 2), cores}) if torch and cores > 1 else []


def tune(
    spec: str,
    dataset: Dataset,
    workspace: Workspace,
    *,
    goal: Goal,
    settings: Settings | None = None,
    seconds: float = SECONDS,
    each_seconds: float = EACH_SECONDS,
    on_progress: OnProgress = ignore,
) -> Tuning:
    """Find the settings with which a candidate holds the highest rate at p95 under the goal.

    Backend and precision first, since they change most; then threads, batch, wait. A full grid would take
    the product of their values; this takes about their sum, and can miss a best that needs two changes at once.

    Args:
        spec: the candidate, as `tools.service.serving` takes it.
        dataset: its queries are asked; its first `DOCUMENTS` documents are searched.
        workspace: folders.
        goal: what counts as held.
        settings: where to start.
        seconds: no setting is begun after these.
        each_seconds: of load for each setting.
        on_progress: told after each setting.

    Ctrl-C ends it with the settings that were tried until then, as an `ended` tuning.

    Raises:
        AdvisorError: the candidate itself cannot be served.
        KeyboardInterrupt: before the first setting was measured.
    """
    started = dt.datetime.now(dt.UTC)
    origin, texts = texts_of(dataset)
    documents = searched_of(dataset, DOCUMENTS)
    limits = Limits(seconds=each_seconds, step_seconds=min(STEP_SECONDS, each_seconds / 6))
    meter = Meter("load", say("Settings tried"), 1 + len(FACTORS) * 2, on_progress)
    notes: dict[Text, None] = {}
    ended = False

    course = Course(goal=goal, limits=limits, repeats=1)
    with ExitStack() as until:
        bench = _Bench(texts, documents, workspace, until)

        def measure(point: _Point, factor: Factor) -> TuningStep:
            tried = {"spec": point.candidate.spec, "settings": ServiceSettings(**point.settings.model_dump())}
            try:
                service = bench.service(point)
                found = run_load(service, texts, course, origin=origin, pids=(service.pid,))
            except (AdvisorError, TimeoutError) as error:
                if factor == "start":
                    raise
                cause = error.cause if isinstance(error, AdvisorError) else say("its first query was not answered")
                return TuningStep(factor=factor, failed=cause, **tried)
            finally:
                meter.advance()
            if found.ended:
                raise KeyboardInterrupt  # half a test says nothing of its setting
            notes.update(dict.fromkeys(service.notes))
            rest = at_rest(found)
            p95 = rest.latency.p95_ms if rest and rest.latency else None
            # without a single step there is nothing that it did not hold
            failed = None if rest else found.stopped
            return TuningStep(factor=factor, holds_qps=found.holds_qps, p95_ms=p95, failed=failed, **tried)

        searching = _Search(measure, time.monotonic() + seconds)
        try:
            searching.run(_Point(parse_candidate(spec), settings or Settings()))
        except KeyboardInterrupt:
            if not searching.steps:
                raise
            ended = True
    result = Tuning(
        run_id=new_run_id("tuning", started),
        started=started,
        target=searching.steps[0].spec,
        goal_p95_ms=goal.p95_ms,
        seconds=seconds,
        steps=tuple(searching.steps),
        best=searching.best,
        not_tried=tuple(dict.fromkeys(searching.not_tried)),
        ended=ended,
        notes=tuple(notes),
    )
    keep_run(workspace.store, "tuning", result.run_id, result)
    return result


class _Bench:
    """The service under test: started anew only where the settings ask for that."""

    def __init__(self, texts: Sequence[str], documents: Sequence[str], workspace: Workspace, until: ExitStack) -> None:
        self._texts, self._documents, self._workspace, self._until = texts, documents, workspace, until
        self._running: tuple[_Point, Service] | None = None

    def service(self, point: _Point) -> Service:
        """The service of a point."""
        if self._running is not None:
            before, service = self._running
            changed = {"max_batch": point.settings.max_batch, "max_wait_ms": point.settings.max_wait_ms}
            if replace(before, settings=before.settings.model_copy(update=changed)) == point:
                asyncio.run(self._change(service, point.settings))
                self._running = point, service
                return service
            self._running = None
            self._until.close()
        opening = serving(
            point.candidate.spec, self._documents, self._workspace, queries=self._texts, settings=point.settings
        )
        service = self._until.enter_context(opening)
        self._running = point, service
        return service

    async def _change(self, service: Service, settings: Settings) -> None:
        await service.change(settings)
        await service.answer(self._texts[0])  # on the same connection: once it is answered, the change was read
        await service.close()
