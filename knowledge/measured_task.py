"""What can be measured on a user's data: a ranking, classes, clusters, how alike two texts are."""

from __future__ import annotations

from typing import Literal, get_args

from knowledge.requirements import Task
from knowledge.results import DatasetSummary
from knowledge.wording import Items, Text, say, spoken_of

MeasuredTask = Literal["ranking", "classification", "clustering", "similarity", "deduplication", "bitext"]
MEASURED_TASKS: tuple[MeasuredTask, ...] = get_args(MeasuredTask)

#: what speaks for a task, whatever of it the data allows
_FOR: dict[Task | MeasuredTask, tuple[MeasuredTask, ...]] = {
    "ranking": ("ranking",),
    "bitext": ("bitext",),
    "search": ("ranking",),
    "rag": ("ranking",),
    "recommendation": ("ranking",),
    "reranking": ("ranking",),
    "code_search": ("ranking",),
    "cross_modal": ("ranking",),
    "classification": ("classification",),
    "clustering": ("clustering",),
    "similarity": ("similarity", "deduplication", "bitext"),
    "deduplication": ("deduplication", "similarity", "bitext"),
}
#: the task of a user whose data is like this, where nothing was said of it
TASK_OF: dict[MeasuredTask, Task] = {
    "ranking": "search",
    "classification": "classification",
    "clustering": "clustering",
    "similarity": "similarity",
    "deduplication": "deduplication",
    "bitext": "similarity",
}
NAMES: dict[MeasuredTask, Text] = {
    "ranking": say("ranking documents"),
    "classification": say("classification"),
    "clustering": say("clustering"),
    "similarity": say("similarity of pairs"),
    "deduplication": say("finding duplicates"),
    "bitext": say("finding translations"),
}


def measurable(data: DatasetSummary) -> tuple[MeasuredTask, ...]:
    """What this data has the labels for, what it says most of first."""
    found: list[MeasuredTask] = ["ranking"] if data.judgments else []
    if data.classes:
        found += ["classification", "clustering"]
    if data.scores:
        of_pairs: dict[str, MeasuredTask] = {
            "graded": "similarity",
            "binary": "deduplication",
            "translations": "bitext",
        }
        found.append(of_pairs[data.scores])
    return tuple(found)


def measured_task(data: DatasetSummary, task: Task | MeasuredTask | None = None) -> MeasuredTask | None:
    """What is measured on this data for the user's task; None where it has no labels for that.

    Args:
        data: what was read.
        task: the user's; None: whatever the data has labels for.
    """
    possible = measurable(data)
    if task is None:
        return next(iter(possible), None)
    return next((kind for kind in _FOR[task] if kind in possible), None)


def is_mean(task: MeasuredTask, metric: str) -> bool:
    """Whether a metric is the mean of a score that each query, text or pair has, rather than one figure over all."""
    return task == "ranking" or metric.startswith("Accuracy") or metric == "F1(bitext)"


def items_of(task: MeasuredTask) -> Items | None:
    """What is scored one by one, for `wording.spoken_of`; None: queries."""
    if task == "ranking":
        return None
    return "texts" if task in ("classification", "clustering") else "pairs"


def counted(task: MeasuredTask, count: int) -> Text:
    """How many are scored, in words: "300 queries", "1 pair"."""
    said = say("1 query") if count == 1 else say("{count} queries", count=count)
    return spoken_of(said, items_of(task))
