"""`advisor models --show`: a card that a person can read, and JSON that a script can."""

import json

import pytest
from rich.cells import cell_len
from rich.console import Console

from app.cli.card_facts import ELSEWHERE, GROUPS, grouped
from app.cli.cards import uses_in
from knowledge.catalog import load_catalog
from knowledge.model_card import ModelCard
from tests.app.cli import Cli


@pytest.fixture
def advisor(monkeypatch, capsys):
    return Cli(monkeypatch, capsys)


def test_every_field_of_a_card_has_its_place():
    placed = [name for _, fields in GROUPS for name in fields]
    assert len(placed) == len(set(placed))
    assert set(placed) | ELSEWHERE == set(ModelCard.model_fields)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_model_can_be_shown(language):
    for card in load_catalog().cards:
        for group in grouped(card, language):
            for fact in group.facts:
                assert fact.value
                assert "None" not in fact.value
                assert "_" not in fact.label


def test_a_card_is_read_in_groups_with_its_sources(advisor):
    code, out, _ = advisor("models", "--show", "intfloat/multilingual-e5-small")
    assert code == 0
    for words in ("118 M", "93: ", "MIT [1]", "“query:”", "Sources of these figures", "2026-08-20", "What it is"):
        assert words in out, words
    assert "✓ weights: allowed. MIT allows commercial use." in out
    assert "✗ training data: forbidden." in out
    assert "ask your lawyer" in out
    assert "downloaded is not known" in out.replace("\n    ", " ")
    assert "needs_remote_code" not in out


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("width", ["80", "140"])
def test_no_line_is_wider_than_the_terminal(advisor, monkeypatch, width, language):
    monkeypatch.setattr("app.cli.cards.console", lambda: Console(width=int(width), highlight=False))
    for model in ("intfloat/multilingual-e5-small", "google/embeddinggemma-300m", "openai/text-embedding-3-small"):
        _, out, _ = advisor("--lang", language, "models", "--show", model, "--use", "commercial,derivative")
        assert max(cell_len(line) for line in out.splitlines()) <= int(width)
        assert len(out.splitlines()) > 20


def test_the_chain_is_for_the_use_asked_about(advisor):
    _, out, _ = advisor("models", "--show", "openai/text-embedding-3-small", "--use", "redistribution")
    assert "✗ weights: forbidden. Its weights are not published" in out
    _, out, _ = advisor("models", "--show", "openai/text-embedding-3-small")
    assert "✓ weights: allowed." in out


def test_chinese(advisor):
    _, out, _ = advisor("--lang", "zh", "models", "--show", "jinaai/jina-embeddings-v3")
    for words in ("许可证：商用", "✗ 权重：禁止。CC-BY-NC-4.0 禁止商用。", "下载量未知", "所列语言"):
        assert words in out, words


def test_json_has_the_chain_the_files_and_the_standing(advisor):
    code, out, _ = advisor(
        "models", "--show", "intfloat/multilingual-e5-small", "--use", "derivative,commercial", "--json"
    )
    card = json.loads(out)
    assert code == 0
    assert (card["dimension"], card["license"], card["sources"]["license"]["date"]) == (384, "MIT", "2026-08-20")
    chain = card["license_chain"]
    assert chain["uses"] == ["commercial", "derivative"]
    assert (chain["weights"]["status"], chain["data"]["status"]) == ("allowed", "forbidden")
    assert chain["data"]["evidence"][0]["source"].startswith("https://")
    assert isinstance(chain["weights"]["reason"], str)
    assert card["trust"]["weights"] == "safetensors"
    assert card["standing"]["tasks"] > 500


@pytest.mark.parametrize("use", ["sell", "", ",", "commercial;redistribution", "commercial,vente"])
def test_a_use_that_is_none_is_refused_with_those_there_are(advisor, use):
    code, out, err = advisor("models", "--show", "BAAI/bge-m3", "--use", use)
    assert (code, out) == (2, "")
    assert "redistribution" in err


def test_uses_are_read_in_any_case_and_order():
    assert uses_in(" Derivative, commercial ,commercial") == ("commercial", "derivative")
