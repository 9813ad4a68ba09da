"""Fusion of rankings, by hand; checks before anything is spent."""

import numpy as np
import pytest

from knowledge.candidate import parse_candidate
from knowledge.errors import SpecError, UserError
from tools import encoders, retrieval
from tools.pipeline import ranking
from tools.retrieval import Rankings
from tools.workspace import Workspace


def rankings(*rows):
    array = np.array(rows, dtype=np.int64)
    return Rankings(array, np.where(array >= 0, -np.arange(array.shape[1], dtype=np.float64), 0.0))


A, B, C = (parse_candidate(spec) for spec in ("st:a", "st:b", "bm25"))
LEGS = {A: rankings([0, 1, 2]), B: rankings([2, 1, 3]), C: rankings([3, -1, -1])}


def fused(spec, depth=10, legs=LEGS):
    found = retrieval.rank(parse_candidate(spec), legs, depth)
    return found.rows.tolist(), found.scores.tolist()


def test_reciprocal_ranks_are_added():
    rows, scores = fused("rrf(st:a, st:b)")
    assert rows == [[2, 1, 0, 3]]
    assert scores[0] == pytest.approx([1 / 63 + 1 / 61, 1 / 62 + 1 / 62, 1 / 61, 1 / 63])


def test_k_is_an_option_and_depth_cuts():
    rows, scores = fused("rrf(st:a, st:b)?k=0")
    assert rows == [[2, 0, 1, 3]]
    assert scores[0] == pytest.approx([4 / 3, 1.0, 1.0, 1 / 3])
    assert fused("rrf(st:a, st:b)", depth=1)[0] == [[0]]


def test_equal_scores_keep_the_order_of_the_first_ranking():
    legs = {A: rankings([0, 1]), B: rankings([1, 0])}
    assert fused("rrf(st:a, st:b)", legs=legs)[0] == [[0, 1]]
    assert fused("rrf(st:b, st:a)", legs=legs)[0] == [[1, 0]]


def test_a_leg_that_finds_nothing_adds_nothing():
    """Else documents that share no word with the query would gain by their place in the file."""
    assert fused("rrf(st:a, bm25)")[0] == [[0, 3, 1, 2]]
    nothing = {A: rankings([2, 0, 1]), C: rankings([-1, -1, -1])}
    assert fused("rrf(st:a, bm25)", legs=nothing)[0] == [[2, 0, 1]]


def test_queries_that_find_fewer_documents_are_padded():
    legs = {A: rankings([0, 1], [1, -1]), C: rankings([2, 3], [1, -1])}
    rows, scores = fused("rrf(st:a, bm25)", legs=legs)
    assert rows == [[0, 2, 1, 3], [1, -1, -1, -1]]
    assert scores[1][1:] == [0, 0, 0]


def test_fusions_of_fusions():
    inner = fused("rrf(st:a, st:b)")[0][0]
    rows, scores = fused("rrf(rrf(st:a, st:b), bm25)")
    expected = {row: 1 / (61 + i) for i, row in enumerate(inner)}
    expected[3] += 1 / 61
    assert dict(zip(rows[0], scores[0], strict=True)) == pytest.approx(expected)
    assert rows[0] == sorted(expected, key=lambda row: -expected[row])


def test_a_leg_by_itself_is_cut_to_depth():
    assert fused("st:a", depth=2)[0] == [[0, 1]]


def test_no_queries():
    legs = {A: Rankings(np.zeros((0, 3), np.int64), np.zeros((0, 3))), C: LEGS[C]}
    assert retrieval.rank(parse_candidate("rrf(st:a, st:a)"), legs, 5).rows.shape[0] == 0


# ---------------------------------------------------------------- weighted fusion


def scored(rows, scores):
    return Rankings(np.array([rows], np.int64), np.array([scores], np.float64))


def slow_weighted(rankings, weights):
    """Min-max, weight and add, document by document."""
    documents = sorted({row for rows, _ in rankings for row in rows if row >= 0})
    sums = dict.fromkeys(documents, 0.0)
    for (rows, scores), weight in zip(rankings, weights, strict=True):
        found = {row: score for row, score in zip(rows, scores, strict=True) if row >= 0}
        low, high = min(found.values(), default=0), max(found.values(), default=0)
        for row, score in found.items():
            sums[row] += weight * ((score - low) / (high - low) if high > low else 1.0)
    return sums


def test_weighted_scores_by_hand():
    legs = {A: scored([0, 1, 2], [10.0, 6.0, 2.0]), B: scored([2, 3, -1], [0.9, 0.1, 0.0])}
    rows, scores = fused("weighted(st:a, st:b)?w=1:3", legs=legs)
    assert rows == [[2, 0, 1, 3]]
    assert scores[0] == pytest.approx([0.75, 0.25, 0.125, 0.0])
    assert fused("weighted(st:a, st:b)", legs=legs)[1][0][0] == pytest.approx(0.5), "equal weights unless said"


