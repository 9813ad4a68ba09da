"""How many answers does it take until the decision is the one that all labels give, and is it settled when it says so?

    python -m benchmarks.active_labels.bench [--home FOLDER] [--seeds 3] [--cap 60] [SET ...] > .../result.txt

For each set, a sample of queries; all labels are hidden, or all but some; an oracle answers from the labels (what is
not labelled: no). Beside the pairs that `tools.active_labels` asks about, pairs chosen at random among those on whose
place two candidates differ. The decision is the product's: the cheapest candidate (they are named cheapest first) whose
expected nDCG@10 is within 2 points of the best.

- right from: answers after which the winner was the one of all labels, and stayed it up to the last answer;
- good from: the same of a winner that is at most 2 points worse than the best, by all labels;
- stops: answers after which it said that it is settled, and whether its winner was good then;
- inside: share of the 95 % intervals of gaps, every tenth answer, that hold the gap of all labels.

Vectors are kept in --home: the first run encodes 7,000 documents with a small transformer, which takes minutes.
"""

from __future__ import annotations

import argparse
import datetime as dt
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from knowledge.dataset import Dataset, content_hash
from knowledge.results import Consent, DatasetSummary, Judging, Label
from tools.active_labels import judging
from tools.active_labels.gain import Metric
from tools.active_labels.outlook import Decision, decide
from tools.active_labels.pool import Rankings, make_pool
from tools.datasets import read_dataset
from tools.evaluate.first_found import first_found
from tools.metrics.judgments import treat
from tools.workspace import Workspace

SHARED = Path(__file__).parents[2].parent / "shared" / "data"
SETS = ("covid_faq", "scifact", "dbpedia_entity", "cmrc2018_zh")
MODEL = "st:sentence-transformers/all-MiniLM-L6-v2?backend=onnx&precision=int8"
#: cheapest first
SPECS = ("bm25", "static:wordllama?dim=64", "static:wordllama?dim=256", MODEL, f"rrf(bm25, {MODEL})")
METRIC, MARGIN, QUERIES = "nDCG@10", 0.02, 80
#: shares of the labels that are left
KEPT = (0.0, 0.3)
NOW = dt.datetime(2026, 11, 28, tzinfo=dt.UTC)


@dataclass(frozen=True)
class World:
    """A sample of a set: what was found, and all labels."""

    found: Mapping[str, Rankings]
    gold: dict[str, dict[str, int]]
    means: np.ndarray
    decision: Decision


@dataclass
class Course:
    """What was decided after each answer."""

    winners: list[int] = field(default_factory=list)
    stop: int | None = None
    inside: list[bool] = field(default_factory=list)
    widths: list[float] = field(default_factory=list)


def sampled(found: Mapping[str, Rankings], labelled: Dataset, seed: int) -> World:
    """Some queries of those that have a right answer."""
    answered = [q for q, grades in labelled.judgments.items() if q in labelled.queries and max(grades.values()) > 0]
    rng = np.random.default_rng(seed)
    chosen = sorted(rng.choice(len(answered), min(QUERIES, len(answered)), replace=False).tolist())
    queries = [answered[i] for i in chosen]
    gold = {q: labelled.judgments[q] for q in queries}
    part = {spec: {q: rankings.get(q, ()) for q in queries} for spec, rankings in found.items()}
    pool = make_pool(part, gold)
    scores, counting = Metric(METRIC, pool).scores(np.zeros(pool.unknown.shape, np.bool_))
    means = scores[:, counting].mean(axis=1)
    return World(part, gold, means, decide(means, MARGIN, range(len(SPECS))))


def hidden(world: World, kept: float, seed: int) -> Dataset:
    """The sample with a share of its labels; texts play no part."""
    rng = np.random.default_rng(seed)
    judgments = {q: {d: g for d, g in grades.items() if rng.random() < kept} for q, grades in world.gold.items()}
    judgments = {q: grades for q, grades in judgments.items() if grades}
    seen = {d for rankings in world.found.values() for documents in rankings.values() for d in documents}
    documents = dict.fromkeys(sorted(seen | {d for grades in judgments.values() for d in grades}), "")
    documents = {d: d for d in documents}
    queries = {q: f"? {q}" for q in world.gold}
    summary = DatasetSummary(
        name="hidden",
        path="",
        hash=content_hash({}, queries, judgments),
        format="beir",
        documents=len(documents),
        queries=len(queries),
        judgments=sum(map(len, judgments.values())),
    )
    return Dataset(summary, documents, queries, judgments)


