"""The load generator, on a clock of its own: arithmetic, not wall time."""

import asyncio
import itertools
import math
import os
import random
import signal
import threading
from functools import partial

import numpy as np
import pytest
from hdrh.histogram import HdrHistogram

from knowledge.errors import DatasetError, ProviderError, UserError
from knowledge.progress import ignore
from knowledge.results.load import Goal, Limits, LoadPoint, LoadTest
from knowledge.wording import say
from tests.virtual_time import virtual_loop
from tools.load import RequestFailed, run_load
from tools.load.arrivals import TextOrder, arrivals
from tools.load.comparing import compare_loads
from tools.load.loops import closed_loop, open_loop
from tools.load.recorder import Recorder
from tools.load.search import LimitReached, search
from tools.load.steps import Course
from tools.load.words import answer, remarks
from tools.stopping import Stopped, stoppable

TEXTS = [f"text number {i}" for i in range(40)]


class Waits:
    """Answers after so many seconds, whoever else waits."""

    name = "waits"

    def __init__(self, delays=None):
        self._delays = iter(delays or itertools.repeat(0.001))
        self.asked = []
        self.closed = 0

    async def ask(self, text):
        self.asked.append(text)
        await asyncio.sleep(next(self._delays))
        return {}

    async def close(self):
        self.closed += 1


class OneAtATime(Waits):
    """A queue: each takes so many seconds, and all wait for those before; from `stall[0]` on nobody is served for a
    while."""

    name = "queue"

    def __init__(self, service, stall=(math.inf, 0.0)):
        super().__init__()
        self._service, self._stall, self._free = service, stall, 0.0

    async def ask(self, text):
        now = asyncio.get_running_loop().time()
        begins = max(now, self._free)
        when, length = self._stall
        if when <= begins < when + length:
            begins = when + length
        self._free = begins + self._service
        await asyncio.sleep(self._free - now)
        return {"queue": 1000 * (begins - now), "forward": 1000 * self._service}


class Stalls(Waits):
    """Serves everybody at once, except for a tenth of a second."""

    async def ask(self, text):
        now = asyncio.get_running_loop().time()
        await asyncio.sleep(2.1 - now if 2.0 <= now < 2.1 else 0.001)
        return {}


def opened(target, schedule, *, in_flight=1000, timeout_s=10.0):
    record = Recorder()
    with asyncio.Runner(loop_factory=virtual_loop) as runner:
        step = open_loop(target, TextOrder(TEXTS, 0), schedule, record, in_flight=in_flight, timeout_s=timeout_s)
        runner.run(step)
    return record


def closed(target, *, concurrency, seconds=5.0, requests=10**6):
    record = Recorder()
    with asyncio.Runner(loop_factory=virtual_loop) as runner:
        runner.run(
            closed_loop(
                target,
                TextOrder(TEXTS, 0),
                record,
                concurrency=concurrency,
                seconds=seconds,
                requests=requests,
                timeout_s=10.0,
            )
        )
    return record


def run(target, on_progress=ignore, **how):
    return run_load(target, TEXTS, Course(**how), loop_factory=virtual_loop, on_progress=on_progress)


# ---------------------------------------------------------------- arrivals and texts


def test_arrivals_come_from_the_seed_and_at_the_rate():
    first = list(arrivals("poisson", 100, 50, seed=1))
    assert first == list(arrivals("poisson", 100, 50, seed=1))
    assert first != list(arrivals("poisson", 100, 50, seed=2))
    gaps = np.diff(first)
    assert len(first) == pytest.approx(5000, rel=0.05)
    assert gaps.std() == pytest.approx(gaps.mean(), rel=0.05)  # as independent users are
    assert list(arrivals("constant", 4, 1, seed=1)) == [0, 0.25, 0.5, 0.75]


def test_no_text_comes_again_before_all_have_come():
    order = TextOrder(TEXTS, seed=3)
    first = [order.next() for _ in TEXTS]
    second = [order.next() for _ in TEXTS]
    assert sorted(first) == sorted(second) == sorted(TEXTS)
    assert first != second
    assert first != TEXTS
    assert (order.sent, order.most_sent) == (80, 2)


# ---------------------------------------------------------------- the loops


def test_a_stall_is_in_the_figures_of_an_open_loop_and_not_in_those_of_a_closed_one():
    seen = opened(Stalls(), arrivals("constant", 500, 5, seed=0)).latency()
    assert seen.count == 2500
    assert seen.max_ms == pytest.approx(100, rel=0.01)
    assert seen.p99_ms == pytest.approx(50, rel=0.05)  # 50 of 2,500 wait, for 100 ms down to 2
    hidden = closed(Stalls(), concurrency=4).latency()
    assert hidden.max_ms == pytest.approx(100, rel=0.02)
    assert hidden.p99_ms == pytest.approx(1, rel=0.01)


