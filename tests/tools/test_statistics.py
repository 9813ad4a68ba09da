"""Paired tests and intervals: known cases, and how often they are wrong."""

import itertools
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tools import statistics
from tools.statistics import bootstrap_interval, by_text, compare, holm, queries_needed, randomisation_test


def verdicts(scores, margin=0.02):
    return {c.spec: c.verdict for c in compare({k: np.asarray(v, float) for k, v in scores.items()}, margin)}


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.mark.parametrize(
    ("queries", "verdict", "needed"), [(3, "undecided", 149), (148, "undecided", 149), (149, "tied", None)]
)
def test_equal_scores_are_a_tie_where_there_are_queries_enough(rng, queries, verdict, needed):
    """A loss on more than 2 % of the queries stays unseen in 148 of them in 5.03 % of samples, in 149 in 4.93 %."""
    same = rng.random(queries)
    best, other = compare({"a": same, "b": same + 1e-13}, 0.02)  # summed in another order
    assert (best.verdict, other.verdict, other.queries_needed) == ("best", verdict, needed)
    assert other.difference.mean == pytest.approx(0, abs=1e-12)
    assert (other.p_different, other.draws) == (1.0, queries)
    assert other.p_worse == other.p_within == best.p_within == pytest.approx(0.98**queries)


def test_equal_scores_are_corrected_for_their_number_too(rng):
    same = rng.random(149)
    found = compare(dict.fromkeys("abc", same), 0.02)
    assert [c.verdict for c in found] == ["best", "undecided", "undecided"]
    needed = found[1].queries_needed
    assert needed == np.ceil(np.log(0.025) / np.log(0.98)) == 183
    assert [c.verdict for c in compare(dict.fromkeys("abc", rng.random(needed)), 0.02)] == ["best", "tied", "tied"]


@pytest.mark.parametrize(
    ("margin", "verdict", "needed"), [(0.0, "undecided", None), (1e-6, "undecided", None), (1.0, "tied", None)]
)
def test_equal_scores_at_the_ends_of_the_margin(rng, margin, verdict, needed):
    same = rng.random(50)
    _, other = compare({"a": same, "b": same}, margin)
    assert (other.verdict, other.queries_needed) == (verdict, needed)
    assert other.p_worse == pytest.approx(max(1 - margin, 0) ** 50)


@pytest.mark.parametrize(("queries", "rate"), [(20, 0.05), (50, 0.03), (100, 0.025), (149, 0.0201)])
def test_a_rare_total_loss_is_rarely_called_a_tie(queries, rate):
    """Worse by more than the margin of 0.02, all of it on a few queries; samples without any of them look equal."""
    losses = np.random.default_rng(1).binomial(queries, rate, 2_000)
    p = {n: statistics.worse_by_more(-1.0 * (np.arange(queries) < n), 0.02) for n in set(losses.tolist())}
    assert np.mean([p[n] < 0.05 for n in losses.tolist()]) < 0.07  # 0.05 and three standard errors: 0.065


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


def test_the_order_is_by_mean_and_of_equals_as_given():
    scores = {"c": np.array([0.5, 0.5]), "a": np.array([0.4, 0.6]), "b": np.array([0.9, 0.9])}
    assert [c.spec for c in compare(scores, 0.02)] == ["b", "c", "a"]


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
    for_tie = (2.486475 * deviation / 0.02) ** 2
    assert for_tie < queries_needed(differences, 0.02) < 1.1 * for_tie, "and the query that is added"
    assert queries_needed(differences * 2, 0.02) > queries_needed(differences, 0.02)
    assert queries_needed(differences, 0.02, 4, 10) > queries_needed(differences, 0.02)
    # near the edge of the margin it is sooner shown to be worse
    assert queries_needed(differences - 0.018, 0.02) == np.ceil((2.801585 * deviation / 0.018) ** 2)
    assert queries_needed(differences, 0.0) is None
    assert queries_needed(differences * 10, 0.001) is None


def test_queries_needed_is_never_fewer_than_any_test_could_do_with():
    """Of 2 ** n sign patterns one is the most extreme: with four queries, p is never under 2 / 16."""
    assert queries_needed(np.array([-0.5, -0.5, -0.5]), 0.02) == 6
    assert randomisation_test(np.full(6, -0.5)) < 0.05 < randomisation_test(np.full(5, -0.5))


def test_power_at_the_number_asked_for_is_about_eighty_percent(rng, monkeypatch):
    """What `queries_needed` promises, tried."""
    monkeypatch.setattr(statistics, "RESAMPLES", 299)
    pilot = rng.normal(0, 0.1, 30)
    pilot -= pilot.mean()
    count = queries_needed(pilot, 0.03)
    spread = pilot.std(ddof=1)
    shown = [randomisation_test(rng.normal(0.03, spread, count), "greater", seed=i) < 0.05 for i in range(120)]
    assert 0.65 < np.mean(shown) < 0.93


