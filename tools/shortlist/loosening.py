"""How far a demand with a number would have to give for one model to meet it."""

from __future__ import annotations

import math

from knowledge.constraints.base import ConstraintBase
from knowledge.constraints.cost import CostConstraint
from knowledge.constraints.dimension import DimensionConstraint
from knowledge.constraints.hardware import HardwareConstraint
from knowledge.constraints.languages import LanguagesConstraint
from knowledge.constraints.latency import CERTAIN, LatencyConstraint
from knowledge.constraints.max_tokens import MaxTokensConstraint
from knowledge.constraints.memory import MemoryConstraint
from knowledge.constraints.parameters import ParametersConstraint
from knowledge.fit import USABLE_RAM, fit
from knowledge.model_card import ModelCard


def loosened(constraint: ConstraintBase, card: ModelCard) -> tuple[ConstraintBase, float] | None:
    """The same demand with the number that lets this model in, and by what factor it moved (as a logarithm).

    None where no number decides, or where the model's own is not known.
    """
    found = _number(constraint, card)
    if found is None:
        return None
    name, has, needed = found
    if not has > 0 or not 0 < needed < math.inf:
        return None
    moved = constraint.model_copy(update={name: needed})
    return None if moved.excludes(moved.check(card)) else (moved, abs(math.log(needed / has)))


def _number(constraint: ConstraintBase, card: ModelCard) -> tuple[str, float, float] | None:
    """The field, what it is, and what the model needs it to be, rounded away from the user."""
    match constraint:
        case MemoryConstraint():
            takes = card.memory_at(constraint.bytes_per_parameter)
            takes = card.memory_mb if takes is None else takes
            return None if takes is None else ("max_mb", constraint.max_mb, math.ceil(takes))
        case ParametersConstraint() if card.parameters:
            return "max_millions", constraint.max_millions, math.ceil(card.parameters / 1e6)
        case MaxTokensConstraint() if card.max_tokens:
            return "tokens", constraint.tokens, card.max_tokens
        case DimensionConstraint() if card.dimension:
            return "max_dimension", constraint.max_dimension, min(card.dimension, *card.matryoshka_dimensions, 10**9)
        case LatencyConstraint():
            estimate = constraint.estimate_ms(card)
            return None if estimate is None else ("p95_ms", constraint.p95_ms, math.ceil(estimate / CERTAIN))
        case CostConstraint() if card.price and constraint.million_tokens_per_month:
            month = card.price.usd_per_million_tokens * constraint.million_tokens_per_month
            return "max_usd_per_month", constraint.max_usd_per_month, math.ceil(month * 100) / 100
        case HardwareConstraint():
            return _machine(constraint, card)
        case LanguagesConstraint() if constraint.at_least and len(card.languages) > 1:
            return "at_least", constraint.at_least, len(card.languages)
    return None


def _machine(constraint: HardwareConstraint, card: ModelCard) -> tuple[str, float, float] | None:
    need = fit(card, constraint.machine, constraint.context).need
    if need is None:
        return None
    if constraint.gpu_gb is not None:
        return "gpu_gb", constraint.gpu_gb, math.ceil(need.total_gb)
    return "ram_gb", constraint.ram_gb or 0, math.ceil(need.total_gb / USABLE_RAM)
