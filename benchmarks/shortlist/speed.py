"""How long a shortlist over the whole catalog takes once the catalog is loaded, and the memory of the process.

Usage: ``python -m benchmarks.shortlist.speed > benchmarks/shortlist/speed.txt`` (ten seconds).

Every question of the golden files, each in a fresh process, so that no answer is remembered. "load" reads the catalog
and, by asking the same kind of thing about Icelandic, what is read at the first question of a kind: the scores of such
tasks with their fit, tasks, licences.
"first" is the question, "again" the same with one more demand, as in a conversation. Python's garbage collector takes
up to 80 ms when it comes by, in whichever of them; "collector off" is "first" without it. Targets: 50 ms after loading,
150 MiB.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys

from tests.golden.questions import QUESTIONS

ASK = """
import gc, json, sys, time
from agent.understanding.rules import RuleUnderstanding
from knowledge.catalog import load_catalog
from knowledge.constraints import make_constraint
from knowledge.errors import AdvisorError
from knowledge.requirements import Requirements
from knowledge.scores import load_scores
from tools.shortlist import shortlist
understood = RuleUnderstanding().understand(sys.argv[1], Requirements(), None).requirements
start = time.perf_counter()
catalog, scores = load_catalog(), load_scores()
kind = [constraint for constraint in understood.constraints if constraint.kind == "modality"]
icelandic = make_constraint("languages", languages=("is",)), make_constraint("license"), *kind
try:
    shortlist(understood.model_copy(update={"constraints": icelandic}), catalog, scores)
except AdvisorError:
    pass
if sys.argv[2] == "off":
    gc.disable()
loaded = time.perf_counter()
shortlist(understood, catalog, scores)
first = time.perf_counter()
shortlist(understood.with_constraint(make_constraint("dimension", max_dimension=4096)), catalog, scores)
again = time.perf_counter()
peak = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(json.dumps([loaded - start, first - loaded, again - first, int(peak) / 1024]))
"""
RUNS = 3


def main() -> None:
    """Print a line a question."""
    print(f"median of {RUNS} fresh processes; ms, MiB")
    print(f"{'question':20}{'load':>8}{'first':>8}{'again':>8}{'memory':>8}{'collector off':>15}")
    worst = [0.0] * 5
    for question in QUESTIONS:
        columns = zip(*(ask(question.text, "on") for _ in range(RUNS)), strict=True)
        row = [statistics.median(column) for column in columns]
        row.append(statistics.median(ask(question.text, "off")[1] for _ in range(RUNS)))
        show(question.name, row)
        worst = [max(pair) for pair in zip(worst, row, strict=True)]
    show("worst", worst)


def ask(text: str, collector: str) -> list[float]:
    """Seconds for load, first and again, and MiB, of one fresh process."""
    done = subprocess.run(
        [sys.executable, "-c", ASK, text, collector], capture_output=True, text=True, check=True, timeout=60
    )
    found: list[float] = json.loads(done.stdout)
    return found


def show(name: str, row: list[float]) -> None:
    """Print a line."""
    load, first, again, memory, off = row
    print(
        f"{name:20}{1000 * load:8.0f}{1000 * first:8.0f}{1000 * again:8.0f}{memory:8.0f}{1000 * off:15.0f}", flush=True
    )


if __name__ == "__main__":
    main()
