"""Queries as they come in real life: what each kind changes, and what it leaves alone."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.robustness import FEWEST, KINDS, perturb_queries

CHINESE = "这种药物的副作用有哪些？"
ENGLISH = "What are the side effects of this medicine?"
GERMAN = "Welche Nebenwirkungen hat das Medikament für müde Männer?"
JAPANESE = "この薬の副作用は何ですか？"


def perturbed(kind, query, seed=0):
    return KINDS[kind].perturb(query, random.Random(seed))


@pytest.mark.parametrize(
    ("kind", "query", "expected"),
    [
        ("case", ENGLISH, ENGLISH.lower()),
        ("case", "only small letters", "ONLY SMALL LETTERS"),
        ("case", "straße und maße", "straße und maße"),  # in capitals it would be longer
        ("diacritics", "Müller, café, Łódź, Straße", "Muller, cafe, Lodz, Strasse"),
        ("diacritics", "й и ё, कि", "й и ё, कि"),
        ("width", "iPhone 15 怎么重启", "ｉＰｈｏｎｅ　１５　怎么重启".replace("　", " ")),
        ("width", "怎么重启手机？", "怎么重启手机?"),
        ("width", ENGLISH, ENGLISH),
        ("characters", "这种药物的副作用", "這種藥物的副作用"),
        ("characters", "這種藥物的副作用", "这种药物的副作用"),
        ("characters", JAPANESE, JAPANESE),
        ("short", "side effects of this wonderful medicine", "wonderful medicine"),
        ("short", "two words", "two words"),
        ("long", GERMAN, GERMAN),
        ("order", CHINESE, CHINESE),
        ("mixed", GERMAN, GERMAN),
        ("typos", JAPANESE, JAPANESE),
    ],
)
def test_each_kind_by_itself(kind, query, expected):
    assert perturbed(kind, query) == expected


def test_kinds_with_a_choice_keep_what_they_should():
    words = perturbed("order", ENGLISH).split()
    assert sorted(words) == sorted(ENGLISH.split())
    assert words != ENGLISH.split()
    for seed in range(20):
        mistyped = perturbed("typos", ENGLISH, seed)
        assert mistyped != ENGLISH or seed < 20
        assert abs(len(mistyped) - len(ENGLISH)) <= 2
        wrong = perturbed("typos", CHINESE, seed)
        assert len(wrong) == len(CHINESE)
        assert 1 <= sum(a != b for a, b in zip(wrong, CHINESE, strict=True)) <= 2
        assert ENGLISH in perturbed("long", ENGLISH, seed)
        assert perturbed("emoji", ENGLISH, seed).startswith(ENGLISH)
    assert "什么" in perturbed("mixed", "what is a vaccine for this")
    assert "vaccine" in perturbed("mixed", "这种疫苗有效吗")


def test_the_same_queries_give_the_same_and_the_budget_is_kept():
    queries = {f"q{i}": f"What does the long report number {i} say of the harbour?" for i in range(60)}
    everything = perturb_queries(queries, 10**9)
    assert everything == perturb_queries(dict(reversed(queries.items())), 10**9)
    kinds = {one.kind for one in everything}
    assert kinds == {"typos", "case", "short", "order", "mixed", "long", "emoji"} - ({"mixed"} - kinds)
    assert "width" not in kinds, "no query of these is touched"
    for budget in (0, 1_000, 4_000, 20_000):
        some = perturb_queries(queries, budget)
        assert sum(len(one.text) for one in some) <= budget
        for kind in {one.kind for one in some}:
            assert sum(one.kind == kind for one in some) >= FEWEST
    assert all(one.text != queries[one.query] for one in everything)


def test_queries_of_the_same_text_count_once():
    assert not perturb_queries({f"q{i}": "What does the report say of it?" for i in range(100)}, 10**9)


@given(st.text(max_size=200), st.sampled_from(sorted(KINDS)), st.integers(0, 99))
def test_any_query_stays_a_text_and_is_the_same_again(query, kind, seed):
    once = perturbed(kind, query, seed)
    assert isinstance(once, str)
    assert once == perturbed(kind, query, seed)
