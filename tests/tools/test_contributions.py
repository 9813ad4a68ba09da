"""Each closed form against the figure computed anew without each item."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import pearsonr, spearmanr

from tools import contributions
from tools.statistics import bootstrap_interval

few = st.integers(6, 14)


def brute(figure: Callable[..., float], *columns: np.ndarray) -> np.ndarray:
    n = len(columns[0])
    without = np.array([figure(*(np.delete(column, i) for column in columns)) for i in range(n)])
    return figure(*columns) + (n - 1) * (without.mean() - without)


def drawn(seed: int, n: int, *, ties: bool) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    x, noise = random.normal(size=(2, n))
    y = x + noise
    return (np.round(x), np.round(y)) if ties else (x, y)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), few, st.booleans())
def test_correlations(seed, n, ties):
    x, y = drawn(seed, n, ties=ties)
    x[:3], y[:3] = (-9, 0, 9), (9, -9, 0)  # without any one item neither side is constant
    assert contributions.pearson(x, y) == pytest.approx(brute(lambda a, b: pearsonr(a, b).statistic, x, y), abs=1e-8)
    assert contributions.spearman(x, y) == pytest.approx(brute(lambda a, b: spearmanr(a, b).statistic, x, y), abs=1e-8)


def test_spearman_by_blocks_is_the_same(monkeypatch):
    x, y = drawn(3, 50, ties=True)
    whole = contributions.spearman(x, y)
    monkeypatch.setattr(contributions, "_CELLS", 350)
    assert contributions.spearman(x, y) == pytest.approx(whole)


def test_nothing_is_said_of_a_constant():
    assert not contributions.spearman(np.ones(6), np.arange(6.0)).any()
    assert not contributions.pearson(np.arange(6.0), np.ones(6)).any()


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), few, st.booleans())
def test_average_precision(seed, n, ties):
    from sklearn.metrics import average_precision_score

    scores, _ = drawn(seed, n, ties=ties)
    same = np.random.default_rng(seed).random(n) < 0.5
    same[:2], same[2:4] = True, False
    expected = brute(average_precision_score, same, scores)
    assert contributions.average_precision(scores, same) == pytest.approx(expected, abs=1e-9)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000), few)
def test_figures_of_entropies(seed, n):
    from sklearn.metrics import homogeneity_completeness_v_measure

    from tools.tasks.clustering import completeness, homogeneity, v_measure

    rows, columns = np.random.default_rng(seed).integers(0, 3, size=(2, n))
    for place, figure in enumerate((homogeneity, completeness, v_measure)):
        expected = brute(lambda a, b, place=place: homogeneity_completeness_v_measure(a, b)[place], rows, columns)
        assert contributions.of_entropies(rows, columns, figure) == pytest.approx(expected, abs=1e-7)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000), few)
def test_means_over_classes(seed, n):
    from sklearn.metrics import precision_recall_fscore_support

    from tools.tasks.classification import f1, precision, recall

    true, predicted = np.random.default_rng(seed).integers(0, 3, size=(2, n))
    true, predicted = (np.append(of, [0, 1, 2, 0, 1, 2]) for of in (true, predicted))  # every class stays without one

    def figure(a, b, place):
        return precision_recall_fscore_support(a, b, average="macro", zero_division=0)[place]

    for place, term in enumerate((precision, recall, f1)):
        expected = brute(lambda a, b, place=place: figure(a, b, place), true, predicted)
        assert contributions.of_classes(true, predicted, term) == pytest.approx(expected, abs=1e-9)


def test_figures_of_counts():
    rows, columns = np.array([0, 0, 1, 1, 1, 0]), np.array([0, 1, 1, 1, 0, 0])

    def share(counts: np.ndarray) -> float:
        return float(counts[1, 1] / max(counts[1].sum(), 1))

    expected = brute(lambda a, b: float((b[a == 1] == 1).mean()), rows, columns)
    assert contributions.of_counts(rows, columns, share) == pytest.approx(expected)


def test_intervals_are_those_of_a_bootstrap_that_computes_the_figure_anew():
    x, y = drawn(0, 300, ties=False)
    values = contributions.spearman(x, y)
    assert values.mean() == pytest.approx(spearmanr(x, y).statistic)
    random = np.random.default_rng(1)
    anew = [spearmanr(x[rows], y[rows]).statistic for rows in random.integers(0, 300, size=(600, 300))]
    low, high = np.quantile(anew, [0.025, 0.975])
    found = bootstrap_interval(values)
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.02)
