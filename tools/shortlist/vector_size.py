"""How long a model's vectors would be under a demand for short ones, what that costs, and how it is built."""

from __future__ import annotations

import math

from knowledge.candidate import Leg, parse_candidate
from knowledge.constraints.base import ConstraintBase
from knowledge.constraints.dimension import DimensionConstraint
from knowledge.model_card import ModelCard
from knowledge.results import Prediction
from tools.shortlist.ranked import SOFT_PENALTY

#: Predicted points (0 to 1) that each halving costs a model made for it. From the published retrieval scores of
#: text-embedding-3-large (3,072) and -small (1,536) and of both at 512, four tasks each: 0.8 points over 2.6 halvings
#: and 1.0 over 1.6. Few figures, but the only pairs in the score matrix; the plan measures the rest.
LOSS_PER_HALVING = 0.005

#: from so many vectors on, storage is what an index costs (10 million of 1,024 numbers take 41 GB)
MANY_VECTORS = 10_000_000
#: then a model that misses a wish for short vectors comes after every one that meets it and is so near (0 to 1)
MANY_PENALTY = 0.10
BYTES_PER_NUMBER = 4


def cut_for(card: ModelCard, demand: DimensionConstraint | None) -> int | None:
    """The largest size within the demand that the model's vectors are made to be cut to; None: they stay whole."""
    if demand is None or card.dimension is None or card.dimension <= demand.max_dimension:
        return None
    return max((size for size in card.matryoshka_dimensions if size <= demand.max_dimension), default=None)


def loss_of(card: ModelCard, cut: int | None) -> float:
    """Predicted points that cutting costs."""
    if cut is None or card.dimension is None:
        return 0.0
    return round(LOSS_PER_HALVING * math.log2(card.dimension / cut), 4)


def lowered(prediction: Prediction, loss: float) -> Prediction:
    """The prediction for vectors that were cut; the interval moves along."""
    if not loss:
        return prediction
    moved = {name: round(max(getattr(prediction, name) - loss, 0.0), 4) for name in ("mean", "low", "high")}
    return prediction.model_copy(update=moved)


def penalty_of(constraint: ConstraintBase, card: ModelCard, documents: int) -> float:
    """What missing a wish costs: one step; of a wish for short vectors, one for each time that storage doubles."""
    if not isinstance(constraint, DimensionConstraint) or not card.dimension:
        return SOFT_PENALTY
    doublings = max(1.0, math.log2(card.dimension / constraint.max_dimension))
    return SOFT_PENALTY * doublings + (MANY_PENALTY if documents >= MANY_VECTORS else 0.0)


def spec_at(card: ModelCard, cut: int | None) -> str | None:
    """How this program would build it at that size; None where it has no backend for it."""
    if card.spec is None or cut is None:
        return card.spec
    leg = parse_candidate(card.spec)
    assert isinstance(leg, Leg)  # no card is a fusion
    return leg.model_copy(update={"options": leg.options | {"dim": str(cut)}}).spec
