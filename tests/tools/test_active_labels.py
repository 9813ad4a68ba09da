"""Which pairs to judge: arrays against ir-measures, bounds against all completions, and an oracle that answers."""

from __future__ import annotations

import datetime as dt
import itertools

import numpy as np
import pytest

from knowledge.errors import UserError
from knowledge.results import Label
from tests.labelled import as_dataset
from tools.active_labels import judging
from tools.active_labels.bounds import bounds
from tools.active_labels.gain import Metric
from tools.active_labels.outlook import decide
from tools.active_labels.passage import plain
from tools.active_labels.pool import make_pool
from tools.active_labels.relevance import learn
from tools.metrics import scoring

NOW = dt.datetime(2026, 11, 28, tzinfo=dt.UTC)
METRICS = ("nDCG@10", "nDCG@3", "P@5", "R@10", "RR@10", "Success@1")


def world(seed: int, queries: int, depth: int = 10, skills: dict[str, float] | None = None):
    """Candidates that put relevant documents first as well as their skill allows, and the truth."""
    rng = np.random.default_rng(seed)
    skills = skills or {"good": 2.5, "fair": 1.5, "poor": 0.5}
    truth, found = {}, {spec: {} for spec in skills}
    for q in range(queries):
        documents = [f"q{q}d{i}" for i in range(2 * depth)]
        relevant = rng.random(len(documents)) < 0.2
        truth[f"q{q}"] = {d: int(r) for d, r in zip(documents, relevant, strict=True)}
        for spec, skill in skills.items():
            order = np.argsort(-(skill * relevant + rng.normal(size=len(documents))))
            found[spec][f"q{q}"] = [documents[i] for i in order[:depth]]
    return truth, found


def dataset_of(truth, judgments=None):
    documents = {d: f"text of {d}" for grades in truth.values() for d in grades}
    return as_dataset(documents, {q: f"query {q}" for q in truth}, judgments or {})


def answer(pair, truth, who=""):
    return Label(query=pair.query, document=pair.document, grade=truth[pair.query][pair.document], who=who, given=NOW)


@pytest.mark.parametrize("metric", METRICS)
def test_scores_are_those_of_ir_measures(metric):
    truth, found = world(1, 12)
    rng = np.random.default_rng(2)
    graded = {q: {d: g * int(rng.integers(1, 4)) for d, g in grades.items()} for q, grades in truth.items()}
    known = {q: {d: g for d, g in grades.items() if rng.random() < 0.6} for q, grades in graded.items()}
    pool = make_pool(found, known)
    filled = rng.random(pool.unknown.shape) < 0.3
    scores, counts = Metric(metric, pool).scores(filled)
    complete = {q: dict(grades) for q, grades in known.items()}
    for row, column in np.argwhere(filled & pool.unknown):
        query, document = pool.pair(row, column)
        complete[query][document] = 1
    for c, spec in enumerate(pool.specs):
        rankings = {q: [(d, -float(i)) for i, d in enumerate(ds)] for q, ds in found[spec].items()}
        expected = scoring.score(rankings, complete, [metric])[metric]
        for row, query in enumerate(pool.queries):
            if counts[row]:
                assert scores[c, row] == pytest.approx(expected[query], abs=1e-6)
            else:
                assert not any(complete[query].values())


@pytest.mark.parametrize("metric", METRICS)
def test_no_completion_of_the_labels_leaves_the_bounds_and_some_reach_them(metric):
    truth, found = world(3, 3, depth=3)
    known = {"q0": {d: g for d, g in truth["q0"].items() if d in found["good"]["q0"][:2]}, "q1": truth["q1"]}
    pool = make_pool({spec: found[spec] for spec in ("good", "poor")}, known)
    measure = Metric(metric, pool)
    places = np.argwhere(pool.unknown)
    assert 4 <= len(places) <= 12
    gaps = []
    for chosen in itertools.product((False, True), repeat=len(places)):
        filled = np.zeros(pool.unknown.shape, np.bool_)
        filled[tuple(places.T)] = chosen
        scores, counts = measure.scores(filled)
        if counts.any():
            gaps.append(float((scores[0] - scores[1])[counts].mean()))
    least, most = bounds(measure, pool, 0, 1)
    assert (least, most) == (pytest.approx(min(gaps), abs=1e-9), pytest.approx(max(gaps), abs=1e-9))


def test_the_regression_learns_whose_first_places_tell():
    truth, found = world(4, 60, skills={"good": 4.0, "blind": 0.0})
    pool = make_pool(found, truth)
    learnt = learn(pool, pool.real)
    good, blind = learnt.weights[1:3]

    assert good > blind + 1.5
    probability = learnt.probability[pool.real]
    assert probability.mean() == pytest.approx((pool.gains > 0)[pool.real].mean(), abs=0.02)
    # far fewer labels leave it far less sure
    few = pool.real & (np.arange(len(pool.queries)) < 2)[:, None]
    assert learn(pool, few).covariance[2, 2] > 4 * learnt.covariance[2, 2]


