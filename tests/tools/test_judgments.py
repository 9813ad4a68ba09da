"""Twins, self-hits, repeated queries and unjudged documents: by hand, and through a real evaluation."""

import hashlib
import itertools
import random
from pathlib import Path

import ir_measures
import pytest

from knowledge.dataset import Dataset, content_hash
from knowledge.results import DatasetSummary, Interval, MeasuredCandidate
from tools.datasets import read_dataset
from tools.evaluate import evaluate, query_scores
from tools.metrics import judgments, scoring
from tools.workspace import Workspace

SHARED = Path(__file__).parents[3] / "shared" / "data"


def make(documents, queries, judged):
    found = content_hash(documents, queries, judged)
    summary = DatasetSummary(
        name="d", path="", hash=found, format="beir", documents=len(documents), queries=len(queries), judgments=1
    )
    return Dataset(summary=summary, documents=documents, queries=queries, judgments=judged)


@pytest.fixture
def workspace(tmp_path):
    return Workspace(home=tmp_path / "home", offline=True)


def texts(found):
    return [str(text) for text in found]


# ---------------------------------------------------------------- twins


def test_a_hit_on_the_twin_of_the_answer_is_a_hit(workspace):
    """The copy comes first in the file, the label is on the other one; and both count once."""
    documents = {"copy": "the cat sat", "other": "a dog ran", "judged": "the  cat sat\n"}
    found = evaluate(make(documents, {"q": "cat"}, {"q": {"judged": 1}}), ["bm25"], workspace)
    figures = found.candidates[0].metrics
    assert (figures["Success@1"], figures["RR@10"], figures["R@10"], figures["nDCG@10"]) == (1, 1, 1, 1)
    assert figures["R@100"] <= 1
    assert any(text.startswith("1 documents have the same text") for text in texts(found.notes))
    assert found.dataset.documents == 3, "the summary is of what was read"


def test_the_highest_grade_of_twins_counts_and_contradictions_are_counted():
    treated = judgments.treat(
        make(
            {"a": "x", "b": "x", "c": "y"}, {"q": "?", "p": "!"}, {"q": {"a": 0, "b": 2, "c": 1}, "p": {"a": 1, "b": 1}}
        )
    )
    assert treated.dataset.judgments == {"q": {"a": 2, "c": 1}, "p": {"a": 1}}
    assert (list(treated.dataset.documents), treated.twins, treated.contradictions) == (["a", "c"], 1, 1)


def test_without_twins_nothing_changes():
    data = make({"a": "x", "b": "y"}, {"q": "?"}, {"q": {"a": 1, "gone": 1}})
    treated = judgments.treat(data)
    assert (treated.dataset.documents, treated.dataset.judgments) == (data.documents, data.judgments)
    assert (treated.twins, treated.own, treated.same_queries, treated.unanswered) == (0, {}, (), 0)


# ---------------------------------------------------------------- self-hits


def test_a_query_does_not_find_itself(workspace):
    """As in ArguAna: the query is a document, and its answer another one."""
    documents = {"1": "Title we should ban cats", "2": "we should ban dogs and cats", "3": "ships"}
    data = make(documents, {"1": "we should ban cats"}, {"1": {"2": 1}})
    found = evaluate(data, ["bm25"], workspace, metrics=["RR@10"])
    assert found.candidates[0].primary_mean == 1
    assert any("a query is no answer to itself" in text for text in texts(found.notes))


def test_self_hits_are_told_by_text_not_by_id_alone():
    documents = {"1": "ships", "2": "cats", "3": "dogs"}
    queries = {"1": "what sails?", "7": " dogs ", "2": "cats", "9": ""}
    own = judgments.treat(make(documents, queries, {"1": {"1": 1}, "7": {"1": 1}, "2": {"2": 1}, "9": {"3": 1}})).own
    assert own == {"7": frozenset({"3"})}, "1 is another thing of the same number; 2 is labelled as its own answer"


# ---------------------------------------------------------------- queries


def test_queries_without_a_right_answer_are_counted(workspace):
    queries = {"a": "cat", "zero": "dog", "none": "ship", "gone": "sea"}
    data = make({"1": "cat", "2": "dog"}, queries, {"a": {"1": 1, "2": 0}, "zero": {"2": 0}, "gone": {"5": 1}})
    found = evaluate(data, ["bm25"], workspace)
    assert found.judged_queries == 1
    assert texts(found.notes) == [
        "3 queries have no relevant document here and are left out of every mean (1 of them have no judgment at all)."
    ]


