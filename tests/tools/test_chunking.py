"""Documents in chunks: cut by tokens, sentences and headings; found by their best chunk."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.candidate import parse_candidate
from knowledge.errors import SpecError
from tests.labelled import as_dataset
from tools import chunking, encoders, retrieval
from tools.bm25 import BM25Index
from tools.chunking import Chunks, cut, rules_of
from tools.evaluate import evaluate
from tools.pipeline.chunks import Rules, count
from tools.run_store import RunStore
from tools.workspace import Workspace

MANUAL = """# Garden
About gardens.

## Trees
Apples grow on trees. Pears do too! Plums as well.

## Tools
### Spade
To dig.
"""


def chunks(text, spec):
    rules = rules_of(parse_candidate(f"bm25?{spec}"))
    return cut([text], rules).texts


def test_tokens_are_words_or_characters():
    assert [count(text) for text in ("a quick, brown fox", "垃圾回收 gc", "", "—!?", "ガベ")] == [4, 5, 0, 0, 2]


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("chunk=2", ["one, two.", "three four", "five"]),
        ("chunk=3&overlap=1", ["one, two. three", "three four five"]),
        ("chunk=5", ["one, two. three four five"]),
        ("chunk=99", ["one, two. three four five"]),
    ],
)
def test_by_tokens(spec, expected):
    assert chunks("one, two. three four five", spec) == expected
    assert chunks("一二三四五", "chunk=2&overlap=1") == ["一二", "二三", "三四", "四五"]


@given(st.text(alphabet="ab .,猫狗\n#", max_size=80), st.integers(1, 6), st.integers(0, 5))
def test_every_token_is_in_a_chunk_of_no_more_tokens_than_asked_for(text, size, overlap):
    overlap = min(overlap, size - 1)
    found = cut([text], Rules(size, overlap, "tokens")).texts
    words = re.findall("[猫狗]|[ab]+", text)
    assert all(count(chunk) <= size for chunk in found)
    step = size - overlap
    assert [re.findall("[猫狗]|[ab]+", chunk) for chunk in found][: len(found)] == [
        words[start : start + size] for start in range(0, max(len(words) - overlap, 1), step)
    ]


@settings(deadline=None)  # the first call imports the splitter
@given(st.text(alphabet="ab .!猫。\n", max_size=80), st.integers(1, 6))
def test_by_sentence_loses_no_word_either(text, size):
    found = cut([text], Rules(size, 0, "sentence")).texts
    letters = "".join(re.findall("[ab猫]", text))
    assert "".join(re.findall("[ab猫]", "".join(found))) == letters
    assert all(count(chunk) <= size for chunk in found)


def test_sentences_stay_together_while_they_fit():
    text = "Apples grow. Pears do too! Plums as well? 苹果长在树上。梨也是。"
    assert chunks(text, "chunk=5&by=sentence") == [
        "Apples grow. Pears do too!",
        "Plums as well?",
        "苹果长在树",
        "上。",
        "梨也是。",
    ]
    assert chunks(text, "chunk=6&by=sentence")[1:] == ["Plums as well?", "苹果长在树上。", "梨也是。"]
    assert chunks("a b. c d. e f.", "chunk=4&overlap=2&by=sentence") == ["a b. c d.", "c d. e f."]


def test_by_heading_each_section_stands_under_its_headings():
    assert chunks(MANUAL, "by=heading") == [
        "Garden\nAbout gardens.",
        "Garden\nTrees\nApples grow on trees. Pears do too! Plums as well.",
        "Garden\nTools\nSpade\nTo dig.",
    ]
    assert chunks(MANUAL, "by=heading&chunk=4")[1:3] == [
        "Garden\nTrees\nApples grow on trees.",
        "Garden\nTrees\nPears do too!",
    ]
    assert chunks("No heading at all. None.", "by=heading") == ["No heading at all. None."]


@pytest.mark.parametrize("spec", ["chunk=3", "chunk=3&by=sentence", "by=heading", "by=heading&chunk=3"])
@pytest.mark.parametrize("text", ["", "  \n ", "# Title\n## Another", "!!!", "\ud800"])
def test_a_document_always_has_a_chunk(text, spec):
    rules = rules_of(parse_candidate(f"bm25?{spec}"))
    found = cut(["before", text, "after"], rules)
    assert found.owners.tolist()[0] == 0
    assert set(found.owners.tolist()) == {0, 1, 2}
    assert found.texts[0] == "before"


def test_a_huge_document_is_cut_in_time():
    text = "word " * 300_000
    assert len(cut([text], Rules(1000, 100, "tokens")).texts) == 334
    assert len(cut([text], Rules(1000, 0, "sentence")).texts) == 300


@pytest.mark.parametrize(
    ("options", "step"),
    [
        ("overlap=3", "by=heading can do without"),
        ("by=sentence", "by=heading can do without"),
        ("by=heading&overlap=2", "by=heading can do without"),
        ("chunk=0", "100000"),
        ("chunk=ten", "100000"),
        ("chunk=5&overlap=5", "less than chunk"),
        ("chunk=5&by=page", "tokens, sentence, heading"),
    ],
)
@pytest.mark.parametrize("leg", ["bm25", "static:x", "splade:x", "multi:x", "m3:x"])
def test_impossible_chunks_are_refused_at_once(leg, options, step):
    with pytest.raises(SpecError) as refused:
        retrieval.parse([f"{leg}?{options}"])
    assert step in refused.value.next_step.render()


def test_chunks_share_the_encoders_vectors(tmp_path):
    workspace = Workspace(home=tmp_path, offline=True)
    whole, cut_ = (
        encoders.resolve(parse_candidate(f"static:wordllama{o}"), workspace) for o in ("", "?chunk=9&overlap=2")
    )
    assert whole == cut_


# ---------------------------------------------------------------- documents by their best chunks


def test_a_document_has_its_best_chunks_place():
    found = Chunks(["a", "b", "c", "d", "e"], np.array([0, 0, 1, 2, 2]))
    rows, scores = found.fold(
        np.array([[4, 1, 0, 3, 2], [2, -1, -1, -1, -1]]), np.array([[5.0, 4, 3, 2, 1], [7.0, 0, 0, 0, 0]]), 3
    )
    assert rows.tolist() == [[2, 0, 1], [1, -1, -1]]
    assert scores.tolist() == [[5.0, 4.0, 1.0], [7.0, 0.0, 0.0]]


@pytest.mark.parametrize("depth", [1, 3, 10])
def test_enough_chunks_are_ranked_for_the_best_documents(depth):
    rng = np.random.default_rng(depth)
    owners = np.sort(rng.integers(0, 12, 60))
    owners = np.unique(owners, return_inverse=True)[1]
    found = Chunks([str(i) for i in range(60)], owners)
    scores = rng.normal(size=60)
    rows = np.argsort(-scores)[: found.enough(depth)]
    documents, best = found.fold(rows[None, :], scores[rows][None, :], depth)
    expected = sorted(((scores[owners == d].max(), d) for d in np.unique(owners)), reverse=True)[:depth]
    assert documents[0][: len(expected)].tolist() == [d for _, d in expected]
    assert best[0][: len(expected)].tolist() == [s for s, _ in expected]


@pytest.fixture(scope="module")
def dataset():
    """What is asked for stands at the end of long documents."""
    rng = np.random.default_rng(0)
    filler = ["river", "garden", "window", "paper", "music", "winter", "butter", "engine"]
    facts = [
        "otters eat fish",
        "falcons hunt at dawn",
        "moths fly to light",
        "ravens solve puzzles",
        "beavers fell trees",
    ]
    documents = {f"d{i}": " ".join(rng.choice(filler, 60)) + ". " + fact + "." for i, fact in enumerate(facts)}
    documents |= {f"x{i}": " ".join(rng.choice(filler, 60)) + "." for i in range(25)}
    queries = {f"q{i}": fact for i, fact in enumerate(facts)}
    return as_dataset(documents, queries, {f"q{i}": {f"d{i}": 1} for i in range(len(facts))})


def test_measured_with_chunks(dataset, tmp_path):
    workspace = Workspace(home=tmp_path, offline=True)
    options = "chunk=12&overlap=3"
    whole, words, dense, fused, reread = (
        "static:wordllama",
        f"bm25?{options}",
        f"static:wordllama?{options}",
        f"rrf(bm25?{options}, static:wordllama?{options})",
        f"static:wordllama?{options}&dim=64",
    )
    found = {c.spec: c for c in evaluate(dataset, [whole, words, dense, fused, reread], workspace).candidates}
    assert len(found) == 5
    by_chunk = found[parse_candidate(dense).spec]
    assert by_chunk.primary_mean >= found[whole].primary_mean
    pieces = cut(list(dataset.documents.values()), Rules(12, 3, "tokens"))
    assert any(f"30 documents into {len(pieces.texts)} chunks" in str(note) for note in by_chunk.notes)
    assert found[whole].encoded_texts + by_chunk.encoded_texts <= len(set(pieces.texts)) * 2 + 35 * 2
    # the same by hand: the best chunk of each document
    resolved = encoders.resolve(parse_candidate(whole), workspace)
    encoder = encoders.load(resolved)
    leg = parse_candidate(whole)
    stored, asked = (
        encoders.finish(encoder.embed(texts, kind=kind), leg, resolved)
        for kind, texts in (("document", pieces.texts), ("query", list(dataset.queries.values())))
    )
    runs = RunStore(workspace.store)
    kept = {spec: runs.rankings(found[parse_candidate(spec).spec].key) for spec in (dense, words)}
    runs.close()
    ids = list(dataset.documents)
    for query, scores in zip(dataset.queries, asked @ stored.T, strict=True):
        best = {document: scores[pieces.owners == row].max() for row, document in enumerate(ids)}
        assert len(set(kept[dense][query])) == 10
        got = [best[document] for document in kept[dense][query]]
        assert np.allclose(got, sorted(best.values(), reverse=True)[:10], atol=1e-5), "equal ones in any order"
    index = BM25Index(pieces.texts, parse_candidate(words))
    rows = index.search(list(dataset.queries.values()), len(pieces.texts))[0]
    for query, of in zip(dataset.queries, rows.tolist(), strict=True):
        owners = [ids[pieces.owners[row]] for row in of if row >= 0]
        assert kept[words][query][0] == owners[0]
        assert set(kept[words][query]) <= set(owners)
    assert chunking.rules_of(leg) is None
