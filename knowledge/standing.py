"""How well a model is established, from what is on file: never from a guess at its popularity."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from pydantic import BaseModel, ConfigDict

from knowledge.catalog import Catalog
from knowledge.model_card import ModelCard
from knowledge.scores import Scores
from knowledge.wording import Text, join, say


class Standing(BaseModel):
    """What is known of a model's standing. How often it is downloaded or used is not.

    Attributes:
        tasks: benchmark tasks with a published score of it.
        benchmarks_run: benchmarks of which every task has one.
        benchmarks_in_part: benchmarks of which some tasks have one, not all.
        derived: models of the catalog that name it as what they were made from.
        age_days: from its release to the day asked about; None where the release is not known.
    """

    model_config = ConfigDict(frozen=True)

    tasks: int
    benchmarks_run: tuple[str, ...] = ()
    benchmarks_in_part: int = 0
    derived: int = 0
    release_date: dt.date | None = None
    age_days: int | None = None
    superseded_by: str | None = None

    def line(self) -> Text:
        """All of it in one line."""
        parts = [self._scored()]
        if self.derived:
            parts.append(say("{count} models of the catalog were made from it.", count=self.derived))
        if self.release_date and self.age_days is not None:
            parts.append(_released(self.release_date, self.age_days))
        else:
            parts.append(say("When it was released is not known."))
        if self.superseded_by:
            parts.append(say("Its publisher names {model} as its successor.", model=self.superseded_by))
        parts.append(say("How often it is downloaded is not known."))
        return join(parts)

    def _scored(self) -> Text:
        if not self.tasks:
            return say("No published benchmark scores.")
        return say(
            "Scores on {tasks:,} benchmark tasks: all of {whole} benchmarks, parts of {part} more.",
            tasks=self.tasks,
            whole=len(self.benchmarks_run),
            part=self.benchmarks_in_part,
        )


def _released(date: dt.date, days: int) -> Text:
    if days < 0:
        return say("Its release is dated {date}.", date=str(date))
    if days < 365:
        return say("Released {date}, {months} months ago.", date=str(date), months=days // 30)
    return say("Released {date}, {years} years ago.", date=str(date), years=f"{days / 365.25:.1f}")


def standing_of(card: ModelCard, catalog: Catalog, scores: Scores, today: dt.date) -> Standing:
    """What the catalog and the score matrix know of a model's standing on a day."""
    done = _tasks_of(card.model, scores)
    known = _known(catalog)
    run = {name: len(tasks & done) / len(tasks) for name, tasks in known.benchmarks.items()}
    return Standing(
        tasks=len(done),
        benchmarks_run=tuple(name for name, share in run.items() if share == 1),
        benchmarks_in_part=sum(0 < share < 1 for share in run.values()),
        derived=known.derived[card.model.casefold()],
        release_date=card.release_date,
        age_days=(today - card.release_date).days if card.release_date else None,
        superseded_by=card.superseded_by,
    )


def _tasks_of(model: str, scores: Scores) -> frozenset[str]:
    return _run(scores).get(model, frozenset())


@lru_cache(maxsize=2)
def _run(scores: Scores) -> dict[str, frozenset[str]]:
    """The tasks that each model has a score on."""
    tasks: dict[str, set[str]] = {}
    pairs = np.unique(np.stack([scores.cell_model, scores.column_task[scores.cell_column]]), axis=1)
    for model, task in pairs.T.tolist():
        tasks.setdefault(scores.models[model], set()).add(scores.tasks[task].name)
    return {model: frozenset(found) for model, found in tasks.items()}


class _Known(NamedTuple):
    benchmarks: Mapping[str, frozenset[str]]
    derived: Counter[str]


@lru_cache(maxsize=4)
def _known(catalog: Catalog) -> _Known:
    benchmarks: dict[str, set[str]] = {}
    for task in catalog.tasks:
        for name in task.benchmarks:
            benchmarks.setdefault(name, set()).add(task.task)
    derived = Counter(card.adapted_from.casefold() for card in catalog.cards if card.adapted_from)
    return _Known({name: frozenset(tasks) for name, tasks in sorted(benchmarks.items())}, derived)
