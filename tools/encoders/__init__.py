"""Encoder backends, one a file: the folder is the registry, a module's name its prefix in a spec."""

from __future__ import annotations

from contextlib import suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import cast

from knowledge.candidate import Leg
from knowledge.catalog_in_use import usable_catalog
from knowledge.errors import SpecError, UnknownModelError
from knowledge.wording import say
from tools import chunking
from tools.encoders.base import Backend, Encoder, Kind, Resolved, Vectors, cut
from tools.setups import OPTIONS, dimension_of, setup_of
from tools.setups.options import too_long_first
from tools.workspace import Workspace

#: options that mean the same for every backend: what is done with finished vectors, and what texts are encoded
COMMON_OPTIONS = OPTIONS | chunking.OPTIONS


@cache
def backend_names() -> tuple[str, ...]:
    """The prefixes there are."""
    return tuple(sorted(m.name for m in iter_modules(__path__) if m.name != "base"))


def backend(name: str) -> Backend:
    """A backend by its prefix; raises SpecError for one that has no file here."""
    if name not in backend_names():
        raise SpecError(
            say("There is no encoder backend called “{name}”.", name=name),
            say("There are: {names}.", names=", ".join((*backend_names(), "bm25"))),
        )
    return cast(Backend, import_module(f"{__name__}.{name}"))


def check_options(leg: Leg, own: frozenset[str]) -> None:
    """Raise SpecError for an option that the leg's backend does not have, or an impossible set-up."""
    # only one vector a text can be cut, stored in other forms and indexed
    common = COMMON_OPTIONS if backend(leg.backend).FORM == "dense" else chunking.OPTIONS
    unknown = sorted(set(leg.options) - own - common)
    if unknown:
        raise SpecError(
            say("{backend} has no option “{name}” ({spec}).", backend=leg.backend, name=unknown[0], spec=leg.spec),
            say("It has: {names}.", names=", ".join(sorted(own | common))),
        )
    setup_of(leg)
    chunking.rules_of(leg)


def check(leg: Leg) -> None:
    """Raise SpecError for a backend, an option or a combination of options that does not exist."""
    module = backend(leg.backend)
    check_options(leg, module.OPTIONS)
    module.check(leg)


def check_dimension(leg: Leg, workspace: Workspace) -> None:
    """Raise SpecError for more dimensions than the model is known to have; `finish` finds out for those not known."""
    wanted, first = dimension_of(leg), setup_of(leg).first
    if (wanted or first) is None or leg.backend == "openai":  # an endpoint's names are its own
        return
    has: int | None = None
    if (leg.backend, leg.name) == ("static", "wordllama"):
        from tools.encoders.static import WORDLLAMA_DIMENSION

        has = WORDLLAMA_DIMENSION
    elif leg.revision is None and not Path(leg.name).expanduser().exists():
        with suppress(UnknownModelError):
            has = usable_catalog(workspace.home).catalog.card(leg.name).dimension
    if has is not None and wanted is not None and wanted > has:
        raise _too_long(leg, wanted, has)
    if has is not None and first is not None and first >= has:
        raise too_long_first(leg, first, has)


def _too_long(leg: Leg, wanted: int, has: int) -> SpecError:
    return SpecError(
        say("{spec} asks for {wanted} dimensions, but the model has {has}.", spec=leg.spec, wanted=wanted, has=has),
        say("Ask for at most {has}.", has=has),
    )


def resolve(leg: Leg, workspace: Workspace) -> Resolved:
    """Find what a leg stands for, without loading it.

    Args:
        leg: the leg; options that only concern finished vectors, or which texts are read, are left out.
        workspace: where to look.

    Raises:
        SpecError: unknown backend or option, or more dimensions than the catalog says that the model has.
        UnknownModelError: neither on disk nor on the hub.
        HubUnreachableError: not on disk, and the hub cannot be asked.
        MissingExtraError: the backend's libraries are not installed.
    """
    module = backend(leg.backend)
    check_options(leg, module.OPTIONS)
    check_dimension(leg, workspace)
    bare = leg.model_copy(update={"options": {k: v for k, v in leg.options.items() if k not in COMMON_OPTIONS}})
    return module.resolve(bare, workspace)


def load(resolved: Resolved, workspace: Workspace | None = None) -> Encoder:
    """Load a resolved encoder."""
    return backend(resolved.backend).load(resolved, workspace)


def finish(vectors: Vectors, leg: Leg, resolved: Resolved) -> Vectors:
    """A leg's vectors from its encoder's: cut to the leg's dimension, and of unit length where the model wants that.

    Raises:
        SpecError: the leg asks for more dimensions than there are, or as many for its first stage.
    """
    wanted, first, has = dimension_of(leg), setup_of(leg).first, vectors.shape[1]
    if wanted is not None and wanted > has:
        raise _too_long(leg, wanted, has)
    if first is not None and first >= has:
        raise too_long_first(leg, first, has)
    return cut(vectors, wanted, normalise=resolved.normalise)


__all__ = [
    "COMMON_OPTIONS",
    "Encoder",
    "Kind",
    "Resolved",
    "Vectors",
    "backend",
    "backend_names",
    "check",
    "check_dimension",
    "check_options",
    "cut",
    "dimension_of",
    "finish",
    "load",
    "resolve",
]