def test_repeated_queries_count_in_the_mean_and_not_as_evidence(workspace):
    words = ("cat", "dog", "ship", "sea", "tree")
    documents = {word: f"about a {word}" for word in words} | {"x": "nothing"}
    queries = {f"{word}{i}": word for word in words for i in range(8)}
    judged = {query: {word if word != "sea" else "x": 1} for query, word in queries.items()}
    found = evaluate(make(documents, queries, judged), ["bm25"], workspace, metrics=["RR@10"])
    assert found.judged_queries == 40
    assert found.candidates[0].primary_mean == found.candidates[0].interval.mean == pytest.approx(0.8)
    assert [len(group) for group in found.same_queries] == [8] * 5
    once = evaluate(
        make(documents, {w: w for w in words}, {w: {w if w != "sea" else "x": 1} for w in words}),
        ["bm25"],
        workspace,
        metrics=["RR@10"],
    )
    assert found.candidates[0].interval.low == pytest.approx(once.candidates[0].interval.low)


# ---------------------------------------------------------------- ties, repeated ids


def test_exact_ties_do_not_follow_the_order_of_the_file(workspace):
    documents = {f"d{i}": f"cat {word}" for i, word in enumerate("abcdefghijklmnopqrst")}
    figures = set()
    for seed in range(3):
        order = list(documents)
        random.Random(seed).shuffle(order)
        data = make({d: documents[d] for d in order}, {"q": "cat"}, {"q": {"d3": 1}})
        ranked = evaluate(data, ["bm25"], workspace, metrics=[f"RR@{20 + seed}"])  # another key each time
        figures.add(ranked.candidates[0].primary_mean)
    assert len(figures) == 1
    place = sorted(documents, key=lambda d: hashlib.sha256(d.encode()).digest()).index("d3") + 1
    assert figures == {1 / place}


@pytest.mark.parametrize("hostile", ["\ud800", "", "文档", "a" * 100_000])
def test_ties_of_odd_ids(hostile):
    assert len(judgments.settled([("x", 0.5), (hostile, 0.5), ("y", float("nan"))])) == 3


def test_a_document_ranked_twice_counts_once():
    found = scoring.score({"q": [("a", 3.0), ("a", 2.0), ("b", 1.0)]}, {"q": {"a": 1, "b": 1}})
    assert {name: found[name]["q"] for name in ("R@10", "nDCG@10", "AP")} == {"R@10": 1, "nDCG@10": 1, "AP": 1}
    assert all(value <= 1 for values in found.values() for value in values.values())


def test_figures_are_pytrec_evals_for_the_same_run_tied_scores_included():
    """Scores with many ties; the reference breaks them by id from z to a, and gets our order in its scores."""
    import pytrec_eval

    rng = random.Random(5)
    ids = [f"d{i:03}" for i in range(60)]
    judged = {f"q{q}": {d: rng.randint(0, 3) for d in rng.sample(ids, 12)} | {ids[q]: 2} for q in range(25)}
    runs = {q: {d: float(rng.randint(1, 6)) for d in rng.sample(ids, 40)} for q in judged}
    ranked = {
        q: sorted(run.items(), key=lambda item: (-item[1], [-ord(c) for c in item[0]])) for q, run in runs.items()
    }
    names = {"ndcg_cut_10": "nDCG@10", "recip_rank": "RR", "map": "AP", "recall_100": "R@100", "P_10": "P@10"}
    names |= {"success_1": "Success@1", "bpref": "Bpref"}
    expected = pytrec_eval.RelevanceEvaluator(judged, set(names)).evaluate(runs)
    found = scoring.score(ranked, judged, tuple(names.values()))
    for theirs, ours in names.items():
        for query in judged:
            assert found[ours][query] == pytest.approx(expected[query][theirs], abs=1e-9), (ours, query)
    # any other order of ties: that of a run whose scores say it
    mine = {q: judgments.settled(list(run.items())) for q, run in runs.items()}
    mine = {q: sorted(r, key=lambda item: -item[1]) for q, r in mine.items()}
    untied = {q: {d: 1000.0 - i for i, (d, _) in enumerate(r)} for q, r in mine.items()}
    expected = pytrec_eval.RelevanceEvaluator(judged, set(names)).evaluate(untied)
    found = scoring.score(mine, judged, tuple(names.values()))
    assert all(found[o][q] == pytest.approx(expected[q][t], abs=1e-9) for t, o in names.items() for q in judged)
    measures = [ir_measures.parse_measure(n) for n in scoring.DEFAULT if not n.startswith("F1")]
    qrels = [ir_measures.Qrel(q, d, g) for q, j in judged.items() for d, g in j.items()]
    run = [ir_measures.ScoredDoc(q, d, s) for q, r in untied.items() for d, s in r.items()]
    found = scoring.score(mine, judged)
    for metric in ir_measures.iter_calc(measures, qrels, run):
        assert found[str(metric.measure)][metric.query_id] == pytest.approx(metric.value, abs=1e-9)