def test_percentiles_are_those_of_the_schedule_of_delays():
    seeded = random.Random(5)
    delays = [seeded.lognormvariate(-3, 0.8) for _ in range(4000)]
    seen = opened(Waits(delays), arrivals("poisson", 100, 40, seed=1)).latency()
    kept = np.array(delays[: seen.count]) * 1000
    for percent, found in ((50, seen.p50_ms), (95, seen.p95_ms), (99, seen.p99_ms), (99.9, seen.p999_ms)):
        assert found == pytest.approx(np.percentile(kept, percent, method="inverted_cdf"), rel=0.002)


def test_what_a_blocked_generator_sends_late_is_told_and_counts():
    class Blocks(Waits):
        async def ask(self, text):
            asyncio.get_running_loop().pass_time(0.05)  # the loop itself stands still
            return {}

    record = opened(Blocks(), arrivals("constant", 100, 1, seed=0))
    assert record.requests == record.answered == 100
    assert record.lateness().max_ms == pytest.approx(99 * 40, rel=0.02)
    assert record.latency().max_ms == pytest.approx(99 * 40 + 50, rel=0.02)


def test_every_request_is_counted_once_whatever_becomes_of_it():
    class Mixed(Waits):
        async def ask(self, text):
            number = len(self.asked)
            await super().ask(text)
            if number % 4 == 1:
                raise RequestFailed("HTTP 500", say("{count} queries", count=1), say("{count} queries", count=1))
            if number % 4 == 2:
                await asyncio.sleep(60)
            return {}

    record = opened(Mixed(), arrivals("constant", 100, 4, seed=0), in_flight=10, timeout_s=0.5)
    assert record.requests == 400
    assert record.dropped > 0
    assert record.timeouts > 0
    assert record.errors == {"HTTP 500": record.errors["HTTP 500"]}
    assert record.answered + record.timeouts + record.errors.total() + record.dropped == 400
    assert record.waiting == 0


def test_a_step_of_nothing_but_failures_ends_early():
    class Fails(Waits):
        async def ask(self, text):
            raise ConnectionProblem

    class ConnectionProblem(ProviderError):
        def __init__(self):
            super().__init__(say("{count} queries", count=1), say("{count} queries", count=1))

    assert closed(Fails(), concurrency=8).requests < 100
    assert opened(Fails(), arrivals("constant", 100, 60, seed=0)).requests < 100


def test_a_closed_loop_keeps_to_its_number_of_requests():
    target = Waits()
    record = closed(target, concurrency=7, requests=100)
    assert record.requests == record.answered == len(target.asked) == 100


def test_the_time_that_one_answer_takes_is_not_taken_for_a_lower_rate():
    record = opened(Waits(itertools.repeat(2.0)), arrivals("constant", 20, 5, seed=0))
    assert record.answered_a_second == pytest.approx(record.offered, rel=1e-6)
    slow = opened(OneAtATime(0.1), arrivals("constant", 20, 5, seed=0), timeout_s=60)
    assert slow.answered_a_second == pytest.approx(10, rel=0.02)


# ---------------------------------------------------------------- the search


def point(level, broke):
    return LoadPoint(
        loop="open",
        rate=level,
        seconds=1,
        requests=1,
        answered=1,
        achieved=level,
        broke=say("{count} queries", count=1) if broke else None,
    )


def searched(capacity, start, *, lowest=0.1, highest=10_000.0, whole=False, most=99):
    async def measure(level):
        nonlocal most
        most -= 1
        if most < 0:
            raise LimitReached(say("{count} queries", count=1))
        return point(level, level > capacity)

    return asyncio.run(search(measure, start, lowest=lowest, highest=highest, whole=whole))


@pytest.mark.parametrize("capacity", [0.7, 3, 38, 500])
def test_the_search_ends_close_to_what_holds(capacity):
    found = searched(capacity, 4)
    assert found.holds.level <= capacity < found.breaks.level <= 1.1 * found.holds.level
    assert len(found.points) < 14


def test_the_search_of_whole_numbers_is_exact():
    found = searched(37, 1, lowest=1, highest=512, whole=True)
    assert (found.holds.level, found.breaks.level) == (37, 38)
    assert searched(0, 1, lowest=1, highest=512, whole=True).holds is None


def test_the_search_tells_what_ended_it():
    assert searched(5000, 4, highest=100).holds.level == 100
    assert searched(5000, 4, highest=100).breaks is None
    assert searched(1, 64, lowest=8).holds is None
    cut = searched(38, 4, most=3)
    assert cut.stopped
    assert cut.holds.level == 16


