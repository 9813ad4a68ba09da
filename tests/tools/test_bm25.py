"""BM25 against its formula, in languages with and without spaces."""

import math

import numpy as np
import pytest
import Stemmer

from knowledge.candidate import parse_candidate
from knowledge.errors import SpecError
from tools import bm25
from tools.bm25 import BM25Index
from tools.pipeline.words import tokenise

DOCUMENTS = ["the cat sat", "the dog sat on the mat", "cats and dogs", "a ship"]


def index(documents=DOCUMENTS, spec="bm25?stem=none"):
    return BM25Index(documents, parse_candidate(spec))


def by_hand(documents, query, k1=1.2, b=0.75):
    """Robertson's formula with Lucene's idf (never negative)."""
    split = [d.split() for d in documents]
    average = sum(map(len, split)) / len(split)
    scores = []
    for words in split:
        score = 0.0
        for term in query.split():
            found = sum(term in other for other in split)
            idf = math.log(1 + (len(split) - found + 0.5) / (found + 0.5))
            tf = words.count(term)
            score += idf * tf / (tf + k1 * (1 - b + b * len(words) / average))
        scores.append(score)
    return scores


@pytest.mark.parametrize(("k1", "b"), [(1.2, 0.75), (2.0, 0.3), (0.5, 0.0), (0.9, 1.0)])
def test_scores_are_those_of_the_formula(k1, b):
    rows, scores = index(spec=f"bm25?stem=none&k1={k1}&b={b}").search(["the cat", "sat", "dog mat"], 4)
    for query, found, got in zip(["the cat", "sat", "dog mat"], rows, scores, strict=True):
        expected = by_hand(DOCUMENTS, query, k1, b)
        ranked = sorted((i for i in range(4) if expected[i] > 0), key=lambda i: -expected[i])
        assert found[: len(ranked)].tolist() == ranked
        assert (found[len(ranked) :] == -1).all(), "what shares no word is not found"
        assert np.allclose(got[: len(ranked)], [expected[i] for i in ranked], atol=1e-5)
        assert not got[len(ranked) :].any()


def test_stems_make_plurals_equal():
    assert set(index(spec="bm25").search(["cat"], 4)[0][0].tolist()) == {0, 2, -1}
    assert index(spec="bm25").search(["DOGS"], 4)[0].tolist() == [[2, 1, -1, -1]]
    assert index(["chanteuse", "chat"], "bm25?stem=french").search(["chats"], 1)[0].tolist() == [[1]]


def test_scripts_without_spaces():
    documents = ["自动垃圾回收的语言", "网络服务器框架", "ガベージコレクション", "การเก็บขยะ", "Python 的垃圾回收 gc"]
    found = index(documents).search(["垃圾回收", "服务器", "コレクション", "ขยะ", "gc 回收", "猫"], 5)[0]
    assert [set(row) - {-1} for row in found.tolist()] == [{0, 4}, {1}, {2}, {3}, {0, 4}, set()]
    assert found[4][0] == 4
    pairs = tokenise("Milvus是向量库, v2", lambda words: words)
    assert pairs == ["milvus", "v2", "是向", "向量", "量库"]
    assert tokenise("猫", lambda words: words) == ["猫"]


@pytest.mark.parametrize("documents", [[""], ["", "  "], ["!!! ---", ""], []])
def test_documents_without_words(documents):
    found = index(documents)
    rows, scores = found.search(["cat", ""], 3)
    assert rows.shape == scores.shape == (2, min(3, len(documents)))
    assert (rows == -1).all()
    assert found.bytes_per_document == 0


def test_some_documents_without_words_and_queries_of_all_kinds():
    found = index(["", "cat", "…"])
    rows, _ = found.search(["cat", "", "unknown words only", "!!!", "cat " * 1000], 10)
    assert rows[:, 0].tolist() == [1, -1, -1, -1, 1]
    assert rows.shape == (5, 3)
    assert found.search([], 3)[0].shape == (0, 3)
    assert found.bytes_per_document > 0


@pytest.mark.parametrize(
    "options",
    ["stem=klingon", "k1=-1", "k1=nan", "k1=x", "b=1.5", "b=1e3", "dim=3", "k1=1e309", "colour=red", "b=%EF%BC%91x"],
)
def test_options_that_cannot_be_used(options):
    with pytest.raises(SpecError):
        bm25.check_options(parse_candidate(f"bm25?{options}"))


def test_options_that_can():
    for spec in ("bm25", "bm25?k1=0", "bm25?b=1", "bm25?stem=none", "bm25?b=0.5&k1=2&stem=german"):
        bm25.check_options(parse_candidate(spec))


# ---------------------------------------------------------------- the documents' language

GERMAN = [
    "Die Katzen liegen auf den warmen Dächern der alten Häuser und schlafen.",
    "Ein Hund läuft durch den Garten und sucht seinen Knochen.",
    "Die Kinder spielen am Nachmittag mit den kleinen Bällen im Park.",
    "Der Zug nach Hamburg hat heute leider eine Stunde Verspätung.",
]
FRENCH = [
    "Les chats dorment sur les toits des vieilles maisons du village.",
    "Un chien traverse le jardin et cherche son os préféré.",
    "Les enfants jouent l'après-midi avec des ballons dans le parc.",
]
KOREAN = ["고양이는 지붕 위에서 잠을 잔다", "개가 정원에서 뼈를 찾는다", "아이들이 공원에서 공을 가지고 논다"]


@pytest.mark.parametrize(
    ("documents", "stemmer", "query", "row"),
    [
        (GERMAN, "german", "Katze", 0),
        (GERMAN, "german", "kleiner Ball", 2),
        (FRENCH, "french", "vieille maison", 0),
        (FRENCH, "french", "jouer au ballon", 2),
        (DOCUMENTS, "english", "ships", 3),
        (KOREAN, "english", "고양이", 0),
        (KOREAN, "english", "공원", 2),
        (["自动垃圾回收的语言", "网络服务器框架 running servers"], "english", "server runs", 1),
        (["ＡＢＣ社の製品カタログです", "ｶﾞｰﾍﾞｰｼﾞコレクションの説明"], "english", "abc", 0),
        (["ＡＢＣ社の製品カタログです", "ｶﾞｰﾍﾞｰｼﾞコレクションの説明"], "english", "ガーベージ", 1),
    ],
)
def test_words_are_read_in_the_documents_language(documents, stemmer, query, row):
    found = BM25Index(documents, parse_candidate("bm25"))
    assert found.stemmer == stemmer
    assert found.search([query], 1)[0][0][0] == row


def test_another_stemmer_is_an_option_and_no_language_is_no_error():
    assert BM25Index(GERMAN, parse_candidate("bm25?stem=none")).stemmer == "none"
    assert BM25Index(GERMAN, parse_candidate("bm25?stem=none")).search(["Katze"], 1)[0].tolist() == [[-1]]
    for documents in ([], ["", " "], ["x"], ["12 34"]):
        assert BM25Index(documents, parse_candidate("bm25")).stemmer == "english"
    assert bm25.stemmer_for("vi") == "none"
    assert set(bm25.STEMMERS.values()) <= set(Stemmer.algorithms())
