"""What counts beside quality in a decision, as options name it."""

from __future__ import annotations

from collections.abc import Sequence

from app.cli.mistyped import usage_error
from knowledge.requirements import Requirements
from knowledge.wording import say
from tools.recommend.weights import NAMES

#: quality counts 1; what counts ten times as much is no tie-breaker any more
_LARGEST = 10.0


def with_weights(requirements: Requirements | None, weights: Sequence[str]) -> Requirements:
    """The requirements with these weights (``robustness=0.3``), as stated; a usage error where one cannot be read."""
    given: dict[str, float] = {}
    for weight in weights:
        name, _, value = weight.partition("=")
        try:
            number = float(value)
        except ValueError:
            number = -1.0
        if name not in NAMES or not 0 <= number <= _LARGEST:
            raise usage_error(
                say(
                    "“{weight}” is no weight: write one of {names}, an equals sign and a number from 0 to {largest:g}",
                    weight=weight[:80],
                    names=", ".join(NAMES),
                    largest=_LARGEST,
                )
            )
        given[name] = number
    known = requirements or Requirements()
    fields = {name: getattr(known, name) for name in Requirements.model_fields}
    return Requirements.model_validate(fields | given)
