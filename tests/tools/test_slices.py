"""Quality on parts of the queries: which parts there are, what is said of them, and how wide their intervals are."""

import datetime as dt

import pytest

from knowledge.results import Evaluation, Interval, MeasuredCandidate, Preflight, Recommendation, Row, Truncation
from knowledge.wording import Text
from tests.labelled import as_dataset
from tools.slices import FEWEST, slices

WINNER, BEST, OTHER, OUT = "bm25", "static:wordllama", "rrf(bm25, static:wordllama)", "static:wordllama?dim=64"
SHORT, LONG = 24, 16
#: two words, or twelve, that no document has, and one that tells queries apart
QUERIES = {
    f"q{i:02}": f"word{i} " + ("red" if i < SHORT else "some more words than a short query has at all")
    for i in range(40)
}
DOCUMENTS = {f"d{i:02}": f"word{i} red " + "text " * (300 if i % 2 else 3) for i in range(40)}
JUDGMENTS = {f"q{i:02}": {f"d{i:02}": 1} for i in range(40)}
NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
POINT = Interval(mean=0.5, low=0.4, high=0.6)


def advice(**changes) -> Recommendation:
    standings = {WINNER: "winner", BEST: "tied", OTHER: "worse", OUT: "excluded"}
    return Recommendation(
        run_id="run",
        created=NOW,
        measured=True,
        winner=WINNER,
        best=BEST,
        headline=Text(template="x"),
        reasons=(),
        confidence=Text(template="x"),
        rows=tuple(Row(spec=spec, standing=standing, quality=POINT) for spec, standing in standings.items()),
        evidence=(),
        not_measured=(),
        what_would_change_it=(),
        margin=0.02,
    ).model_copy(update=changes)


def evaluation(dataset, **changes) -> Evaluation:
    return Evaluation(
        run_id="run",
        started=NOW,
        dataset=dataset.summary,
        candidates=tuple(MeasuredCandidate(spec=s, metrics={"nDCG@10": 0.5}, interval=POINT) for s in (WINNER, BEST)),
        store="runs",
        judged_queries=40,
    ).model_copy(update=changes)


@pytest.fixture(scope="module")
def dataset():
    return as_dataset(DOCUMENTS, QUERIES, JUDGMENTS)


@pytest.fixture(scope="module")
def scores():
    """The best loses on every short query, and wins on every long one."""
    return {
        WINNER: dict.fromkeys(QUERIES, 0.6),
        BEST: {q: 0.3 if i < SHORT else 1.0 for i, q in enumerate(QUERIES)},
        OTHER: {q: (i % 7) / 7 for i, q in enumerate(QUERIES)},
        OUT: dict.fromkeys(QUERIES, 0.1),
    }


def by_trait(found):
    traits: dict[str, list] = {}
    for part in found.slices:
        traits.setdefault(str(part.trait), []).append(part)
    return traits


def test_an_average_is_taken_apart_where_candidates_differ(dataset, scores):
    found = slices(advice(), evaluation(dataset), scores, dataset)
    short, long = by_trait(found)["length of the query"]
    assert (short.queries, long.queries) == (SHORT, LONG)
    assert [s.spec for s in short.scores] == [WINNER, BEST, OTHER], (
        "the best is the first rival; excluded ones stay out"
    )
    assert short.scores[1].difference.mean == pytest.approx(-0.3)
    assert long.scores[1].difference.mean == pytest.approx(0.4)
    assert short.scores[0].difference is None


def test_parts_of_one_trait_share_no_query_and_hold_enough(dataset, scores):
    found = slices(advice(), evaluation(dataset), scores, dataset)
    for parts in by_trait(found).values():
        assert len(parts) > 1
        assert sum(p.queries for p in parts) <= len(QUERIES)
        assert all(p.queries >= FEWEST for p in parts)
    assert "language of the query" not in by_trait(found), "all are in one language"
    assert "relevant documents" not in by_trait(found), "all have one"


