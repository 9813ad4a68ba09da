"""Context precision and recall of candidates, from the run store; and answers judged earlier on the same data."""

import datetime as dt

import pytest

from knowledge.results import Interval, RagJudgement, RagScore
from tests.animals import write_dataset
from tools.datasets import read_dataset
from tools.evaluate import evaluate
from tools.metrics.context import context_precision, context_recall
from tools.rag_judge.contexts import contexts
from tools.rag_judge.words import UNJUDGED, against, answers, verdict
from tools.run_store import RunStore
from tools.workspace import Workspace

SPECS = ["bm25", "bm25?b=0"]


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    folder = tmp_path_factory.mktemp("contexts")
    dataset = read_dataset(write_dataset(folder / "data"))
    workspace = Workspace(home=folder / "home", offline=True)
    return dataset, workspace, evaluate(dataset, SPECS, workspace, task="rag")


def judgement(evaluation: str, spec: str, faithful: float) -> RagJudgement:
    value = Interval(mean=faithful, low=faithful - 0.1, high=faithful + 0.1)
    score = RagScore(
        spec=spec, faithfulness=value, answer_relevance=value, context_precision=value, context_recall=value, judged=7
    )
    return RagJudgement(
        run_id=f"rag-{faithful}",
        created=dt.datetime(2026, 11, 29, tzinfo=dt.UTC),
        evaluation=evaluation,
        model="tiny",
        host="localhost",
        library="ragas 1",
        embedder="bm25",
        queries=7,
        contexts=5,
        calls=42,
        scores=(score,),
    )


def test_figures_are_those_of_the_first_five_documents(measured):
    dataset, workspace, evaluation = measured
    found = contexts(evaluation, SPECS[::-1], workspace)
    runs = RunStore(workspace.store)
    rankings = {c.spec: runs.rankings(c.key) for c in evaluation.candidates}
    runs.close()
    recalls = {}
    for score, spec in zip(found.scores, SPECS[::-1], strict=True):
        pairs = [
            ([d for d, grade in dataset.judgments[q].items() if grade > 0], first)
            for q, first in rankings[spec].items()
        ]
        recalls[spec] = [context_recall(first, relevant, 5) for relevant, first in pairs]
        assert score.spec == spec
        assert score.recall.mean == pytest.approx(sum(recalls[spec]) / len(recalls[spec]))
        precisions = [context_precision(first, relevant, 5) for relevant, first in pairs]
        assert score.precision.mean == pytest.approx(sum(precisions) / len(precisions))
        assert score.empty.mean == pytest.approx(recalls[spec].count(0.0) / len(recalls[spec]))
    assert found.scores[0].difference is None
    winner, rival = (found.scores[i].recall.mean for i in (0, 1))
    assert found.scores[1].difference.mean == pytest.approx(rival - winner)
    by_id = {evidence.id: evidence for evidence in found.evidence}
    cites = found.scores[1].cites
    assert by_id[cites["difference"]].computed_from == (cites["recall"], found.scores[0].cites["recall"])
    told = [verdict(found), *against(found), *answers(found)]
    assert told[-1] == UNJUDGED
    for text in told[:-1]:
        assert all("EX" in text.render(language) for language in ("en", "zh"))


def test_the_latest_judgement_of_the_same_data_is_shown(measured, tmp_path):
    _, workspace, evaluation = measured
    with (write_dataset(tmp_path / "other") / "corpus.jsonl").open("a") as corpus:
        corpus.write('{"_id": "more", "text": "About something else."}\n')
    other = evaluate(read_dataset(tmp_path / "other"), ["bm25"], workspace, task="rag")
    runs = RunStore(workspace.store)
    kept = [judgement(evaluation.run_id, "bm25", 0.5), judgement(other.run_id, "bm25", 0.9)]
    kept += [judgement(evaluation.run_id, "bm25?b=0", 0.7), judgement("gone", "bm25", 0.8)]
    for minute, found in enumerate(kept):
        runs.save_run(found.run_id, "rag", found.model_dump(mode="json"), found.created + dt.timedelta(minutes=minute))
    runs.save_run("rag-broken", "rag", {"run_id": 1}, dt.datetime(2027, 1, 1, tzinfo=dt.UTC))
    runs.close()
    found = contexts(evaluation, ["bm25"], workspace)
    assert found.judged.run_id == "rag-0.5"
    told = " ".join(map(str, answers(found)))
    assert f"faithfulness 0.500 (0.400 to 0.600; {found.cites['faithfulness/bm25']})" in told
    assert "tiny on 7 queries" in told
    assert contexts(evaluation, ["bm25?b=0"], workspace).judged.run_id == "rag-0.7"


def test_what_was_not_measured_for_rag_has_none(measured):
    dataset, workspace, evaluation = measured
    assert contexts(evaluate(dataset, ["bm25"], workspace), ["bm25"], workspace) is None
    assert contexts(evaluation, ["static:none", "bm25"], workspace) is None, "the winner's are gone"
