"""A load test of a candidate on this machine as one step: served, tested, and the result kept."""

from __future__ import annotations

from collections.abc import Sequence

from knowledge.dataset import Dataset
from knowledge.progress import OnProgress, ignore
from knowledge.results.load import LoadPoint, LoadTest
from knowledge.results.service import Served, ServiceSettings
from tools.load.steps import Course
from tools.load.sweep import run_load
from tools.load.texts import texts_of
from tools.run_store import keep_run
from tools.service.client import Service
from tools.service.settings import Settings
from tools.service.start import DOCUMENTS, serving
from tools.workspace import Workspace


def load_candidate(
    spec: str,
    dataset: Dataset,
    workspace: Workspace,
    course: Course,
    *,
    settings: Settings | None = None,
    documents: int = DOCUMENTS,
    on_progress: OnProgress = ignore,
) -> LoadTest:
    """Serve a candidate from a process of its own and put it under load.

    Of the dataset's documents so many are searched; the other arguments are those of `serving` and of
    `tools.load.sweep.run_load`.

    Raises:
        AdvisorError: see `tools.service.start.serving`.
    """
    origin, texts = texts_of(dataset)
    searched = searched_of(dataset, documents)
    with serving(spec, searched, workspace, queries=texts, settings=settings) as service:
        found = run_load(
            service,
            texts,
            course,
            origin=origin,
            pids=(service.pid,),
            on_progress=on_progress,
        )
        found = found.model_copy(
            update={
                "data": dataset.summary.name,
                "service": served(service),
                "notes": (*found.notes, *service.notes),
            }
        )
    keep_run(workspace.store, "load", found.run_id, found)
    return found


def searched_of(dataset: Dataset, most: int) -> list[str]:
    """The documents that are searched: the first so many, for which an evaluation has most vectors already."""
    return list(dataset.documents.values())[:most]


def served(service: Service) -> Served:
    """How it was served."""
    return Served(
        settings=ServiceSettings(**service.settings.model_dump()),
        documents=service.documents,
        load_seconds=service.load_seconds,
        index_seconds=service.index_seconds,
        first_query_ms=service.first_query_ms,
    )


def at_rest(found: LoadTest) -> LoadPoint | None:
    """The step that stands for the test: at the rate that is held, the middle of the repeats; else the lowest tried."""
    held = [point for point in (found.repeats or found.points) if not point.broke]
    if found.holds_qps is None or not held:
        return min(found.points, key=lambda point: point.level, default=None)
    level = max(point.level for point in held)
    return middle([point for point in held if point.level == level])


def middle(points: Sequence[LoadPoint]) -> LoadPoint:
    """The one whose p95 is in the middle."""
    in_order = sorted(points, key=lambda point: point.latency.p95_ms if point.latency else float("inf"))
    return in_order[len(in_order) // 2]
