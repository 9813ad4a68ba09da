"""Tasks beyond ranking, one a file: classification, clustering, similarity, deduplication, bitext mining."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import cast

from knowledge.errors import UserError
from knowledge.measured_task import MEASURED_TASKS, NAMES, MeasuredTask
from knowledge.wording import say
from tools.metrics import scoring
from tools.tasks.base import Features, Figures, Job, Task

__all__ = ["Features", "Figures", "Job", "Task", "check_metrics", "load"]


def load(name: MeasuredTask) -> Task:
    """A task by its name."""
    return cast(Task, import_module(f"{__name__}.{name}"))


def check_metrics(name: MeasuredTask | None, metrics: Sequence[str]) -> None:
    """Raise UserError for a metric that the task does not have, or where there is none at all.

    Args:
        name: the task; None: it is not known yet which, and the metrics of any will do.
        metrics: their names.
    """
    of_any = (kind for kind in MEASURED_TASKS[1:] if {*metrics[:1]} & {*load(kind).METRICS})
    ranking: MeasuredTask = "ranking"
    task = next(of_any, ranking) if name is None else name
    if task == "ranking":
        scoring.check_metrics(metrics)
        return
    known = load(task).METRICS
    unknown = next((metric for metric in metrics if metric not in known), None)
    if unknown is not None or not metrics:
        raise UserError(
            say("There is no metric called “{name}” for {task}.", name=unknown or "", task=NAMES[task]),
            say("There are: {names}.", names=", ".join(known)),
        )
