"""How embedding servers are asked, one protocol a file: the folder is the registry, a module's name the protocol's."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from knowledge.errors import UserError
from knowledge.wording import say
from tools.load.protocols.base import Wire


@cache
def protocol_names() -> tuple[str, ...]:
    """The protocols there are."""
    return tuple(sorted(m.name for m in iter_modules(__path__) if m.name != "base"))


def wire(name: str) -> Wire:
    """A protocol by its name.

    Raises:
        UserError: there is none.
    """
    if name not in protocol_names():
        raise UserError(
            say("There is no protocol called “{name}”.", name=name[:100]),
            say("There are: {names}.", names=", ".join(protocol_names())),
        )
    found: Wire = import_module(f"{__name__}.{name}").WIRE
    return found