# ---------------------------------------------------------------- against other implementations


@pytest.mark.parametrize("alternative", ["two-sided", "greater"])
@pytest.mark.parametrize("n", [2, 5, 9, 13])
def test_scipy_finds_the_same_where_all_swaps_are_tried(rng, n, alternative):
    for scale in (1, 1 / 3):  # with ties in the sums
        d = np.round(rng.normal(0.1, 0.3, n), 1) * scale
        found = stats.permutation_test(
            (d,), np.mean, permutation_type="samples", n_resamples=np.inf, alternative=alternative, vectorized=True
        )
        assert randomisation_test(d, alternative) == pytest.approx(found.pvalue, abs=1e-12)


def test_scipy_finds_about_the_same_with_many_queries(rng):
    a = rng.beta(2, 3, 400)
    for shift in (0.0, 0.005, 0.01):
        b = a + rng.normal(shift, 0.08, 400)
        error = 4 * 0.5 / np.sqrt(statistics.RESAMPLES)
        assert randomisation_test(b - a) == pytest.approx(stats.ttest_rel(b, a).pvalue, abs=error)
        interval, t = bootstrap_interval(b - a), stats.ttest_1samp(b - a, 0).confidence_interval()
        assert (interval.low, interval.high) == pytest.approx((t.low, t.high), abs=0.15 * (t.high - t.low))


@given(st.lists(st.floats(0, 1), max_size=8))
def test_holm_is_what_its_definition_says(p_values):
    """Adjusted p_i: the largest of (m - k + 1) p_(k) over all k up to i's rank, at most 1."""
    m, order = len(p_values), sorted(p_values)
    expected = [min(1.0, max((m - k) * q for k, q in enumerate(order) if q <= p)) for p in p_values]
    assert holm(p_values) == pytest.approx(expected)
    assert all(mine <= limited <= 1 for limited, mine in zip(holm(p_values), holm(p_values, 1), strict=True))


# ---------------------------------------------------------------- what must hold for all scores

SCORE = st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.63, 1.0])
FIELDS = (
    st.integers(2, 9)
    .flatmap(lambda n: st.lists(st.lists(SCORE, min_size=n, max_size=n), min_size=1, max_size=4))
    .map(lambda rows: {f"c{i}": np.array(row) for i, row in enumerate(rows)})
)
QUICK = settings(max_examples=40, deadline=None, derandomize=True)


@QUICK
@given(FIELDS, st.sampled_from([0.0, 0.02, 0.1]), st.randoms(use_true_random=False))
def test_what_holds_of_any_comparison(scores, margin, random):
    found = compare(scores, margin)
    best = found[0]
    assert [c.verdict for c in found].count("best") == 1
    assert best.p_within is not None
    for c in found:
        assert c.difference.low <= c.difference.mean <= c.difference.high
        assert 0 < c.p_different <= 1
        assert 0 <= c.p_worse <= 1
        assert 0 <= c.p_within <= 1
        assert c.wins + c.losses + c.draws == len(scores[c.spec])
        assert c.difference.mean <= 1e-12
    assert [c.spec for c in found if c.verdict in ("best", "tied")] == list(statistics.non_inferior(scores, margin))
    # the order of the queries says nothing
    order = list(range(len(scores["c0"])))
    random.shuffle(order)
    shuffled = compare({spec: values[order] for spec, values in scores.items()}, margin)
    assert [(c.spec, c.verdict, c.p_different, c.p_worse) for c in shuffled] == [
        (c.spec, c.verdict, pytest.approx(c.p_different), pytest.approx(c.p_worse)) for c in found
    ]
    # nor does the unit, as long as scores are from 0 to 1
    halves = compare({spec: 0.5 * values for spec, values in scores.items()}, 0.5 * margin)
    assert [(c.spec, c.verdict) for c in halves] == [(c.spec, c.verdict) for c in found]


@QUICK
@given(st.lists(st.sampled_from([-1.0, -0.5, -0.1, 0.0, 0.1, 0.5, 1.0]), min_size=2, max_size=9).map(np.array))
def test_swapping_the_two_swaps_the_tails(d):
    assert randomisation_test(d) == pytest.approx(randomisation_test(-d))
    assert randomisation_test(d, "greater") + randomisation_test(-d, "greater") >= 1
    wider = [statistics.worse_by_more(d, margin) for margin in (0.0, 0.01, 0.1, 0.4, 1.01)]
    assert all(a >= b - 1e-12 for a, b in itertools.pairwise(wider)), "a wider margin is easier to keep"
    assert statistics.worse_by_more(d, 0.05) >= randomisation_test(d + 0.05, "greater") / 2


