"""What is new, changed and gone between two catalogs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict

from knowledge.catalog import Catalog
from knowledge.scores import Scores


class Change(BaseModel):
    """One fact of one model or task, before and after; None is "not known"."""

    model_config = ConfigDict(frozen=True)

    name: str
    fact: str
    old: Any
    new: Any


class ListDiff(BaseModel):
    """Entries of one list (models or tasks)."""

    model_config = ConfigDict(frozen=True)

    new: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    changed: tuple[Change, ...] = ()


class ScoreCounts(BaseModel):
    """How many published scores a task has, before and after."""

    model_config = ConfigDict(frozen=True)

    task: str
    old: int
    new: int


class CatalogDiff(BaseModel):
    """Everything that differs."""

    model_config = ConfigDict(frozen=True)

    models: ListDiff
    tasks: ListDiff
    scores_old: int
    scores_new: int
    scores: tuple[ScoreCounts, ...]

    @property
    def empty(self) -> bool:
        """Whether nothing differs."""
        lists = (self.models, self.tasks)
        return not self.scores and not any(part.new or part.gone or part.changed for part in lists)


def compare(old: tuple[Catalog, Scores], new: tuple[Catalog, Scores]) -> CatalogDiff:
    """What changed from one catalog to the other; where a fact comes from does not count."""
    before, after = _score_counts(old[1]), _score_counts(new[1])
    return CatalogDiff(
        models=_entries({c.model: c for c in old[0].cards}, {c.model: c for c in new[0].cards}),
        tasks=_entries({t.task: t for t in old[0].tasks}, {t.task: t for t in new[0].tasks}),
        scores_old=sum(before.values()),
        scores_new=sum(after.values()),
        scores=tuple(
            ScoreCounts(task=task, old=before.get(task, 0), new=after.get(task, 0))
            for task in sorted(before.keys() | after.keys())
            if before.get(task, 0) != after.get(task, 0)
        ),
    )


def _entries(old: Mapping[str, BaseModel], new: Mapping[str, BaseModel]) -> ListDiff:
    return ListDiff(
        new=tuple(sorted(new.keys() - old.keys(), key=str.casefold)),
        gone=tuple(sorted(old.keys() - new.keys(), key=str.casefold)),
        changed=tuple(
            change
            for name in sorted(old.keys() & new.keys(), key=str.casefold)
            if old[name] != new[name]
            for change in _changes(name, old[name], new[name])
        ),
    )


def _changes(name: str, old: BaseModel, new: BaseModel) -> Iterable[Change]:
    before, after = old.model_dump(mode="json"), new.model_dump(mode="json")
    for fact in before:
        if fact != "sources" and before[fact] != after[fact]:
            yield Change(name=name, fact=fact, old=before[fact], new=after[fact])


def _score_counts(scores: Scores) -> dict[str, int]:
    counts: dict[str, int] = {}
    for column in scores.column_task[scores.cell_column]:
        name = scores.tasks[column].name
        counts[name] = counts.get(name, 0) + 1
    return counts
