"""How often are the tests and intervals wrong? On samples of real scores, whose truth is known.

    python benchmarks/statistics/bench.py > benchmarks/statistics/result.txt

Each line repeats the same thing on many samples: n queries are drawn, with replacement, from those of one set in
scores.json, and all its queries are the truth. Beside what ships stands what is usual. A rate of 5 % over as many
samples is good to about ±2 points.
"""

from __future__ import annotations

import itertools
import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from scipy import stats

from tools import statistics
from tools.statistics import ALPHA, Scores, bootstrap_interval, queries_needed, randomisation_test, smallest_shown

SAMPLES = 400
RESAMPLES = 799
SIZES = (25, 50, 100, 300)
FIELDS = (2, 4, 8)
#: gaps smaller than this are no gaps
GAP = 0.001
Populations = dict[str, Scores]


def load() -> Populations:
    """Set -> scores, shape (candidates, queries)."""
    found = json.loads(Path(__file__).with_name("scores.json").read_text("utf-8"))
    return {name: np.array(list(of.values())) for name, of in found.items()}


def draws(
    populations: Populations, count: int, n: int, seed: int
) -> Iterator[tuple[np.random.Generator, Scores, Scores]]:
    """For each sample: a generator, the truth of `count` candidates, and n of its queries."""
    rng = np.random.default_rng([seed, count, n])
    names = list(populations)
    for i in range(SAMPLES):
        scores = populations[names[i % len(names)]]
        chosen = scores[rng.choice(len(scores), count, replace=False)]
        yield rng, chosen, chosen[:, rng.integers(0, chosen.shape[1], n)]


def by_name(values: Scores) -> dict[str, Scores]:
    """The rows under names that are their numbers."""
    return {str(i): row for i, row in enumerate(values)}


def false_worse(populations: Populations, count: int, n: int) -> tuple[float, float]:
    """Share of samples in which somebody is called worse, though all are equal: ours, and Holm over the others only."""
    ours = usual = 0
    for rng, _, sample in draws(populations, count, n, 1):
        equal = rng.permuted(sample, axis=0)
        field = statistics._field(by_name(equal), 0.02, 0)
        best = equal[int(field.order[0])]
        ours += min(field.different) < ALPHA
        p_values = [randomisation_test(equal[int(spec)] - best) for spec in field.order[1:]]
        usual += min(statistics.holm(p_values)) < ALPHA
    return ours / SAMPLES, usual / SAMPLES


def false_tie(populations: Populations, count: int, n: int) -> tuple[float, float, float, float]:
    """Share of samples with a false claim, the margin being the true gap of one of the candidates: the hardest case.

    "Tied" of one that is beyond the margin of the named best: ours, and by the plain randomisation test; "tied" of one
    that is beyond the margin of the true best; "within the margin of whichever is truly the best".
    """
    wrong = np.zeros(4)
    for rng, population, sample in draws(populations, count, n, 2):
        truth = population.mean(axis=1)
        gaps = truth.max() - truth
        if not (gaps > GAP).any():
            continue
        margin = float(rng.choice(gaps[gaps > GAP])) - 1e-9
        field = statistics._field(by_name(sample), margin, 0)
        order = [int(spec) for spec in field.order]
        differences = [sample[i] - sample[order[0]] for i in order[1:]]
        usual = statistics.holm([randomisation_test(d + margin, "greater") for d in differences])
        tied = [i for i, p in zip(order[1:], field.tied[1:], strict=True) if p < ALPHA]
        plain = [i for i, p in zip(order[1:], usual, strict=True) if p < ALPHA]
        within = [i for i, p in zip(order, field.within, strict=True) if p < ALPHA]
        wrong += (
            any(truth[order[0]] - truth[i] > margin for i in tied),
            any(truth[order[0]] - truth[i] > margin for i in plain),
            any(gaps[i] > margin for i in tied),
            any(gaps[i] > margin for i in within),
        )
    a, b, c, d = (wrong / SAMPLES).tolist()
    return a, b, c, d


def decisions(populations: Populations, count: int, n: int, margin: float = 0.02) -> tuple[float, float, float, float]:
    """What the rule chooses, costs being random: how good it is, and what picking the best does to its figure.

    Shares of samples: chosen within the margin of the named best; of the true best; tied with the named best somebody;
    then by how many points the best's figure flatters it.
    """
    found = np.zeros(4)
    for rng, population, sample in draws(populations, count, n, 3):
        truth = population.mean(axis=1)
        tied = [int(spec) for spec in statistics.non_inferior(by_name(sample), margin)]
        chosen, best = int(rng.choice(tied)), tied[0]
        found += (
            truth[best] - truth[chosen] <= margin,
            truth.max() - truth[chosen] <= margin,
            len(tied) > 1,
            100 * (sample[best].mean() - truth[best]),
        )
    a, b, c, d = (found / SAMPLES).tolist()
    return a, b, c, d


def plain_bca(values: Scores) -> tuple[float, float]:
    """BCa as it is usually done."""
    if np.ptp(values) == 0:
        return float(values[0]), float(values[0])
    found = stats.bootstrap((values,), np.mean, n_resamples=RESAMPLES, method="BCa", batch=500, rng=0)
    return found.confidence_interval.low, found.confidence_interval.high


def ours(values: Scores) -> tuple[float, float]:
    """What ships."""
    found = bootstrap_interval(values)
    return found.low, found.high


