"""The data and candidates that a request names, as far as its caller may name them."""

from __future__ import annotations

from collections.abc import Sequence

from app.api.problems import ProblemError
from app.api.service import Caller, Service, own
from app.specs import checked_specs
from knowledge.wording import say
from tools.data_source import STDLIB, DataSource


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
    """The candidates, each once, and checked; raises SpecError."""
    return checked_specs(candidates, service.advisor.context.workspace, reads_paths=service.local)
