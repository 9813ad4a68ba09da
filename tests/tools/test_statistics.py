"""Paired tests and intervals: known cases, and how often they are wrong."""

import numpy as np
import pytest

from tools import statistics
from tools.statistics import bootstrap_interval, compare, holm, queries_needed, randomisation_test


def verdicts(scores, margin=0.02):
    return {c.spec: c.verdict for c in compare({k: np.asarray(v, float) for k, v in scores.items()}, margin)}


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_identical_candidates_are_tied(rng):
    same = rng.random(50)
    best, other = compare({"a": same, "b": same.copy()}, 0.02)
    assert (best.verdict, other.verdict) == ("best", "tied")
    assert (other.difference.low, other.difference.mean, other.difference.high) == (0, 0, 0)
    assert (other.p_different, other.p_worse, other.draws) == (1.0, 0.0, 50)
    assert other.queries_needed is None


def test_a_clearly_worse_candidate(rng):
    good = 0.7 + 0.1 * rng.random(100)
    best, bad = compare({"bad": good - 0.2 - 0.05 * rng.random(100), "good": good}, 0.02)
    assert (best.spec, bad.spec, bad.verdict, bad.best) == ("good", "bad", "worse", "good")
    assert bad.p_different < 0.001
    assert (bad.wins, bad.losses, bad.draws) == (0, 100, 0)
    assert bad.difference.low < bad.difference.mean < bad.difference.high < -0.2


def test_a_slightly_worse_candidate_is_tied_when_the_sample_shows_it(rng):
    """Worse without doubt, yet by less than the margin: not inferior."""
    good = 0.5 + 0.3 * rng.random(200)
    slightly = good - 0.005 + 0.002 * rng.standard_normal(200)
    other = compare({"good": good, "slightly": slightly}, 0.02)[1]
    assert other.verdict == "tied"
    assert other.p_different < 0.05
    assert verdicts({"good": good, "slightly": slightly}, margin=0.001)["slightly"] == "worse"


def test_a_small_noisy_sample_decides_nothing():
    b = np.full(8, 0.5)
    a = b + np.array([0.3, -0.2, 0.3, -0.1, 0.2, -0.3, 0.1, 0.0])
    other = compare({"a": a, "b": b}, 0.02)[1]
    assert other.verdict == "undecided"
    assert other.queries_needed
    assert other.queries_needed > 8


def test_one_query_decides_nothing_and_breaks_nothing():
    best, other = compare({"a": np.array([0.9]), "b": np.array([0.1])}, 0.02)
    assert (best.verdict, other.verdict, other.queries_needed) == ("best", "undecided", None)


def test_one_candidate_is_the_best():
    (only,) = compare({"a": np.array([0.1, 0.2])}, 0.02)
    assert (only.verdict, only.draws) == ("best", 2)


def test_the_order_is_by_mean_then_name():
    scores = {"c": np.array([0.5, 0.5]), "a": np.array([0.4, 0.6]), "b": np.array([0.9, 0.9])}
    assert [c.spec for c in compare(scores, 0.02)] == ["b", "a", "c"]


def test_results_can_be_repeated(rng):
    scores = {"a": rng.random(40), "b": rng.random(40), "c": rng.random(40)}
    assert compare(scores, 0.02) == compare(scores, 0.02)


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.9]) == [1.0, 1.0]
    assert holm([0.2]) == [0.2]
    assert holm([]) == []
    assert holm([0.04, 0.01, 0.01, 0.02]) == pytest.approx([0.04, 0.04, 0.04, 0.04])


def test_the_randomisation_test_counts_all_sign_changes():
    """Five equal differences: of 32 sign patterns one is as large, two are as extreme."""
    assert randomisation_test(np.full(5, 0.1), "greater") == pytest.approx(1 / 32)
    assert randomisation_test(np.full(5, 0.1)) == pytest.approx(2 / 32)
    assert randomisation_test(np.full(5, -0.1), "greater") == pytest.approx(1.0)
    assert randomisation_test(np.zeros(5)) == 1.0
    assert randomisation_test(np.array([0.3])) == randomisation_test(np.array([0.3]), "greater") == 1.0


def test_p_values_are_about_uniform_where_nothing_differs(rng, monkeypatch):
    monkeypatch.setattr(statistics, "RESAMPLES", 399)
    p = np.array([randomisation_test(rng.standard_normal(25) * 0.2, seed=i) for i in range(200)])
    for level in (0.05, 0.25, 0.5, 0.75):
        assert abs((p <= level).mean() - level) < 4 * np.sqrt(level * (1 - level) / len(p))


def test_intervals_cover_the_truth_about_as_often_as_they_say(rng, monkeypatch):
    monkeypatch.setattr(statistics, "RESAMPLES", 399)
    truth, hits = 2 / 5, 0  # the mean of Beta(2, 3)
    for i in range(150):
        found = bootstrap_interval(rng.beta(2, 3, 40), seed=i)
        assert found.low <= found.mean <= found.high
        hits += found.low <= truth <= found.high
    assert 0.88 <= hits / 150 <= 0.99


@pytest.mark.parametrize("values", [[0.5], [0.3, 0.3, 0.3], [0.0] * 10, [1.0, 1.0]])
def test_intervals_of_constant_values_are_points(values):
    found = bootstrap_interval(np.array(values))
    assert found.low == found.mean == found.high == pytest.approx(values[0])


@pytest.mark.parametrize("values", [[0.0, 1.0], [0.0] * 30 + [1.0], [1.0] * 30 + [0.0], [0.1, 0.2, 0.9]])
def test_intervals_of_skewed_values_are_finite(values):
    found = bootstrap_interval(np.array(values))
    assert 0 <= found.low <= found.mean <= found.high <= 1


def test_queries_needed_follows_the_formula():
    differences = np.array([0.1, -0.1] * 50)
    deviation = differences.std(ddof=1)
    assert queries_needed(differences, 0.02) == np.ceil((2.486475 * deviation / 0.02) ** 2)
    assert queries_needed(differences * 2, 0.02) > queries_needed(differences, 0.02)
    assert queries_needed(differences - 0.018, 0.02) is None  # on the edge of the margin: 15,000 and more


def test_power_at_the_number_asked_for_is_about_eighty_percent(rng, monkeypatch):
    """What `queries_needed` promises, tried."""
    monkeypatch.setattr(statistics, "RESAMPLES", 299)
    pilot = rng.normal(0, 0.1, 30)
    pilot -= pilot.mean()
    count = queries_needed(pilot, 0.03)
    spread = pilot.std(ddof=1)
    shown = [randomisation_test(rng.normal(0.03, spread, count), "greater", seed=i) < 0.05 for i in range(120)]
    assert 0.65 < np.mean(shown) < 0.93
