"""Does the adaptive evaluation find the winner of the full one, and for how much of its work?

    python -m benchmarks.adaptive.bench [--home FOLDER] [--seeds 100] [--end-to-end] [SET[:TOKENS[:FEWER]] ...]

SET is ``stdlib`` (the sample) or a folder of ../shared/data; TOKENS what is read of a text (256), FEWER what one more
candidate reads. For each set: all candidates are evaluated in full by `tools.evaluate`; then `tools.adaptive.screen`,
the real code, runs once for each seed, its encoder replaced by a look-up that counts what it would have cost at each
encoder's rate, measured here in turn. Vectors and rates are kept in --home, so that a second run begins where the first
stopped. --end-to-end also runs both for real, with nothing replaced.

Work is CPU seconds of encoding; that of the full evaluation is every distinct encoder (candidates that differ in
dimension share theirs) over all documents and judged queries. The winner is the cheapest (encoding seconds, then fewer
legs, then fewer dimensions) not worse than the best by more than 0.02 nDCG@10; agreement is the same winner, or one
whose full nDCG@10 is at most 0.5 points lower.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.adaptive.pruned import LAYERS, MODEL, encode_all_layers, prune
from benchmarks.adaptive.table import Library, SharedIndex, TableEncoding
from knowledge.candidate import Leg, parse_candidate
from knowledge.dataset import Dataset
from tools import adaptive, encoders, evaluate
from tools.adaptive import ranking
from tools.data_source import DataSource
from tools.datasets import read_dataset
from tools.encoders import Resolved, Vectors
from tools.statistics import Scores, non_inferior
from tools.vector_cache import VectorCache
from tools.workspace import Workspace

DATA = Path(__file__).parents[2].parent / "shared" / "data"
SETS = ("stdlib:256:64", "dbpedia_entity", "scifact:128")
MARGIN = adaptive.MARGIN
WITHIN = 0.005
METRIC = "nDCG@10"
PRECISIONS = ("fp32", "bf16")
#: documents timed with each encoder, in turn, and how often; the best counts
TIMED, REPEATS = 24, 4
GOAL_WORK, GOAL_AGREEMENT = 0.25, 0.95


@dataclass(frozen=True)
class Field:
    """One data set with its candidates and all their vectors."""

    name: str
    dataset: Dataset
    candidates: list[str]
    library: Library
    workspace: Workspace

    def resolve(self, leg: Leg) -> Resolved:
        return encoders.resolve(leg, self.workspace)

    def cost(self, spec: str) -> tuple[float, float, float, str]:
        """Cheaper first, as `tools.adaptive` has it."""
        candidate = parse_candidate(spec)
        dense = [leg for leg in candidate.legs if leg.backend != "bm25"]
        rates = self.library.seconds_per_character
        return (
            sum(rates[self.resolve(leg).fingerprint] for leg in dense),
            float(len(candidate.legs)),
            float(sum(int(leg.options.get("dim", 0)) or 10**6 for leg in dense)),
            spec,
        )

    @property
    def full_seconds(self) -> float:
        """Encoding everything for everyone."""
        legs = {leg for spec in self.candidates for leg in parse_candidate(spec).legs if leg.backend != "bm25"}
        prints = {self.resolve(leg).fingerprint for leg in legs}
        judged = [
            self.dataset.queries[q] for q, of in self.dataset.judgments.items() if any(g > 0 for g in of.values())
        ]
        characters = sum(map(len, {*self.dataset.documents.values()})) + sum(map(len, set(judged)))
        return characters * sum(self.library.seconds_per_character[p] for p in prints)


def st(model: str, precision: str = "fp32", max_tokens: int = 256, **options: int) -> str:
    """A spec, without the options that are the default."""
    given = {key: str(value) for key, value in options.items()}
    if precision != "fp32":
        given["precision"] = precision
    if max_tokens != 256:
        given["max_tokens"] = str(max_tokens)
    return Leg(backend="st", name=model, options=given).spec


def specs_of(models: dict[int, str], max_tokens: int, fewer: int | None) -> list[str]:
    """The candidates: layers, precisions, dimensions, lengths, static vectors, words, and hybrids."""
    whole, half = st(MODEL, "fp32", max_tokens), st(MODEL, "bf16", max_tokens)
    found = [
        *("bm25", "bm25?stem=none", "static:wordllama", "static:wordllama?dim=64"),
        *(whole, half, st(MODEL, "fp32", max_tokens, dim=128), st(MODEL, "bf16", max_tokens, dim=192)),
        *(st(models[layers], "fp32", max_tokens) for layers in range(1, LAYERS)),
        *(f"rrf(bm25, {leg})" for leg in ("static:wordllama", half, whole, st(models[LAYERS - 1], "fp32", max_tokens))),
    ]
    if fewer:
        found += [st(MODEL, precision, fewer) for precision in PRECISIONS]
    return [parse_candidate(spec).spec for spec in found]


def prepare(name: str, home: Path, workspace: Workspace) -> Field:
    """Read the data, encode it with everyone, measure everyone's rate."""
    folder, max_tokens, fewer = (*name.split(":"), None, None)[:3]
    assert folder
    dataset = (
        DataSource(path="stdlib", documents=6000, queries=300).read()
        if folder == "stdlib"
        else read_dataset(DATA / folder)
    )
    models = prune(home / "models", workspace)
    texts = list(dict.fromkeys([*dataset.documents.values(), *dataset.queries.values()]))
    library = Library({text: row for row, text in enumerate(texts)})
    candidates = specs_of(models, int(max_tokens or 256), int(fewer) if fewer else None)
    legs = {leg for spec in candidates for leg in parse_candidate(spec).legs if leg.backend != "bm25"}
    wanted = {leg.model_copy(update={"options": {k: v for k, v in leg.options.items() if k != "dim"}}) for leg in legs}
    wanted |= {fast for leg in wanted if (fast := adaptive.parity.fast_leg(leg))}
    rates = _rates(name, sorted(wanted, key=lambda leg: leg.spec), texts, home, workspace)
    made: dict[tuple[str, int], Vectors] = {}
    for leg in sorted(wanted, key=lambda leg: leg.spec):
        resolved = encoders.resolve(leg, workspace)
        if leg.backend == "static":
            vectors = encoders.load(resolved).embed(texts, kind="document")
        else:
            precision, tokens = leg.options.get("precision", "fp32"), int(leg.options.get("max_tokens", 256))
            if (precision, tokens) not in made:
                made[precision, tokens] = _layers(folder, texts, precision, tokens, home, workspace)
            layers = next(n for n, model in models.items() if model == leg.name)
            vectors = made[precision, tokens][layers - 1]
        library.add(resolved, vectors, rates[leg.spec])
    return Field(name, dataset, candidates, library, workspace)


