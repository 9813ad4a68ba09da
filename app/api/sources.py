"""The data and candidates that a request names, as far as its caller may name them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from app.api.problems import ProblemError
from app.api.service import Caller, Service, own
from knowledge.errors import SpecError
from knowledge.wording import say
from tools import encoders, retrieval
from tools.data_source import STDLIB, DataSource, exists


def source_of(
    service: Service, caller: Caller, dataset: str, documents: int = 0, queries: int = 0
) -> DataSource | None:
    """The data by its id; None where there is none."""
    if not dataset:
        return None
    if dataset == STDLIB:
        return DataSource(path=STDLIB, documents=documents or None, queries=queries or None)
    kept = own(service, caller, "dataset", dataset).content.get("source")
    if kept is None:
        raise ProblemError(
            "not-ready",
            say("The dataset {name} is not complete yet.", name=dataset),
            say("Upload its files, then: POST /v1/datasets/{name}/complete.", name=dataset),
        )
    return DataSource.model_validate(kept)


def specs_of(service: Service, candidates: Sequence[str]) -> tuple[str, ...]:
    """The candidates, each once, and checked as far as that costs nothing.

    Raises:
        SpecError: one of them cannot be read, asks for what there is not, or names a file of this machine.
    """
    if not candidates:
        return ()
    parsed = retrieval.parse(candidates)
    workspace = service.advisor.context.workspace
    for leg in dict.fromkeys(leg for candidate in parsed for leg in candidate.legs if leg.backend != "bm25"):
        if not service.local and (Path(leg.name).is_absolute() or leg.name.startswith((".", "~")) or exists(leg.name)):
            raise SpecError(
                say("{spec} names a file of the server.", spec=leg.spec),
                say("Name a model by its hub id, such as st:intfloat/multilingual-e5-small."),
            )
        encoders.check_dimension(leg, workspace)
    return tuple(candidate.spec for candidate in parsed)
