"""What perturbed queries cost candidates, and what asking them costs: at most 30 % of the evaluation?

    python benchmarks/robustness/bench.py [FOLDER [SET ...]] > benchmarks/robustness/result.txt

FOLDER holds the sets (default: ../shared/data; scifact and cmrc2018_zh). Each candidate by itself, with nothing in the
cache: seconds of its evaluation, then seconds of probes and perturbed queries together, and the characters of each.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from knowledge.results import Consent, Robustness
from tools.datasets import read_dataset
from tools.evaluate import evaluate
from tools.hard_cases import ask_hard_cases, make_hard_cases
from tools.workspace import Workspace

SETS = ("scifact", "cmrc2018_zh")
SPECS = ("static:wordllama", "st:sentence-transformers/all-MiniLM-L6-v2")
ALLOWED = 0.3


def main(folder: Path, sets: Sequence[str]) -> int:
    """Run it and print; 1 where more than allowed is added."""
    kept = True
    for name in sets:
        dataset = read_dataset(folder / name)
        for spec in SPECS:
            with tempfile.TemporaryDirectory() as home:
                workspace = Workspace(home=Path(home))
                begun = time.perf_counter()
                evaluation = evaluate(dataset, [spec], workspace)
                evaluated = time.perf_counter() - begun
                begun = time.perf_counter()
                cases = make_hard_cases(dataset)
                found = ask_hard_cases(cases, evaluation, [spec], workspace, consent=Consent())
                asked = time.perf_counter() - begun
            characters = sum(record.characters for record in (found.probes, found.robustness) if record)
            shares = characters / cases.own_characters, asked / evaluated
            kept = kept and max(shares) <= ALLOWED
            print(f"{name}, {spec}: evaluation {evaluated:.1f} s, {cases.own_characters:,} characters; ", end="")
            print(f"hard cases {asked:.1f} s ({shares[1]:.0%} more), {characters:,} characters ({shares[0]:.1%} more)")
            print(f"  {len(cases.probes)} probes, {len(cases.perturbed)} perturbed queries")
            if found.robustness:
                _show(found.robustness)
    print(f"\nat most {ALLOWED:.0%} more: {'kept' if kept else 'MISSED'}")
    return 0 if kept else 1


def _show(found: Robustness) -> None:
    for kind in found.kinds:
        change = kind.changes[0]
        ends = f"[{change.change.low:+.3f}, {change.change.high:+.3f}]"
        told = f"{change.before:.3f} -> {change.before + change.change.mean:.3f}  {change.change.mean:+.3f} {ends}"
        print(f"  {kind.name!s:38} {kind.queries:4} queries  {told}  p {change.p:.3f}")


if __name__ == "__main__":
    default = Path(__file__).parents[3] / "shared" / "data"
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else default, sys.argv[2:] or SETS))
