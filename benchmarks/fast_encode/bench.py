"""How much faster than fp32 can a CPU encode, and what is lost on the way?

    python benchmarks/fast_encode/bench.py [DATA] [HOME] > benchmarks/fast_encode/result.txt

DATA holds SciFact, a COVID FAQ and XQuAD (default: ../shared/data); HOME keeps vectors (default: a temporary folder).
Speed: all variants in turn in one process, best of several turns, on documents spread over all lengths; beside the
wall clock stands CPU time, which other work on the machine moves less. Quality: every document and query of the sets,
exact search, nDCG@10 against fp32 of the same model with its paired interval.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from knowledge.candidate import Leg
from knowledge.dataset import Dataset
from tools import encoders, encoding, statistics
from tools.datasets import read_dataset
from tools.encoders import Resolved, Vectors
from tools.hardware import this_machine
from tools.metrics import scoring
from tools.workspace import Workspace

MODEL = "sentence-transformers/all-MiniLM-L6-v2"
SETS = ("scifact", "covid_faq", "xquad/en")
VARIANTS: dict[str, dict[str, str]] = {
    "torch fp32": {},
    "torch bf16": {"precision": "bf16"},
    "ONNX fp32": {"backend": "onnx"},
    "ONNX int8": {"backend": "onnx", "precision": "int8"},
    "OpenVINO bf16": {"backend": "openvino", "precision": "bf16"},
}
PLAIN = "torch fp32, batches of 32"
GOAL_SPEED, GOAL_LOSS = 3.0, 0.5
DOCUMENTS, TURNS = 48, 3


def main(data: Path, home: Path) -> None:
    """Run it and print."""
    workspace = Workspace(home=home, offline=True)
    found = {
        name: encoders.resolve(Leg(backend="st", name=MODEL, options=options), workspace)
        for name, options in VARIANTS.items()
    }
    hardware = this_machine()
    print(f"{MODEL} ({next(iter(found.values())).revision}) on {hardware.cpu}, {hardware.cores} cores")
    rates = {name: {} for name in SETS}
    for name in SETS:
        dataset = read_dataset(data / name)
        rates[name] = _speed(found, list(dataset.documents.values()))
        _print(name, dataset, rates[name], _quality(found, dataset, workspace))


def _speed(found: dict[str, Resolved], documents: list[str]) -> dict[str, tuple[float, float]]:
    """Documents per second, and per second of CPU time."""
    loaded = {name: encoders.load(resolved) for name, resolved in found.items()}
    by_length = sorted(dict.fromkeys(documents), key=len)
    sample = [by_length[i] for i in np.linspace(0, len(by_length) - 1, min(DOCUMENTS, len(by_length))).astype(int)]
    runs: dict[str, Callable[[], object]] = {
        PLAIN: lambda: _bare(found["torch fp32"]).encode(sample, batch_size=32, show_progress_bar=False)
    }
    for name, encoder in loaded.items():
        runs[name] = lambda encoder=encoder: encoder.embed(sample, kind="document")
    best = dict.fromkeys(runs, (0.0, 0.0))
    for turn in range(TURNS + 1):
        for name, run in runs.items():
            wall, cpu = time.perf_counter(), time.process_time()
            run()
            wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
            if turn:  # the first warms up
                best[name] = max(best[name][0], len(sample) / wall), max(best[name][1], len(sample) / cpu)
    return best


_models: dict[str, object] = {}


def _bare(resolved: Resolved) -> object:
    """The model as sentence-transformers loads it."""
    from sentence_transformers import SentenceTransformer

    path = str(resolved.path)
    if path not in _models:
        _models[path] = SentenceTransformer(path, device="cpu")
    return _models[path]


def _quality(found: dict[str, Resolved], dataset: Dataset, workspace: Workspace) -> dict[str, dict[str, float]]:
    """nDCG@10 by query."""
    judged = {q: j for q, j in dataset.judgments.items() if any(g > 0 for g in j.values())}
    asked, texts = [dataset.queries[q] for q in judged], list(dataset.documents.values())
    scores = {}
    for name, resolved in found.items():
        if name == "ONNX fp32" and len(texts) > 1000:
            continue  # the same vectors as torch's to 1e-6: the smaller sets show it
        encoding.ensure(resolved, {"query": asked, "document": texts}, workspace)
        documents, queries = (
            encoders.cut(encoding.vectors(resolved, of, kind, workspace), None)
            for of, kind in ((texts, "document"), (asked, "query"))
        )
        scores[name] = scoring.score(_rankings(documents, queries, dataset, list(judged)), judged, ["nDCG@10"])[
            "nDCG@10"
        ]
    return scores


def _rankings(
    documents: Vectors, queries: Vectors, dataset: Dataset, judged: list[str]
) -> dict[str, list[tuple[str, float]]]:
    ids, scores = list(dataset.documents), queries @ documents.T
    best = np.argsort(-scores, axis=1, kind="stable")[:, :10]
    return {q: [(ids[row], float(scores[i, row])) for row in best[i]] for i, q in enumerate(judged)}


def _print(
    name: str, dataset: Dataset, rates: dict[str, tuple[float, float]], scores: dict[str, dict[str, float]]
) -> None:
    own = scores["torch fp32"]
    print(f"\n{name}: {len(dataset.documents)} documents, {len(own)} queries with a relevant document")
    print(f"  {'':27}docs/s  x plain  x sorted  docs/CPU-s  x plain  nDCG@10  points to fp32 [95 %]")
    for variant, (wall, cpu) in rates.items():
        line = f"  {variant:25}{wall:8.1f}{wall / rates[PLAIN][0]:9.2f}{wall / rates['torch fp32'][0]:10.2f}"
        line += f"{cpu:12.1f}{cpu / rates[PLAIN][1]:9.2f}"
        if variant in scores:
            lost = np.array([scores[variant][q] - own[q] for q in own]) * 100
            line += f"{np.mean(list(scores[variant].values())):9.4f}"
            if variant != "torch fp32":
                interval = statistics.bootstrap_interval(lost)
                line += f"  {lost.mean():+.2f} [{interval.low:+.2f}, {interval.high:+.2f}]"
                reached = wall / rates[PLAIN][0] >= GOAL_SPEED and lost.mean() >= -GOAL_LOSS
                line += f"  {'goal reached' if reached else 'goal missed'}"
        print(line, flush=True)


if __name__ == "__main__":
    where = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[2].parent / "shared" / "data"
    with tempfile.TemporaryDirectory() as temporary:
        main(where, Path(sys.argv[2]) if len(sys.argv) > 2 else Path(temporary))
