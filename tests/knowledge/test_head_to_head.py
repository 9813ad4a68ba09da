"""Published scores that two models share."""

import dataclasses

import pytest

from knowledge.head_to_head import SharedTask, shared_tasks
from tests.score_matrix import matrix

TEXT, RETRIEVAL = frozenset({"text"}), ("Retrieval",)
COLUMNS = {
    ("a", "en"): {"x/one": 0.6, "x/two": 0.5},
    ("a-copy", "en"): {"x/one": 0.8, "x/two": 0.5},
    ("b", "zh"): {"x/one": 0.2, "x/two": 0.4},
    ("c", "en"): {"x/one": 0.9},
    ("sorted", "en"): {"x/one": 0.1, "x/two": 0.9},
}
SCORES = matrix(COLUMNS, groups={"a-copy": "a"}, types={"sorted": "STS"})


def found(*languages):
    return {task.group: task for task in shared_tasks(SCORES, "x/one", "x/two", RETRIEVAL, TEXT, languages)}


def test_near_duplicates_count_once_and_other_types_not_at_all():
    assert set(found()) == {"a", "b"}
    assert found()["a"] == SharedTask("a", 2, pytest.approx(0.7), pytest.approx(0.5))
    assert found()["a"].difference == pytest.approx(0.2)


def test_only_the_languages_asked_for():
    assert set(found("zh")) == {"b"}
    assert set(found("en", "zh")) == {"a", "b"}
    assert not found("sw")


def test_a_suspect_figure_takes_its_counterpart_along():
    suspect = SCORES.cell_suspect.copy()
    suspect[SCORES.cell_score == 0.2] = True
    scores = dataclasses.replace(SCORES, cell_suspect=suspect)
    assert {t.group for t in shared_tasks(scores, "x/one", "x/two", RETRIEVAL, TEXT)} == {"a"}


def test_models_nobody_ran():
    assert shared_tasks(SCORES, "x/one", "nobody", RETRIEVAL, TEXT) == ()
    assert shared_tasks(SCORES, "nobody", "x/one", RETRIEVAL, TEXT) == ()