# ---------------------------------------------------------------- whole tests


@pytest.fixture(scope="module")
def queue() -> LoadTest:
    return run(OneAtATime(0.01), goal=Goal(p95_ms=50), limits=Limits(seconds=2000, step_seconds=30))


def test_a_queue_holds_what_queueing_theory_says(queue):
    """One server of 10 ms and Poisson arrivals: p95 is 43 ms at 65 a second, 50 at 70 and 60 at 75 (M/D/1)."""
    test = queue
    assert 60 < test.holds_qps < 75
    assert 65 < test.breaks_qps <= 1.1 * test.holds_qps
    assert test.cold_ms == pytest.approx(10)
    assert test.warm.p50_ms == pytest.approx(10, rel=0.01)
    assert len(test.repeats) == 3
    assert 0 < test.spread < 0.5
    assert all(not step.broke for step in test.repeats)
    assert test.texts.sent == 21 + sum(step.requests for step in (*test.points, *test.repeats))
    assert test.repeats[0].parts["forward"].p50_ms == pytest.approx(10, rel=0.01)
    assert LoadTest.model_validate_json(test.model_dump_json()) == test
    said = str(answer(test))
    assert said.startswith(f"queue holds {test.holds_qps:.1f}".rstrip("0"))
    assert "p95 under 50 ms, but not" in said
    assert any("40 different texts" in str(remark) for remark in remarks(test))


def test_a_closed_loop_finds_how_many_wait_together():
    test = run(OneAtATime(0.01), goal=Goal(p95_ms=50.5), loop="closed", limits=Limits(seconds=400))
    assert test.holds_concurrency == 5  # each waits for all of them
    assert test.holds_qps == pytest.approx(100, rel=0.01)


def test_a_given_rate_is_measured_and_judged():
    test = run(OneAtATime(0.01), rate=60, repeats=2)
    assert (test.points, len(test.repeats), test.swept) == ((), 2, False)
    assert test.holds_qps == 60
    over = run(OneAtATime(0.01), rate=200, repeats=2)
    assert over.holds_qps is None
    assert over.breaks_qps == 200
    assert "does not hold p95 under 50 ms at 200 requests a second" in str(answer(over))


def test_what_is_too_slow_alone_is_asked_at_one_rate_only():
    test = run(Waits(itertools.repeat(0.2)))
    assert test.holds_qps is None
    assert len(test.points) == 1
    assert "p95 was 200 ms" in str(answer(test))


class Tires(OneAtATime):
    """Fast for its first so many requests, and slower from then on, as a machine whose cores throttle."""

    async def ask(self, text):
        self.asked.append(text)
        self._service = 0.002 if len(self.asked) < 3000 else 0.02
        return await super().ask(text)


def test_where_nothing_holds_when_it_is_repeated_lower_rates_are_tried():
    test = run(Tires(0.002), goal=Goal(p95_ms=150), repeats=2)
    broken = [step.level for step in test.points if step.broke]
    assert test.holds_qps is not None
    assert test.holds_qps < min(50, *broken)  # 50: what one that takes 20 ms can do at most
    assert len(test.repeats) == 2


def test_the_limits_are_kept_and_named():
    target = Waits()
    test = run(target, limits=Limits(requests=500, seconds=60))
    assert test.texts.sent == len(target.asked) <= 500
    assert "500 requests" in str(test.stopped)
    timed = run(Waits(itertools.repeat(0.01)), limits=Limits(seconds=9, step_seconds=1, rate=100_000))
    assert "9 seconds" in str(timed.stopped)
    assert sum(step.seconds for step in (*timed.points, *timed.repeats)) <= 9
    assert len(timed.repeats) == 3  # the search left time for them
    capped = run(Waits(), limits=Limits(rate=200, seconds=60, step_seconds=1))
    assert capped.holds_qps == 200
    assert "at least 200 requests a second" in str(answer(capped))


def test_nothing_to_send_is_said():
    with pytest.raises(DatasetError, match="no text"):
        run_load(Waits(), [])


def test_the_first_request_decides_whether_there_is_a_test():
    class Refuses(Waits):
        async def ask(self, text):
            raise RequestFailed("HTTP 401", say("{count} queries", count=1), say("{count} queries", count=1))

    target = Refuses()
    with pytest.raises(RequestFailed):
        run(target)
    assert target.closed == 1


def test_a_bug_of_the_target_is_not_counted_away():
    class Broken(Waits):
        async def ask(self, text):
            if len(self.asked) > 30:
                raise ZeroDivisionError
            return await super().ask(text)

    target = Broken()
    with pytest.raises(ZeroDivisionError):
        run(target)
    assert target.closed == 1


