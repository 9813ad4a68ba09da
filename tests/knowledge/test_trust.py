"""What is said of a model's files."""

import pytest

from knowledge.catalog import load_catalog
from knowledge.model_card import ModelCard
from knowledge.trust import trust_of

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def card(**facts):
    return ModelCard(model="a/b", **facts)


def test_nothing_is_said_of_files_that_are_fine():
    fine = card(frameworks=("PyTorch", "safetensors"), needs_remote_code=False, revision=COMMIT)
    trust = trust_of(fine)
    assert (trust.weights, trust.remote_code, trust.pinned) == ("safetensors", False, True)
    assert list(trust.concerns) == []
    assert len(trust.notes) == 3


@pytest.mark.parametrize(
    ("facts", "concern"),
    [
        ({"frameworks": ("PyTorch",)}, "loading older formats can run code"),
        ({"frameworks": ()}, "format of its weights is not known"),
        ({"needs_remote_code": True}, "only with code of its publisher's"),
        ({"needs_remote_code": None}, "code of its publisher's is not known"),
        ({"revision": None}, "No commit is on file"),
        ({"revision": "main"}, "No commit is on file"),
        ({"revision": COMMIT[:12]}, "No commit is on file"),
        ({"revision": COMMIT.upper()}, "No commit is on file"),
        ({"revision": COMMIT + "\n"}, "No commit is on file"),
    ],
)
def test_what_is_not_plainly_good_is_said_with_what_to_do(facts, concern):
    fine = {"frameworks": ("safetensors",), "needs_remote_code": False, "revision": COMMIT}
    (found,) = trust_of(card(**(fine | facts))).concerns
    assert concern in str(found.text)
    assert found.advice is not None


def test_an_api_has_no_files():
    trust = trust_of(card(is_api=True, frameworks=("API",)))
    assert (trust.weights, len(trust.notes)) == ("api", 1)


def test_every_model_is_described_in_both_languages():
    for model in load_catalog().cards[::25]:
        for note in trust_of(model).notes:
            for text in (note.text, note.advice):
                assert text is None or any(ord(character) > 0x2E7F for character in text.render("zh"))