def test_the_cheapest_within_the_margin_is_taken():
    means = np.array([0.70, 0.69, 0.60])
    assert decide(means, 0.02, None).winner == 0
    assert decide(means, 0.02, [2, 1, 0]).winner == 1
    assert decide(means, 0.005, [2, 1, 0]).winner == 0
    assert decide(means, 0.02, [2, 1, 0]).within == {0, 1}


def test_answers_settle_the_decision_and_narrow_the_intervals():
    truth, found = world(5, 80, skills={"good": 3.0, "poor": 0.3})
    dataset, labels = dataset_of(truth), []
    first = judging(found, dataset, labels, metric="nDCG@10", margin=0.02)
    assert first.status == "open"
    assert first.answered == 0
    assert first.next
    look = first
    while look.status == "open":
        labels.append(answer(look.next[0], truth))
        look = judging(found, dataset, labels, metric="nDCG@10", margin=0.02)
    assert look.status == "settled"
    assert look.winner == "good"
    assert look.answered == len(labels) <= 40
    assert _width(look) < _width(first)
    while len(labels) < 60:
        labels.append(answer(look.next[0], truth))
        look = judging(found, dataset, labels, metric="nDCG@10", margin=0.02)
    assert look.winner == "good"
    assert _width(look) < _width(first) / 2
    assert look.gaps[0].least < look.gaps[0].difference.low
    assert look.gaps[0].most > look.gaps[0].difference.high


def _width(look):
    return look.gaps[0].difference.high - look.gaps[0].difference.low


def test_complete_labels_leave_nothing_to_ask_and_bounds_that_are_points():
    truth, found = world(6, 10)
    look = judging(found, dataset_of(truth, truth), [], metric="nDCG@10", margin=0.02)
    assert look.status == "exhausted"
    assert not look.next
    for gap in look.gaps:
        assert gap.least == pytest.approx(gap.most)
        assert gap.difference.mean == pytest.approx(gap.least)


def test_with_few_labels_missing_no_completion_decides_otherwise():
    truth, found = world(7, 40, skills={"good": 4.0, "blind": 0.0})
    known = {q: dict(grades) for q, grades in truth.items()}
    for query in ("q0", "q1"):
        del known[query][found["good"][query][0]]
    look = judging(found, dataset_of(truth, known), [], metric="nDCG@10", margin=0.02)
    assert look.status == "certain"
    assert look.more == 0


def test_whoever_cannot_tell_is_not_asked_again_and_enough_is_enough():
    truth, found = world(8, 20, skills={"one": 1.0, "two": 1.0})
    dataset, labels = dataset_of(truth), []
    asked = []
    look = judging(found, dataset, labels, metric="nDCG@10", margin=0.02, most=6)
    while look.status == "open":
        pair = look.next[0]
        asked.append((pair.query, pair.document))
        grade = None if len(asked) % 2 else truth[pair.query][pair.document]
        labels.append(Label(query=pair.query, document=pair.document, grade=grade, given=NOW))
        look = judging(found, dataset, labels, metric="nDCG@10", margin=0.02, most=6)
    assert look.status == "enough"
    assert (look.answered, look.unsure) == (3, 3)
    assert len(set(asked)) == 6


def test_a_label_that_is_changed_counts_as_it_was_changed():
    truth, found = world(9, 20)
    pair = judging(found, dataset_of(truth), [], metric="nDCG@10", margin=0.02).next[0]
    yes = Label(query=pair.query, document=pair.document, grade=1, who="a", given=NOW)
    no = yes.model_copy(update={"grade": 0})
    twice = judging(found, dataset_of(truth), [yes, no], metric="nDCG@10", margin=0.02, count=5)
    once = judging(found, dataset_of(truth), [no], metric="nDCG@10", margin=0.02, count=5)
    assert twice == once
    assert once != judging(found, dataset_of(truth), [yes], metric="nDCG@10", margin=0.02, count=5)


def test_what_cannot_be_judged_says_what_to_do():
    truth, found = world(10, 5)
    with pytest.raises(UserError, match="AP cannot be told from the first 10 documents"):
        judging(found, dataset_of(truth), [], metric="AP", margin=0.02)
    with pytest.raises(UserError, match="takes two candidates"):
        judging({"good": found["good"]}, dataset_of(truth), [], metric="nDCG@10", margin=0.02)


def test_passages_are_short_and_steer_no_terminal():
    hostile = "\x1b[31mred\x1b[0m ‮reversed‬ \x07\x00 <script>alert(1)</script>\n\n" + "word " * 10**6
    shown = plain(hostile, 100)
    assert len(shown) == 100
    assert shown.startswith("[31mred[0m reversed <script>")
    assert shown.endswith("…")
    assert all(c.isprintable() for c in shown)
    assert plain("短文", 100) == "短文"