def test_weighted_fusion_is_that_of_a_plain_loop():
    rng = np.random.default_rng(1)
    for _ in range(50):
        lists = [
            (rng.choice(12, 6, replace=False), np.sort(rng.normal(size=6) * 10.0 ** rng.integers(-3, 4))[::-1])
            for _ in range(2)
        ]
        legs = {leg: scored(rows, scores) for leg, (rows, scores) in zip((A, B), lists, strict=True)}
        rows, scores = fused("weighted(st:a, st:b)?w=0.2:0.6", legs=legs)
        expected = slow_weighted(lists, (0.25, 0.75))
        assert dict(zip(rows[0], scores[0], strict=True)) == pytest.approx(expected)
        assert scores[0] == sorted(scores[0], reverse=True)


def test_scales_do_not_matter_to_a_weighted_fusion():
    legs = {A: scored([0, 1, 2], [3.0, 2.0, 1.0]), B: scored([2, 1, 0], [3.0, 2.5, 1.0])}
    large = legs | {A: scored([0, 1, 2], [3e6, 2e6, 1e6])}
    assert fused("weighted(st:a, st:b)", legs=legs) == fused("weighted(st:a, st:b)", legs=large)


def test_a_ranking_of_equal_scores_or_of_one_document_counts_in_full():
    assert ranking.on_one_scale(np.array([7.0])).tolist() == [1.0]
    assert ranking.on_one_scale(np.array([2.0, 2.0])).tolist() == [1.0, 1.0]
    assert ranking.on_one_scale(np.zeros(0)).tolist() == []


# ---------------------------------------------------------------- reranking


def reranked(spec, scores, depth=10, legs=LEGS):
    """With a reranker that gives each document the score it has in `scores`; and what it was asked for."""
    asked = []

    def rescore(leg, rows):
        asked.append((leg.spec, rows.tolist()))
        return np.array([[scores[row] if row >= 0 else 99.0 for row in of] for of in rows.tolist()])

    found = retrieval.rank(parse_candidate(spec), legs, depth, rescore)
    return found.rows.tolist(), found.scores.tolist(), asked


def test_the_first_documents_are_ordered_anew_and_the_others_stay_behind_them():
    rows, scores, asked = reranked("rerank(st:a, ce:x)?top=2", {0: -3.0, 1: 5.0})
    assert asked == [("ce:x", [[0, 1]])]
    assert rows == [[1, 0, 2]]
    assert scores[0][:2] == [5.0, -3.0]
    assert scores[0] == sorted(scores[0], reverse=True)
    assert len(set(scores[0])) == 3


def test_equal_scores_of_a_reranker_keep_the_order_before():
    assert reranked("rerank(st:a, ce:x)", {0: 1.0, 1: 1.0, 2: 2.0})[0] == [[2, 0, 1]]


def test_places_where_nothing_was_found_stay_behind():
    rows, scores, _ = reranked("rerank(bm25, ce:x)", {3: -5.0})
    assert rows == [[3, -1, -1]]
    assert scores == [[-5.0, 0.0, 0.0]]


def test_a_reranker_of_a_fusion_reads_what_the_fusion_found():
    rows, _, asked = reranked("rerank(rrf(st:a, st:b), ce:x)?top=3", {0: 1.0, 1: 2.0, 2: 0.0})
    assert asked == [("ce:x", [[2, 1, 0]])]
    assert rows == [[1, 0, 2, 3]]


def test_a_re_ranked_part_of_a_fusion_and_a_reranker_of_a_reranker():
    rows, _, asked = reranked("weighted(rerank(st:a, ce:x), bm25)", {0: 0.0, 1: 4.0, 2: 1.0})
    assert rows[0][0] in (1, 3)
    assert len(asked) == 1
    _, _, asked = reranked("rerank(rerank(st:a, ce:x), ce:y)?top=2", {0: 0.0, 1: 4.0, 2: 1.0})
    assert asked == [("ce:x", [[0, 1, 2]]), ("ce:y", [[1, 2]])]


def test_more_documents_are_searched_than_are_ranked_where_more_are_re_ranked():
    rows, _, _ = reranked("rerank(st:a, ce:x)", {0: 0.0, 1: 4.0, 2: 9.0}, depth=1)
    assert rows == [[2]]
    assert retrieval.reach(parse_candidate("rrf(bm25, rerank(st:a, ce:x)?top=30)"), 10) == 30
    assert retrieval.reach(parse_candidate("rerank(st:a, ce:x)?top=5"), 10) == 10


