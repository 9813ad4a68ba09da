"""Predicted against measured: hours to embed a corpus ten times the sample, memory of a model, and of an index.

    python benchmarks/load/predicted.py > benchmarks/load/predicted.txt

Hours: a benchmark on a tenth of a corpus, drawn at random, predicts the time of the whole (`corpus_per_second`, as
`advisor cost` uses it; beside it the rate in batches of a fixed size, as it was used before); then the whole is encoded
as an evaluation does, nothing of it in any cache. Medians are compared, of five where that takes seconds, else of
three: another program's second would be half of it. Memory of a model: `knowledge.fit` against the peak of a process
(the cases and the child are those of benchmarks/memory_fit, one text at a time as `fit` asks). Memory of an index: the
bytes that `advisor cost` computes against those of the index as faiss, the library in Milvus Lite, writes it.
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib.util
import platform
import random
import statistics
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from knowledge.candidate import Leg, parse_candidate  # noqa: E402
from knowledge.dataset import Dataset  # noqa: E402
from knowledge.fit import Precision, needed_memory  # noqa: E402
from tools import encoders, encoding  # noqa: E402
from tools.benchmark import benchmark  # noqa: E402
from tools.datasets import read_dataset  # noqa: E402
from tools.setups import setup_of  # noqa: E402
from tools.workspace import Workspace  # noqa: E402

SHARED = ROOT.parent / "shared" / "data"
MINILM = "st:sentence-transformers/all-MiniLM-L6-v2"
#: dataset, documents of the corpus, candidate
CORPORA = (
    ("scifact", 5_000, "static:wordllama"),
    ("dbpedia_entity", 5_000, "static:wordllama"),
    ("medqa_internal_zh", 7_000, "static:wordllama"),
    ("scifact", 1_500, MINILM),
    ("dbpedia_entity", 3_000, MINILM),
    ("cmrc2018_zh", 800, MINILM),
)
SMALLER = 10
#: how often a quick encoder is measured, and a slow one
QUICK_TIMES, TIMES = 5, 3
WITHIN = 0.2
#: shapes of benchmarks/memory_fit by their names, with contexts
SHAPES = ("all-MiniLM-L6-v2 (real weights)", "BERT, 110M", "Qwen3, 600M")
CONTEXTS, PRECISIONS = (128, 512), ("fp32", "bf16")
VECTORS, DIMENSION = 20_000, 384


def hours() -> list[float]:
    """Print the seconds that were predicted and measured; the ratios."""
    heads = f"{'predicted s':>11} {'measured s':>10} {'ratio':>6} {'before':>7}"
    print(f"{'corpus':<18} {'documents':>9} {'candidate':<42} {heads}")
    ratios = []
    for name, most, spec in CORPORA:
        if not (SHARED / name).is_dir():
            print(f"{name:<18} is not in shared/data")
            continue
        whole = read_dataset(SHARED / name)
        chosen = random.Random(0).sample(list(whole.documents), min(most, len(whole.documents)))
        corpus = [whole.documents[id] for id in chosen]
        tenth = chosen[: len(chosen) // SMALLER]
        sample = dataclasses.replace(whole, documents={id: whole.documents[id] for id in tenth})
        times = [_timed(sample, corpus, spec) for _ in range(TIMES if spec == MINILM else QUICK_TIMES)]
        predicted, before, seconds = (statistics.median(of) for of in zip(*times, strict=True))
        ratios.append(predicted / seconds)
        print(
            f"{name:<18} {len(set(corpus)):>9,} {spec:<42} {predicted:>11.1f} {seconds:>10.1f} {ratios[-1]:>6.2f} "
            f"{before / seconds:>7.2f}",
            flush=True,
        )
    return ratios


def _timed(sample: Dataset, corpus: list[str], spec: str) -> tuple[float, float, float]:
    """Seconds for the corpus: predicted from the sample, predicted as it was before, and measured."""
    with tempfile.TemporaryDirectory() as home:
        workspace = Workspace(home=Path(home), offline=True)
        (speed,) = benchmark(sample, [spec], workspace, repeats=5).candidates
        resolved = encoders.resolve(parse_candidate(spec), workspace)  # type: ignore[arg-type]
        cost = encoding.ensure(resolved, {"document": corpus}, workspace)
    assert speed.corpus_per_second
    return cost.encoded / speed.corpus_per_second, cost.encoded / speed.documents_per_second, cost.seconds


def models() -> list[float]:
    """Print the memory of models that was predicted and measured; the ratios."""
    found = importlib.util.spec_from_file_location("memory_fit", ROOT / "benchmarks" / "memory_fit" / "bench.py")
    assert found
    assert found.loader
    bench = importlib.util.module_from_spec(found)
    sys.modules["memory_fit"] = bench
    found.loader.exec_module(bench)
    print(f"\n{'model':<34} {'precision':<9} {'context':>7} {'predicted GB':>12} {'measured GB':>11} {'ratio':>6}")
    ratios = []
    precision: Precision
    for shape in (one for one in bench.SHAPES if one.name in SHAPES):
        for context in CONTEXTS:
            for precision in PRECISIONS:  # type: ignore[assignment]
                card, used, peak = bench.measured(shape, context, 1, precision)
                need = needed_memory(card, precision, used)
                assert need
                ratios.append(need.total_gb / peak)
                figures = f"{need.total_gb:>12.2f} {peak:>11.2f} {ratios[-1]:>6.2f}"
                print(f"{shape.name:<34} {precision:<9} {used:>7} {figures}", flush=True)
    return ratios


def indexes() -> list[float]:
    """Print the bytes of indexes that were predicted and measured; the ratios."""
    import faiss
    import numpy as np

    vectors = np.random.default_rng(0).standard_normal((VECTORS, DIMENSION)).astype(np.float32)
    lists = round(VECTORS**0.5)
    made = {
        "hnsw": faiss.IndexHNSWFlat(DIMENSION, 16),
        "ivf_flat": faiss.index_factory(DIMENSION, f"IVF{lists},Flat"),
        "ivf_sq8": faiss.index_factory(DIMENSION, f"IVF{lists},SQ8"),
    }
    print(f"\n{'index':<10} {'vectors':>8} {'dimension':>9} {'predicted MB':>12} {'measured MB':>11} {'ratio':>6}")
    ratios = []
    for kind, index in made.items():
        index.train(vectors)
        index.add(vectors)
        measured = faiss.serialize_index(index).nbytes
        setup = setup_of(Leg(backend="st", name="any", options={"index": kind}))
        predicted = setup.searched_bytes(DIMENSION) * VECTORS
        ratios.append(predicted / measured)
        figures = f"{predicted / 1e6:>12.1f} {measured / 1e6:>11.1f} {ratios[-1]:>6.2f}"
        print(f"{kind:<10} {VECTORS:>8,} {DIMENSION:>9} {figures}", flush=True)
    return ratios


def main() -> int:
    """Print all; 1 where a prediction is off by more than is allowed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=["hours", "models", "indexes"])
    only = parser.parse_args().only
    print(f"{platform.system()} {platform.machine()}, Python {platform.python_version()}, CPU only")
    parts = {"hours": hours, "models": models, "indexes": indexes}
    found = {name: run() for name, run in parts.items() if only in (None, name)}
    print()
    for name, ratios in found.items():
        inside = sum(1 - WITHIN <= ratio <= 1 + WITHIN for ratio in ratios)
        print(
            f"{name}: predicted / measured {min(ratios):.2f} to {max(ratios):.2f}; "
            f"within {WITHIN:.0%}: {inside} of {len(ratios)}"
        )
    return int(any(abs(ratio - 1) > WITHIN for ratios in found.values() for ratio in ratios))


if __name__ == "__main__":
    raise SystemExit(main())