# ---------------------------------------------------------------- unjudged documents


def test_the_unjudged_share_by_hand():
    judged = {"q": {"a": 1, "b": 0}, "p": {"a": 1}, "r": {"a": 1}}
    ranked = {"q": [("a", 3.0), ("x", 2.0), ("b", 1.0), ("y", 0.5)], "p": [("z", 1.0)], "r": []}
    assert judgments.unjudged_share(ranked, judged) == pytest.approx((2 / 4 + 1) / 2)
    assert judgments.unjudged_share(ranked, judged, k=1) == pytest.approx(1 / 2)
    assert judgments.unjudged_share({}, judged) is None
    assert judgments.condensed(ranked, judged)["q"] == [("a", 3.0), ("b", 1.0)]


def candidate(spec, mean, unjudged, condensed):
    interval = Interval(mean=mean, low=mean, high=mean)
    return MeasuredCandidate(
        spec=spec, metrics={"nDCG@10": mean}, interval=interval, unjudged=unjudged, condensed=condensed
    )


def pooled(grades):
    """A dataset with twelve judgments a query, of these grades in turn."""
    documents = {f"d{i}": f"text {i}" for i in range(20)}
    judged = dict(zip(documents, itertools.islice(itertools.cycle(grades), 12), strict=False))
    return judgments.treat(make(documents, {"q": "?"}, {"q": judged}))


def test_judgments_pooled_from_one_kind_of_search_are_told():
    words, dense = candidate("bm25", 0.5, 0.1, 0.6), candidate("st:x", 0.48, 0.4, 0.7)
    found = texts(judgments.warnings([words, dense], pooled([1, 0]), "nDCG@10"))
    assert "nobody judged 40% for st:x and 10% for bm25" in found[0]
    assert "st:x would be ahead of bm25 (nDCG@10 0.700 against 0.600)" in found[1]
    level = candidate("st:x", 0.48, 0.12, 0.59)
    assert not judgments.warnings([words, level], pooled([1, 0]), "nDCG@10")
    assert not judgments.warnings([words], pooled([1, 0]), "nDCG@10")


def test_what_nobody_judged_is_told_with_the_figures_without_it():
    found = [candidate(f"c{i}", 0.5 - i / 100, 0.1 * (i + 1), 0.6 + i / 100) for i in range(5)]
    (told,) = texts(judgments.holes(found[::-1], pooled([1, 0]), "nDCG@10"))
    assert told.startswith("What nobody judged counts as not relevant.")
    assert "c0: 10% not judged; 0.600 without them; c1: 20% not judged; 0.610 without them; c2: 30%" in told
    assert "c3" not in told, "the best are enough"
    assert not judgments.holes([candidate("a", 0.5, 0.0, 0.5)], pooled([1, 0]), "nDCG@10")
    assert not judgments.holes(found, pooled([1]), "nDCG@10"), "then all else counts as wrong for everybody"


def test_no_wolf_is_cried_where_only_right_answers_are_labelled():
    words, dense = candidate("bm25", 0.5, 0.9, 0.9), candidate("st:x", 0.4, 0.99, 0.95)
    assert not judgments.warnings([words, dense], pooled([1]), "nDCG@10")
    one_each = judgments.treat(make({"a": "x", "b": "y"}, {"q": "?"}, {"q": {"a": 1, "b": 0}}))
    assert not judgments.warnings([words, dense], one_each, "nDCG@10"), "two judgments a query are no pool"
    assert texts(judgments.notes(pooled([1]))) == [
        "Only right answers are labelled: every other document counts as wrong, for all candidates alike."
    ]


def test_real_sets(workspace):
    """covid_faq has twins, dbpedia_entity has queries without an answer and deep pools."""
    if not SHARED.is_dir():
        pytest.skip("the shared data sets are not on this machine")
    twins = evaluate(read_dataset(SHARED / "covid_faq"), ["bm25", "bm25?b=0.3"], workspace)
    assert any(text.startswith("3 documents have the same text") for text in texts(twins.notes))
    entities = judgments.treat(read_dataset(SHARED / "dbpedia_entity"))
    assert (entities.unanswered, entities.deep, entities.judged_not_relevant) == (9, True, True)
    found = evaluate(read_dataset(SHARED / "dbpedia_entity"), ["bm25"], workspace)
    assert 0 < found.candidates[0].unjudged < 1
    assert found.candidates[0].condensed > found.candidates[0].primary_mean
    assert len(query_scores(found, workspace)["bm25"]) == found.judged_queries == 41
