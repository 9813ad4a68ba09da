"""The models that mteb lacks, on a shortlist: taken by what is known of them, or left out with a reason."""

import pytest

from knowledge.catalog import load_catalog
from knowledge.constraints.modality import ModalityConstraint
from knowledge.requirements import Requirements
from knowledge.scores import load_scores
from tools.shortlist import shortlist


def rejected(requirements: Requirements) -> dict[str, str]:
    found = shortlist(requirements, load_catalog(), load_scores())
    assert not {pick.model for pick in found.kept} & {"hexiangnan/neural-collaborative-filtering"}
    return {one.model: str(one.reason) for one in found.rejected}


def test_a_method_without_weights_is_rejected_with_that_reason():
    assert "no trained model" in rejected(Requirements())["hexiangnan/neural-collaborative-filtering"]


@pytest.mark.parametrize(
    ("model", "why"),
    [
        ("qiuqiangkong/panns-cnn14", "audio, not text"),
        ("microsoft/resnet-50", "images, not text"),
        ("google/vit-base-patch16-224", "images, not text"),
    ],
)
def test_what_takes_no_text_is_rejected_for_it(model, why):
    assert why in rejected(Requirements())[model]


def test_sounds_alone_may_be_embedded_by_panns():
    only_audio = Requirements(constraints=(ModalityConstraint(modalities=("audio",)),))
    reason = rejected(only_audio).get("qiuqiangkong/panns-cnn14", "")
    assert "not audio" not in reason


def test_each_added_model_is_placed_or_rejected_with_a_reason():
    found = shortlist(Requirements(), load_catalog(), load_scores(), k=100)
    known = {pick.model for pick in found.kept} | {one.model for one in found.rejected if str(one.reason)}
    added = [card.model for card in load_catalog().cards if card.aliases]
    assert len(added) == 12
    assert set(added) <= known
