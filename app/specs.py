"""The candidates that a caller of a door names, checked as far as that costs nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from knowledge.errors import SpecError
from knowledge.wording import say
from tools import encoders, retrieval
from tools.data_source import exists
from tools.workspace import Workspace


def checked_specs(candidates: Sequence[str], workspace: Workspace, *, reads_paths: bool) -> tuple[str, ...]:
    """The candidates, each once.

    Raises:
        SpecError: one of them cannot be read, asks for what there is not, or names a file where callers may not.
    """
    if not candidates:
        return ()
    parsed = retrieval.parse(candidates)
    for leg in dict.fromkeys(leg for candidate in parsed for leg in candidate.legs if leg.backend != "bm25"):
        if not reads_paths and (Path(leg.name).is_absolute() or leg.name.startswith((".", "~")) or exists(leg.name)):
            raise SpecError(
                say("{spec} names a file of the server.", spec=leg.spec),
                say("Name a model by its hub id, such as st:intfloat/multilingual-e5-small."),
            )
        encoders.check_dimension(leg, workspace)
    return tuple(candidate.spec for candidate in parsed)
