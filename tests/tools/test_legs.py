"""Legs beside dense ones: rerankers, sparse and multi-vector models, BGE-M3's three modes, each against plain loops."""

import json

import numpy as np
import pytest

from knowledge.candidate import parse_candidate
from knowledge.catalog import load_catalog
from knowledge.errors import SpecError, UnknownModelError, UserError
from tests.labelled import as_dataset
from tests.tiny_legs import WORDS, make_ce, make_m3, make_matching_ce, make_multi, make_splade
from tests.tiny_models import make_st
from tools import encoders, part_scores, retrieval, speed
from tools.adaptive import find_winner
from tools.encoding import vectors
from tools.evaluate import evaluate, query_scores
from tools.pairs import as_pair, as_text
from tools.plan import plan_named
from tools.representation_cache import RepresentationCache
from tools.representations import Representation
from tools.run_store import RunStore
from tools.vector_store import VectorStore
from tools.workspace import Workspace

TEXTS = ["the cat is in the sea", "a dog and an apple", "猫在垫子上睡觉", "", "x", "garbage collection " * 60, "\n\t "]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def specs(folder):
    m3 = make_m3(folder / "m3")
    return {
        "ce": f"ce:{make_matching_ce(folder / 'ce')}",
        "splade": f"splade:{make_splade(folder / 'splade')}",
        "multi": f"multi:{make_multi(folder / 'multi')}",
        "m3": f"m3:{m3}",
        "m3-dense": f"m3:{m3}?mode=dense",
        "m3-sparse": f"m3:{m3}?mode=sparse",
        "m3-multi": f"m3:{m3}?mode=multi",
    }


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    return Workspace(home=tmp_path_factory.mktemp("home"), offline=True)


@pytest.fixture(scope="module")
def loaded(specs, workspace):
    """Every encoder once, by name, as a child gets it."""
    found = {}
    for name, spec in specs.items():
        resolved = encoders.resolve(parse_candidate(spec), workspace)
        again = type(resolved).model_validate(resolved.model_dump(mode="json"))
        assert again == resolved
        found[name] = (again, encoders.load(again))
    return found


@pytest.fixture(scope="module")
def dataset():
    """Documents of five words; right are those that have the query's word."""
    rng = np.random.default_rng(0)
    documents = {f"d{i}": " ".join(rng.choice(WORDS, 3)) for i in range(60)}
    queries = {f"q{i}": word for i, word in enumerate(WORDS)}
    judgments = {q: {d: int(word in text.split()) for d, text in documents.items()} for q, word in queries.items()}
    return as_dataset(documents, queries, judgments)


# ---------------------------------------------------------------- what encoders make


@pytest.mark.parametrize("name", ["splade", "multi", "m3", "m3-sparse"])
def test_a_representation_depends_on_its_text_and_on_nothing_else(name, loaded):
    resolved, encoder = loaded[name]
    for kind in ("query", "document"):
        together = encoder.embed(TEXTS, kind=kind)
        assert len(together) == len(TEXTS)
        assert all(of.finite for of in together)
        alone = [encoder.embed([text], kind=kind)[0] for text in TEXTS]
        for one, other in zip(together, alone, strict=True):
            if "sparse" in resolved.parts:
                both = np.intersect1d(one.ids, other.ids)
                assert len(both) >= max(len(one.ids), len(other.ids)) - 1
            assert one.tokens.shape == other.tokens.shape
            assert np.allclose(one.tokens.astype(float), other.tokens.astype(float), atol=2e-3)
            assert np.allclose(one.dense, other.dense, atol=1e-5)
    assert encoder.embed([], kind="query") == []


def test_a_sparse_models_weights_are_those_of_the_library(loaded, specs):
    from sentence_transformers import SparseEncoder

    model = SparseEncoder(specs["splade"].partition(":")[2], device="cpu")
    expected = model.encode_document(TEXTS, convert_to_sparse_tensor=False, show_progress_bar=False).numpy()
    assert (expected > 0).any()
    for row, of in zip(expected, loaded["splade"][1].embed(TEXTS, kind="document"), strict=True):
        full = np.zeros(len(row), np.float32)
        full[of.ids] = of.weights
        assert np.allclose(full, row, atol=1e-5)


