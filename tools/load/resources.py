"""What is used while a step runs: CPU, memory, GPUs; the generator's own CPU apart."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable, Sequence
from threading import Event, Thread
from types import TracebackType
from typing import Any, Self

from knowledge.results.load import Resources
from tools.load.gpu import GpuWatch

#: seconds between two looks
EVERY = 0.2


class Sampler:
    """Looks at the machine from a thread of its own while the block runs. Enter and leave it in the generator's thread.

    Args:
        pids: the target's processes, where they run here; their children count as theirs. This process is a target
            too where the candidate runs in it: the generator's thread is then taken off.
        gpus: who looks at the GPUs; None: there are none.
    """

    def __init__(self, pids: Sequence[int] = (), gpus: GpuWatch | None = None) -> None:
        self._pids, self._gpus = tuple(pids), gpus
        self._over = Event()
        self._thread = Thread(target=self._watch, daemon=True, name="load-resources")
        self._first: dict[int, float] = {}
        self._last: dict[int, float] = {}
        self._rss = 0.0
        self._samples = 0

    def __enter__(self) -> Self:
        self._look()
        self._began = (time.perf_counter(), time.thread_time(), _busy())
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()
        self._look()
        self._ended = (time.perf_counter(), time.thread_time(), _busy())

    def found(self) -> Resources:
        """What was used; once the block has been left."""
        wall, own, busy = (max(after - before, 0.0) for before, after in zip(self._began, self._ended, strict=True))
        wall = max(wall, 1e-9)
        target = sum(self._last[pid] - self._first[pid] for pid in self._last)
        if os.getpid() in self._pids:
            target = max(0.0, target - own)
        return Resources(
            machine_cpu=round(100 * busy / wall, 1),
            target_cpu=round(100 * target / wall, 1) if self._last else None,
            target_rss_mb=round(self._rss / 2**20, 1) if self._last else None,
            generator_cpu=round(100 * own / wall, 1),
            gpus=self._gpus.take() if self._gpus else (),
            samples=self._samples,
        )

    def _watch(self) -> None:
        while not self._over.wait(EVERY):
            self._look()

    def _look(self) -> None:
        import psutil

        rss = 0.0
        for process in _tree(self._pids):
            with contextlib.suppress(psutil.Error), process.oneshot():
                used = process.cpu_times()
                self._last[process.pid] = used.user + used.system
                # one that was born since the step began used all of its time in it
                self._first.setdefault(process.pid, 0.0 if self._samples else self._last[process.pid])
                rss += process.memory_info().rss
        self._rss = max(self._rss, rss)
        if self._gpus:
            self._gpus.look()
        self._samples += 1


def _tree(pids: Iterable[int]) -> list[Any]:
    import psutil

    found: dict[int, Any] = {}
    for pid in pids:
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(pid)
            for one in (process, *process.children(recursive=True)):
                found.setdefault(one.pid, one)
    return list(found.values())


def _busy() -> float:
    """Seconds that all cores together have worked since the machine started."""
    import psutil

    times = psutil.cpu_times()
    # a guest's time is in the user's already
    return float(times.user + times.system + sum(getattr(times, n, 0.0) for n in ("nice", "irq", "softirq")))


def listeners(port: int) -> tuple[int, ...]:
    """The processes here that listen on a TCP port, as far as this user may know."""
    import psutil

    try:
        found = psutil.net_connections("tcp")
    except (psutil.Error, OSError):  # some systems tell the administrator alone
        return ()
    pids = {c.pid for c in found if c.status == psutil.CONN_LISTEN and c.laddr and c.laddr.port == port and c.pid}
    return tuple(sorted(pids))
