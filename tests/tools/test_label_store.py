"""Judgments given here: kept by data and person, changeable, not lost to a kill, and scored without encoding."""

import datetime as dt
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from knowledge.errors import DatasetError, UserError
from knowledge.results import Label
from tests.animals import CANDIDATES, write_dataset
from tests.labelled import as_dataset
from tools.datasets import read_dataset
from tools.evaluate import evaluate, query_scores
from tools.label_store import LabelStore, counting, with_given, with_labels
from tools.rescoring import kept_rankings, rescored
from tools.workspace import Workspace

NOW = dt.datetime(2026, 11, 28, tzinfo=dt.UTC)


def label(query, document, grade=1, who="", minute=0):
    return Label(query=query, document=document, grade=grade, who=who, given=NOW + dt.timedelta(minutes=minute))


@pytest.fixture
def store(tmp_path):
    opened = LabelStore(tmp_path / "home" / "runs.sqlite")
    yield opened
    opened.close()


def test_one_judgment_of_a_pair_and_person_which_may_be_changed_and_taken_back(store):
    store.give("data", [label("q", "d"), label("q", "e", None), label("q", "d", 0, "Ada", 1)])
    store.give("data", [label("q", "d", 2, minute=2)])
    store.give("other data", [label("q", "d", 0)])
    given = store.given("data")
    assert [(x.document, x.grade, x.who) for x in given] == [("e", None, ""), ("d", 0, "Ada"), ("d", 2, "")]
    assert counting(given)["q", "d"].grade == 2  # the latest, whoever gave it
    assert store.take_back("data", "q", "d")
    assert not store.take_back("data", "q", "d")
    assert counting(store.given("data"))["q", "d"].grade == 0


def test_two_people_at_once_lose_nothing(store):
    where = store.name

    def judge(who):
        own = LabelStore(Path(where))
        try:
            for i in range(25):
                own.give("data", [label(f"q{i}", "d", i % 2, who)])
        finally:
            own.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(judge, ("a", "b", "c", "d")))
    assert len(store.given("data")) == 100


def test_what_was_answered_outlives_a_kill(store):
    program = (
        "import sys, datetime as dt; from pathlib import Path; from tools.label_store import LabelStore;"
        "from knowledge.results import Label; s = LabelStore(Path(sys.argv[1]))\n"
        "for i in range(10**6):\n"
        "    s.give('data', [Label(query=f'q{i}', document='d', grade=1, given=dt.datetime.now(dt.UTC))])\n"
        "    print(i, flush=True)\n"
    )
    child = subprocess.Popen([sys.executable, "-c", program, store.name], stdout=subprocess.PIPE, text=True)
    assert child.stdout
    told = [int(child.stdout.readline()) for _ in range(5)]
    os.kill(child.pid, signal.SIGKILL)
    child.communicate()
    kept = {x.query for x in store.given("data")}
    assert {f"q{i}" for i in told} <= kept


def test_labels_stand_beside_those_of_the_data_and_change_its_hash_but_not_whose_they_are():
    dataset = as_dataset({"d": "one", "e": "two"}, {"q": "what"}, {"q": {"d": 1}})
    merged = with_labels(dataset, [label("q", "e"), label("q", "d", 0), label("q", "e", None, "b", 1)])
    assert merged.judgments == {"q": {"d": 0}}  # the last word on e was that nobody can tell
    more = with_labels(dataset, [label("q", "e", 2), label("q", "gone"), label("gone", "d")])
    assert more.judgments == {"q": {"d": 1, "e": 2}}
    assert more.summary.given == 1
    assert more.summary.judgments == 2
    assert more.summary.original == dataset.summary.hash != more.summary.hash
    assert with_labels(dataset, [label("q", "e", 2, "other person", 5)]).summary.hash == more.summary.hash
    assert with_labels(dataset, [label("q", "e", None)]) is dataset
    assert dataset.judgments == {"q": {"d": 1}}


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    folder = tmp_path_factory.mktemp("labels")
    workspace = Workspace(home=folder / "home", offline=True)
    dataset = read_dataset(write_dataset(folder / "animals"))
    return dataset, workspace, evaluate(dataset, CANDIDATES, workspace)


def test_scored_again_it_has_the_figures_of_a_new_evaluation(measured):
    dataset, workspace, evaluation = measured
    found = kept_rankings(evaluation, workspace)
    second = {q: ranked[1] for q, ranked in found["bm25"].items()}
    given = [label(q, d, grade=1 if i % 2 else 0) for i, (q, d) in enumerate(second.items())]
    store = LabelStore(workspace.store)
    store.give(dataset.summary.hash, given)
    store.close()
    merged = with_given(dataset, workspace)
    again = rescored(evaluation, merged, workspace, NOW)
    fresh = evaluate(merged, CANDIDATES, workspace, preflight=False)
    assert [c.encoded_texts for c in fresh.candidates] == [0, 0]  # by the cache
    assert again.judged_queries == fresh.judged_queries
    assert again.dataset == fresh.dataset
    for one, other, before in zip(again.candidates, fresh.candidates, evaluation.candidates, strict=True):
        assert one.metrics == pytest.approx({name: other.metrics[name] for name in one.metrics})
        assert "nDCG@10" in one.metrics
        assert "R@100" not in one.metrics
        assert one.metrics != pytest.approx({name: before.metrics[name] for name in one.metrics})
        assert one.interval.model_dump() == pytest.approx(
            other.interval.model_dump(), abs=0.005
        )  # queries in another order
        assert one.unjudged == pytest.approx(other.unjudged)
        assert one.key != before.key
    assert query_scores(again, workspace) == query_scores(fresh, workspace)


def test_what_cannot_be_scored_again_says_so(measured):
    dataset, workspace, evaluation = measured
    deep = evaluation.model_copy(update={"primary": "AP"})
    with pytest.raises(UserError, match="AP cannot be told"):
        rescored(deep, dataset, workspace, NOW)
    nothing = with_labels(
        as_dataset(dataset.documents, dataset.queries, {}), [label(next(iter(dataset.queries)), "otter-eats", 0)]
    )
    with pytest.raises(DatasetError, match="has a relevant document yet"):
        rescored(evaluation, nothing, workspace, NOW)
    candidates = tuple(c.model_copy(update={"key": "unknown"}) for c in evaluation.candidates)
    with pytest.raises(UserError, match="was not kept"):
        kept_rankings(evaluation.model_copy(update={"candidates": candidates}), workspace)