@pytest.mark.parametrize(
    ("spec", "step"),
    [
        ("weighted(bm25, st:x)?w=1", "a weight for each candidate"),
        ("weighted(bm25, st:x)?w=0:0", "not all of them 0"),
        ("weighted(bm25, st:x)?w=-1:2", "a weight for each"),
        ("weighted(bm25, st:x)?k=60", "a weight for each"),
        ("weighted(bm25, st:x)?w=nan:1", "a weight for each"),
        ("rerank(bm25, ce:x)?top=0", "at most 100"),
        ("rerank(bm25, ce:x)?top=101", "at most 100"),
        ("rerank(bm25, ce:x)?k=3", "at most 100"),
        ("rerank(bm25, st:x)", "Give a cross-encoder"),
        ("rrf(bm25, rerank(bm25, bm25))", "Give a cross-encoder"),
        ("ce:x", "rerank(bm25, ce:x)?top=50"),
        ("rrf(bm25, ce:x)", "Let it re-rank what another finds"),
    ],
)
def test_errors_of_combinations_say_what_is_wrong(spec, step):
    with pytest.raises(SpecError) as refused:
        retrieval.parse([spec])
    assert step in refused.value.next_step.render()


@pytest.mark.parametrize(
    "spec",
    [
        "cohere:x",
        "bm25?dim=3",
        "st:x?dim=0",
        "st:x?speed=high",
        "rrf(bm25, st:x)?k=-1",
        "rrf(bm25, st:x)?weight=2",
        "rrf(bm25, rrf(bm25, nope:x))",
        "rrf(bm25, rrf(bm25, st:x)?k=a)",
    ],
)
def test_what_cannot_be_built_is_refused_at_once(spec):
    with pytest.raises(SpecError):
        retrieval.parse(["bm25", spec])


def test_candidates_are_named_once_and_there_is_at_least_one():
    assert [c.spec for c in retrieval.parse(["bm25", " bm25 ", "st:x?dim=3"])] == ["bm25", "st:x?dim=3"]
    with pytest.raises(UserError, match="no candidate was named"):
        retrieval.parse([])


# ---------------------------------------------------------------- exact search in parts


def split(documents, size):
    return [documents[start : start + size] for start in range(0, len(documents), size)]


@pytest.mark.parametrize(
    ("documents", "size", "depth"), [(1000, 64, 10), (1000, 7, 100), (30, 30, 100), (1, 1, 1), (50, 8, 50)]
)
def test_exact_search_in_parts_is_that_of_the_whole(documents, size, depth, monkeypatch):
    monkeypatch.setattr(retrieval, "EXACT_QUERIES", 3)
    rng = np.random.default_rng(documents)
    # whole numbers: many equal scores, and no rounding
    stored = rng.integers(-2, 3, (documents, 6)).astype(np.float32)
    asked = np.vstack([rng.integers(-2, 3, (7, 6)), np.zeros((1, 6))]).astype(np.float32)
    found = retrieval.exact(split(stored, size), asked, depth)
    scores = asked @ stored.T
    expected = np.argsort(-scores, axis=1, kind="stable")[:, :depth]
    assert np.array_equal(found.rows, expected), "equal scores keep the order of the documents"
    assert np.array_equal(found.scores, np.take_along_axis(scores, expected, axis=1))
    assert (found.rows.dtype, found.scores.dtype) == (np.int64, np.float64)


def test_exact_search_without_queries_or_documents():
    assert retrieval.exact([np.ones((5, 4), np.float32)], np.zeros((0, 4), np.float32), 3).rows.shape[0] == 0
    assert retrieval.exact([], np.ones((2, 4), np.float32), 3).rows.shape == (2, 0)


@pytest.mark.parametrize(
    "part", ["precision=int8", "backend=onnx&precision=bf16", "prompts=mine", "max_tokens=0", "dim=0"]
)
def test_options_that_do_not_go_together_are_found_before_anything_is_looked_for(part):
    with pytest.raises(SpecError):
        retrieval.parse(["bm25", f"rrf(bm25, st:no/such-model?{part})"])


@pytest.mark.parametrize(
    ("spec", "has"),
    [
        ("st:sentence-transformers/all-MiniLM-L6-v2?dim=9999", 384),
        ("st:all-MiniLM-L6-v2?dim=385", 384),
        ("static:wordllama?dim=257", 256),
        ("static:minishlab/potion-base-8M?dim=9999", 256),
    ],
)
def test_more_dimensions_than_a_model_is_known_to_have_are_refused_without_its_files(tmp_path, spec, has):
    with pytest.raises(SpecError, match=f"but the model has {has}") as refused:
        encoders.resolve(parse_candidate(spec), Workspace(home=tmp_path, hub_cache=tmp_path, offline=True))
    assert refused.value.next_step.render() == f"Ask for at most {has}."
