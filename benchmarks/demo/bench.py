"""What a new user waits for: help, the demo's first line, the whole demo, and the memory it takes.

    python benchmarks/demo/bench.py > benchmarks/demo/result.txt

Runs the commands as a user would, in a home of their own, and sums the resident memory of all their processes (shared
pages count in each, so the sum errs on the high side).
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time

import psutil

ADVISOR = [sys.executable, "-m", "app"]
LIMIT_SECONDS, LIMIT_MB = 300, 3 * 1024


def main() -> int:
    """Measure and print; 1 when a limit of the issue is missed."""
    helps = [_seconds([*ADVISOR, "--help"]) for _ in range(5)]
    bare = [_seconds([sys.executable, "-c", "pass"]) for _ in range(5)]
    print(
        f"advisor --help     {statistics.median(helps):.2f} s "
        f"(median of 5; a bare interpreter: {statistics.median(bare):.2f} s)"
    )
    with tempfile.TemporaryDirectory() as home:
        first, whole, peak, code = _demo(home)
    print(f"demo, first line   {first:.1f} s")
    print(f"demo, whole        {whole:.0f} s (limit {LIMIT_SECONDS} s), exit code {code}")
    print(f"demo, peak memory  {peak:.0f} MB over all its processes (limit {LIMIT_MB} MB)")
    print(f"load average at the end: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    return int(code != 0 or whole > LIMIT_SECONDS or peak > LIMIT_MB)


def _seconds(command: list[str]) -> float:
    begun = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begun


def _demo(home: str) -> tuple[float, float, float, int]:
    """Seconds to the first line and in all, peak MB, exit code."""
    environment = {**os.environ, "ADVISOR_HOME": home}
    begun = time.perf_counter()
    with (
        open(os.path.join(home, "out"), "w+b") as out,
        subprocess.Popen(
            [*ADVISOR, "demo", "--out", home], stdout=out, stderr=subprocess.DEVNULL, env=environment
        ) as run,
    ):
        watched, peak, first = psutil.Process(run.pid), 0, 0.0
        while run.poll() is None:
            if not first and os.path.getsize(out.name):
                first = time.perf_counter() - begun
            peak = max(peak, _resident(watched))
            time.sleep(0.05)
    return first, time.perf_counter() - begun, peak / 2**20, run.returncode


def _resident(process: psutil.Process) -> int:
    total = 0
    for one in [process, *process.children(recursive=True)]:
        try:
            total += one.memory_info().rss
        except psutil.Error:  # it has just ended
            continue
    return total


if __name__ == "__main__":
    sys.exit(main())
