"""Which of several targets holds more: said only where what they hold does not overlap."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from knowledge.errors import UserError
from knowledge.results.load import LoadRow, LoadsCompared, LoadTest
from knowledge.wording import Text, say


def compare_loads(tests: Sequence[LoadTest]) -> LoadsCompared:
    """Load tests with the same goal and loop, what holds most first.

    Raises:
        UserError: fewer than two, or tests of different questions.
    """
    if len(tests) < 2:
        raise UserError(
            say("A comparison takes two load tests."), say("Name another one; see: advisor runs list --kind load.")
        )
    first = tests[0]
    if any((test.goal, test.loop) != (first.goal, first.loop) for test in tests):
        raise UserError(
            say("These load tests have different goals or loops, so that what they hold cannot be compared."),
            say("Test both with the same --goal-p95, and both with --closed or both without."),
        )
    in_order = sorted(tests, key=lambda test: -_bounds(test)[0])
    best = _bounds(in_order[0])[0]
    return LoadsCompared(
        goal=first.goal,
        loop=first.loop,
        rows=tuple(_row(test, test is in_order[0], best) for test in in_order),
        notes=tuple(_notes(tests)),
    )


def _row(test: LoadTest, is_best: bool, best: float) -> LoadRow:
    low, high = _bounds(test)
    p95s = sorted(point.latency.p95_ms for point in test.repeats if point.latency)
    return LoadRow(
        run_id=test.run_id,
        target=test.target,
        low=low or None,
        high=high if math.isfinite(high) else None,
        p95_ms=p95s[len(p95s) // 2] if p95s else None,
        verdict="best" if is_best else "less" if high < best else "unranked",
    )


def _bounds(test: LoadTest) -> tuple[float, float]:
    """Between which rates lies what it holds; 0 and what broke where nothing held, infinite where nothing broke."""
    if test.holds_qps is None:
        return 0.0, test.breaks_qps if test.breaks_qps is not None else math.inf
    if test.loop == "open":
        return test.holds_qps, test.breaks_qps if test.breaks_qps is not None else math.inf
    achieved = [point.achieved for point in test.repeats if not point.broke] or [test.holds_qps]
    return min(achieved), max(achieved)


def _notes(tests: Sequence[LoadTest]) -> Iterator[Text]:
    if len({test.machine for test in tests}) > 1:
        yield say("They ran on different machines: the machines are compared as well.")
    if len({(test.data, test.texts.tokens) for test in tests}) > 1:
        yield say("They were sent different texts, whose lengths differ.")
