"""Counterfactuals made by rules: what they change, what they leave alone, and that no side is favoured."""

import json
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.labelled import as_dataset
from tools.probes import FEWEST, KINDS, make_probes
from tools.probes.base import Source
from tools.probes.making import LONGEST, cost
from tools.probes.sentences import language_of, split, states
from tools.profile import estimated_tokens


def altered(kind, sentence, language="en", passage=None, names=frozenset(), symbols=()):
    """The sentence as a kind of probe alters it; None where it leaves it alone."""
    source = Source(language, passage or sentence, lambda word: 0.0, names, symbols)
    change = KINDS[kind].change(sentence, source)
    return None if change is None else change.put(sentence, change.new)


@pytest.mark.parametrize(
    ("sentence", "other"),
    [
        ("Yoghurt is good for the gut of most adults.", "Yoghurt is not good for the gut of most adults."),
        ("The drug has been approved for use in children.", "The drug has not been approved for use in children."),
        ("The drug was not approved for use in children.", "The drug was approved for use in children."),
        ("Patients cannot eat before the operation begins.", "Patients can eat before the operation begins."),
        ("The vaccine does not reduce fever in the elderly.", "The vaccine does reduce fever in the elderly."),
        # left alone: two negatives, an adverb that decides, a noun, a phrase that only looks negative
        ("It is not known whether nobody was ever infected here.", None),
        ("The result is only valid for the first two samples.", None),
        ("His will says that the house goes to the children.", None),
        ("It is not so much the number that matters to them.", None),
        ("Dose finding in renal failure: a review of trials", None),
    ],
)
def test_a_statement_is_denied_where_that_is_sure(sentence, other):
    assert altered("negation", sentence) == other


@pytest.mark.parametrize(
    ("sentence", "other"),
    [
        ("每天一杯酸奶对肠道好。", "每天一杯酸奶对肠道不好。"),
        ("这种药可以和牛奶一起服用。", "这种药不可以和牛奶一起服用。"),
        ("孕妇不适合服用这种药物。", "孕妇适合服用这种药物。"),
        ("鲸鱼是一种生活在海里的哺乳动物。", "鲸鱼不是一种生活在海里的哺乳动物。"),
        ("但是一般情况下要先去医院检查。", None),
        ("他没有说这种药可以随便服用。", None),
    ],
)
def test_chinese_statements_too(sentence, other):
    assert altered("negation", sentence, "zh") == other


@pytest.mark.parametrize(
    ("kind", "sentence", "other"),
    [
        ("antonym", "Salt increases the risk of a stroke in adults.", "Salt decreases the risk of a stroke in adults."),
        ("antonym", "There was an increase in blood pressure today.", "There was a decrease in blood pressure today."),
        (
            "antonym",
            "She went to high school in a small town nearby.",
            None,
        ),  # it speaks of no height; of a town's size
        ("antonym", "Both increases and decreases of it were seen here.", None),
        ("unit", "The river is 25 kilometres long at this place.", "The river is 25 millimetres long at this place."),
        ("unit", "It was common music in the 1960s in all of Europe.", None),
        ("number", "The tower has 275 steps, said Fig. 4 and page 12-15.", "The tower has 100 steps"),
        ("number", "It was seen in room A12, version 3.1.2, on 4 May.", None),
    ],
)
def test_words_numbers_and_units(kind, sentence, other):
    found = altered(kind, sentence)
    if kind == "antonym" and "high school" in sentence:
        assert found == "She went to high school in a large town nearby."
    elif other is None:
        assert found is None
    else:
        assert found is not None
        assert found.startswith(other)


def test_a_number_keeps_its_form_and_a_year_stays_near():
    for old in ("25", "456,532", "6.10", "1998"):
        source = Source("en", f"It counted {old} of them.", lambda word: len(word) % 7 / 7)
        change = KINDS["number"].change(f"It counted {old} of them.", source)
        assert change is not None
        assert len(change.new) == len(old)
        assert [c for c in change.new if not c.isdigit()] == [c for c in old if not c.isdigit()]
        if old == "1998":
            assert 1960 < int(change.new) < 1998


def test_chinese_numerals_units_and_names():
    assert altered("number", "这座寺庙有三个大殿和一座塔。", "zh") == "这座寺庙有四个大殿和一座塔。"
    assert altered("number", "这是第三个大殿，建于明朝时期。", "zh") is None
    assert altered("unit", "这条河全长约25公里，流入大海。", "zh") == "这条河全长约25毫米，流入大海。"
    assert altered("unit", "该站于2009年启用并开放。", "zh") is None
    assert (
        altered("entity", "这座塔建于唐朝时期，保存完好。", "zh", names=frozenset({"宋朝"}))
        == "这座塔建于宋朝时期，保存完好。"
    )
    assert altered("entity", "本鱼分布于印度洋温带的中层水域。", "zh") is None


