"""Progress lines: how often, how far, how long still; by an injected clock."""

import pytest

from knowledge.progress import Meter, ignore
from knowledge.wording import say


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def meter(clock, total, every=0.5):
    lines = []
    return Meter("evaluate", say("Encoding"), total, lines.append, every=every, clock=clock), lines


def test_the_first_line_comes_at_once_without_an_estimate(clock):
    _, lines = meter(clock, 10)
    (line,) = lines
    assert (line.stage, line.label.render(), line.done, line.total) == ("evaluate", "Encoding", 0, 10)
    assert (line.elapsed_seconds, line.eta_seconds) == (0.0, None)


def test_the_estimate_follows_the_pace_so_far(clock):
    step, lines = meter(clock, 10)
    clock.now = 4.0
    step.advance(2)
    assert (lines[-1].elapsed_seconds, lines[-1].eta_seconds) == (4.0, 16.0)
    clock.now = 6.0
    step.advance(6)
    assert (lines[-1].done, lines[-1].eta_seconds) == (8, 1.5)


def test_lines_are_rare_but_the_last_always_comes(clock):
    step, lines = meter(clock, 100)
    for _ in range(99):
        clock.now += 0.1
        step.advance()
    assert 17 <= len(lines) <= 22
    step.advance()
    assert (lines[-1].done, lines[-1].eta_seconds) == (100, 0.0)


def test_more_than_expected_is_never_a_negative_time(clock):
    step, lines = meter(clock, 2)
    clock.now = 1.0
    step.advance(5)
    assert (lines[-1].done, lines[-1].eta_seconds) == (5, 0.0)


def test_nothing_to_do(clock):
    step, lines = meter(clock, 0)
    step.advance(0)
    assert [line.eta_seconds for line in lines] == [None, None]


def test_nobody_has_to_listen(clock):
    Meter("profile", say("Encoding"), 1, ignore, clock=clock).advance()
