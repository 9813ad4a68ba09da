"""Every sentence a user reads exists in English and Chinese."""

import ast
import json
import string
from importlib.resources import files
from pathlib import Path

import pytest

from knowledge.wording import Text, _chinese, join, say, spoken_of

ROOT = Path(__file__).parents[2]


def sentences() -> list[tuple[str, str]]:
    found = []
    for package in ("knowledge", "tools", "agent", "app"):
        for path in sorted((ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "say":
                    where = f"{path.relative_to(ROOT)}:{node.lineno}"
                    first = node.args[0]
                    assert isinstance(first, ast.Constant), f"{where}: say() takes a literal sentence"
                    found.append((where, first.value))
    return found + notes()


def notes() -> list[tuple[str, str]]:
    """What the catalog says of single licences in words of ours."""
    cards = (
        json.loads(line) for line in (files("knowledge") / "data" / "models.jsonl").read_text("utf-8").splitlines()
    )
    return [(card["model"], card["license_note"]) for card in cards if card.get("license_note")]


def fields(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}


def test_every_sentence_has_its_chinese_with_the_same_values():
    missing = [f"{where}: {text}" for where, text in sentences() if text not in _chinese()]
    assert not missing, "no Chinese for:\n" + "\n".join(missing)
    differing = [text for text, zh in _chinese().items() if fields(text) != fields(zh)]
    assert not differing


def test_no_chinese_without_its_sentence():
    used = {text for _, text in sentences()}
    assert not set(_chinese()) - used


def test_no_sentence_is_translated_twice():
    seen: set[str] = set()
    for part in (files("knowledge") / "data" / "wording_zh").iterdir():
        words = set(json.loads(part.read_text("utf-8")))
        assert not seen & words, part
        seen |= words


def test_a_text_renders_in_both_languages_and_survives_json():
    text = say("licence {license}", license="mit")
    assert (text.render("en"), text.render("zh")) == ("licence mit", "许可证 mit")
    assert Text.model_validate_json(text.model_dump_json()) == text
    assert text.model_dump(context={"language": "zh"}) == "许可证 mit"
    assert str(join([text, text])) == "licence mit licence mit"


@pytest.mark.parametrize("plain", ["curly {braces} stay", "{", "100 %"])
def test_plain_strings_are_taken_literally(plain):
    assert str(Text.model_validate(plain)) == plain


def test_sentences_speak_of_what_was_scored():
    said = say("{count} queries", count=say("{count} queries", count=3))
    told = spoken_of((said, {"a": [say("1 query")]}), "pairs")
    assert told[0].render() == "3 pairs pairs"
    assert told[0].render("zh") == "3 个文本对 个文本对"
    assert told[1]["a"][0].render() == "1 pair"
    assert Text.model_validate(told[0].model_dump()) == told[0]
    assert "items" not in said.model_dump()
    # what stands in braces is a value's name
    assert spoken_of(Text(template="Queries: {queries}", values={"queries": 1}), "texts").render() == "Texts: 1"
    assert spoken_of(said, None) is said


def test_a_value_that_is_a_sentence_does_not_stop_twice():
    told = say("{spec} failed: {why}.", spec="x", why="Connection error.")
    assert (told.render("en"), say("{why}。", why="断开.").render("en")) == ("x failed: Connection error.", "断开。")
    assert say("{why}.", why="and so on...").render() == "and so on...."
    assert Text(template="{spec}", values={"spec": "a.."}).render() == "a.."