def test_the_more_parts_the_wider_the_intervals(dataset, scores):
    found = slices(advice(), evaluation(dataset), scores, dataset)
    differences = [s.difference for part in found.slices for s in part.scores if s.difference]
    assert found.level == pytest.approx(1 - 0.05 / len(differences))
    assert {d.level for d in differences} == {found.level}
    one = slices(advice(rows=advice().rows[:1]), evaluation(dataset), {k: scores[k] for k in (WINNER, BEST)}, dataset)
    assert one.level < found.level


def test_queries_of_the_same_text_count_as_one(dataset, scores):
    same = tuple(f"q{i:02}" for i in range(15))
    found = slices(advice(), evaluation(dataset, same_queries=(same,)), scores, dataset)
    assert by_trait(found)["length of the query"][0].queries == SHORT - 14


def test_documents_longer_than_the_winner_reads_are_a_part(dataset, scores):
    none = Interval(mean=0, low=0, high=0)
    cut = Truncation(effective_limit=128, documents=40, counted=40, share_cut=none, tokens_lost=0, longest=400)
    checked = evaluation(dataset, preflight=(Preflight(spec=WINNER, truncation=cut),))
    trait = f"relevant documents and the limit of {WINNER}, {OTHER}, by estimate"  # a fusion reads what its leg reads
    whole, part = by_trait(slices(advice(), checked, scores, dataset))[trait]
    assert (whole.queries, part.queries) == (20, 20)
    assert "128" in str(whole.part)
    assert trait not in by_trait(slices(advice(), evaluation(dataset), scores, dataset))


def test_each_candidate_has_its_own_limit(dataset, scores):
    none = Interval(mean=0, low=0, high=0)
    limits = {
        spec: Truncation(effective_limit=limit, documents=40, counted=40, share_cut=none, tokens_lost=0, longest=400)
        for spec, limit in ((WINNER, 128), (BEST, 64))
    }
    checked = evaluation(dataset, preflight=tuple(Preflight(spec=s, truncation=t) for s, t in limits.items()))
    found = by_trait(slices(advice(), checked, scores, dataset))
    limited = {trait: parts for trait, parts in found.items() if "the limit of" in trait}
    assert [str(parts[0].part) for parts in limited.values()] == [
        "within the 64 tokens that are read",
        "within the 128 tokens that are read",
    ]
    assert f"limit of {BEST}, {OTHER}" in next(iter(limited)), "the least limit of a fusion's legs is its own"


def test_languages_are_told_apart():
    german = "Wie lange dauert die Lieferung meiner Bestellung nach Deutschland, Nummer {}?"
    english = "How long will it take until my order is delivered to Germany, number {}?"
    queries = {f"q{i:02}": (german if i % 2 else english).format(i) for i in range(24)}
    data = as_dataset(DOCUMENTS, queries, {q: {"d00": 1} for q in queries})
    found = slices(advice(), evaluation(data), {WINNER: dict.fromkeys(queries, 0.5)}, data)
    assert {str(p.part): p.queries for p in by_trait(found)["language of the query"]} == {
        "German": 12,
        "English": 12,
    }


def test_every_figure_has_its_evidence(dataset, scores):
    found = slices(advice(), evaluation(dataset), scores, dataset)
    known = {e.id: e for e in found.evidence}
    assert len(known) == len(found.evidence)
    for part in found.slices:
        for score in part.scores:
            assert known[score.cites["quality"]].value == score.quality.mean
            assert known[score.cites["quality"]].about == score.spec
            if score.difference:
                assert known[score.cites["difference"]].value == score.difference.mean
                assert set(known[score.cites["difference"]].computed_from) <= set(known)


def test_few_queries_or_no_winner_give_no_parts(dataset, scores):
    few = {spec: dict(list(of.items())[:12]) for spec, of in scores.items()}
    assert slices(advice(), evaluation(dataset), few, dataset) is None
    assert slices(advice(winner=None), evaluation(dataset), scores, dataset) is None
