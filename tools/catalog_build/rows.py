"""What a catalog is built from, whoever read it: rows of models and tasks, cells of scores, and what is known of them.

Two readers make it: `tables` from the distilled tables, `mteb_package` and `results` from an installed mteb and its
published results.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Row = Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Cells:
    """Scores as four rows of `index`: model, task, subset (indices into the names) and score x 10,000.

    A subset is the tags of its languages as published: ``zho-Hans``, or ``eng-Latn,python-Code``.
    """

    models: Sequence[str]
    tasks: Sequence[str]
    subsets: Sequence[str]
    index: Array = field(default_factory=lambda: np.zeros((4, 0), dtype=np.int64))


@dataclass(frozen=True, eq=False)
class Rows:
    """All that the builder needs.

    Attributes:
        models, tasks: one mapping a row, with the columns that `models.COLUMNS` and `tasks.COLUMNS` name.
        cells: every published score.
        groups: task -> its group of near-duplicates; a task that is not in it is a group of its own.
        suspects: (model, task, language code) -> the score that was suspected, None for any.
        mteb: the version of mteb the metadata comes from.
        results: which snapshot of the published results.
        fresh: whether this was read just now, so that its facts hold on the day of the build; the distilled tables
            are as old as ``sources.json`` says.
        notes: what was left out on the way, for whoever builds.
    """

    models: Sequence[Row]
    tasks: Sequence[Row]
    cells: Cells
    groups: Mapping[str, str]
    suspects: Mapping[tuple[str, str, str], float | None]
    mteb: str
    results: str
    fresh: bool = False
    notes: Sequence[str] = ()
