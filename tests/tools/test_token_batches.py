"""Batches by a budget of tokens, and what the encoder does when a batch is too large after all."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from knowledge.candidate import Leg
from knowledge.errors import ResourceError
from tests.tiny_models import make_st
from tools import encoders
from tools.token_batches import batches
from tools.workspace import Workspace

TEXTS = ["the cat " * n for n in (1, 9, 3, 30, 2, 2, 14, 5)] + ["", "猫"]


@given(st.lists(st.integers(1, 600), max_size=60), st.integers(1, 2000), st.one_of(st.none(), st.integers(1, 9)))
def test_every_text_is_in_one_batch_that_keeps_the_budget(lengths, budget, most):
    found = batches(lengths, budget, most)
    assert sorted(row for batch in found for row in batch) == list(range(len(lengths)))
    for batch in found:
        longest = max(lengths[row] for row in batch)
        assert len(batch) == 1 or len(batch) * longest <= budget
        assert most is None or len(batch) <= most
    in_order = [lengths[row] for batch in found for row in batch]
    assert in_order == sorted(in_order, reverse=True)
    for one, following in itertools.pairwise(found):
        room = (len(one) + 1) * lengths[one[0]] <= budget and len(one) != most
        assert not room or not following, "a batch is closed only when it is full"


@pytest.fixture
def encoder(tmp_path):
    leg = Leg(backend="st", name=str(make_st(tmp_path / "model", prompts={"query": "query: ", "document": ""})))
    return encoders.load(encoders.resolve(leg, Workspace(home=tmp_path, offline=True)))


@pytest.mark.parametrize(
    "prompts", [{}, {"passage": "ship: "}, {"corpus": "dog: ", "document": "cat: "}, {"query": "q"}]
)
@pytest.mark.parametrize("default", [None, "other"])
def test_vectors_are_those_of_sentence_transformers_own_encode(encoder, prompts, default):
    model = encoder._model
    model.prompts = prompts | {"other": "sea: "}
    model.default_prompt_name = default
    assert np.allclose(encoder.embed(TEXTS, kind="query"), model.encode_query(TEXTS), atol=2e-6)
    assert np.allclose(encoder.embed(TEXTS, kind="document"), model.encode_document(TEXTS), atol=2e-6)


def test_padding_on_the_left_is_cut_there(encoder):
    expected = encoder.embed(TEXTS, kind="document", batch_size=1)
    widths = []
    forward = encoder._forward
    encoder._forward = lambda features, kind: widths.append(features["input_ids"].shape[1]) or forward(features, kind)
    encoder.embed(TEXTS, kind="document", batch_size=1)
    encoder._model.tokenizer.padding_side = "left"
    left = encoder.embed(TEXTS, kind="document", batch_size=1)
    assert widths[: len(TEXTS)] == widths[len(TEXTS) :] == sorted(widths[: len(TEXTS)], reverse=True)
    assert np.allclose(expected, left, atol=2e-6)


def small_memory(encoder, room):
    """Let the encoder run out of memory as a GPU does beyond so many tokens."""
    forward = encoder._model.forward
    asked = []

    def limited(features, **more):
        asked.append(features["input_ids"].numel())
        if asked[-1] > room:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return forward(features, **more)

    encoder._model.forward = limited
    return asked


def test_where_memory_runs_out_batches_are_halved_and_stay_small(encoder):
    expected = encoder.embed(TEXTS, kind="document")
    asked = small_memory(encoder, 100)
    assert np.allclose(expected, encoder.embed(TEXTS, kind="document"), atol=2e-6)
    assert max(asked) > 100
    asked.clear()
    assert np.allclose(expected, encoder.embed(TEXTS, kind="document"), atol=2e-6)
    assert max(asked) <= 100, "it is not tried again and again"


def test_one_text_that_fits_nowhere_is_told(encoder):
    small_memory(encoder, 20)
    with pytest.raises(ResourceError, match=r"no room for one text of \d+ tokens .*max_tokens"):
        encoder.embed(TEXTS, kind="document")
