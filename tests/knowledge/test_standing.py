"""What is said of how established a model is."""

import datetime as dt

import pytest

from knowledge.catalog import load_catalog
from knowledge.model_card import ModelCard
from knowledge.scores import load_scores
from knowledge.standing import Standing, standing_of

TODAY = dt.date(2026, 11, 22)


def standing(model, today=TODAY):
    return standing_of(load_catalog().card(model), load_catalog(), load_scores(), today)


def test_a_known_model():
    catalog, scores = load_catalog(), load_scores()
    found = standing("BAAI/bge-m3")
    index = scores.models.index("BAAI/bge-m3")
    columns = {c for c, m in zip(scores.cell_column.tolist(), scores.cell_model.tolist(), strict=True) if m == index}
    assert found.tasks == len({int(scores.column_task[c]) for c in columns})
    assert found.derived == sum((c.adapted_from or "").lower() == "baai/bge-m3" for c in catalog.cards)
    assert found.derived > 5
    assert found.benchmarks_run
    assert "downloaded is not known" in str(found.line())


def test_a_benchmark_is_run_only_where_every_task_has_a_score():
    scores, found = load_scores(), standing("BAAI/bge-m3")
    index = scores.models.index("BAAI/bge-m3")
    done = {scores.tasks[t].name for t in scores.column_task[scores.cell_column[scores.cell_model == index]]}
    for task in load_catalog().tasks:
        assert task.task in done or not set(task.benchmarks) & set(found.benchmarks_run)


def test_a_model_of_which_nothing_is_known():
    found = standing_of(ModelCard(model="no/body"), load_catalog(), load_scores(), TODAY)
    assert found == Standing(tasks=0)
    assert str(found.line()) == (
        "No published benchmark scores. When it was released is not known. How often it is downloaded is not known."
    )


@pytest.mark.parametrize(
    ("released", "words"),
    [
        (dt.date(2026, 10, 1), "1 months ago"),
        (dt.date(2026, 11, 22), "0 months ago"),
        (dt.date(2023, 11, 22), "3.0 years ago"),
        (dt.date(2027, 1, 1), "Its release is dated 2027-01-01"),
    ],
)
def test_age_is_counted_to_the_day_asked_about(released, words):
    card = ModelCard(model="no/body", release_date=released)
    assert words in str(standing_of(card, load_catalog(), load_scores(), TODAY).line())


def test_a_successor_is_named():
    card = ModelCard(model="no/body", superseded_by="no/body-v2")
    line = standing_of(card, load_catalog(), load_scores(), TODAY).line()
    assert "no/body-v2" in str(line)
    assert any(ord(character) > 0x2E7F for character in line.render("zh"))
