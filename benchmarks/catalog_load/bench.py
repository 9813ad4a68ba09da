"""How long a fresh process takes to load the catalog and to answer one filtered look-up.

    python benchmarks/catalog_load/bench.py > benchmarks/catalog_load/result.txt

Each run is a new interpreter; the wall time is from its start to its end. Target: under 0.3 s.
"""

from __future__ import annotations

import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
RUNS = 15

LOOK_UP = """
import sys, time
start = time.perf_counter()
from knowledge.catalog import load_catalog
from knowledge.constraints import make_constraint
imported = time.perf_counter()
catalog = load_catalog()
loaded = time.perf_counter()
demands = [
    make_constraint("license"),
    make_constraint("languages", languages=("de", "en")),
    make_constraint("parameters", max_millions=600),
    make_constraint("max_tokens", tokens=2048),
    make_constraint("hosting"),
]
fitting = [c for c in catalog.cards if not any(d.excludes(d.check(c)) for d in demands)]
filtered = time.perf_counter()
print(imported - start, loaded - imported, filtered - loaded, len(catalog.cards), len(fitting))
"""


def main() -> None:
    """Run the look-up in fresh processes and print the medians."""
    rows = []
    for _ in range(RUNS + 1):
        start = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-c", LOOK_UP], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
        )
        rows.append([time.perf_counter() - start, *map(float, done.stdout.split())])
    rows = rows[1:]  # the first one compiles the modules
    names = ("whole process", "imports", "load the catalog", "filter by five demands")
    print(f"Python {platform.python_version()}, {platform.machine()}, {RUNS} fresh processes after one to compile")
    for i, name in enumerate(names):
        values = sorted(row[i] for row in rows)
        print(f"{name:<24} median {statistics.median(values):.3f} s   slowest {values[-1]:.3f} s")
    print(f"models: {rows[0][4]:.0f}, fitting: {rows[0][5]:.0f}")
    print("target: whole process under 0.3 s:", "met" if statistics.median(r[0] for r in rows) < 0.3 else "missed")


if __name__ == "__main__":
    main()
