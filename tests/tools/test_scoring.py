"""Metrics by hand; ir-measures does the arithmetic, so what is tested is what we tell it."""

import math

import pytest

from knowledge.errors import UserError
from tools.metrics import scoring
from tools.metrics.context import context_precision, context_recall
from tools.metrics.f1 import f1

JUDGED = {"q1": {"a": 2, "b": 1, "x": 0}, "q2": {"c": 1}, "q3": {"a": 1}}
RANKED = {"q1": [("x", 0.9), ("b", 0.8), ("n", 0.7), ("a", 0.6)], "q2": [("c", 0.5), ("a", 0.4)]}


def score(*metrics, rankings=RANKED, judgments=JUDGED):
    return scoring.score(rankings, judgments, metrics)


def test_each_metric_by_hand():
    found = score("nDCG@10", "nDCG@2", "P@2", "R@2", "RR@10", "AP", "F1@2", "Success@1", "Judged@10")
    dcg = 1 / math.log2(3) + 2 / math.log2(5)
    ideal = 2 + 1 / math.log2(3)
    assert found["nDCG@10"] == pytest.approx({"q1": dcg / ideal, "q2": 1, "q3": 0})
    assert found["nDCG@2"] == pytest.approx({"q1": (1 / math.log2(3)) / ideal, "q2": 1, "q3": 0})
    assert found["P@2"] == pytest.approx({"q1": 0.5, "q2": 0.5, "q3": 0})
    assert found["R@2"] == pytest.approx({"q1": 0.5, "q2": 1, "q3": 0})
    assert found["RR@10"] == pytest.approx({"q1": 0.5, "q2": 1, "q3": 0})
    assert found["AP"] == pytest.approx({"q1": (1 / 2 + 2 / 4) / 2, "q2": 1, "q3": 0})
    assert found["F1@2"] == pytest.approx({"q1": 0.5, "q2": 2 / 3, "q3": 0})
    assert found["Success@1"] == pytest.approx({"q1": 0, "q2": 1, "q3": 0})
    assert found["Judged@10"]["q1"] == pytest.approx(3 / 4)


def test_queries_without_a_ranking_count_as_zero():
    for found in (score(*scoring.DEFAULT), score(*scoring.DEFAULT, rankings={}), score("AP", rankings={"q1": []})):
        for by_query in found.values():
            assert list(by_query) == ["q1", "q2", "q3"]
            assert by_query["q3"] == 0


def test_the_order_is_what_counts_not_the_scores_or_the_ids():
    """trec_eval breaks ties by document id, from z to a."""
    for order in (["a", "b"], ["b", "a"]):
        tied = {"q": [(d, 0.5) for d in order]}
        found = score("RR@10", rankings=tied, judgments={"q": {"a": 1}})
        assert found["RR@10"]["q"] == 1 / (order.index("a") + 1)
    rising = {"q": [("a", 0.1), ("b", 0.9)]}
    assert score("RR@10", rankings=rising, judgments={"q": {"a": 1}})["RR@10"] == {"q": 1}


def test_metrics_come_in_the_order_asked_and_only_those():
    assert list(score("F1@3", "AP", "nDCG@5")) == ["F1@3", "AP", "nDCG@5"]
    assert list(score("P@3", "F1@3")) == ["P@3", "F1@3"]


def test_ids_of_all_kinds():
    judged = {"查询 1": {"文档 a": 1}, "q\t2": {"": 1}, "3": {"0": 1}}
    found = score("RR@10", rankings={q: [(d, 1.0) for d in j] for q, j in judged.items()}, judgments=judged)
    assert found["RR@10"] == dict.fromkeys(judged, 1.0)


def test_f1():
    assert f1(0.5, 1.0) == pytest.approx(2 / 3)
    assert f1(0.0, 0.0) == 0


def test_context_precision_is_the_mean_precision_at_the_ranks_of_right_documents():
    ranking, relevant = ["a", "x", "b", "y", "c"], {"a", "b", "c", "d"}
    assert context_precision(ranking, relevant, 5) == pytest.approx((1 + 2 / 3 + 3 / 5) / 3)
    assert context_precision(ranking, relevant, 2) == 1, "what is missing lowers recall, not this"
    assert context_precision(["x", "a"], relevant, 5) == 0.5
    assert context_precision(["x"], relevant, 5) == 0
    assert context_recall(ranking, relevant, 3) == 0.5
    assert context_recall([], relevant, 3) == 0
    assert context_recall(ranking, set(), 3) == 0


def test_context_metrics_count_a_document_once_and_agree_with_recall():
    judged = {"q": {"a": 2, "b": 1, "c": 0}, "r": {"z": 1}}
    rankings = {"q": [("c", 9.0), ("a", 8.0), ("a", 7.0), ("b", 6.0)]}
    names = ["ContextPrecision@3", "ContextRecall@3", "ContextRecall@2", "R@3", "R@2"]
    found = scoring.score(rankings, judged, names)
    assert found["ContextPrecision@3"] == {"q": pytest.approx((1 / 2 + 2 / 3) / 2), "r": 0}
    assert found["ContextRecall@3"] == found["R@3"]
    assert found["ContextRecall@2"] == found["R@2"]


def test_a_language_model_that_reads_what_is_found_has_metrics_of_its_own():
    assert {*scoring.for_task("rag")} - {*scoring.DEFAULT} == {"ContextPrecision@5", "ContextRecall@5"}
    assert scoring.for_task("rag")[0] == scoring.DEFAULT[0]
    assert scoring.for_task("search") == scoring.for_task(None) == scoring.DEFAULT


@pytest.mark.parametrize("name", [*scoring.RAG, "nDCG@1000", "P(rel=2)@5", "F1@1", "Rprec", "Bpref", "SetP"])
def test_known_metrics(name):
    scoring.check_metrics([name])
    assert set(score(name)[name]) == set(JUDGED)


@pytest.mark.parametrize(
    "name",
    [
        *("", "ndcg@10", "nDCG@", "nDCG@0", "nDCG@-1", "P@0", "F1@0", "F1", "F1@x", "accuracy", "nDCG@10 ", "R@1.5"),
        *(
            "__import__('os')",
            "nDCG(dcg='exp')@3x",
            "alpha_nDCG@10",
            "P@10;AP",
            "F1@010",
            "精确率@10",
            "(" * 200,
            "INST",
            "ContextRecall@0",
            "ContextPrecision",
            "contextrecall@5",
        ),
    ],
)
def test_unknown_metrics_are_named(name):
    with pytest.raises(UserError) as failure:
        scoring.check_metrics(["nDCG@10", name])
    assert f"“{name}”" in failure.value.cause.render()
    assert "nDCG@10" in failure.value.next_step.render()


def test_depth_is_the_largest_cut_off():
    assert scoring.depth_of(["AP", "nDCG@10", "R@1000", "F1@20"]) == 1000
    assert scoring.depth_of(["AP"]) == 0