def test_token_vectors_and_max_sim_are_those_of_the_library(loaded, specs):
    from sentence_transformers import MultiVectorEncoder

    model = MultiVectorEncoder(specs["multi"].partition(":")[2], device="cpu")
    asked, stored = model.encode_query(TEXTS[:3]), model.encode_document(TEXTS)
    encoder = loaded["multi"][1]
    mine = encoder.embed(TEXTS[:3], kind="query"), encoder.embed(TEXTS, kind="document")
    got = part_scores.scores(part_scores.Asked.of(mine[0]), mine[1], {"multi": 1.0})
    expected = model.similarity(asked, stored).numpy() / np.array([[len(of)] for of in asked])
    assert np.allclose(got, expected, atol=2e-3)


def plain_m3(folder, texts):
    """FlagEmbedding's arithmetic, text by text."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    tokenizer, model = AutoTokenizer.from_pretrained(str(folder)), AutoModel.from_pretrained(str(folder)).eval()
    heads = {n: torch.load(folder / f"{n}.pt", weights_only=True) for n in ("sparse_linear", "colbert_linear")}
    special = {tokenizer.cls_token_id, tokenizer.sep_token_id, tokenizer.pad_token_id, tokenizer.unk_token_id}
    found = []
    for text in texts:
        ids = tokenizer(text, truncation=True, max_length=64, return_tensors="pt")
        with torch.inference_mode():
            states = model(**ids).last_hidden_state[0]
        dense = states[0] / states[0].norm()
        weights = torch.relu(states @ heads["sparse_linear"]["weight"].T + heads["sparse_linear"]["bias"])[:, 0]
        largest = {}
        for token, weight in zip(ids["input_ids"][0].tolist(), weights.tolist(), strict=True):
            if token not in special and weight > largest.get(token, 0):
                largest[token] = weight
        multi = states[1:] @ heads["colbert_linear"]["weight"].T + heads["colbert_linear"]["bias"]
        found.append((dense.numpy(), largest, (multi / multi.norm(dim=1, keepdim=True)).numpy()))
    return found


def test_m3s_modes_are_those_of_a_plain_loop(loaded, folder):
    queries = TEXTS[:3]
    asked, stored = plain_m3(folder / "m3", queries), plain_m3(folder / "m3", TEXTS)
    expected = {"dense": [], "sparse": [], "multi": []}
    for dense, weights, tokens in asked:
        expected["dense"].append([dense @ d for d, _, _ in stored])
        expected["sparse"].append([sum(w * other.get(t, 0.0) for t, w in weights.items()) for _, other, _ in stored])
        expected["multi"].append([np.mean([max(q @ t for t in of) for q in tokens]) for _, _, of in stored])
    encoder = loaded["m3"][1]
    mine = part_scores.Asked.of(encoder.embed(queries, kind="query")), encoder.embed(TEXTS, kind="document")
    for mode, of in expected.items():
        assert np.allclose(part_scores.scores(*mine, {mode: 1.0}), of, atol=3e-3, rtol=1e-3), mode
    weights = loaded["m3"][0].parts
    assert weights == {"dense": 0.4, "sparse": 0.2, "multi": 0.4}
    fused = sum(weights[mode] * np.array(of) for mode, of in expected.items())
    assert np.allclose(part_scores.scores(*mine, weights), fused, atol=3e-3, rtol=1e-3)


def test_m3s_modes_share_their_encoding(specs, workspace, folder):
    resolved = {n: encoders.resolve(parse_candidate(specs[n]), workspace) for n in specs if n.startswith("m3")}
    assert resolved["m3-dense"].identity == resolved["m3-sparse"].identity
    assert resolved["m3-multi"].identity == resolved["m3"].identity != resolved["m3-sparse"].identity
    other = encoders.resolve(parse_candidate(f"{specs['m3']}?w=1:0.3:1"), workspace)
    assert other.identity == resolved["m3"].identity
    assert other.parts == {"dense": 1.0, "sparse": 0.3, "multi": 1.0}
    safe = make_m3(folder / "safe", safe=True)
    assert encoders.load(encoders.resolve(parse_candidate(f"m3:{safe}"), workspace)).embed(["cat"], kind="query")


class Bomb:
    def __reduce__(self):
        return (print, ("BOOM",))


@pytest.mark.parametrize("content", ["pickle", "shape", "other", "text", "missing"])
def test_a_head_is_two_tensors_or_nothing(content, folder, workspace, tmp_path, capfd):
    import torch

    model = make_m3(tmp_path / "m3")
    head = model / "colbert_linear.pt"
    if content == "missing":
        head.unlink()
    elif content == "text":
        head.write_text("not a file of tensors", "utf-8")
    else:
        good = {"weight": torch.zeros(32, 32), "bias": torch.zeros(32)}
        bad = {"pickle": good | {"weight": Bomb()}, "shape": good | {"weight": torch.zeros(32, 8)}}
        torch.save(bad.get(content, good | {"more": torch.zeros(1)}), head)
    with pytest.raises(UnknownModelError, match="colbert_linear"):
        encoders.load(encoders.resolve(parse_candidate(f"m3:{model}"), workspace))
    assert "BOOM" not in capfd.readouterr().out
    assert encoders.load(encoders.resolve(parse_candidate(f"m3:{model}?mode=sparse"), workspace))


def test_models_of_another_kind_are_refused(folder, workspace, specs):
    plain = make_st(folder / "plain")
    for backend in ("ce", "splade", "multi"):
        with pytest.raises(UnknownModelError, match="is not a"):
            encoders.resolve(parse_candidate(f"{backend}:{plain}"), workspace)
    nli = make_ce(folder / "nli", labels=3)
    with pytest.raises(UnknownModelError, match="3 figures for a pair"):
        encoders.load(encoders.resolve(parse_candidate(f"ce:{nli}"), workspace))


@pytest.mark.parametrize("option", ["mode=all", "w=1:2", "w=0:0:0", "mode=dense&w=1:1:1", "dim=8", "precision=int8"])
def test_options_of_m3_that_are_impossible(option):
    with pytest.raises(SpecError):
        retrieval.parse([f"m3:x?{option}"])


def test_a_pair_is_scored_as_the_library_does_and_says_whether_it_was_cut(loaded, specs):
    from sentence_transformers import CrossEncoder

    pairs = [("cat", text) for text in TEXTS] + [("", ""), ("cat " * 80, "dog")]
    found = loaded["ce"][1].embed([as_text(*pair) for pair in pairs], kind="document")
    model = CrossEncoder(specs["ce"].partition(":")[2], device="cpu")
    expected = model.predict([(q or " ", d or " ") for q, d in pairs], show_progress_bar=False)
    assert np.allclose(1 / (1 + np.exp(-found[:, 0])), expected, atol=1e-4)
    assert found[:, 1].tolist() == [float(len(q + d) > 300) for q, d in pairs]
    assert as_pair(as_text("a\n\"'猫", "\ud800")) == ("a\n\"'猫", "\ud800")


# ---------------------------------------------------------------- what is kept


def some(seed, sparse_entries=5, tokens=3):
    rng = np.random.default_rng(seed)
    return Representation(
        rng.normal(size=4).astype(np.float32),
        np.sort(rng.choice(50, sparse_entries, replace=False)).astype(np.int32),
        rng.random(sparse_entries).astype(np.float32) + 0.1,
        rng.normal(size=(tokens, 6)).astype(np.float16),
    )


def same(one, other):
    return all(
        np.array_equal(getattr(one, part), getattr(other, part)) for part in ("dense", "ids", "weights", "tokens")
    )


def test_representations_come_back_in_the_order_asked(tmp_path):
    cache = RepresentationCache(tmp_path, "key")
    texts = ["b", "a", "", "\ud800"]
    made = [some(0), some(1, 0, 0), Representation(), some(3, 50, 9)]
    assert cache.missing(texts) == texts
    cache.put(texts[:2], made[:2])
    RepresentationCache(tmp_path, "key").put(texts[2:], made[2:])
    again = RepresentationCache(tmp_path, "key").get([*reversed(texts), "a"])
    assert all(map(same, again, [*reversed(made), made[1]]))
    assert cache.missing([*texts, "new"]) == ["new"]
    assert cache.get([]) == []
    with pytest.raises(KeyError):
        cache.get(["never"])


def test_what_a_kill_left_of_a_representation_is_not_found(tmp_path):
    cache = RepresentationCache(tmp_path, "key")
    cache.put(["a"], [some(0)])
    with (tmp_path / "key-places" / "contents.bin").open("ab") as file:
        file.write(b"torn")
    cache.put(["b"], [some(1)])
    assert all(map(same, cache.get(["a", "b"]), [some(0), some(1)]))


@pytest.mark.parametrize("content", [b"", b"1234", some(0).pack()[:-1], some(0).pack() + b"x"])
def test_foreign_bytes_are_no_representation(content):
    with pytest.raises(ValueError, match=r"too short|not of the size"):
        Representation.unpack(content)


# ---------------------------------------------------------------- search against loops


def blocks(of, size):
    return [of[start : start + size] for start in range(0, len(of), size)]


@pytest.mark.parametrize("size", [1, 7, 100])
def test_sparse_search_is_that_of_a_plain_loop(size):
    queries, documents = [some(i, 4) for i in range(5)] + [some(9, 0)], [some(100 + i, i % 7) for i in range(40)]
    found = part_scores.exact(queries, blocks(documents, size), 10, {"sparse": 1.0})
    for q, query in enumerate(queries):
        weights = dict(zip(query.ids.tolist(), query.weights.tolist(), strict=True))
        totals = [
            sum(weights.get(i, 0.0) * w for i, w in zip(d.ids.tolist(), d.weights.tolist(), strict=True))
            for d in documents
        ]
        expected = sorted((i for i in range(40) if totals[i] > 0), key=lambda i: -totals[i])[:10]
        assert [row for row in found.rows[q].tolist() if row >= 0] == expected
        assert np.allclose(found.scores[q][: len(expected)], [totals[i] for i in expected], atol=1e-5)
        assert not found.scores[q][len(expected) :].any()


def test_sparse_search_in_milvus_is_the_same(workspace):
    queries, documents = [some(i, 4) for i in range(5)], [some(100 + i, i % 7) for i in range(40)]
    expected = part_scores.exact(queries, [documents], 10, {"sparse": 1.0})

    def weights(of):
        return [dict(zip(one.ids.tolist(), one.weights.tolist(), strict=True)) for one in of]

    with VectorStore(workspace) as store, store.sparse(map(weights, blocks(documents, 7)), 40 * 7 * 8) as collection:
        rows, scores = collection.search(weights(queries), 10)
    assert rows.tolist() == expected.rows.tolist()
    assert np.allclose(scores, expected.scores, atol=1e-5)


@pytest.mark.parametrize(("size", "figures"), [(1, 1), (7, 50), (100, 2**24)])
def test_max_sim_is_that_of_a_plain_loop(size, figures, monkeypatch):
    monkeypatch.setattr(part_scores, "FIGURES", figures)
    queries = [some(i, 0, tokens) for i, tokens in enumerate((3, 0, 1, 5))]
    documents = [some(100 + i, 0, i % 4) for i in range(30)]
    found = part_scores.exact(queries, blocks(documents, size), 30, {"multi": 1.0})
    for q, query in enumerate(queries):
        totals = [
            np.mean([max(a.astype(float) @ b.astype(float) for b in d.tokens) for a in query.tokens])
            if len(d.tokens) and len(query.tokens)
            else 0.0
            for d in documents
        ]
        assert np.allclose(found.scores[q], np.sort(totals)[::-1], atol=1e-4)
        assert np.allclose(np.array(totals)[found.rows[q]], found.scores[q], atol=1e-4)


# ---------------------------------------------------------------- whole evaluations


@pytest.fixture(scope="module")
def measured(dataset, specs, workspace):
    """Everything once: a child that loads a model takes seconds."""
    candidates = [
        "bm25",
        specs["splade"],
        specs["multi"],
        specs["m3"],
        specs["m3-sparse"],
        f"rerank({specs['splade']}, {specs['ce']})?top=100",
        f"rerank(weighted(bm25, {specs['multi']})?w=1:3, {specs['ce']})?top=5",
    ]
    return evaluate(dataset, candidates, workspace, preflight=False)


def test_everything_is_measured(measured):
    assert not measured.failed
    assert len(measured.candidates) == 7
    assert all(0 < c.primary_mean <= 1 for c in measured.candidates)


def test_a_reranker_that_knows_what_is_right_helps(measured):
    by_spec = {c.spec: c for c in measured.candidates}
    before, after = (c for spec, c in by_spec.items() if "splade" in spec)
    assert after.spec.startswith("rerank(")
    assert after.primary_mean > before.primary_mean + 0.1
    assert after.primary_mean > 0.9
    assert after.pairs > 0
    assert any(f"scored {after.pairs} pairs" in str(note) for note in after.notes)


def test_a_reranked_list_is_in_the_order_of_the_models_own_scores(dataset, measured, workspace, loaded):
    found = next(c for c in measured.candidates if c.spec.startswith("rerank(splade"))
    runs = RunStore(workspace.store)
    kept = runs.rankings(found.key)
    runs.close()
    assert set(kept) == set(dataset.queries)
    for query, documents in kept.items():
        pairs = [as_text(dataset.queries[query], dataset.documents[d]) for d in documents]
        scores = vectors(loaded["ce"][0], pairs, "document", workspace)[:, 0].tolist()
        assert scores == sorted(scores, reverse=True)


def test_a_repeat_scores_no_pair_again(dataset, measured, specs, workspace):
    spec = f"rerank({specs['splade']}, {specs['ce']})?top=50"  # of the hundred that were scored
    again = evaluate(dataset, [spec], workspace, preflight=False).candidates[0]
    assert again.encoded_texts == 0
    assert again.cached_texts > again.pairs > 0
    assert again.pairs <= 50 * len(WORDS)


def test_query_scores_are_kept(measured, workspace):
    scores = query_scores(measured, workspace)
    assert {len(of) for of in scores.values()} == {len(WORDS)}


def test_preflight_looks_at_what_is_read_and_not_at_vectors(dataset, specs, workspace):
    candidates = [specs["splade"], f"rerank(bm25, {specs['ce']})"]
    long = as_dataset({**dataset.documents, "long": "apple " * 300}, dataset.queries, {**dataset.judgments})
    found = evaluate(long, candidates, workspace)
    assert not found.failed
    assert {p.spec for p in found.preflight} == {specs["splade"], specs["ce"]}
    for checked in found.preflight:
        assert checked.truncation
        assert 0 < checked.truncation.share_cut.mean <= 1 / 50, "one of them"
        assert {f.check for f in checked.findings if f.severity == "fails"} == set()
    assert json.loads(found.model_dump_json())["candidates"]


# ---------------------------------------------------------------- cost


def test_single_queries_are_timed_with_all_that_they_take(dataset, specs, workspace):
    spec = f"rerank(rrf({specs['splade']}, {specs['m3-multi']}?chunk=2), {specs['ce']})?top=7".replace(
        "?mode=multi?", "?mode=multi&"
    )
    candidate = parse_candidate(spec)
    resolved = {leg.spec: encoders.resolve(leg, workspace) for leg in candidate.legs}
    texts = list(dataset.documents.values())[:20]
    found = speed.measure(candidate, resolved, texts, list(dataset.queries.values()), 2, seconds=0.01)
    assert found["query_p50_ms"] > found["encode_p50_ms"] > 0
    assert found["documents_per_second"] > 0
    assert found["best_batch"]
    by_leg = {leg: encoders.load(resolved[leg.spec]) for leg in candidate.searched}
    sparse_, multi = by_leg.values()
    pieces = [piece for text in texts for piece in (" ".join(text.split()[:2]), text.split()[2])]
    expected = np.mean([8 * len(of.ids) for of in sparse_.embed(texts, kind="document")])
    expected += 2 * np.mean([of.tokens.nbytes for of in multi.embed(pieces, kind="document")])
    assert found["bytes_per_vector"] == pytest.approx(expected, abs=0.06)


def test_the_plan_counts_what_a_reranker_and_overlapping_chunks_read(dataset, specs, workspace):
    catalog = load_catalog()

    def minutes(spec):
        return plan_named([spec], dataset, workspace, catalog).candidates[0].minutes

    once, twice = (minutes(f"rerank(bm25, {specs['ce']})?top={top}") for top in (1, 100))
    assert twice > once > minutes("bm25")
    assert minutes(f"{specs['splade']}?chunk=2&overlap=1") >= minutes(specs["splade"])
    plan = plan_named([f"rerank(bm25, {specs['ce']})"], dataset, workspace, catalog)
    assert plan.candidates[0].sends_text_to is None


def test_what_part_of_the_documents_says_nothing_of_is_not_screened(dataset, specs, workspace):
    for spec in (specs["splade"], f"rerank(bm25, {specs['ce']})", "bm25?chunk=2"):
        with pytest.raises(UserError, match="cannot be judged by part") as refused:
            find_winner(dataset, ["bm25", spec], workspace)
        assert "without --adaptive" in refused.value.next_step.render()