def _layers(name: str, texts: Sequence[str], precision: str, tokens: int, home: Path, workspace: Workspace) -> Vectors:
    file = home / f"{name.replace('/', '-')}-{precision}-{tokens}.npy"
    if not file.is_file():
        sys.stderr.write(f"{name}: encoding {len(texts)} texts with {precision}, {tokens} tokens\n")
        vectors, _ = encode_all_layers(texts, precision, tokens, workspace)
        np.save(file, vectors)
    found: Vectors = np.load(file, allow_pickle=False)
    return found


def _rates(name: str, legs: Sequence[Leg], texts: Sequence[str], home: Path, workspace: Workspace) -> dict[str, float]:
    """CPU seconds per character of each encoder, in turn on the same documents; models loaded, the best of some rounds.

    CPU time, since on a machine shared with others the clock tells more of them than of the encoder.
    """
    file = home / f"rates-{name.replace('/', '-')}.json"
    found: dict[str, float] = json.loads(file.read_text("utf-8")) if file.is_file() else {}
    if not set(found) >= {leg.spec for leg in legs}:
        rng = np.random.default_rng(0)
        sample = sorted((texts[i] for i in rng.choice(len(texts), TIMED, replace=False)), key=len, reverse=True)
        loaded = {leg.spec: encoders.load(encoders.resolve(leg, workspace)) for leg in legs}
        best = dict.fromkeys(loaded, float("inf"))
        for _ in range(REPEATS):
            for spec, model in loaded.items():
                began = time.process_time()
                model.embed(sample, kind="document")
                best[spec] = min(best[spec], time.process_time() - began)
        found = {spec: seconds / sum(map(len, sample)) for spec, seconds in best.items()}
        file.write_text(json.dumps(found), "utf-8")
    return found


def in_full(field: Field) -> dict[str, Scores]:
    """Per-query scores of every candidate, by the product's own evaluation (its encoding found in the cache); kept."""
    file = field.workspace.home / f"full-{field.name.replace('/', '-')}.json"
    if file.is_file():
        return {spec: np.array(of) for spec, of in json.loads(file.read_text("utf-8")).items()}
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(home=Path(folder), offline=True)
        texts = list(field.library.texts)
        for key, vectors in field.library.vectors.items():
            VectorCache(workspace.vectors, key).put(texts, vectors)
        found = evaluate.evaluate(field.dataset, field.candidates, workspace, metrics=[METRIC], preflight=False)
        scores = evaluate.query_scores(found, workspace)
    queries = list(next(iter(scores.values())))
    file.write_text(json.dumps({spec: [of[query] for query in queries] for spec, of in scores.items()}), "utf-8")
    return {spec: np.array([of[query] for query in queries]) for spec, of in scores.items()}


@dataclass(frozen=True)
class Trial:
    """One seed: what was named, for which share of the work, and what was lost by it."""

    winner: str
    share: float
    rounds: int
    lost: float


