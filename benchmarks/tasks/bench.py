"""Do the tasks beyond ranking give the figures that MTEB publishes? And how do the candidates of any machine compare?

    python benchmarks/tasks/bench.py [FOLDER] [HOME] > benchmarks/tasks/result.txt

FOLDER holds the data sets (default: ../shared/data); HOME keeps vectors between runs (default: a temporary folder).
all-MiniLM-L6-v2 in fp32 encodes some 30,000 short texts: minutes on two cores.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from knowledge.measured_task import MeasuredTask
from knowledge.progress import Progress
from tools.datasets import read_dataset
from tools.evaluate import describe_method, evaluate, query_scores
from tools.recommend.contest import compare_all, independent
from tools.workspace import Workspace

MINILM = "st:sentence-transformers/all-MiniLM-L6-v2"
CANDIDATES = [MINILM, f"{MINILM}?dim=128", "static:wordllama", "bm25"]
#: MTEB's results for all-MiniLM-L6-v2: task, metric, figure; and how far a sum of another order may be off
PUBLISHED: dict[tuple[str, str], float] = {
    ("stsb_multi/en.jsonl", "Spearman"): 0.82032,
    ("banking77", "Accuracy(8-shot)"): 0.80042,
    ("tatoeba_bitext/deu-eng.tsv", "F1(bitext)"): 0.0789,
    ("tatoeba_bitext/cmn-eng.tsv", "F1(bitext)"): 0.0192,
}
TOLERANCE = 0.0005
SETS: tuple[tuple[str, MeasuredTask], ...] = (
    ("stsb_multi/en.jsonl", "similarity"),
    ("stsb_multi/zh.jsonl", "similarity"),
    ("banking77", "classification"),
    ("banking77", "clustering"),
    ("snips/texts.jsonl", "classification"),
    ("snips/texts.jsonl", "clustering"),
    ("tatoeba_bitext/deu-eng.tsv", "bitext"),
    ("tatoeba_bitext/cmn-eng.tsv", "bitext"),
)
MARGIN = 0.02


def main(folder: Path, home: Path) -> int:
    """Measure and print; 1 where a published figure is missed."""
    missed = 0
    for name, task in SETS:
        dataset = read_dataset(folder / name)
        workspace = Workspace(home=home, offline=True)
        found = evaluate(dataset, CANDIDATES, workspace, task=task, preflight=False, on_progress=_show)
        sys.stderr.write("\n")
        print(f"\n{name}, {task}: {describe_method(found).render()}")
        for note in (*found.notes, *found.warnings):
            print(f"  {note.render()}")
        scores = independent(query_scores(found, workspace), found.same_queries)
        verdicts = {c.spec: c for c in compare_all(list(scores), scores, MARGIN)}
        for c in sorted(found.candidates, key=lambda c: -c.primary_mean):
            figures = ", ".join(f"{metric} {value:.4f}" for metric, value in c.metrics.items())
            gap, verdict = verdicts[c.spec].difference, verdicts[c.spec].verdict
            beside = "" if verdict == "best" else f", {gap.mean:+.4f} [{gap.low:+.4f}, {gap.high:+.4f}]"
            took = f"scoring {c.search_seconds:.1f} s"
            print(f"  {c.spec}: {figures}; [{c.interval.low:.4f}, {c.interval.high:.4f}]{beside}, {verdict}; {took}")
            if c.spec == MINILM:
                missed += sum(_compare(name, metric, value) for metric, value in c.metrics.items())
        sys.stdout.flush()
    return min(missed, 1)


def _compare(name: str, metric: str, value: float) -> bool:
    """Print a figure beside MTEB's, where there is one; whether it is missed."""
    published = PUBLISHED.get((name, metric))
    if published is None:
        return False
    near = abs(value - published) <= TOLERANCE
    print(f"  -> {metric} {value:.5f}, MTEB {published:.5f}: {'reproduced' if near else 'MISSED'} (within {TOLERANCE})")
    return not near


def _show(progress: Progress) -> None:
    left = f", {progress.eta_seconds:.0f} s left" if progress.eta_seconds is not None else ""
    sys.stderr.write(f"\r{progress.label} {progress.done / progress.total:.0%}{left}   ")
    sys.stderr.flush()


if __name__ == "__main__":
    data = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[2].parent / "shared" / "data"
    if len(sys.argv) > 2:
        sys.exit(main(data, Path(sys.argv[2])))
    with tempfile.TemporaryDirectory() as made:
        sys.exit(main(data, Path(made)))
