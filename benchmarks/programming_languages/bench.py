"""The example every guide starts with: a few documents, two queries, which model finds the right ones?

    python benchmarks/programming_languages/bench.py > benchmarks/programming_languages/result.txt

25 documents that describe programming languages, the queries "auto garbage collection" and "suite for web backend
server development"; precision and recall at 4 for each candidate that runs on any machine.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from tools.datasets import read_dataset
from tools.evaluate import evaluate
from tools.workspace import Workspace

MINILM = "st:sentence-transformers/all-MiniLM-L6-v2"
CANDIDATES = (
    "bm25",
    "static:wordllama",
    "static:wordllama?dim=64",
    MINILM,
    f"{MINILM}?precision=bf16",
    f"{MINILM}?dim=128",
    "rrf(bm25, static:wordllama)",
    f"rrf(bm25, {MINILM})",
)


def main() -> None:
    """Measure and print the table."""
    dataset = read_dataset(Path(__file__).parent)
    with tempfile.TemporaryDirectory() as home:
        found = evaluate(dataset, CANDIDATES, Workspace(home=Path(home)), metrics=["P@4", "R@4", "nDCG@10"])
    width = max(len(c.spec) for c in found.candidates)
    print(f"{len(dataset.documents)} documents, {found.judged_queries} queries, {found.dataset.judgments} judgments")
    print(f"{'candidate':{width}}    P@4    R@4  nDCG@10")
    for c in sorted(found.candidates, key=lambda c: (-c.metrics["P@4"], -c.metrics["nDCG@10"])):
        print(f"{c.spec:{width}}  {c.metrics['P@4']:5.3f}  {c.metrics['R@4']:5.3f}    {c.metrics['nDCG@10']:5.3f}")
    for failed in found.failed:
        print(f"{failed.spec}: {failed.reason}")
    print("Two queries tell nobody apart: the table shows that the path works, not which model is better.")


if __name__ == "__main__":
    main()
