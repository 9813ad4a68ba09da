"""Tokens are counted by the model's own tokenizer where it is on this disk; nothing is fetched."""

import base64
import hashlib
import socket

import pytest

from knowledge.tokenizers import tokenizers
from tests.tiny_models import write_tokenizer
from tools.tokenizer import count_tokens, find_tokenizer, how_to_get
from tools.workspace import Workspace

ADA = "openai/text-embedding-ada-002"


@pytest.fixture(autouse=True)
def _no_network(monkeypatch):
    def refuse(*args, **named):
        raise AssertionError("asked for a network")

    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.fixture
def workspace(tmp_path):
    return Workspace(home=tmp_path / "home", hub_cache=tmp_path / "hub", tiktoken_cache=tmp_path / "tiktoken")


def in_hub(workspace, model):
    """A snapshot that holds a tokenizer and nothing else, as `hf download MODEL tokenizer.json` leaves it."""
    folder = workspace.hub_cache / f"models--{model.replace('/', '--')}"
    (folder / "refs").mkdir(parents=True)
    (folder / "refs" / "main").write_text("0" * 40)
    snapshot = folder / "snapshots" / ("0" * 40)
    snapshot.mkdir(parents=True)
    write_tokenizer(snapshot)
    return snapshot / "tokenizer.json"


def in_tiktoken(workspace, monkeypatch, words=("cat", " sat")):
    """A tiny vocabulary in tiktoken's form under the name that tiktoken gives it: single bytes, and these words."""
    facts = tokenizers()
    encoding = facts.encodings["cl100k_base"]
    ranks = [bytes([i]) for i in range(256)] + [w for word in words for w in merges(word.encode())]
    content = b"".join(base64.b64encode(token) + b" %d\n" % rank for rank, token in enumerate(dict.fromkeys(ranks)))
    workspace.tiktoken_cache.mkdir()
    file = workspace.tiktoken_cache / hashlib.sha1(encoding.url.encode()).hexdigest()
    file.write_bytes(content)
    tiny = encoding.model_copy(update={"sha256": hashlib.sha256(content).hexdigest()})
    changed = facts.model_copy(update={"encodings": {"cl100k_base": tiny}})
    monkeypatch.setattr("tools.tokenizer.tokenizers", lambda: changed)
    return file


def merges(word):
    """All beginnings of a word: each is the one before and one byte."""
    return [word[:n] for n in range(2, len(word) + 1)]


def test_the_facts_are_those_of_the_library_that_is_installed(monkeypatch):
    import tiktoken.model
    from tiktoken_ext import openai_public

    asked = {}

    def load_tiktoken_bpe(url, expected_hash):
        asked[url] = expected_hash

    monkeypatch.setattr(openai_public, "load_tiktoken_bpe", load_tiktoken_bpe)
    theirs, ours = openai_public.cl100k_base(), tokenizers().encodings["cl100k_base"]
    assert (ours.pattern, {ours.url: ours.sha256}) == (theirs["pat_str"], asked)
    for model, by in tokenizers().models.items():
        assert tiktoken.model.encoding_name_for_model(model.removeprefix("openai/")) == by.encoding
    facts = tokenizers()
    named = [*facts.encodings.values(), *facts.models.values(), *facts.publishers.values()]
    assert {one.source for one in named} == set(facts.sources)


def test_a_tokenizer_of_the_hub_counts(workspace):
    file = in_hub(workspace, "voyageai/voyage-4-large")
    found = find_tokenizer("mongodb/voyage-4-large (embed_dim=2048)", workspace)
    assert (found.name, found.file) == ("voyageai/voyage-4-large", file)
    assert count_tokens(found, ["the cat", "the dog at sea"], workspace) == (2 + 2) + (3 + 2 + 2), "a and ##t are two"
    assert find_tokenizer("mongodb/voyage-4", workspace) is None
    assert how_to_get("mongodb/voyage-4") == "hf download voyageai/voyage-4 tokenizer.json"
    assert how_to_get("google/gemini-embedding-001") is None, "nobody says that it is published"


def test_a_vocabulary_of_tiktoken_counts_where_it_is_the_right_one(workspace, monkeypatch):
    assert find_tokenizer(ADA, workspace) is None
    file = in_tiktoken(workspace, monkeypatch)
    found = find_tokenizer(ADA, workspace)
    assert (found.name, found.file) == ("tiktoken cl100k_base", file)
    assert count_tokens(found, ["cat sat", "dog", "", "<|endoftext|>"], workspace) == 2 + 3 + 0 + 13, "never special"
    file.write_bytes(file.read_bytes() + b"!")
    assert find_tokenizer(ADA, workspace) is None, "another file under its name is not trusted"
    assert file.exists(), "and left alone"
    assert "get_encoding('cl100k_base')" in how_to_get(ADA)


def test_the_same_texts_are_counted_once_and_a_new_tokenizer_counts_anew(workspace, monkeypatch):
    in_hub(workspace, "some/model")
    found = find_tokenizer("some/model", workspace)
    texts = ["the cat"]
    assert count_tokens(found, texts, workspace) == 4
    monkeypatch.setattr("tools.workers.run", lambda *args, **named: {"tokens": 99})
    assert count_tokens(found, texts, workspace) == 4
    found.file.touch()
    assert count_tokens(found, texts, workspace) == 99


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff\xfe", b'{"model": {"type": "BPE", "vocab": 3}}'])
def test_a_broken_file_is_said_to_be_one(workspace, content):
    in_hub(workspace, "some/model").write_bytes(content)
    with pytest.raises(ValueError, match=r"\w+: "):
        count_tokens(find_tokenizer("some/model", workspace), ["the cat"], workspace)


@pytest.mark.parametrize("name", ["", "a/b/c", "../../etc/passwd", "x" * 300, "a\0b", "名字"])
def test_names_that_no_repository_has_have_no_tokenizer(workspace, name):
    assert find_tokenizer(name, workspace) is None