def trials(field: Field, full: dict[str, Scores], seeds: int) -> list[Trial]:
    """The real rounds, once for each seed."""
    ranking.BM25Index = SharedIndex  # type: ignore[assignment,misc]  # the same for all seeds: built once
    best = decide(field, full, list(full))
    found = []
    for seed in range(seeds):
        encoding = TableEncoding(field.library)
        screening, failed = adaptive.screen(
            field.dataset, field.candidates, field.workspace, metrics=[METRIC], seed=seed, encoding=encoding
        )
        assert not failed
        assert screening.end == "settled"
        winner = decide(field, full, list(screening.survivors), len(screening.eliminated))
        sys.stderr.write(f"\r{field.name}: {seed + 1} of {seeds} seeds ")
        lost = float(full[best].mean() - full[winner].mean())
        found.append(Trial(winner, encoding.seconds / field.full_seconds, len(screening.rounds), lost))
    return found


def decide(field: Field, full: dict[str, Scores], among: list[str], left_out: int = 0) -> str:
    """The decision rule on full scores."""
    tied = non_inferior({spec: full[spec] for spec in among}, MARGIN, others=left_out)
    return min(tied, key=field.cost)


def report(field: Field, full: dict[str, Scores], found: list[Trial]) -> bool:
    """Print one data set; whether both goals are met."""
    short = {spec: spec.replace(MODEL, "MiniLM").replace(str(field.workspace.home), "…") for spec in full}
    queries = len(next(iter(full.values())))
    print(f"\n{field.name}: {len(field.dataset.documents)} documents, {queries} judged queries")
    unit = field.full_seconds
    for spec in sorted(full, key=lambda spec: -full[spec].mean()):
        print(f"  {full[spec].mean():.4f}  {field.cost(spec)[0] * 1e6:8.2f} µs/char  {short[spec]}")
    winner = decide(field, full, list(full))
    shares = np.array([trial.share for trial in found])
    same = sum(trial.winner == winner for trial in found)
    agreed = sum(trial.winner == winner or trial.lost <= WITHIN for trial in found)
    print(f"  full evaluation: {unit:.0f} s of encoding; winner {short[winner]}")
    print(
        f"  adaptive, {len(found)} seeds: work {shares.mean():.1%} of that (median {np.median(shares):.1%}, "
        f"90 % of the runs under {np.quantile(shares, 0.9):.1%}, worst {shares.max():.1%}); "
        f"{np.mean([trial.rounds for trial in found]):.1f} rounds"
    )
    print(f"  same winner in {same}, the same or at most 0.5 points lower in {agreed} of {len(found)}")
    for other, times in Counter(t.winner for t in found if t.winner != winner).most_common(4):
        print(f"    {times} x {short[other]} ({100 * (full[other].mean() - full[winner].mean()):+.1f} points)")
    met = bool(shares.mean() <= GOAL_WORK and agreed >= GOAL_AGREEMENT * len(found))
    print(
        f"  goal (at most {GOAL_WORK:.0%} on average, agreement in {GOAL_AGREEMENT:.0%}): {'met' if met else 'MISSED'}"
    )
    sys.stdout.flush()
    return met


def end_to_end(field: Field, candidates: list[str]) -> None:
    """Both for real, one after the other, each with an empty cache."""
    seconds: dict[str, float] = {}
    winners: dict[str, str | None] = {}
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(home=Path(folder), offline=True)
        began = time.perf_counter()
        found = adaptive.find_winner(field.dataset, candidates, workspace, metrics=[METRIC])
        seconds["adaptive"], winners["adaptive"] = time.perf_counter() - began, found.winner
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(home=Path(folder), offline=True)
        began = time.perf_counter()
        full = evaluate.evaluate(field.dataset, candidates, workspace, metrics=[METRIC])
        seconds["full"] = time.perf_counter() - began
        encoding = sum({c.encode_seconds for c in full.candidates})
        scores = evaluate.query_scores(full, workspace)
    queries = list(next(iter(scores.values())))
    arrays = {spec: np.array([of[q] for q in queries]) for spec, of in scores.items()}
    winners["full"] = min(non_inferior(arrays, MARGIN), key=field.cost)
    print(f"\nend to end, {field.name}, {len(candidates)} candidates, everything included, an empty cache each:")
    print(f"  full      {seconds['full']:7.1f} s  winner {winners['full']}")
    print(
        f"  adaptive  {seconds['adaptive']:7.1f} s  winner {winners['adaptive']}"
        f"  ({seconds['adaptive'] / seconds['full']:.0%} of the time; encoding "
        f"{found.screening.work.spent_seconds:.0f} s of {encoding:.0f} s)"
    )


# ---------------------------------------------------------------- the command line


def main() -> int:
    """Run it and print; 1 when a goal is missed anywhere."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="*", default=SETS)
    parser.add_argument("--home", type=Path, default=Path(tempfile.gettempdir()) / "adaptive-bench")
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--end-to-end", action="store_true")
    asked = parser.parse_args()
    asked.home.mkdir(parents=True, exist_ok=True)
    workspace = Workspace(home=asked.home, offline=True)
    met = []
    for name in asked.sets:
        field = prepare(name, asked.home, workspace)
        full = in_full(field)
        met.append(report(field, full, trials(field, full, asked.seeds)))
        if asked.end_to_end and name == asked.sets[0]:
            few = [spec for spec in field.candidates if "MiniLM-L1" not in spec and "MiniLM-L3" not in spec]
            end_to_end(field, few)
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
