"""Two candidates side by side, after a real evaluation."""

import pytest

from knowledge.errors import UserError
from tests.labelled import as_dataset
from tools.evaluate import evaluate, query_scores
from tools.head_to_head import head_to_head
from tools.workspace import Workspace

DOCUMENTS = {
    "d1": "the cat sat on the mat",
    "d2": "ships sail the sea " + "x" * 500,
    "d3": "an apple and a pear",
    "d4": "garbage collection of memory",
    "d5": "sea sea sea of words",
}
QUERIES = {"q1": "cat", "q2": "sail sea", "q3": "pear pears", "q4": "collection"}
JUDGMENTS = {"q1": {"d1": 1}, "q2": {"d2": 2, "d5": 0}, "q3": {"d3": 1}, "q4": {"d4": 1, "d1": 1}}
#: the second has no stems, so that it loses where a word is bent
FIRST, SECOND = "bm25", "bm25?stem=none"


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    workspace = Workspace(home=tmp_path_factory.mktemp("home"))
    dataset = as_dataset(DOCUMENTS, QUERIES | {"q5": "ship"}, JUDGMENTS | {"q5": {"d2": 1, "d4": 1, "d3": 0}})
    return evaluate(dataset, [FIRST, SECOND], workspace, preflight=False), dataset, workspace


def test_who_wins_which_query_by_how_much(measured):
    evaluation, dataset, workspace = measured
    scores = query_scores(evaluation, workspace)
    differences = {q: scores[FIRST][q] - scores[SECOND][q] for q in scores[FIRST]}
    found = head_to_head(evaluation, dataset, workspace, FIRST, SECOND)
    assert (found.wins, found.losses) == (
        sum(d > 0 for d in differences.values()),
        sum(d < 0 for d in differences.values()),
    )
    assert found.wins >= 1
    assert found.wins + found.losses + found.draws == 5
    assert [round(duel.difference, 9) for duel in found.duels] == sorted(
        (round(d, 9) for d in differences.values() if d), reverse=True
    )
    other = head_to_head(evaluation, dataset, workspace, SECOND, FIRST)
    assert (other.wins, other.losses) == (found.losses, found.wins)


def test_what_each_found_is_shown_with_its_grade(measured):
    evaluation, dataset, workspace = measured
    (duel,) = (d for d in head_to_head(evaluation, dataset, workspace, FIRST, SECOND).duels if d.query == "q5")
    first, second = duel.hits
    assert (first[0].document, first[0].grade) == ("d2", 1)
    assert len(first[0].text) == 400
    assert first[0].text.endswith("…")
    assert "d2" not in [hit.document for hit in second]
    assert duel.text == "ship"


def test_relevant_documents_that_neither_found_are_named(measured):
    evaluation, dataset, workspace = measured
    (duel,) = (d for d in head_to_head(evaluation, dataset, workspace, FIRST, SECOND).duels if d.query == "q5")
    assert [(hit.document, hit.text, hit.grade) for hit in duel.missed] == [("d4", DOCUMENTS["d4"], 1)]


def test_only_what_was_measured_can_be_compared(measured):
    evaluation, dataset, workspace = measured
    with pytest.raises(UserError, match="was not measured"):
        head_to_head(evaluation, dataset, workspace, FIRST, "static:wordllama")


def test_a_measurement_from_before_shows_no_documents(measured):
    from sqlalchemy import create_engine, text

    evaluation, dataset, workspace = measured
    engine = create_engine(f"sqlite:///{workspace.store}")
    with engine.begin() as connection:
        kept = connection.execute(text("SELECT * FROM rankings")).all()
        connection.execute(text("DELETE FROM rankings"))
    duels = head_to_head(evaluation, dataset, workspace, FIRST, SECOND).duels
    assert duels
    assert all(duel.hits == ((), ()) for duel in duels)
    with engine.begin() as connection:
        connection.execute(
            text("INSERT INTO rankings VALUES (:key, :query, :documents)"), [row._asdict() for row in kept]
        )
    engine.dispose()
