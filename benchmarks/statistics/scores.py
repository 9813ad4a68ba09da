"""Make scores.json: nDCG@10 a query of nine real candidates, the distributions from which bench.py draws.

    python benchmarks/statistics/scores.py [FOLDER]

FOLDER holds the sets (default: ../shared/data). all-MiniLM-L6-v2 encodes all of them: many minutes on two cores. Only
figures are kept, at four decimals and of at most 500 evenly spread queries a set; no text.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from tools.datasets import read_dataset
from tools.evaluate import evaluate, query_scores
from tools.workspace import Workspace

SETS = ("covid_faq", "dbpedia_entity", "cmrc2018_zh", "scifact")
MINILM, WORDS = "st:sentence-transformers/all-MiniLM-L6-v2", "static:wordllama"
CANDIDATES = (
    *("bm25", "bm25?stem=none", "bm25?b=0.4&k1=0.9", WORDS, MINILM, f"{MINILM}?dim=256", f"{MINILM}?dim=128"),
    *(f"rrf(bm25, {MINILM})", f"rrf(bm25, {WORDS})"),
)
QUERIES = 500
FILE = Path(__file__).with_name("scores.json")


def main(folder: Path) -> None:
    """Measure and write."""
    found = {}
    with tempfile.TemporaryDirectory() as home:
        workspace = Workspace(home=Path(home), offline=True)
        for name in SETS:
            measured = query_scores(evaluate(read_dataset(folder / name), CANDIDATES, workspace), workspace)
            found[name] = {spec: thinned(list(values.values())) for spec, values in measured.items()}
            sys.stderr.write(f"{name}\n")
    write(found)


def thinned(scores: list[float]) -> list[float]:
    """At most `QUERIES` of them, evenly spread, at four decimals."""
    step = max(len(scores) / QUERIES, 1.0)
    return [round(scores[int(i * step)], 4) for i in range(min(len(scores), QUERIES))]


def write(found: dict[str, dict[str, list[float]]]) -> None:
    """One line a candidate."""
    sets = (
        f' "{name}": {{\n' + ",\n".join(f"  {json.dumps(s)}: {json.dumps(v)}" for s, v in of.items()) + "\n }"
        for name, of in found.items()
    )
    FILE.write_text("{\n" + ",\n".join(sets) + "\n}\n", "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[3] / "shared" / "data")
