"""Robustness and correctness beside quality: they count what the user says, and nothing unless so."""

import pytest
from pydantic import ValidationError

from knowledge.requirements import Requirements
from knowledge.results import (
    FailedCandidate,
    Interval,
    Perturbation,
    ProbeKind,
    Probes,
    ProbeScore,
    QueryChange,
    Robustness,
)
from knowledge.wording import say
from tests.tools.test_recommend import BEST, FAR, NEAR, NOW, benchmark, evaluation, shortlist
from tools.recommend import contenders, recommend
from tools.recommend.weights import Beside, beside_quality

#: the best is ahead by four points on every query
SCORES = {BEST: [0.7, 0.8, 0.9] * 40, NEAR: [0.66, 0.76, 0.86] * 40, FAR: [0.3, 0.4, 0.5] * 40}
COSTS = {BEST: (20.0, 900.0, 1536.0), NEAR: (19.0, 880.0, 1536.0), FAR: (1.0, 100.0, 300.0)}


def robustness(changes):
    point = {spec: Interval(mean=mean, low=mean - 0.01, high=mean + 0.01) for spec, mean in changes.items()}
    made = tuple(QueryChange(spec=spec, before=0.8, change=of, p=0.01) for spec, of in point.items())
    kind = Perturbation(kind="typos", name=say("typing mistakes"), queries=50, changes=made)
    return Robustness(metric="nDCG@10", fewest=15, kinds=(kind,))


def probes(shares):
    made = tuple(
        ProbeScore(spec=spec, accuracy=Interval(mean=share, low=share - 0.1, high=share + 0.1))
        for spec, share in shares.items()
    )
    return Probes(threshold=0.75, fewest=20, kinds=(ProbeKind(kind="unit", name=say("unit"), probes=40, scores=made),))


def decide(requirements=None, **found):
    scores = {spec: {f"q{i}": value for i, value in enumerate(values)} for spec, values in SCORES.items()}
    listed = shortlist("a/best", "a/near")
    return recommend(
        requirements or Requirements(), listed, evaluation(SCORES), scores, benchmark(COSTS), now=NOW, **found
    ).recommendation


FRAGILE = robustness({BEST: -0.30, NEAR: -0.05, FAR: -0.02})


def test_without_a_weight_nothing_changes_but_what_would_is_said():
    plain, found = decide(), decide(robustness=FRAGILE)
    assert plain.winner == found.winner == BEST
    assert found.weights == {}
    assert plain.rows == found.rows
    assert plain.reasons == found.reasons
    told = [str(text) for text in found.what_would_change_it if "robustness" in str(text)]
    assert told == [
        f"With robustness at 0.3 beside quality at 1 it would be {NEAR}: perturbed queries change it by -5.0 points, "
        f"{BEST} by -30.0."
    ]
    assert not any("robustness" in str(text) for text in plain.what_would_change_it)


def test_with_a_weight_it_decides_and_says_so():
    found = decide(Requirements(robustness=0.3), robustness=FRAGILE)
    assert found.winner == NEAR
    assert found.weights == {"robustness": 0.3}
    assert "robustness 0.3" in str(found.reasons[0])
    assert any(str(text).startswith("With robustness at 0 beside") for text in found.what_would_change_it)
    # the table shows quality as it was measured
    assert {row.spec: row.quality.mean for row in found.rows}[NEAR] == pytest.approx(0.76)


def test_correctness_counts_likewise():
    found = decide(Requirements(correctness=1.0), probes=probes({BEST: 0.5, NEAR: 0.95, FAR: 0.5}))
    assert found.winner == NEAR
    assert "correctness" in str(found.reasons[0])


def test_a_weight_on_what_was_not_measured_is_said_and_changes_nothing():
    found = decide(Requirements(robustness=2.0))
    assert found.winner == BEST
    assert "could not be measured" in str(found.reasons[0])


def test_who_was_not_looked_at_gets_the_lowest_value():
    beside = Beside({"robustness": {BEST: -0.1, NEAR: -0.4}}, {"robustness": 0.5})
    moved = beside.weighed({spec: {"q": 0.8} for spec in (BEST, NEAR, FAR)})
    assert {spec: round(of["q"], 3) for spec, of in moved.items()} == {BEST: 0.75, NEAR: 0.6, FAR: 0.6}


def test_a_weight_of_nothing_is_none_and_an_absurd_one_is_refused():
    assert beside_quality(Requirements(robustness=0.0), None, FRAGILE).weights == {}
    with pytest.raises(ValidationError):
        Requirements(robustness=11)
    with pytest.raises(ValidationError):
        Requirements(correctness=-1)


def test_contenders_begin_with_whom_quality_and_cost_choose():
    scores = {spec: {f"q{i}": value for i, value in enumerate(values)} for spec, values in SCORES.items()}
    measured = evaluation(SCORES)
    listed = shortlist("a/best", "a/near")
    assert contenders(Requirements(), listed, measured, scores, benchmark(COSTS)) == (BEST, NEAR, FAR)
    # of those within the margin the cheapest
    generous = Requirements(margin=0.5)
    assert contenders(generous, listed, measured, scores, benchmark(COSTS))[0] == FAR
    assert decide(generous).winner == FAR


def test_whom_hard_cases_passed_over_is_said_to_be_not_measured():
    passed = FailedCandidate(spec=NEAR, reason=say("no consent"), next_step=say("agree"))
    told = map(str, decide(robustness=FRAGILE.model_copy(update={"skipped": (passed,)})).not_measured)
    assert f"Queries with mistakes, of {NEAR}: no consent" in told
    nobody = Probes(threshold=0.75, fewest=20, kinds=(), skipped=(passed,))
    found = decide(Requirements(correctness=0.3), probes=nobody)
    assert any(f"Altered facts, of {NEAR}" in str(text) for text in found.not_measured)
    assert found.winner == BEST
