"""What a protocol is: where the request goes, what it says, and how an answer is told from something else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Wire:
    """One protocol.

    Attributes:
        path: of an embedding request, below the server's root.
        names_path: where a server of this kind tells what it serves, at no cost.
        request: text and model -> the body, to be written as JSON.
        vector: the answer -> its first vector; raises KeyError, IndexError or TypeError for anything else.
        names: the answer at `names_path` -> the models it serves; raises as `vector` does.
        sign: bytes that each answer with a vector holds. Reading every vector would cost the generator more time than
            sending; one answer is read whole, of the others this is looked for.
        wants_model: whether a request names its model.
        parts: response header -> the part of the time, in milliseconds, that the server says it took.
    """

    path: str
    names_path: str
    request: Callable[[str, str], Mapping[str, Any]]
    vector: Callable[[Any], list[float]]
    names: Callable[[Any], list[str]]
    sign: bytes
    wants_model: bool = True
    parts: Mapping[str, str] = field(default_factory=dict)

    def took(self, headers: Mapping[str, str]) -> dict[str, float]:
        """What the server says of its own time; what is no number is left out."""
        return {part: float(told) for name, part in self.parts.items() if _is_number(told := headers.get(name, ""))}


def _is_number(told: str) -> bool:
    return told.replace(".", "", 1).isascii() and told.replace(".", "", 1).isdigit()
