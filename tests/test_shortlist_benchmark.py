"""The benchmark of the shortlist must not see what it left out."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.shortlist import held_out
from knowledge.evidence import Pool, outlook_of
from knowledge.likeness import Target
from tests.score_matrix import card, matrix

NAMES = [f"org{i}/model{i}" for i in range(14)]
CARDS = tuple(card(name) for name in NAMES)
GROUPS = {"left": "left", "left-translated": "left", "other": "other", "more": "more"}


def some_scores(planted: str | None = None):
    """Four tasks; a copy of one under another group's name is the leak that may be planted."""
    random = np.random.default_rng(3)
    columns = {(task, "en"): dict(zip(NAMES, random.random(14), strict=True)) for task in GROUPS}
    columns["left-translated", "de"] = dict(zip(NAMES, random.random(14), strict=True))
    if planted:
        columns[planted, "en"] = columns["left", "en"]
    return matrix(columns, groups=GROUPS | ({planted: "of its own"} if planted else {}))


def seen_without(scores, group: str):
    rest = held_out.without(scores, group)
    return outlook_of(rest, Pool(CARDS), ("Retrieval",), frozenset({"text"})).read(Target("en")).z


def scrambled(scores, task: str):
    """The matrix with other scores for a task."""
    index = next(i for i, t in enumerate(scores.tasks) if t.name == task)
    mine = scores.column_task[scores.cell_column] == index
    values = scores.cell_score.copy()
    values[mine] = np.random.default_rng(9).random(mine.sum())
    return replace(scores, cell_score=values)


@pytest.mark.parametrize("task", ["left", "left-translated"])
def test_nothing_of_the_group_is_left(task):
    scores = some_scores()
    rest = held_out.without(scores, "left")
    left = {scores.tasks[t].name for t in rest.column_task[np.unique(rest.cell_column)]}
    assert left == {"other", "more"}
    assert seen_without(scrambled(scores, task), "left") == pytest.approx(seen_without(scores, "left"), abs=0)
    assert held_out.leaks(scores, ("Retrieval",)) == []


def test_a_planted_leak_is_caught():
    scores = some_scores(planted="copy")
    assert np.abs(seen_without(scores, "left") - seen_without(some_scores(), "left")).max() > 0.05
    assert held_out.leaks(scores, ("Retrieval",)) == [("copy", "left")]


def test_the_shipped_groups_hold_their_copies_together():
    # Same scores by every model that both were run on: the same texts under another name.
    assert held_out.leaks(held_out.SCORES, ("Retrieval", "Reranking")) == []
