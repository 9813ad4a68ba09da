"""The contenders of a decision under load, one after the other: bounded in time, one figure each."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from knowledge.dataset import Dataset
from knowledge.errors import AdvisorError
from knowledge.progress import Meter, OnProgress, ignore
from knowledge.results import FailedCandidate
from knowledge.results.load import Goal, Latency, Limits, LoadTest
from knowledge.results.service import RateHeld, UnderLoad
from knowledge.wording import say
from tools.load.steps import Course
from tools.run_store import keep_run, new_run_id
from tools.service.settings import Settings
from tools.service.stage import at_rest, load_candidate
from tools.workspace import Workspace

#: seconds of load for each; a service starts in some seconds more
SECONDS, STEP_SECONDS = 20.0, 1.5
#: contenders at most: a decision is not worth waiting longer for
MOST = 4
#: nobody needs to know what holds more than so many times the rate that was asked for
ENOUGH = 8.0
LOWEST_ENOUGH = 100.0
#: where no limit was stated: this, or so many times what one query alone takes the slowest of them
GOAL_MS, GOAL_TIMES = 100.0, 3.0
REPEATS = 2
#: machines are counted by it, so what is no machine's must not be in it
SETTINGS = Settings(lite=False)
#: to load models, fill the index and warm up, as a plan counts it
START_SECONDS = 10.0


def goal_for(limit: float | None, alone: Sequence[float]) -> float:
    """The p95 that counts as held, in ms.

    Args:
        limit: what the user allows, if that was stated.
        alone: p95 of the contenders' queries one at a time.
    """
    return limit if limit is not None else max(GOAL_MS, GOAL_TIMES * max(alone, default=0.0))


def enough_for(rate: float) -> float:
    """The highest rate that is tried, where so many queries a second are needed."""
    return max(LOWEST_ENOUGH, ENOUGH * rate)


def under_load(
    specs: Sequence[str],
    dataset: Dataset,
    workspace: Workspace,
    *,
    rate: float,
    limit_ms: float | None,
    alone_ms: Sequence[float] = (),
    seconds: float = SECONDS,
    on_progress: OnProgress = ignore,
) -> UnderLoad:
    """Put each of these candidates under load.

    Args:
        specs: the first `MOST` of them take part.
        dataset: whose queries are asked, and whose documents are searched.
        workspace: folders.
        rate: queries a second that are needed.
        limit_ms: the p95 that the user allows; None: not stated.
        alone_ms: p95 of their queries one at a time.
        seconds: of load for each.
        on_progress: told after each.

    Raises:
        Stopped: the user wants it to end.
    """
    started = dt.datetime.now(dt.UTC)
    goal = goal_for(limit_ms, alone_ms)
    limits = Limits(
        seconds=seconds,
        step_seconds=min(STEP_SECONDS, seconds / 8),
        rate=enough_for(rate),
    )
    course = Course(goal=Goal(p95_ms=goal), limits=limits, repeats=REPEATS)
    chosen = list(specs)[:MOST]
    meter = Meter("load", say("Load on this machine"), len(chosen), on_progress)
    found: list[RateHeld] = []
    failed: list[FailedCandidate] = []
    documents = 0
    for spec in chosen:
        try:
            test = load_candidate(spec, dataset, workspace, course, settings=SETTINGS)
        except (AdvisorError, TimeoutError) as error:
            failed.append(_failed(spec, error, limits))
        else:
            if test.ended:
                raise KeyboardInterrupt
            found.append(held(test))
            documents = test.service.documents if test.service else documents
        meter.advance()
    result = UnderLoad(
        run_id=new_run_id("under-load", started),
        started=started,
        data=dataset.summary.hash,
        rate=rate,
        goal_p95_ms=goal,
        stated=limit_ms is not None,
        documents=documents,
        candidates=tuple(found),
        failed=tuple(failed),
    )
    keep_run(workspace.store, "under-load", result.run_id, result)
    return result


def held(test: LoadTest) -> RateHeld:
    """A load test in short."""
    rest = at_rest(test)
    steps = sorted((p.rate, p.latency.p95_ms) for p in (*test.points, *test.repeats) if p.rate and p.latency)
    return RateHeld(
        spec=test.target,
        run_id=test.run_id,
        holds_qps=test.holds_qps,
        at_least=test.holds_qps is not None and test.breaks_qps is None,
        p95_ms=rest.latency.p95_ms if rest and rest.latency else None,
        spread=test.spread,
        curve=tuple(steps),
        parts={name: _three(of) for name, of in rest.parts.items()} if rest else {},
        notes=test.notes,
    )


def _three(of: Latency) -> tuple[float, float, float]:
    return of.p50_ms, of.p95_ms, of.p99_ms


def _failed(spec: str, error: AdvisorError | TimeoutError, limits: Limits) -> FailedCandidate:
    if isinstance(error, AdvisorError):
        return FailedCandidate(spec=spec, reason=error.cause, next_step=error.next_step)
    return FailedCandidate(
        spec=spec,
        reason=say("its first query was not answered within {seconds:g} s", seconds=limits.timeout_s),
        next_step=say("Choose a smaller model, or a machine with more cores."),
    )
