"""Does the whole path (read, encode, Milvus, search, score) give the figure that MTEB publishes? And what does it add?

    python benchmarks/scifact/bench.py [FOLDER] > benchmarks/scifact/result.txt

FOLDER holds SciFact in BEIR layout (default: ../shared/data/scifact). all-MiniLM-L6-v2 in fp32 encodes 5,183 abstracts:
minutes on two cores. Beside it stand the limits: exact search in NumPy over the same vectors, and the bare model.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from knowledge.candidate import Leg
from knowledge.progress import Progress
from tools import encoders
from tools.datasets import read_dataset
from tools.encoding import ensure, vectors
from tools.evaluate import evaluate
from tools.metrics import scoring
from tools.workspace import Workspace

MODEL = "sentence-transformers/all-MiniLM-L6-v2"
#: results repository of MTEB, snapshot of 2026-08-20: SciFact, test split, nDCG@10
PUBLISHED = 0.64508
TOLERANCE = 0.0005
SAMPLE = 256


def main(folder: Path) -> int:
    """Run it and print; 1 when the figure is missed."""
    dataset = read_dataset(folder)
    with tempfile.TemporaryDirectory() as home:
        workspace = Workspace(home=Path(home))
        begun = time.perf_counter()
        found = evaluate(dataset, [f"st:{MODEL}"], workspace, on_progress=_show)
        whole = time.perf_counter() - begun
        measured = found.candidates[0]
        begun = time.perf_counter()
        again = evaluate(dataset, [f"st:{MODEL}?dim=384"], workspace)
        second = time.perf_counter() - begun
        resolved = encoders.resolve(Leg(backend="st", name=MODEL), workspace)
        documents = encoders.cut(vectors(resolved, list(dataset.documents.values()), "document", workspace), None)
        judged = {q: j for q, j in dataset.judgments.items() if any(g > 0 for g in j.values())}
        asked = [dataset.queries[q] for q in judged]
        queries = encoders.cut(vectors(resolved, asked, "query", workspace), None)
        begun = time.perf_counter()
        exact = _exact(documents, queries, list(dataset.documents), judged)
        numpy_seconds = time.perf_counter() - begun
        ratio, raw_rate = _overhead(list(dataset.documents.values()), resolved)
    score = measured.metrics["nDCG@10"]
    near = abs(score - PUBLISHED) <= TOLERANCE
    sys.stderr.write("\n")
    print(f"SciFact: {len(dataset.documents)} documents, {len(judged)} queries; {MODEL}, fp32, {resolved.revision}")
    print(f"nDCG@10 measured  {score:.5f}")
    print(f"nDCG@10 published {PUBLISHED:.5f} (MTEB): {'reproduced' if near else 'MISSED'} (within {TOLERANCE})")
    print(f"nDCG@10 by exact search in NumPy over the same vectors {exact:.5f}")
    print("other metrics     " + ", ".join(f"{k} {v:.4f}" for k, v in measured.metrics.items() if k != "nDCG@10"))
    print(
        f"whole run         {whole:.1f} s, of which encoding {measured.encode_seconds:.1f} s "
        f"({measured.encoded_texts} texts), inserting {measured.index_seconds:.1f} s, "
        f"searching {measured.search_seconds:.2f} s (NumPy with scoring: {numpy_seconds:.2f} s)"
    )
    print(f"second run        {second:.1f} s, {again.candidates[0].encoded_texts} texts encoded")
    print(
        f"encoding through the cache and a child process takes {ratio:.2f} x the bare model's time "
        f"({SAMPLE} documents, model loaded; bare: {raw_rate:.0f} documents/s)"
    )
    return 0 if near else 1


def _exact(
    documents: encoders.Vectors, queries: encoders.Vectors, ids: list[str], judged: dict[str, dict[str, int]]
) -> float:
    scores = queries @ documents.T
    best = np.argsort(-scores, axis=1)[:, :100]
    rankings = {q: [(ids[row], float(scores[i, row])) for row in best[i]] for i, q in enumerate(judged)}
    values = scoring.score(rankings, judged, ["nDCG@10"])["nDCG@10"].values()
    return float(np.mean(list(values)))


def _overhead(texts: list[str], resolved: encoders.Resolved) -> tuple[float, float]:
    """Time of `ensure`'s encoding over the bare model's, in turn on the same texts: median of three pairs."""
    model = encoders.load(resolved)
    sample = sorted(texts[:SAMPLE], key=len, reverse=True)
    model.embed(sample[:8], kind="document")
    ratios, rates = [], []
    for _ in range(3):
        begun = time.perf_counter()
        model.embed(sample, kind="document")
        raw = time.perf_counter() - begun
        with tempfile.TemporaryDirectory() as home:
            cost = ensure(resolved, {"document": sample}, Workspace(home=Path(home)))
        ratios.append(cost.seconds / raw)
        rates.append(len(sample) / raw)
    return float(np.median(ratios)), float(np.median(rates))


def _show(progress: Progress) -> None:
    left = f", {progress.eta_seconds:.0f} s left" if progress.eta_seconds is not None else ""
    sys.stderr.write(f"\r{progress.label} {progress.done / progress.total:.0%}{left}   ")
    sys.stderr.flush()


if __name__ == "__main__":
    default = Path(__file__).parents[2].parent / "shared" / "data" / "scifact"
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else default))