def test_stop_stops():
    target = Waits()
    with pytest.raises(Stopped), stoppable(lambda: len(target.asked) > 200):
        run_load(target, TEXTS, Course(limits=Limits(seconds=60)))
    assert target.closed == 1
    assert len(target.asked) < 2000


def test_ctrl_c_stops(request):
    # a test that runs beside others is in a process that ignores it
    request.addfinalizer(partial(signal.signal, signal.SIGINT, signal.getsignal(signal.SIGINT)))
    signal.signal(signal.SIGINT, signal.default_int_handler)
    target = Waits()
    timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        run_load(target, TEXTS, Course(limits=Limits(seconds=60)))
    timer.join()
    assert target.closed == 1


class Interrupts(Waits):
    """Whoever tests it presses Ctrl-C at one of its requests; it is slow enough for steps of few requests."""

    def __init__(self, at=math.inf):
        super().__init__(itertools.repeat(0.01))
        self._at = at

    async def ask(self, text):
        if len(self.asked) == self._at:
            signal.raise_signal(signal.SIGINT)
        return await super().ask(text)


def test_ctrl_c_after_a_step_keeps_what_was_measured(request):
    request.addfinalizer(partial(signal.signal, signal.SIGINT, signal.getsignal(signal.SIGINT)))
    signal.signal(signal.SIGINT, signal.default_int_handler)
    few = Limits(step_seconds=1, rate=200)
    whole = run(Interrupts(), limits=few)
    found = run(Interrupts(at=130), limits=few)
    assert found.ended
    (step,) = found.points  # the one that was cut short counts for nothing
    assert step.latency == whole.points[0].latency
    assert len(whole.points) > 1
    assert not found.repeats
    assert found.holds_qps is not None
    assert "you ended it" in " ".join(map(str, remarks(found)))
    assert not whole.ended


def test_percentiles_can_be_computed_from_a_run_again():
    test = LoadTest.model_validate_json(run(OneAtATime(0.01), limits=Limits(step_seconds=1)).model_dump_json())
    for point in (*test.points, *test.repeats):
        again = HdrHistogram.decode(point.histogram)
        assert again.total_count == point.latency.count
        rank = math.ceil(0.95 * point.latency.count)
        assert again.get_value_at_percentile(100 * rank / point.latency.count) / 1000 == point.latency.p95_ms


# ---------------------------------------------------------------- comparing


def test_targets_whose_ranges_overlap_are_not_ranked(queue):
    held, broke = queue.holds_qps, queue.breaks_qps

    def other(low, high, **changes):
        changes |= {"run_id": "load-other", "holds_qps": low, "breaks_qps": high}
        return queue.model_copy(update=changes)

    def verdicts(*tests):
        return {(row.run_id == queue.run_id, row.verdict) for row in compare_loads(tests).rows}

    assert verdicts(queue, other(2 * broke, 3 * broke)) == {(False, "best"), (True, "less")}
    assert verdicts(queue, other(held + 0.1, broke + 0.1)) == {(False, "best"), (True, "unranked")}
    never_broke = other(held / 3, None)
    assert verdicts(queue, never_broke) == {(True, "best"), (False, "unranked")}
    assert verdicts(queue, other(None, held / 2)) == {(True, "best"), (False, "less")}
    assert compare_loads([queue, other(None, held / 2)]).rows[1].low is None
    with pytest.raises(UserError, match="different goals"):
        compare_loads([queue, other(held, broke, goal=Goal(p95_ms=10))])
    with pytest.raises(UserError, match="two load tests"):
        compare_loads([queue])
    told = compare_loads([queue, other(held, broke, data="others")]).notes
    assert "different texts" in str(told[0])


def test_of_closed_loops_the_repeats_are_compared():
    slow = run(OneAtATime(0.01), loop="closed", concurrency=4)
    same = run(OneAtATime(0.01), loop="closed", concurrency=4, seed=1)
    fast = run(OneAtATime(0.004), loop="closed", concurrency=4)
    assert [row.verdict for row in compare_loads([slow, fast]).rows] == ["best", "less"]
    assert [row.verdict for row in compare_loads([slow, same]).rows] == ["best", "unranked"]


def test_each_step_is_told_before_and_after():
    told = []
    run(Waits(), rate=50, repeats=2, on_progress=told.append)
    assert [(str(news.label), news.done, news.total) for news in told] == [
        ("Load: 50 requests a second", 0, 5),
        ("Load: 50 requests a second", 5, 5),
    ] * 2
