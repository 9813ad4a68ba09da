"""A load test in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from knowledge.quantities import duration, milliseconds, points, rate
from knowledge.results.load import LoadPoint, LoadTest
from knowledge.wording import Text, say

#: lateness of the generator worth a remark, as a share of the goal, and in milliseconds at least
_LATE_SHARE, _LATE_MS = 0.1, 1.0
#: percent of a core from which on the generator itself may be what limits
_BUSY = 85.0


def answer(test: LoadTest) -> Text:
    """What it holds, in one sentence."""
    goal = milliseconds(test.goal.p95_ms)
    if test.holds_qps is None:
        return _holds_nothing(test)
    held = rate(test.holds_qps)
    if test.loop == "closed":
        return say(
            "{target} holds {count} requests at a time, {rate} a second, at p95 under {goal}.",
            target=test.target,
            count=test.holds_concurrency or 0,
            rate=held,
            goal=goal,
        )
    if not test.swept:
        return say(
            "{target} holds {rate} requests a second at p95 under {goal}.", target=test.target, rate=held, goal=goal
        )
    broke = _lowest_broken(test)
    if broke is None:
        return say(
            "{target} holds at least {rate} requests a second at p95 under {goal}; it was not brought to break.",
            target=test.target,
            rate=held,
            goal=goal,
        )
    return say(
        "{target} holds {rate} requests a second at p95 under {goal}, but not {more}: {why}.",
        target=test.target,
        rate=held,
        goal=goal,
        more=rate(broke.level),
        why=broke.broke or Text(template="–"),
    )


def _holds_nothing(test: LoadTest) -> Text:
    broke = _lowest_broken(test)
    if broke is None:
        return say("{target} was not measured: {why}.", target=test.target, why=test.stopped or Text(template="–"))
    return say(
        "{target} does not hold p95 under {goal} at {level}: {why}.",
        target=test.target,
        goal=milliseconds(test.goal.p95_ms),
        level=level(broke),
        why=broke.broke or Text(template="–"),
    )


def _lowest_broken(test: LoadTest) -> LoadPoint | None:
    broken = [point for point in (*test.points, *test.repeats) if point.broke]
    held = [point.level for point in test.repeats if not point.broke] if test.holds_qps else []
    above = [point for point in broken if not held or point.level > held[0]]
    return min(above, key=lambda point: point.level, default=None)


def level(point: LoadPoint) -> Text:
    """What a step offered."""
    if point.rate is not None:
        return say("{rate} requests a second", rate=rate(point.rate))
    return say("{count} requests at a time", count=point.concurrency or 0)


def remarks(test: LoadTest) -> Iterator[Text]:
    """What one has to know to read the figures."""
    yield say(
        "The first request took {cold}; then, one at a time, {warm} (median of {count}). Neither counts in the steps.",
        cold=milliseconds(test.cold_ms),
        warm=milliseconds(test.warm.p50_ms),
        count=test.warm.count,
    )
    yield from _sent(test)
    if test.spread is not None:
        yield say(
            "{count} repeats at {level}: their p95 differ by {spread} % of the median.",
            count=len(test.repeats),
            level=level(test.repeats[0]),
            spread=points(test.spread, signed=False),
        )
    if test.loop == "closed":
        yield say(
            "In a closed loop nobody asks while everybody waits, so that a stall of the target counts for few "
            "requests: an open loop shows it."
        )
    yield from _generator(test)
    if test.failure:
        yield say("The first failure: {why}", why=test.failure)
    if test.stopped and (test.points or test.repeats):  # else that is the answer itself
        yield say("The search ended early: {why}.", why=test.stopped)
    yield from test.notes
    if test.usd:
        yield say("Paid for {sent:,} requests: about ${usd:,.4f}.", sent=test.texts.sent, usd=test.usd)


def _sent(test: LoadTest) -> Iterator[Text]:
    texts = test.texts
    if texts.most_sent > 1:
        kind = say("queries") if texts.origin == "queries" else say("beginnings of documents")
        yield say(
            "{sent:,} requests with {count:,} different texts ({kind}): each was sent up to {most} times, so a target "
            "that keeps answers looks faster than it is.",
            sent=texts.sent,
            count=texts.count,
            kind=kind,
            most=texts.most_sent,
        )


def _generator(test: LoadTest) -> Iterator[Text]:
    """Whether the generator itself was in the way."""
    measured: Sequence[LoadPoint] = test.repeats or test.points
    late = max((point.lateness.p99_ms for point in measured if point.lateness), default=0.0)
    if late > max(_LATE_MS, _LATE_SHARE * test.goal.p95_ms):
        yield say(
            "The generator was up to {late} late (p99) on this machine, which is part of the latencies: stop other "
            "programs, or run it elsewhere.",
            late=milliseconds(late),
        )
    busy = max((point.resources.generator_cpu for point in measured if point.resources), default=0.0)
    if busy > _BUSY:
        yield say(
            "The generator used {percent:.0f} % of a core: the target may hold more than could be offered from here.",
            percent=busy,
        )


def limits_line(test_seconds: float, requests: int) -> Text:
    """What a load test takes at most, told before it starts."""
    return say(
        "At most {time} and {requests:,} requests; Ctrl-C ends it and keeps what was measured.",
        time=duration(test_seconds),
        requests=requests,
    )