@QUICK
@given(FIELDS)
def test_a_candidate_more_only_adds_to_the_correction(scores):
    before = {c.spec: c for c in compare(scores, 0.05)}
    best = next(iter(before))
    after = {c.spec: c for c in compare(scores | {"twin": scores[best].copy()}, 0.05)}
    assert after["twin"].verdict in ("undecided", "best"), "nine queries cannot show that they are equal"
    for spec, c in before.items():
        assert after[spec].p_different >= c.p_different - 1e-12
        assert after[spec].p_worse >= c.p_worse - 1e-12
        assert after[spec].difference.mean == pytest.approx(c.difference.mean)


@given(st.dictionaries(st.sampled_from("abcdefgh"), SCORE, min_size=1))
def test_queries_of_one_text_keep_the_mean(scores):
    groups = (("a", "b", "x"), ("c", "h"), ("y",))
    merged = by_text(scores, groups)
    assert np.mean(list(merged.values())) == pytest.approx(np.mean(list(scores.values())))
    assert len(merged) == len(scores) - ({"a", "b"} <= set(scores)) - ({"c", "h"} <= set(scores))
    assert by_text(scores, ()) == scores


# ---------------------------------------------------------------- how often they are wrong, on real scores

REAL = Path(__file__).parents[2] / "benchmarks" / "statistics" / "scores.json"


@pytest.fixture(scope="module")
def real():
    """nDCG@10 a query of real candidates on real data: {set: array of shape (candidates, queries)}."""
    found = json.loads(REAL.read_text("utf-8"))
    return [np.array(list(candidates.values())) for candidates in found.values()]


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(statistics, "RESAMPLES", 399)


def test_rounding_is_no_spread():
    """0.75 - 1.125 and 0.45 - 0.825 differ by 5e-17, which once ended in a division of nothing by nothing."""
    nearly = np.array([0.75 - 1.125, 0.45 - 0.825])
    assert nearly[0] != nearly[1]
    found = bootstrap_interval(nearly)
    assert found.low == found.high == pytest.approx(-0.375)


@pytest.mark.usefixtures("quick")
def test_equal_candidates_are_rarely_called_worse(rng, real):
    """Eight, all equal in truth: whoever happens to be ahead is the best. Correcting for seven gives 9 % and more."""
    wrong = 0
    for i in range(150):
        scores = real[i % len(real)]
        equal = rng.permuted(scores[:8, rng.integers(0, scores.shape[1], 50)], axis=0)
        wrong += "worse" in verdicts_only(equal, 0.02)
    assert wrong <= 15  # of 150 at 5 %: more than 15 in 1 of 200


@pytest.mark.usefixtures("quick")
def test_what_is_worse_by_the_margin_is_rarely_called_tied(rng, real):
    """Two, one of them worse by just the margin; rare large losses included."""
    wrong = 0
    gaps = [d for scores in real for a in scores for b in scores if (d := a - b).mean() < -0.001]
    for i in range(300):
        d = gaps[i * 7 % len(gaps)]
        wrong += statistics.worse_by_more(rng.choice(d, 25), -d.mean() - 1e-9) < 0.05
    assert wrong <= 25  # of 300 at 5 %: more than 25 in 1 of 100


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("n", [10, 25, 50])
def test_intervals_of_real_differences_cover(rng, real, n):
    """Plain BCa holds the truth in 83 % at ten queries."""
    gaps = [a - b for scores in real for a, b in itertools.combinations(scores, 2)]
    held = 0
    for i in range(200):
        d = gaps[i * 5 % len(gaps)]
        found = bootstrap_interval(rng.choice(d, n), seed=i)
        held += found.low - 1e-9 <= d.mean() <= found.high + 1e-9
    assert held >= 0.9 * 200


def verdicts_only(values, margin):
    """Verdicts without intervals, which take the time."""
    field = statistics._field({str(i): row for i, row in enumerate(values)}, margin, 0)
    return ["worse" if p < 0.05 else "" for p in field.different]


def test_the_margin_is_tested_with_one_loss_more():
    """Five equal gains and the loss that is added: of 64 sign patterns, 1 + 6 have a sum as large."""
    assert statistics.worse_by_more(np.full(5, 0.1), 0.0) == pytest.approx(7 / 64)
    assert statistics.worse_by_more(np.full(5, -0.1), 0.1) == 1.0, "on the margin is not within it"
