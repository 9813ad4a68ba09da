"""What do shorter vectors, fewer bits, two stages and an index lose, and what do they save? All from one encode.

    python benchmarks/setups/bench.py [FOLDER] [HOME] > benchmarks/setups/result.txt

FOLDER holds SciFact in BEIR layout (default: ../shared/data/scifact); HOME keeps vectors (default: a temporary folder).
Each encoder reads the texts once; every set-up is made from those vectors. Losses are nDCG@10 against the whole vectors
in float32, paired by query, with 95 % intervals. `rescore=4` ranks the best 40 documents again by the whole vectors.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np

from knowledge.candidate import Leg, parse_candidate
from knowledge.progress import Progress
from knowledge.results import Evaluation, MeasuredCandidate
from tools.datasets import read_dataset
from tools.evaluate import evaluate, query_scores
from tools.setups import setup_of
from tools.statistics import bootstrap_interval
from tools.workspace import Workspace

#: encoder, its full length, and shorter ones
ENCODERS = (
    ("st:sentence-transformers/all-MiniLM-L6-v2", 384, (192, 96)),
    ("static:wordllama", 256, (128, 64)),
)
STORES = ("", "store=float16", "store=int8", "store=int8&rescore=4", "store=binary", "store=binary&rescore=4")
INDEXES = ("index=hnsw", "index=hnsw&m=8&ef=32", "index=ivf_flat", "index=ivf_sq8", "index=ivf_sq8&rescore=4")


def main(folder: Path, home: Path) -> None:
    """Run it and print."""
    dataset = read_dataset(folder)
    workspace = Workspace(home=home, offline=True)
    for model, full, shorter in ENCODERS:
        grid = [_spec(model, dim, store) for dim in ("", *(f"dim={d}" for d in shorter)) for store in STORES]
        stages = [_spec(model, f"first={first}", store) for first in shorter for store in ("", "store=binary")]
        indexes = [_spec(model, index) for index in INDEXES]
        found = evaluate(dataset, [*grid, *stages, *indexes], workspace, preflight=False, on_progress=_show)
        sys.stderr.write("\n")
        of = {c.spec: c for c in found.candidates}
        scores = query_scores(found, workspace)
        seconds = sum(c.search_seconds + c.index_seconds for c in of.values())
        texts = {c.encoded_texts + c.cached_texts for c in of.values()}
        print(f"{model} on {dataset.summary.name}: {len(dataset.documents)} documents, {found.judged_queries} queries")
        print(f"{len(of)} set-ups from one encode of {max(texts)} texts, indexed and searched in {seconds:.0f} s\n")
        _table(found, scores, [*grid, *stages], model, full)
        _gaps([of[spec] for spec in indexes])
        notes = dict.fromkeys(str(note) for c in of.values() for note in c.notes)
        print("\n".join(("notes:", *(f"  {note}" for note in notes))) + "\n")


def _spec(model: str, *options: str) -> str:
    given = "&".join(option for option in options if option)
    return parse_candidate(f"{model}?{given}" if given else model).spec


def _table(found: Evaluation, scores: dict[str, dict[str, float]], specs: list[str], model: str, full: int) -> None:
    print(
        f"{'set-up':34}{'nDCG@10':>8}  {'loss in points':>15} {'95 % interval':>17} {'searched':>9} {'all bytes':>10}"
    )
    first = np.array(list(scores[model].values()))
    of = {c.spec: c for c in found.candidates}
    for spec in specs:
        leg = parse_candidate(spec)
        assert isinstance(leg, Leg)
        setup = setup_of(leg)
        loss = bootstrap_interval(np.array(list(scores[spec].values())) - first)
        length = setup.dim or full
        options = "&".join(f"{k}={v}" for k, v in sorted(leg.options.items())) or f"whole, float32 ({full})"
        ends = f"{100 * loss.low:+.1f} to {100 * loss.high:+.1f}"
        print(
            f"{options:34}{of[spec].primary_mean:8.4f}  {100 * loss.mean:+15.1f} {ends:>17} "
            f"{setup.searched_bytes(length):9.0f} {setup.bytes(length):10.0f}"
        )
    print()


def _gaps(candidates: list[MeasuredCandidate]) -> None:
    print(f"{'index':60}{'exact':>8}{'found':>8}{'recall@10':>11}  {'gap in points':>20}")
    for candidate in candidates:
        gap = candidate.index_gap
        assert gap
        values = ", ".join(f"{k}={v}" for k, v in gap.parameters.items())
        again = " + rescore" if "rescore" in candidate.spec else ""
        d = gap.difference
        ends = f"{100 * d.mean:+.1f} ({100 * d.low:+.1f} to {100 * d.high:+.1f})"
        print(f"{f'{gap.kind} ({values}){again}':60}{gap.exact:8.4f}{gap.found:8.4f}{gap.recall:11.3f}  {ends:>20}")
    print()


def _show(progress: Progress) -> None:
    sys.stderr.write(f"\r{progress.label} {progress.done / progress.total:.0%}   ")
    sys.stderr.flush()


if __name__ == "__main__":
    default = Path(__file__).parents[2].parent / "shared" / "data" / "scifact"
    data = Path(sys.argv[1]) if len(sys.argv) > 1 else default
    if len(sys.argv) > 2:
        main(data, Path(sys.argv[2]))
    else:
        with tempfile.TemporaryDirectory() as folder:
            main(data, Path(folder))