def run(world: World, dataset: Dataset, cap: int, seed: int, *, active: bool) -> Course:
    """Answer pairs until the cap; also past where it says that it is settled, to see whether that holds."""
    rng = np.random.default_rng(seed)
    labels: list[Label] = []
    course = Course()
    pairs = _disagreements(world, dataset)
    for count in range(cap + 1):
        look = judging(
            world.found,
            dataset,
            labels,
            metric=METRIC,
            margin=MARGIN,
            order=SPECS,
            most=cap + 1,
            count=1 if active else 0,
        )
        course.winners.append(SPECS.index(look.winner))
        if course.stop is None and look.status != "open":
            course.stop = count
        if count % 10 == 0:
            _check_intervals(look, world, course)
        if count == cap or (active and not look.next) or not pairs:
            break
        at_random = pairs.pop(int(rng.integers(len(pairs))))
        pair = (look.next[0].query, look.next[0].document) if active else at_random
        grade = min(world.gold[pair[0]].get(pair[1], 0), 10)
        labels.append(Label(query=pair[0], document=pair[1], grade=max(grade, 0), given=NOW))
    return course


def _disagreements(world: World, dataset: Dataset) -> list[tuple[str, str]]:
    """All unjudged pairs on whose place two candidates differ."""
    pool = make_pool(world.found, dataset.judgments)
    differ = pool.unknown & (pool.places.max(axis=0) != pool.places.min(axis=0))
    return [pool.pair(int(row), int(column)) for row, column in np.argwhere(differ)]


def _check_intervals(look: Judging, world: World, course: Course) -> None:
    winner = SPECS.index(look.winner)
    for gap in look.gaps:
        true = float(world.means[winner] - world.means[SPECS.index(gap.spec)])
        course.inside.append(gap.difference.low <= true <= gap.difference.high)
        assert gap.least - 1e-9 <= gap.difference.mean <= gap.most + 1e-9
    course.widths.append(look.gaps[0].difference.high - look.gaps[0].difference.low)


def lasting(good: Sequence[bool]) -> int | None:
    """From where on it is good up to the end; None where it is not good at the end."""
    if not good[-1]:
        return None
    return next((i + 1 for i in range(len(good) - 1, -1, -1) if not good[i]), 0)


def told(values: Sequence[int | None], cap: int) -> str:
    """The median (more than the cap where it was not reached), and all values."""
    numbers = [cap + 1 if value is None else value for value in values]
    middle = statistics.median(numbers)
    shown = f">{cap}" if middle > cap else f"{middle:.0f}"
    return f"{shown:>4} ({' '.join('-' if value is None else str(value) for value in values)})"


def report(name: str, found: Mapping[str, Rankings], labelled: Dataset, seeds: int, cap: int) -> None:
    """All runs of one set."""
    worlds = [sampled(found, labelled, seed) for seed in range(seeds)]
    print(f"{name}: {len(worlds[0].gold)} queries a sample, {seeds} samples")
    for seed, world in enumerate(worlds):
        figures = " ".join(f"{100 * mean:.1f}" for mean in world.means)
        print(f"  sample {seed}: all labels give {figures}; winner: {short(SPECS[world.decision.winner])}")
    for kept in KEPT:
        for active in (True, False):
            begun, answers = time.perf_counter(), 0
            right, good, stops, inside, widths = [], [], [], [], []
            for seed, world in enumerate(worlds):
                course = run(world, hidden(world, kept, seed), cap, seed, active=active)
                answers += len(course.winners)
                regret = [float(world.means.max() - world.means[w]) for w in course.winners]
                right.append(lasting([w == world.decision.winner for w in course.winners]))
                good.append(lasting([loss <= MARGIN + 1e-9 for loss in regret]))
                if course.stop is not None:
                    stops.append(f"{course.stop}{'' if regret[course.stop] <= MARGIN + 1e-9 else '!'}")
                inside += course.inside
                widths.append(course.widths)
            first, last = (100 * statistics.fmean(w[i] for w in widths) for i in (0, -1))
            print(
                f"  {kept:4.0%} of labels kept, {'chosen' if active else 'random'} pairs: "
                f"right from {told(right, cap)}, good from {told(good, cap)}, "
                f"stops after {' '.join(stops) or '-'}; inside {statistics.fmean(inside):.0%}; "
                f"interval of the closest gap {first:.0f} -> {last:.0f} points; "
                f"{1000 * (time.perf_counter() - begun) / answers:.0f} ms an answer"
            )
            sys.stdout.flush()


def short(spec: str) -> str:
    """A spec as it fits a line."""
    return spec.replace(MODEL, "MiniLM")


def main() -> None:
    """Run it and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--home", type=Path, default=Path(tempfile.gettempdir()) / "active-labels-bench")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--cap", type=int, default=60)
    parser.add_argument("sets", nargs="*", default=SETS)
    asked = parser.parse_args()
    workspace = Workspace(home=asked.home, offline=True)
    print(
        f"candidates, cheapest first: {', '.join(map(short, SPECS))}; up to {asked.cap} answers; “!”: not a good winner"
    )
    for name in asked.sets:
        labelled = treat(read_dataset(SHARED / name)).dataset
        found = first_found(labelled, SPECS, workspace, Consent(measure=True)).rankings
        report(name, found, labelled, asked.seeds, asked.cap)


if __name__ == "__main__":
    main()
