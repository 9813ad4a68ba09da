"""Set-ups of vectors: what options mean, and every stored form against plain NumPy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.candidate import parse_candidate
from knowledge.errors import SpecError
from tools.encoders import cut
from tools.pipeline.forms import Stored
from tools.retrieval import Rankings, exact
from tools.setups import K, Setup, setup_of
from tools.setups.staged import rescored, search

STORES = ("float32", "float16", "int8", "binary")


def unit(seed, count, dimension):
    return cut(np.random.default_rng(seed).normal(size=(count, dimension)).astype(np.float32), None)


def found_by(setup, documents, queries, depth=10, block=7):
    def parts():
        return (documents[start : start + block] for start in range(0, len(documents), block))

    return search(setup, parts, queries, depth)


def setup(options):
    return setup_of(parse_candidate(f"st:model?{options}" if options else "st:model"))


# ---------------------------------------------------------------- options


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("", Setup()),
        ("dim=256", Setup(dim=256)),
        ("dim=256&store=int8&rescore=4", Setup(dim=256, store="int8", rescore=4)),
        ("first=128", Setup(first=128, rescore=4)),
        ("dim=256&first=64&rescore=2&store=binary", Setup(dim=256, first=64, rescore=2, store="binary")),
    ],
)
def test_options_are_read(options, expected):
    assert setup(options) == expected


def test_an_index_has_defaults_that_follow_the_number_of_documents():
    assert setup("index=hnsw&ef=50").index.for_documents(9) == {"m": 16, "ef_construction": 200, "ef": 50}
    assert setup("index=ivf_flat").index.for_documents(10_000) == {"nlist": 100, "nprobe": 8}
    assert setup("index=ivf_flat").index.for_documents(400) == {"nlist": 10, "nprobe": 8}, "39 vectors a cell"
    assert setup("index=ivf_sq8&nprobe=20").index.for_documents(1) == {"nlist": 1, "nprobe": 1}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("store=float8", "“store=float8” in st:model"),
        ("index=ivf_rabitq", "“index=ivf_rabitq”"),  # Milvus Lite would take it and compare every vector
        ("index=diskann", "Possible are: hnsw, ivf_flat, ivf_sq8"),
        ("first=0", "not a dimension"),
        ("dim=٣", "not a dimension"),
        ("dim=²", "not a dimension"),
        ("dim=1e3", "not a dimension"),
        ("dim=128&first=128", "no beginning of 128 numbers"),
        ("rescore=4", "searched already"),
        ("index=hnsw&rescore=4", "searched already"),
        ("store=int8&rescore=0", "from 1 to 1000"),
        ("store=int8&rescore=99999999999999999999", "from 1 to 1000"),
        ("ef=10", "ef is a parameter of an index"),
        ("index=hnsw&nlist=4", "no parameter “nlist”"),
        ("index=ivf_flat&m=4", "no parameter “m”"),
        ("index=hnsw&m=1", "from 2 to 2048"),
        ("index=hnsw&store=int8", "do not go together"),
    ],
)
def test_what_makes_no_sense_is_refused(options, message):
    with pytest.raises(SpecError) as raised:
        setup(options)
    assert message in f"{raised.value.cause} {raised.value.next_step}"


@pytest.mark.parametrize(
    ("options", "searched", "all_in_all"),
    [
        ("", 4 * 384, 4 * 384),
        ("store=float16", 2 * 384, 2 * 384),
        ("store=int8", 384, 384),
        ("store=binary", 48, 48),
        ("store=binary&rescore=4", 48, 48 + 4 * 384),
        ("first=100&store=binary", 13, 13 + 4 * 384),
        ("index=hnsw&m=32", 4 * 384 + 256, 4 * 384 + 256),
        ("index=ivf_flat", 4 * 384 + 8, 4 * 384 + 8),
        ("index=ivf_sq8&rescore=2", 384 + 8, 384 + 8 + 4 * 384),
    ],
)
def test_bytes_follow_the_set_up(options, searched, all_in_all):
    assert setup(options).searched_bytes(384) == searched
    assert setup(options).bytes(384) == all_in_all


# ---------------------------------------------------------------- stored forms


def test_float16_is_rounded_on_both_sides():
    documents, queries = unit(1, 40, 24) * 3, unit(2, 5, 24)
    found = found_by(Setup(store="float16"), documents, queries, 40)
    scores = np.float32(np.float16(queries)) @ np.float32(np.float16(documents)).T
    assert np.allclose(np.take_along_axis(scores, found.rows, 1), found.scores, atol=1e-6)
    assert np.array_equal(found.rows, np.argsort(-scores, axis=1, kind="stable"))


def test_int8_has_one_scale_a_dimension_over_all_documents():
    """Against a loop over integers."""
    documents, queries = unit(3, 30, 20) * np.linspace(0.01, 5, 20, dtype=np.float32), unit(4, 4, 20)
    scale = np.abs(documents).max(axis=0) / np.float32(127)
    codes = [[round(float(x / s)) for x, s in zip(row, scale, strict=True)] for row in documents]
    assert max(abs(code) for row in codes for code in row) == 127
    found = found_by(Setup(store="int8"), documents, queries, 30)
    for q, query in enumerate(queries):
        folded = query * scale
        step = float(np.abs(folded).max()) / 127
        asked = [round(float(x) / step) for x in folded]
        scores = [step * sum(a * b for a, b in zip(row, asked, strict=True)) for row in codes]
        assert np.allclose([scores[row] for row in found.rows[q]], found.scores[q], rtol=1e-4, atol=1e-5)
        # close to what they stand for
        assert np.allclose(scores, documents @ query, atol=0.05 * float(np.abs(documents @ query).max()))


def test_binary_is_hamming_distance():
    """Against bits counted in bytes, as Milvus does it."""
    documents, queries = unit(5, 60, 37), unit(6, 6, 37)
    bits = [np.packbits(v > 0, axis=1) for v in (documents, queries)]
    hamming = np.unpackbits(bits[1][:, None, :] ^ bits[0][None, :, :], axis=2).sum(axis=2)
    found = found_by(Setup(store="binary"), documents, queries, 60)
    assert np.array_equal(found.rows, np.argsort(hamming, axis=1, kind="stable"))
    assert np.allclose(found.scores, 1 - 2 * np.sort(hamming, axis=1) / 37)
    form = Stored.fit("binary", [])
    assert np.array_equal(form.packed(form.documents(documents)), bits[0])


@pytest.mark.parametrize("store", STORES)
def test_zero_vectors_and_a_single_document(store):
    documents, queries = np.zeros((1, 8), np.float32), np.vstack([unit(7, 1, 8), np.zeros((1, 8), np.float32)])
    found = found_by(Setup(store=store), documents, queries)
    assert found.rows.tolist() == [[0], [0]]
    assert np.isfinite(found.scores).all()
    again = found_by(Setup(store=store, rescore=4, first=2), documents, queries)
    assert again.rows.tolist() == [[0], [0]]
    assert again.scores.tolist() == [[0.0], [0.0]]


@settings(max_examples=60, deadline=None)
@given(
    count=st.integers(1, 60),
    dimension=st.integers(2, 40),
    store=st.sampled_from(STORES),
    first=st.one_of(st.none(), st.integers(1, 39)),
    depth=st.integers(1, 70),
    seed=st.integers(0, 10**6),
)
def test_ranking_every_document_again_gives_back_the_exact_order(count, dimension, store, first, depth, seed):
    documents, queries = unit(seed, count, dimension), unit(seed + 1, 3, dimension)
    first = first if first and first < dimension else None
    found = found_by(Setup(store=store, first=first, rescore=-(-count // K)), documents, queries, depth)
    right = exact([documents], queries, depth)
    assert found.rows.shape == right.rows.shape
    assert np.allclose(found.scores, right.scores, atol=1e-6)
    assert all(len(set(rows)) == len(rows) for rows in found.rows.tolist())


def test_the_documents_below_keep_their_order_below():
    documents, queries = unit(8, 100, 16), unit(9, 5, 16)
    plain = found_by(Setup(store="binary"), documents, queries, 100)
    again = found_by(Setup(store="binary", rescore=2), documents, queries, 100)
    assert np.array_equal(again.rows[:, 20:], plain.rows[:, 20:])
    assert [set(r) for r in again.rows[:, :20].tolist()] == [set(r) for r in plain.rows[:, :20].tolist()]
    scores = np.take_along_axis(queries @ documents.T, again.rows[:, :20], 1)
    assert np.allclose(again.scores[:, :20], scores, atol=1e-6)
    assert (again.scores[:, 20] < again.scores[:, 19]).all()  # none of those below ties with one ranked again
    assert (np.diff(again.scores, axis=1) <= 0).all()


def test_what_an_index_did_not_find_stays_last():
    found = Rankings(np.array([[2, 0, -1, -1]]), np.array([[0.9, 0.8, 0.0, 0.0]]))
    documents = unit(10, 3, 4)
    again = rescored(found, [documents], documents[:1], 3)
    assert again.rows.tolist() == [[0, 2, -1, -1]]
    assert np.isfinite(again.scores).all()


def test_two_stages_search_by_the_beginning_brought_to_unit_length():
    documents, queries = unit(12, 80, 32), unit(13, 4, 32)
    found = found_by(Setup(first=8, rescore=1), documents, queries, 30)
    short = exact([cut(documents, 8)], cut(queries, 8), 30)
    assert [set(r[:10]) for r in found.rows.tolist()] == [set(r[:10]) for r in short.rows.tolist()]
    assert np.array_equal(found.rows[:, 10:], short.rows[:, 10:])
    best = np.take_along_axis(queries @ documents.T, found.rows[:, :10], 1)
    assert np.allclose(best, -np.sort(-best, axis=1))
