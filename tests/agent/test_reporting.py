"""The closer look that a written report holds: from a real measurement, and only while the data is what it was."""

import datetime as dt
from types import SimpleNamespace

import pytest

from agent.reporting import QUOTED, why_unmeasured, with_closer_look
from agent.state import State
from knowledge.errors import DatasetError
from knowledge.requirements import Requirements
from knowledge.results import DataProfile, Report, Shortlist
from knowledge.wording import Text, say
from tests.labelled import as_dataset
from tests.tools.test_silver import corpus
from tools.data_source import DataSource
from tools.evaluate import evaluate, query_scores
from tools.recommend import recommend
from tools.silver import silver_set
from tools.workspace import Workspace

THINGS = (
    "cat",
    "ship",
    "apple",
    "garden",
    "letter",
    "candle",
    "window",
    "bottle",
    "button",
    "ladder",
    "basket",
    "carpet",
)
DOCUMENTS = {
    f"d{i}": f"the {thing} of number {i} " + "and more " * (20 * (i % 2)) for i, thing in enumerate(THINGS * 2)
}
#: every second query bends its word, so that only stems find it
QUERIES = {f"q{i}": f"{thing}{'s' if i % 2 else ''}" for i, thing in enumerate(THINGS * 2)}
QUERIES = {
    q: f"{text} {q} of all those that were ever asked" if int(q[1:]) > 11 else text for q, text in QUERIES.items()
}
JUDGMENTS = {f"q{i}": {f"d{i}": 1} for i in range(24)}
SOURCE = object()


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    workspace = Workspace(home=tmp_path_factory.mktemp("home"))
    dataset = as_dataset(DOCUMENTS, QUERIES, JUDGMENTS)
    evaluation = evaluate(dataset, ["bm25", "bm25?stem=none"], workspace, preflight=False)
    shortlist = Shortlist(requirements=Requirements(), kept=(), rejected=(), considered=0)
    scores = query_scores(evaluation, workspace)
    now = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    decision = recommend(Requirements(), shortlist, evaluation, scores, None, now=now)
    report = Report(
        requirements=Requirements(),
        shortlist=shortlist,
        evaluation=evaluation,
        recommendation=decision.recommendation,
        reproduce="x",
        made_by="x",
    )
    return report, dataset, workspace


def context(workspace, dataset):
    def read(source):
        assert source is SOURCE
        if dataset is None:
            raise DatasetError(Text(template="gone"), Text(template="look for it"))
        return dataset

    return SimpleNamespace(dataset=read, workspace=workspace)


def test_a_written_report_has_parts_and_single_queries(measured):
    report, dataset, workspace = measured
    found = with_closer_look(report, {"data": SOURCE}, context(workspace, dataset))
    assert {"bm25", "bm25?stem=none"} == {found.head_to_head.first, found.head_to_head.second}
    assert found.head_to_head.first == report.recommendation.winner
    duels = found.head_to_head.duels
    assert 1 <= len(duels) <= 2 * QUOTED
    assert all(duel.text == QUERIES[duel.query] for duel in duels)
    traits = {str(part.trait) for part in found.slices.slices}
    assert {"length of the query", "longest relevant document"} <= traits
    assert all(part.scores[0].spec == report.recommendation.winner for part in found.slices.slices)


@pytest.mark.parametrize("now", ["gone", "other", "unmeasured"])
def test_nothing_is_said_of_data_that_is_not_what_it_was(measured, now):
    report, dataset, workspace = measured
    if now == "unmeasured":
        report = report.model_copy(update={"evaluation": None})
    other = as_dataset(DOCUMENTS | {"d0": "another text"}, QUERIES, JUDGMENTS)
    there = {"gone": None, "other": other, "unmeasured": dataset}[now]
    found = with_closer_look(report, {"data": SOURCE}, context(workspace, there))
    assert (found.deployment is None) == (now == "unmeasured")  # it needs the measurements, not the data
    assert found.model_copy(update={"deployment": None}) == report


def test_what_kept_data_from_being_measured_names_the_columns_that_were_not_used():
    note = say("{file} is not UTF-8; it was read as {encoding}.", file="a", encoding="Big5")
    summary = as_dataset(DOCUMENTS, {}, {}).summary.model_copy(update={"notes": (note,)})
    state = State(data=DataSource(path="a"), profile=DataProfile(dataset=summary))
    what, _ = why_unmeasured(state)
    assert str(what).startswith("Everything: the dataset has no judgments")
    assert str(note) in str(what)
    asked = summary.model_copy(update={"queries": 3})
    assert str(note) in str(why_unmeasured(state | State(profile=DataProfile(dataset=asked)))[0])


def test_queries_of_our_own_making_are_no_labels_that_the_data_has():
    made = silver_set(corpus()).summary
    state = State(data=DataSource(path="a"), profile=DataProfile(dataset=made))
    what, then = why_unmeasured(state | State(requirements=Requirements(task="classification")))
    assert str(what) == "Everything: the data has no labels for classifying texts."
    assert "each with its class" in str(then)
    assert "类别" in then.render("zh")
    _, then = why_unmeasured(state | State(requirements=Requirements(task="deduplication")))
    assert "pairs of texts" in str(then)
    gold = made.model_copy(update={"silver": None, "labels": "gold"})
    mine = State(data=DataSource(path="a"), profile=DataProfile(dataset=gold))
    what, _ = why_unmeasured(mine | State(requirements=Requirements(task="classification")))
    assert "has labels for ranking documents" in str(what)
