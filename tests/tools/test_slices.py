"""Quality on parts of the queries: which parts there are, what is said of them, and how wide their intervals are."""

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest

from knowledge.results import Evaluation, Interval, MeasuredCandidate, Preflight, Recommendation, Row, Truncation
from knowledge.wording import Text
from tests.labelled import as_dataset
from tools.slices import FEWEST, slices
from tools.slices.query_kind import kind_of
from tools.slices.routing import _shares_all, cross_fitted
from tools.slices.words import routing_advice, with_routing

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
    short, long = by_trait(found)["length of the query"]
    assert short.queries == SHORT - 14
    # copies weigh within their part alone: else one part would score below its queries, and another above
    assert [part.scores[0].quality.mean for part in (short, long)] == pytest.approx([0.6, 0.6])
    assert [part.scores[1].quality.mean for part in (short, long)] == pytest.approx([0.3, 1.0])


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


# ---------------------------------------------------------------- routing


@pytest.fixture(scope="module")
def bilingual():
    """200 queries, every fourth Chinese: the winner is lost on those, a rival on all others, at random elsewhere."""
    rng = np.random.default_rng(3)
    queries = {
        f"q{i:03}": ("如何找到答案" if i % 4 == 0 else f"where do I find the answer to this question {i}")
        for i in range(200)
    }
    chinese = np.arange(200) % 4 == 0
    base = rng.random(200)
    scores = {
        WINNER: dict(zip(queries, np.where(chinese, 0.2 * base, base).tolist(), strict=True)),
        BEST: dict(zip(queries, np.where(chinese, base, 0.5 * base).tolist(), strict=True)),
    }
    return as_dataset(DOCUMENTS, queries, {q: {"d00": 1} for q in queries}), scores, chinese


def test_a_planted_difference_is_found_and_what_it_gains_is_not_too_good(bilingual):
    data, scores, chinese = bilingual
    found = slices(advice(), evaluation(data), scores, data)
    route = next(r for r in found.routing if str(r.trait) == "language of the query")
    assert [(str(p.part), p.spec, p.queries) for p in route.parts] == [("Chinese", BEST, 50)]
    assert route.otherwise == WINNER
    winner, other = (np.array(list(scores[s].values())) for s in (WINNER, BEST))
    in_sample = np.where(chinese, other, winner).mean() - winner.mean()
    assert 0 < route.gain.low < route.gain.mean <= in_sample + 1e-9
    assert route.over[BEST].low > 0, "one model for all would do as well otherwise"
    known = {e.id: e for e in found.evidence}
    assert known[route.cites["gain"]].value == route.gain.mean
    assert known[route.cites[f"over/{BEST}"]].value == route.over[BEST].mean
    assert route.parts[0].cites["difference"] in known[route.cites["gain"]].computed_from


def test_a_rival_as_good_everywhere_is_no_reason_for_two(bilingual):
    data, scores, chinese = bilingual
    winner = np.array(list(scores[WINNER].values()))
    equal = {q: float(v) for q, v in zip(scores[BEST], np.where(chinese, winner + 0.4, winner), strict=True)}
    found = slices(advice(), evaluation(data), scores | {BEST: equal}, data)
    assert found.slices
    assert not found.routing, "it loses nothing on the others: use it for all"


def test_a_part_that_nobody_knows_before_searching_is_no_rule(bilingual):
    _, scores, _ = bilingual
    queries = {q: f"{'red' if i % 4 == 0 else 'text'} {i:03}" for i, q in enumerate(scores[WINNER])}
    sources = {d: "wiki" if i % 4 == 0 else "mail" for i, d in enumerate(DOCUMENTS)}
    judged = {q: {f"d{i % 40:02}": 1} for i, q in enumerate(queries)}
    of = replace(as_dataset(DOCUMENTS, queries, judged), sources=sources)
    found = slices(advice(), evaluation(of), scores, of)
    parts = by_trait(found)["source of the right documents"]
    assert {str(part.part): part.best for part in parts} == {"mail": WINNER, "wiki": BEST}
    assert not any(part.at_query_time for part in parts)
    assert not [r for r in found.routing if "source" in str(r.trait)]


def test_chance_gives_no_advice():
    rng = np.random.default_rng(5)
    queries = {f"q{i}": rng.choice(["苹果怎么样？", "苹果", "りんごは？", "りんご"]) for i in range(60)}
    data = as_dataset(DOCUMENTS, queries, {q: {"d00": 1} for q in queries})
    for _ in range(5):
        values = {s: dict(zip(queries, rng.random(60).tolist(), strict=True)) for s in (WINNER, BEST)}
        assert not slices(advice(), evaluation(data), values, data).routing


def test_cross_fitting_pays_for_choosing_by_chance():
    """Of candidates that differ by noise alone, the best on the same queries looks better; routed, it does not."""
    rng = np.random.default_rng(7)
    gains, naive = [], []
    for _ in range(30):
        values = rng.random((4, 80))
        parts = [np.arange(40), np.arange(40, 80)]
        gains.append((cross_fitted(values, parts, 0.02) - values[0]).mean())
        naive.append(np.mean([values[:, p].mean(axis=1).max() for p in parts]) - values[0].mean())
    assert np.mean(naive) > 0.03
    assert abs(np.mean(gains)) < 0.015


def test_a_routing_is_told_with_what_it_gains_and_costs(bilingual):
    data, scores, _ = bilingual
    rows = tuple(r.model_copy(update={"peak_memory_mb": 300.0}) for r in advice().rows)
    found = slices(advice(rows=rows), evaluation(data), scores, data)
    route = next(r for r in found.routing if str(r.trait) == "language of the query")
    told = str(routing_advice(route, "nDCG@10"))
    assert f"By language of the query, send Chinese to {BEST} (+" in told
    assert f"all else to {WINNER}" in told
    assert "50 of 200 queries" in told
    assert "2 set-ups in memory at once (600 MB in all)" in told
    changed = with_routing(advice(), found).what_would_change_it[0]
    assert str(changed).startswith("Routing by ")
    assert with_routing(advice(), None) == advice()


def test_set_ups_of_one_model_share_it():
    assert _shares_all("rrf(bm25, static:wordllama)", ["static:wordllama", "bm25"])
    assert not _shares_all("bm25", ["static:wordllama"])


# ---------------------------------------------------------------- kinds of queries


@pytest.mark.parametrize(
    ("query", "kind"),
    [
        ("how to sort a list", "question"),
        ("Is there a way to undo a commit", "question"),
        ("will smith movies", "keywords"),
        ("the parcel, is it here?", "question"),
        ("轮胎怎么选", "question"),
        ("异齿前肛鳗一共有几枚前上颌骨齿", "question"),
        ("running shoes flat feet", "keywords"),
        ("冬季轮胎", "keywords"),
        ("Taking 400mg of tocopheryl helps to prevent cancer.", "statement"),
        ("my order has not arrived yet", "statement"),
        ("我昨天买的轮胎今天就漏气了", "statement"),
        ("df.groupby('a').mean()", "code"),
        ("SELECT name FROM users WHERE id = 3", "code"),
        ("for (int i = 0; i < n; i++) {", "code"),
        ("read_csv", "code"),
        ("INV-2023-0042", "number"),
        ("sku 88213", "number"),
        ("订单 2023110501", "number"),
        ("covid 19", "keywords"),
        ("Compilers for C and C++", "keywords"),
        ("", "keywords"),
    ],
)
def test_the_kind_of_a_query(query, kind):
    assert kind_of(query) == kind
