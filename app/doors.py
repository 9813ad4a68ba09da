"""The doors by name: a module of this package with a `main`. Doors know this module and not each other."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any


def door(name: str, what: str = "main") -> Callable[..., Any]:
    """The `main` of a door, or what else it offers by name.

    It is imported now and not before; raises ModuleNotFoundError for one that is not there.
    """
    found: Callable[..., Any] = getattr(import_module(f"app.{name}"), what)
    return found