def test_names_come_from_the_corpus_and_no_part_of_a_longer_one_is_swapped():
    sentence = "The train from Paris arrives in the late evening."
    assert altered("entity", sentence, names=frozenset({"Vienna"})) == sentence.replace("Paris", "Vienna")
    assert altered("entity", "Paris Hilton and New York were in the papers today.") is None
    symbols = ("CD40", "GTX980")
    assert altered("entity", "The gene CD40 is found in most cells.", symbols=symbols) == (
        "The gene GTX980 is found in most cells."
    )


# ---------------------------------------------------------------- whole datasets


def dataset(count=200):
    cities = ("Paris", "Vienna", "Berlin", "Madrid", "Rome")
    documents, queries, judgments = {}, {}, {}
    for i in range(count):
        city = cities[i % 5]
        documents[f"d{i}"] = (
            f"Museum number {chr(97 + i % 26)}{i}. The museum of {city} was opened by a club in {1900 + i % 90}. "
            f"It is open to visitors of {city} on every morning of week {i}. The hall is {20 + i} metres long and cold."
        )
        queries[f"q{i}"] = f"how long is the {20 + i} metres hall of the museum {i} of {city}"
        judgments[f"q{i}"] = {f"d{i}": 1}
    return as_dataset(documents, queries, judgments)


def test_probes_of_a_dataset_are_the_same_again_favour_no_side_and_differ_in_one_place():
    data = dataset()
    probes = make_probes(data, 10**9, most=40)
    assert probes == make_probes(data, 10**9, most=40)
    assert len({probe.id for probe in probes}) == len(probes)
    for kind in KINDS:
        of_kind = [probe for probe in probes if probe.kind == kind]
        assert len(of_kind) == 40
        assert sum(probe.turned for probe in of_kind) == 20
    for probe in probes:
        original = probe.wrong if probe.turned else probe.right
        assert original in data.documents.values()
        assert probe.right != probe.wrong
        assert abs(len(probe.right) - len(probe.wrong)) < 40
    # of numbers, names and units some are asked with a query of the user's
    assert any(probe.query.startswith("how long") and probe.reworded for probe in probes)


def test_the_budget_is_kept_and_a_kind_is_whole_or_left_out():
    data = dataset()
    known = frozenset(data.documents.values())
    for budget in (0, 3_000, 12_000, 60_000):
        probes = make_probes(data, budget)
        assert sum(cost(probe, known) for probe in probes) <= budget
        for kind in {probe.kind for probe in probes}:
            assert sum(probe.kind == kind for probe in probes) >= FEWEST
    assert not make_probes(data, 3_000)
    assert {probe.kind for probe in make_probes(data, 12_000)} < set(KINDS)


def test_long_documents_are_cut_around_the_fact():
    filler = "Nothing of interest stood in that part of the text at all. " * 60
    documents = {
        f"d{i}": f"{filler}The sample was found by a child in the harbour of town {i}. {filler}" for i in range(30)
    }
    probes = make_probes(as_dataset(documents, {}, {}), 10**9)
    assert probes
    for probe in probes:
        assert estimated_tokens(probe.right) <= LONGEST
        assert probe.right != probe.wrong


@pytest.mark.parametrize(
    "text",
    ["", "   ", "def f(x): return x", "ありがとうございます。今日はいい天気です。", "12345", "Der Hund ist nicht da."],
)
def test_texts_without_rules_give_no_probes(text):
    assert language_of(text) is None
    assert not make_probes(as_dataset({f"d{i}": f"{text}{i}" for i in range(30)}, {}, {}), 10**9)


@given(st.text(max_size=300))
def test_any_text_is_split_into_what_it_holds(text):
    for language in ("en", "zh"):
        for sentence in split(text, language):
            assert sentence in text
            states(sentence, language)
            for kind in KINDS:
                altered(kind, sentence, language, text)


def test_word_lists_name_their_source_and_say_nothing_twice():
    for language in ("en", "zh"):
        lists = json.loads((files("knowledge") / "data" / f"counterfactuals_{language}.json").read_text("utf-8"))
        assert "2026" in lists["source"]
        pairs = [frozenset(pair) for pair in lists["antonyms"]]
        assert len(set(pairs)) == len(pairs)
        assert all(len(pair) == 2 for pair in pairs)
