"""Two models by the published scores that both have: on which tasks, and who is ahead where."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from knowledge.scores import Scores


@dataclass(frozen=True)
class SharedTask:
    """A published task that two models were run on; near-duplicates count as one, by their mean.

    Attributes:
        group: of near-duplicates; a task of its own has its own name.
        columns: tasks and languages behind it.
        first, second: main score of each model (0 to 1; correlations may be negative).
    """

    group: str
    columns: int
    first: float
    second: float

    @property
    def difference(self) -> float:
        """First minus second."""
        return self.first - self.second


def shared_tasks(
    scores: Scores,
    first: str,
    second: str,
    types: tuple[str, ...],
    modalities: frozenset[str],
    languages: Collection[str] = (),
) -> tuple[SharedTask, ...]:
    """The tasks that both were run on, by group; figures that may be a mistake are left out, with their counterpart.

    Args:
        scores: what was published.
        first: a model by its name in the catalog.
        second: another.
        types: of tasks, as the benchmark calls them.
        modalities: tasks that need any other are left out.
        languages: codes; empty takes all.
    """
    if first not in scores.models or second not in scores.models:
        return ()
    usable = np.array([t.type in types and set(t.modalities) <= modalities for t in scores.tasks], dtype=bool)
    wanted = usable[scores.column_task]
    if languages:
        spoken = np.array([language in languages for language in scores.languages], dtype=bool)
        wanted &= spoken[scores.column_language]
    both = [_by_column(scores, scores.models.index(model)) for model in (first, second)]
    pairs: dict[str, list[tuple[float, float]]] = {}
    for column in sorted(both[0].keys() & both[1].keys()):
        if wanted[column]:
            group = scores.tasks[scores.column_task[column]].group
            pairs.setdefault(group, []).append((both[0][column], both[1][column]))
    return tuple(
        SharedTask(group, len(found), *(float(mean) for mean in np.mean(found, axis=0)))
        for group, found in pairs.items()
    )


def _by_column(scores: Scores, model: int) -> dict[int, float]:
    cells = np.flatnonzero((scores.cell_model == model) & ~scores.cell_suspect)
    return dict(zip(scores.cell_column[cells].tolist(), scores.cell_score[cells].tolist(), strict=True))
