"""How indexes grow: seconds to build and milliseconds to search, at sizes from which larger ones are extrapolated.

    python benchmarks/load/growth.py --keep > benchmarks/load/growth.txt

Vectors of real sentences (WordLlama, 256 numbers) of the sets in ../shared/data, in faiss, the library in Milvus Lite,
with the parameters that `index=hnsw` and `index=ivf_sq8` have here. Building uses all cores, searching one, a query at
a time. At the end: what the three smaller sizes say of the largest, by the forms of tools/cost/growth.py, against what
it measured. With --keep the figures are written into knowledge/data/sizing.json, where `advisor cost` has them from.
"""

from __future__ import annotations

import json
import platform
import re
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

import faiss  # noqa: E402
import numpy as np  # noqa: E402

from knowledge.sizing import Growth, GrowthPoint  # noqa: E402
from tools.cost import growth as grown  # noqa: E402
from tools.datasets import read_dataset  # noqa: E402
from tools.encoders.static import WordLlamaEncoder  # noqa: E402
from tools.hardware import usable_cores  # noqa: E402

SHARED = ROOT.parent / "shared" / "data"
SETS = ("scifact", "dbpedia_entity", "pubmedqa", "medqa_internal_zh", "cmrc2018_zh")
SIZES = (10_000, 20_000, 40_000, 80_000)
QUERIES, DEPTH = 200, 10
M, BUILD, SEARCH, PROBES = 16, 200, 128, 8


def sentences(count: int) -> list[str]:
    """So many different sentences; where there are not as many, halves of them too."""
    found: dict[str, None] = {}
    for name in SETS:
        for text in read_dataset(SHARED / name).documents.values():
            found |= dict.fromkeys(part for part in re.split(r"(?<=[.!?。！？；;,，])\s*", text) if len(part) > 12)
    if len(found) < count:
        found |= dict.fromkeys(
            half for text in list(found) for half in (text[: len(text) // 2], text[len(text) // 2 :])
        )
    return list(found)[:count]


def measure(kind: str, vectors: np.ndarray, queries: np.ndarray) -> GrowthPoint:
    """Build and search one index; of three rounds of queries the quickest counts."""
    count, dimension = vectors.shape
    faiss.omp_set_num_threads(usable_cores())
    if kind == "hnsw":
        index = faiss.IndexHNSWFlat(dimension, M, faiss.METRIC_INNER_PRODUCT)
        index.hnsw.efConstruction, index.hnsw.efSearch = BUILD, SEARCH
    else:
        index = faiss.index_factory(dimension, f"IVF{round(count**0.5)},SQ8", faiss.METRIC_INNER_PRODUCT)
        index.nprobe = PROBES
    begun = time.perf_counter()
    index.train(vectors)
    index.add(vectors)
    built = time.perf_counter() - begun
    faiss.omp_set_num_threads(1)
    rounds = []
    for _ in range(3):
        begun = time.perf_counter()
        for query in queries:
            index.search(query[None], DEPTH)
        rounds.append((time.perf_counter() - begun) / len(queries) * 1000)
    return GrowthPoint(vectors=count, build_seconds=round(built, 3), search_ms=round(min(rounds), 4))


def keep(found: Growth) -> None:
    """Write it into the data, in place of what was measured before."""
    path = ROOT / "knowledge" / "data" / "sizing.json"
    made = '"growth": ' + json.dumps(found.model_dump(mode="json")) + "\n}"
    path.write_text(re.sub(r'"growth": (?:null|\{"dimension".*\})\s*\}', made, path.read_text("utf-8")), "utf-8")


def main() -> None:
    """Print all."""
    import wordllama

    encoder = WordLlamaEncoder(str(Path(wordllama.__file__).parent))
    texts = sentences(max(SIZES) + QUERIES)
    order = np.random.default_rng(0).permutation(len(texts))
    made = encoder.embed([texts[i] for i in order], kind="document")
    made /= np.maximum(np.linalg.norm(made, axis=1, keepdims=True), 1e-9)
    queries, vectors = made[:QUERIES], made[QUERIES:]
    print(f"{platform.system()} {platform.machine()}, {usable_cores()} cores, faiss {faiss.__version__}")
    print(f"{len(vectors):,} sentences of {', '.join(SETS)}; {vectors.shape[1]} numbers each\n")
    print(f"{'index':<8} {'vectors':>8} {'build s':>9} {'search ms':>10}")
    kinds: dict[str, tuple[GrowthPoint, ...]] = {}
    for kind in ("hnsw", "ivf_sq8"):
        points = []
        for size in SIZES:
            points.append(measure(kind, np.ascontiguousarray(vectors[:size]), queries))
            print(f"{kind:<8} {size:>8,} {points[-1].build_seconds:>9.2f} {points[-1].search_ms:>10.3f}", flush=True)
        kinds[kind] = tuple(points)
    print("\nthe largest from the three smaller ones: predicted / measured")
    common = {"dimension": int(vectors.shape[1]), "cores": usable_cores(), "source": "growth"}
    for kind, points in kinds.items():
        fewer = Growth(kinds={kind: points[:-1]}, **common)
        last = points[-1]
        build = grown.build_seconds(fewer, kind, last.vectors) / last.build_seconds
        search = grown.query_ms(fewer, kind, last.vectors) / last.search_ms
        print(f"{kind:<8} build {build:.2f}, search {search:.2f}")
    if "--keep" in sys.argv[1:]:
        keep(Growth(kinds=kinds, **common))


if __name__ == "__main__":
    main()
