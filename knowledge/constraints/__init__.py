"""The demands a user can make, one file each: the folder is the registry."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Annotated, Any, Union

from pydantic import Field

from knowledge.constraints.base import Answer, ConstraintBase, Footprint, Origin, Outcome, Verdict


def _discover() -> dict[str, type[ConstraintBase]]:
    found: dict[str, type[ConstraintBase]] = {}
    for info in sorted(iter_modules(__path__), key=lambda m: m.name):
        module = import_module(f"{__name__}.{info.name}")
        for value in vars(module).values():
            own = isinstance(value, type) and issubclass(value, ConstraintBase) and value is not ConstraintBase
            if own and value.__module__ == module.__name__:
                found[value.model_fields["kind"].default] = value
    return found


#: kind -> class, in the order of the file names
CONSTRAINTS: dict[str, type[ConstraintBase]] = _discover()

if TYPE_CHECKING:
    AnyConstraint = ConstraintBase
else:
    AnyConstraint = Annotated[Union[tuple(CONSTRAINTS.values())], Field(discriminator="kind")]  # noqa: UP007


def make_constraint(kind: str, **parameters: Any) -> ConstraintBase:
    """A constraint by its kind; raises KeyError for a kind that has no file here."""
    return CONSTRAINTS[kind](**parameters)


__all__ = [
    "CONSTRAINTS",
    "Answer",
    "AnyConstraint",
    "ConstraintBase",
    "Footprint",
    "Origin",
    "Outcome",
    "Verdict",
    "make_constraint",
]