def coverage(
    population: list[Scores], n: int, interval: Callable[[Scores], tuple[float, float]]
) -> tuple[float, float, float]:
    """Share of intervals that hold the truth; of the population that does worst; and their mean width.

    Samples of equal values are left out: they have no interval, and `equal_samples` counts them.
    """
    rng = np.random.default_rng(n)
    held, tried, width = np.zeros(len(population)), np.zeros(len(population)), 0.0
    for i, values in enumerate(population):
        for _ in range(_each(population)):
            sample = rng.choice(values, n)
            if np.ptp(sample) == 0:
                continue
            low, high = interval(sample)
            held[i] += low - 1e-9 <= values.mean() <= high + 1e-9
            tried[i] += 1
            width += high - low
    enough = tried >= 20
    return float(held.sum() / tried.sum()), float((held / tried)[enough].min()), float(width / tried.sum())


def equal_samples(population: list[Scores], n: int) -> float:
    """Share of samples whose values are all equal."""
    rng, each = np.random.default_rng(n), _each(population)
    return float(np.mean([np.ptp(rng.choice(v, n)) == 0 for v in population for _ in range(each)]))


def _each(population: list[Scores]) -> int:
    return max(2 * SAMPLES // len(population), 50)


def pairs(populations: Populations) -> list[Scores]:
    """Differences of all pairs that differ, the worse minus the better."""
    found = (
        scores[i] - scores[j]
        for scores in populations.values()
        for i, j in itertools.permutations(range(len(scores)), 2)
    )
    return [d for d in found if d.mean() < -GAP]


def power(populations: Populations, n: int) -> float:
    """Share of samples that show a difference as large as `smallest_shown` says they can."""
    rng, shown = np.random.default_rng([n, 5]), 0
    every = pairs(populations)
    for i in range(SAMPLES):
        d = every[i % len(every)]
        sample = rng.choice(d - d.mean(), n)
        gap = smallest_shown(rng.choice(d, n)) or 0.0  # as a pilot of that size has it
        shown += randomisation_test(sample - gap) < ALPHA
    return shown / SAMPLES


def settled(populations: Populations, margin: float = 0.02, most: int = 1500) -> tuple[float, int]:
    """Share of samples of the size that `queries_needed` asks for that settle it; and over how many samples."""
    rng, done, tried = np.random.default_rng(7), 0, 0
    for d in pairs(populations):
        needed = queries_needed(d, margin)
        if needed is None or not 10 <= needed <= most:
            continue
        for _ in range(4):
            sample = rng.choice(d, needed)
            done += statistics.worse_by_more(sample, margin) < ALPHA or randomisation_test(sample) < ALPHA
            tried += 1
    return done / tried, tried


def main() -> None:
    """Print everything."""
    begun = time.perf_counter()
    statistics.RESAMPLES = RESAMPLES
    populations = load()
    sets = ", ".join(f"{name} ({scores.shape[1]} queries)" for name, scores in populations.items())
    print(f"nDCG@10 of {len(next(iter(populations.values())))} candidates on {sets}; {SAMPLES} samples a line, seeded")
    print("\nfalse winners: all candidates equal (scores swapped at random), somebody is called worse; stated 5 %")
    print("candidates    n   ours  Holm over those against the best")
    for count, n in itertools.product(FIELDS, SIZES):
        mine, usual = false_worse(populations, count, n)
        print(f"{count:>10} {n:>4}  {mine:5.1%}  {usual:5.1%}")
    print("\nfalse ties: the margin is the true gap of one candidate; stated 5 %")
    print(
        "candidates    n  tied with the named best: ours  plain test   'tied', against the true best   'within', ours"
    )
    for count, n in itertools.product(FIELDS, SIZES):
        a, b, c, d = false_tie(populations, count, n)
        print(f"{count:>10} {n:>4}  {a:30.1%} {b:11.1%} {c:31.1%} {d:16.1%}")
    print("\ndecisions at a margin of 2 points, the cheapest of the tied by random costs")
    print(
        "candidates    n  within margin of the named best  of the true best  somebody tied  best flattered by (points)"
    )
    for count, n in itertools.product(FIELDS, SIZES):
        a, b, c, d = decisions(populations, count, n)
        print(f"{count:>10} {n:>4}  {a:31.1%} {b:17.1%} {c:14.1%} {d:27.2f}")
    scores = [row for of in populations.values() for row in of]
    differences = pairs(populations)[::3]
    print("\n95 % intervals: share that hold the truth, over all (worst population), mean width in points")
    print("of              n   ours                     BCa                      no interval: all equal")
    for name, population in (("a mean", scores), ("a difference", differences)):
        for n in (10, *SIZES):
            found = (coverage(population, n, how) for how in (ours, plain_bca))
            line = "   ".join(f"{held:5.1%} ({worst:5.1%}) {100 * width:6.2f}" for held, worst, width in found)
            print(f"{name:<13} {n:>4}   {line}   {equal_samples(population, n):5.1%}")
    print("\npower: share of samples that show a difference as large as `smallest_shown` promises; promised 80 %")
    print("  ".join(f"n = {n}: {power(populations, n):.1%}" for n in SIZES))
    share, tried = settled(populations)
    print(f"`queries_needed`, margin 2 points: {share:.1%} of {tried} samples of that size settle it; promised 80 %")
    sys.stderr.write(f"{time.perf_counter() - begun:.0f} s\n")


if __name__ == "__main__":
    main()
