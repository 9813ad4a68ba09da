"""The notes: both languages, and no figure without its source."""

import json
from importlib.resources import files

import pytest

from knowledge.errors import CatalogError
from knowledge.guidance import load_notes, numbers, parse_notes
from tests.golden.knowledge_questions import HALVES, answerable, unanswerable

NOTES = load_notes()

SOURCES = """
[paper]
title = "A paper"
url = "https://example.org/paper"
date = 2020-01-02
"""
NOTE = """
[[note]]
id = "thing"
title = { en = "Thing", zh = "东西" }
names = ["thing"]
asked = ["what is a thing", "什么是东西"]
en = "A thing has 4 legs; int8 and P95 are names."
zh = "东西有 4 条腿。"
figures = [{ says = "4 legs", source = "paper" }]
"""


@pytest.mark.parametrize("note", NOTES.values(), ids=NOTES.keys())
def test_a_note_is_short_and_says_the_same_figures_in_both_languages(note):
    assert 55 <= len(note.text.en.split()) <= 150
    assert 80 <= len(note.text.zh) <= 300
    # whole numbers may be words in one language ("a million"); decimals are figures in both
    decimals = [{n for n in numbers(text) if n != int(n)} for text in (note.text.en, note.text.zh)]
    assert decimals[0] == decimals[1]
    assert any(any("\u4e00" <= c <= "\u9fff" for c in asked) for asked in note.asked)
    assert any(asked.isascii() for asked in note.asked)


def test_the_six_steps_and_the_terms_are_there():
    steps = {"needs", "worth-it", "data-preparation", "licences", "own-data", "latency-percentiles", "deployment"}
    steps |= {"self-hosted-or-api", "fine-tuning", "caching", "batch-size", "milvus-deployments", "end-to-end-tests"}
    assert steps | {"six-steps", "mrr", "map", "ndcg", "precision-recall", "robustness", "matryoshka"} <= set(NOTES)
    assert len(NOTES) >= 60


def test_no_example_question_of_a_note_is_a_golden_one():
    asked = {asked.casefold().strip("?？") for note in NOTES.values() for asked in note.asked}
    golden = {q.text.casefold().strip("?？") for half in HALVES for q in (*answerable(half), *unanswerable(half))}
    # what the product's own description promises to answer may be in both
    assert asked & golden <= {"how do i deploy it"}


def test_prices_in_the_notes_are_the_catalogs():
    prices = json.loads((files("knowledge") / "data" / "prices.json").read_text("utf-8"))["prices"]
    figure = NOTES["api-pricing"].figures[0]
    for name in ("openai/text-embedding-3-small", "openai/text-embedding-3-large"):
        assert prices[name]["usd_per_million_tokens"] in numbers(figure.says)
        assert prices[name]["date"] == figure.source.date.isoformat()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("1,024 dimensions, 4x, 0.02 and 92 %", {1024, 4, 0.02, 92}),
        ("约4倍，k 取 60", {4, 60}),
        ("int8, P95, nDCG@10, fp32, AX-200, BGE-M3, Apache-2.0", set()),
        ("", set()),
    ],
)
def test_numbers(text, found):
    assert numbers(text) == found


def test_a_small_file_is_read():
    note = parse_notes({"sources.toml": SOURCES, "a.toml": NOTE})["thing"]
    assert note.text.in_language("zh").startswith("东西")
    assert note.figures[0].source.date.year == 2020


@pytest.mark.parametrize(
    ("parts", "why"),
    [
        ({"a.toml": "not = = toml"}, "a.toml"),
        ({"a.toml": ""}, "something else"),
        ({"a.toml": "note = 3"}, "something else"),
        ({"a.toml": "note = [1]"}, "something else"),
        ({"a.toml": NOTE}, "no source called paper"),
        ({"sources.toml": SOURCES, "a.toml": NOTE, "b.toml": NOTE}, "two notes"),
        ({"sources.toml": SOURCES, "a.toml": NOTE.replace("4 条腿", "5 条腿")}, "states 5 without a source"),
        ({"sources.toml": SOURCES, "a.toml": NOTE.replace('zh = "东西有 4 条腿。"', "")}, "zh"),
        ({"sources.toml": SOURCES, "a.toml": NOTE.replace('"thing"\n', '"A thing"\n', 1)}, "id"),
        ({"sources.toml": SOURCES, "a.toml": NOTE + 'evidence = "rumour"\n'}, "evidence"),
        ({"sources.toml": SOURCES.replace("https:", "file:"), "a.toml": NOTE}, "url"),
        ({"sources.toml": SOURCES.replace("date = 2020-01-02", ""), "a.toml": NOTE}, "date"),
        ({"sources.toml": SOURCES, "a.toml": NOTE.replace('[{ says = "4 legs", source = "paper" }]', "[3]")}, "source"),
    ],
    ids=range(13),
)
def test_a_broken_file_is_named_with_its_fault(parts, why):
    with pytest.raises(CatalogError) as raised:
        parse_notes(parts)
    assert why in str(raised.value.cause)
