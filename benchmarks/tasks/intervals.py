"""Do tests and intervals hold for figures that are no means: Spearman, average precision, macro F1, V-measure?

    python benchmarks/tasks/intervals.py > benchmarks/tasks/intervals.txt

Two candidates of known quality are drawn again and again. *Covered*: the 95 % interval holds the true figure.
*Different*: two equally good ones are called different (5 % is what the test allows). *Within*: of one that is worse by
exactly the margin it is claimed that it is not (5 % again). *Anew*: how far the interval's ends are from those of a
bootstrap that computes the figure anew on each resample, in points.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from tools import contributions
from tools.statistics import ALPHA, bootstrap_interval, randomisation_test, worse_by_more
from tools.tasks.classification import f1
from tools.tasks.clustering import v_measure

Items = NDArray[np.float64]
REPEATS, ANEW = 300, 1_000
CLASSES = 6


@dataclass(frozen=True)
class Figure:
    """A figure over items, of each of which `draw` makes the truth and what a candidate of some skill makes of it."""

    draw: Callable[[np.random.Generator, int], Items]
    made: Callable[[np.random.Generator, Items, float], Items]
    values: Callable[[Items, Items], Items]
    plain: Callable[[Items, Items], float]
    skill: float


def _similarity(random: np.random.Generator, truth: Items, skill: float) -> Items:
    return truth + random.normal(size=len(truth)) / skill


def _scores(random: np.random.Generator, truth: Items, skill: float) -> Items:
    return truth * skill + random.normal(size=len(truth))


def _names(random: np.random.Generator, truth: Items, skill: float) -> Items:
    """The right class that often, else any; rare classes are found less often."""
    right = random.random(len(truth)) < skill - 0.05 * truth
    return np.where(right, truth, random.integers(0, CLASSES, len(truth)))


def _uneven(random: np.random.Generator, n: int) -> Items:
    shares = 0.6 ** np.arange(CLASSES)
    return random.choice(CLASSES, n, p=shares / shares.sum()).astype(float)


def _spearman(truth: Items, made: Items) -> float:
    return float(np.corrcoef(rankdata(truth), rankdata(made))[0, 1])


def _precision(truth: Items, made: Items) -> float:
    ranked = truth[np.argsort(-made)]
    return float((np.cumsum(ranked) / np.arange(1, len(ranked) + 1) * ranked).sum() / max(ranked.sum(), 1))


def _classes(truth: Items, made: Items) -> Items:
    return contributions.of_classes(truth.astype(np.int64), made.astype(np.int64), f1)


def _entropies(truth: Items, made: Items) -> Items:
    return contributions.of_entropies(truth.astype(np.int64), made.astype(np.int64), v_measure)


FIGURES = {
    "Spearman": Figure(
        lambda random, n: random.normal(size=n),
        _similarity,
        lambda t, m: contributions.spearman(m, t),
        _spearman,
        1.3,
    ),
    "AP(pairs)": Figure(
        lambda random, n: (random.random(n) < 0.3).astype(float),
        _scores,
        lambda t, m: contributions.average_precision(m, t.astype(bool)),
        _precision,
        1.5,
    ),
    "F1(macro)": Figure(_uneven, _names, _classes, lambda t, m: float(_classes(t, m).mean()), 0.8),
    "V-measure": Figure(_uneven, _names, _entropies, lambda t, m: float(_entropies(t, m).mean()), 0.8),
}


def main() -> None:
    """Print a row for each figure and number of items."""
    print(f"{REPEATS} draws each; margin 0.05 (0.1 for 50 items)")
    print(f"{'figure':>10} {'items':>6} {'covered':>8} {'different':>10} {'within':>7} {'anew':>6}")
    for name, figure in FIGURES.items():
        for n in (50, 200, 800):
            margin = 0.1 if n == 50 else 0.05
            print(f"{name:>10} {n:>6} " + _row(figure, n, margin), flush=True)


def _row(figure: Figure, n: int, margin: float) -> str:
    random = np.random.default_rng(n)
    # a figure of few items is not that of many (V-measure of chance is above 0): the truth is its mean over draws
    truth = _mean_figure(figure, n, figure.skill)
    worse = _worse_skill(figure, n, truth - margin)
    covered = different = within = 0
    off = []
    for repeat in range(REPEATS):
        items = figure.draw(random, n)
        one, other, third = (figure.made(random, items, skill) for skill in (figure.skill, figure.skill, worse))
        values = figure.values(items, one)
        interval = bootstrap_interval(values)
        covered += interval.low <= truth <= interval.high
        different += randomisation_test(values - figure.values(items, other)) < ALPHA
        within += worse_by_more(figure.values(items, third) - values, margin) < ALPHA
        if repeat < 5:
            rows = random.integers(0, n, size=(ANEW, n))
            anew = [figure.plain(items[r], one[r]) for r in rows]
            low, high = np.quantile(anew, [0.025, 0.975])
            off.append((abs(interval.low - low) + abs(interval.high - high)) / 2)
    shares = f"{covered / REPEATS:>8.1%} {different / REPEATS:>10.1%} {within / REPEATS:>7.1%}"
    return f"{shares} {100 * float(np.mean(off)):>6.1f}"


def _mean_figure(figure: Figure, n: int, skill: float) -> float:
    random = np.random.default_rng(0)
    found = []
    for _ in range(400):
        items = figure.draw(random, n)
        found.append(figure.plain(items, figure.made(random, items, skill)))
    return float(np.mean(found))


def _worse_skill(figure: Figure, n: int, wanted: float) -> float:
    """The skill whose figure is that, by bisection."""
    low, high = 0.0001, figure.skill
    for _ in range(12):
        middle = (low + high) / 2
        low, high = (middle, high) if _mean_figure(figure, n, middle) < wanted else (low, middle)
    return (low + high) / 2


if __name__ == "__main__":
    main()
