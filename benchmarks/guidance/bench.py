"""How often a question about choosing finds its note, and how often a strange one is said to be unknown.

    python benchmarks/guidance/bench.py > benchmarks/guidance/result.txt

The questions are those of ``tests/golden/guidance``: names, weights and thresholds were set on the tuned half; the
other half says what to expect. The time to the first answer is that of a fresh process, the best of three.
"""

from __future__ import annotations

import platform
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from tests.golden.knowledge_questions import HALVES, Half, answerable, unanswerable  # noqa: E402

FRESH = """
import time
start = time.perf_counter()
from pathlib import Path
from tools.guidance import Guidance
from tools.workspace import Workspace
guidance = Guidance(Workspace(home=Path("."), offline=True), meaning={meaning})
guidance.look_up("what is hnsw")
first = time.perf_counter()
for _ in range(20):
    guidance.look_up("hybrid search or a reranker")
print(first - start, (time.perf_counter() - first) / 20, time.process_time())
guidance.close()
"""


def main() -> None:
    """Print the figures."""
    from knowledge.guidance import load_notes

    notes = load_notes()
    figures = sum(len(note.figures) for note in notes.values())
    print(f"{len(notes)} notes in two languages, {figures} figures with source and date; {platform.machine()}")
    with tempfile.TemporaryDirectory() as home:
        for meaning in (True, False):
            measure(Path(home), meaning=meaning)


def measure(home: Path, *, meaning: bool) -> None:
    """One way of looking up, on both halves."""
    from tools.guidance import FUSED, WORDS, Guidance
    from tools.workspace import Workspace

    print(f"\n{FUSED.spec if meaning else WORDS.spec + ' alone (where WordLlama or Milvus is missing)'}")
    print("half      language  questions  hit@1  hit@3  answered  strange questions  said to be unknown")
    guidance = Guidance(Workspace(home=home, offline=True), meaning=meaning)
    for half in HALVES:
        for language in ("en", "zh", None):
            print(line(guidance, half, language))
    guidance.close()
    first, later, cpu = min(fresh(meaning=meaning) for _ in range(3))
    print(f"first answer of a fresh process {first:.1f} s ({cpu:.1f} s of CPU), each further one {later * 1000:.0f} ms")


def line(guidance, half: Half, language: str | None) -> str:  # noqa: ANN001
    """The figures of one half in one language, or in both."""
    ours = [q for q in answerable(half) if language in (None, q.language)]
    strange = [q for q in unanswerable(half) if language in (None, q.language)]
    found = [(q, guidance.look_up(q.text)) for q in ours]
    first = sum(bool(f.hits) and f.hits[0].note.id in q.notes for q, f in found)
    third = sum(any(hit.note.id in q.notes for hit in f.hits) for q, f in found)
    known = sum(f.known for _, f in found)
    refused = sum(not guidance.look_up(q.text).known for q in strange)
    n, m = len(ours), len(strange)
    return (
        f"{half:9} {language or 'both':8} {n:10}  {first / n:5.1%}  {third / n:5.1%}  {known / n:7.1%} {m:18} "
        f"{refused / m:18.1%}"
    )


def fresh(*, meaning: bool) -> tuple[float, float, float]:
    """Seconds to the first answer of a new process, per later answer, and its CPU time."""
    run = [sys.executable, "-c", FRESH.format(meaning=meaning)]
    done = subprocess.run(run, cwd=ROOT, capture_output=True, text=True, check=True)
    first, later, cpu = (float(value) for value in done.stdout.split()[-3:])
    return first, later, cpu


if __name__ == "__main__":
    main()
