"""The grammar of specs: what is written is read back, and anything else is a clear error."""

import string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from knowledge.candidate import MAX_LENGTH, Fusion, Leg, Rerank, parse_candidate, same_weights
from knowledge.errors import SpecError

TEXT = st.text(min_size=1, max_size=15)
KEYS = st.from_regex(r"[a-z_][a-z0-9_]{0,6}", fullmatch=True)
OPTIONS = st.dictionaries(KEYS, TEXT, max_size=3)
ENCODERS = st.builds(
    Leg,
    backend=st.sampled_from(["st", "static", "openai", "x9_"]),
    name=TEXT,
    revision=st.none() | TEXT,
    options=OPTIONS,
)
LEGS = ENCODERS | st.builds(Leg, backend=st.just("bm25"), options=OPTIONS)
CANDIDATES = st.recursive(
    LEGS,
    lambda inner: (
        st.builds(
            Fusion,
            method=st.sampled_from(["rrf", "weighted"]),
            parts=st.lists(inner, min_size=2, max_size=3).map(tuple),
            options=OPTIONS,
        )
        | st.builds(Rerank, base=inner, reranker=ENCODERS, options=OPTIONS)
    ),
    max_leaves=5,
).filter(lambda c: depth(c) <= 4 and len(c.spec) <= MAX_LENGTH)


def depth(candidate):
    if isinstance(candidate, Leg):
        return 0
    return 1 + max(map(depth, candidate.parts if isinstance(candidate, Fusion) else (candidate.base,)))


@given(CANDIDATES)
@example(Leg(backend="st", name="@scope/a@b", revision="v@1"))
@example(Leg(backend="st", name=" %41,(x)?&=\n", options={"k": " a=b&c "}))
def test_what_is_written_is_read_back(candidate):
    assert parse_candidate(candidate.spec) == candidate
    assert parse_candidate(f"  {candidate.spec}\n") == candidate
    assert hash(parse_candidate(candidate.spec)) == hash(candidate)


@given(st.text(max_size=60) | st.text(alphabet="rf(bm25,st:)?&=@%a. \udc80ekwighd", max_size=40))
def test_any_other_string_is_a_spec_error_or_a_candidate(text):
    try:
        candidate = parse_candidate(text)
    except SpecError:
        return
    assert parse_candidate(candidate.spec) == candidate


@pytest.mark.parametrize(
    ("spec", "canonical"),
    [
        ("bm25", "bm25"),
        (" bm25 ", "bm25"),
        ("bm25?k1=1.2&b=0.75", "bm25?b=0.75&k1=1.2"),
        ("st:intfloat/multilingual-e5-small?dim=256", "st:intfloat/multilingual-e5-small?dim=256"),
        ("st:org/model@0123abc", "st:org/model@0123abc"),
        ("st: org/model @ main ", "st:org/model@main"),
        ("st:org/model@", "st:org/model"),
        ("st:./my models/模型", "st:./my models/模型"),
        (r"st:C:\models\e5", r"st:C:\models\e5"),
        ("st:/data/%40team/model", "st:/data/%40team/model"),
        ("openai:text-embedding-3-small?dim=512", "openai:text-embedding-3-small?dim=512"),
        ("rrf(bm25,st:a/b?dim=3 ,static:c)?k=10", "rrf(bm25, st:a/b?dim=3, static:c)?k=10"),
        ("rrf(bm25, rrf(st:a, st:b))", "rrf(bm25, rrf(st:a, st:b))"),
        ("weighted( bm25 , st:a)?w=0.3:0.7", "weighted(bm25, st:a)?w=0.3:0.7"),
        ("rerank(bm25,ce:a/b?max_tokens=128)?top=50", "rerank(bm25, ce:a/b?max_tokens=128)?top=50"),
        ("rrf(rerank(bm25, ce:a), weighted(st:a, st:b))", "rrf(rerank(bm25, ce:a), weighted(st:a, st:b))"),
    ],
)
def test_specs_and_their_canonical_form(spec, canonical):
    assert parse_candidate(spec).spec == canonical


def test_the_parts_of_a_leg():
    leg = parse_candidate("st:org/%40odd@v1?dim=256&prompts=none")
    assert (leg.backend, leg.name, leg.revision) == ("st", "org/@odd", "v1")
    assert leg.options == {"dim": "256", "prompts": "none"}
    assert leg.legs == (leg,)


def test_a_fusion_knows_each_leg_once():
    found = parse_candidate("rrf(bm25, rrf(st:a, bm25), st:a)")
    assert [leg.spec for leg in found.legs] == ["bm25", "st:a"]


def test_what_searches_and_what_re_ranks():
    found = parse_candidate("rerank(rrf(bm25, rerank(st:a, ce:b)), ce:c)")
    assert [leg.spec for leg in found.legs] == ["bm25", "st:a", "ce:b", "ce:c"]
    assert [leg.spec for leg in found.searched] == ["bm25", "st:a"]


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        ("", "does not start with a backend's name"),
        ("ST:a", "does not start"),
        ("猫", "does not start"),
        ("bm25:model", "bm25 takes no model"),
        ("bm25:@x", "bm25 takes no model"),
        ("st", "every other backend needs one"),
        ("st:@main", "every other backend needs one"),
        ("st:?dim=3", "every other backend needs one"),
        ("st:a?dim= ", "not of the form key=value"),
        ("st:a)", "left over at the end"),
        ("bm25, st:a", "left over at the end"),
        ("st:a?dim", "not of the form key=value"),
        ("st:a?dim=", "not of the form key=value"),
        ("st:a?Dim=3", "not of the form key=value"),
        ("st:a?dim=3=4", "not of the form key=value"),
        ("st:a?dim=3&dim=4", "given twice"),
        ("rrf(bm25)", "at least two"),
        ("rrf()", "does not start"),
        ("weighted(bm25)", "weighted needs at least two"),
        ("rerank(bm25)", "a candidate and one reranker"),
        ("rerank(bm25, ce:a, ce:b)", "a candidate and one reranker"),
        ("rerank(bm25, rrf(st:a, st:b))", "a candidate and one reranker"),
        ("rerank(bm25, ce:a", "closing bracket is missing"),
        ("rrf(bm25, st:a", "closing bracket is missing"),
        ("rrf(bm25, st:a))", "left over"),
        ("rrf(rrf(rrf(rrf(rrf(bm25, bm25), bm25), bm25), bm25), bm25)", "nested too deeply"),
        ("rrf(" * 1000, "nested too deeply"),
        ("rrf(" + "bm25," * 100_000 + "bm25)", f"longer than {MAX_LENGTH} characters"),
        ("st:" + "a" * 10**7, "longer than"),
        (string.printable, "cannot be read"),
    ],
)
def test_errors_say_what_is_wrong(spec, why):
    with pytest.raises(SpecError, match="cannot be read") as failure:
        parse_candidate(spec)
    assert why in failure.value.cause.render()
    assert len(failure.value.cause.render()) < 500
    assert "rrf(bm25, st:…)" in failure.value.next_step.render()


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("st:a/b", "st:a/b?precision=bf16", True),
        ("st:a/b?backend=onnx&dim=64", "st:a/b?dim=64&precision=fp16", True),
        ("rrf(bm25, st:a/b)", "rrf(bm25, st:a/b?precision=bf16)", True),
        ("st:a/b", "st:a/b?backend=onnx&precision=int8", False),
        ("st:a/b", "st:a/b?dim=64", False),
        ("st:a/b", "st:a/c?precision=bf16", False),
        ("st:a/b@" + "0" * 40, "st:a/b@" + "1" * 40, False),
        ("bm25", "rrf(bm25, st:a/b)", False),
        ("rerank(st:a/b, ce:c)", "rerank(st:a/b?precision=bf16, ce:c?precision=bf16)", True),
        ("rerank(bm25, ce:c)", "rerank(bm25, ce:d)", False),
        ("weighted(bm25, st:a/b)", "rrf(bm25, st:a/b)", False),
    ],
)
def test_what_runs_the_same_weights(one, other, same):
    assert same_weights(one, other) is same_weights(other, one) is same
