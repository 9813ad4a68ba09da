"""How good models are likely to be on a task that nobody has run them on: three readings of the score matrix, averaged.

The ladder (shrunken means by language), kriging (each model by the tasks most like the user's) and low rank (missing
scores filled in from like models) err differently; their plain mean leaves less on the table than any of them
(``benchmarks/shortlist`` prints all four). Fitting takes half a second for retrieval, so the fits of the shipped
matrix are shipped with it (``fits.npz``); any other matrix is fitted when it is first asked about.
"""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from knowledge.columns import Columns, distinct, usable_columns
from knowledge.kriging import krige, kriged
from knowledge.ladder import level_1, level_2
from knowledge.likeness import Likeness, Target, likeness
from knowledge.low_rank import column_weights, completed, factorise
from knowledge.model_card import ModelCard
from knowledge.scores import Bools, Floats, Ints, Scores, times

#: the file of fits beside the score matrix, and the arrays of each
FITS = "fits.npz"
Singles = NDArray[np.float32]
PARTS = ("weights", "models", "tasks")


@dataclass(frozen=True, eq=False)
class Reading:
    """Where the models stand on one target; one entry a model, in units of z unless said otherwise.

    Attributes:
        z: the mean of the three readings; kriging alone where no task is in the language.
        points: score points (0 to 1) per unit of z.
        centre: score of an average model on such a task.
        inside: the columns in the target's language; all columns where the language is None.
        alike: how much each column counts for the target; they sum to 1.
    """

    z: Floats
    points: float
    centre: float
    inside: Bools
    alike: Floats


@dataclass(frozen=True, eq=False)
class Outlook:
    """The score matrix for some task types, fitted.

    Attributes:
        scale: the columns of the type that sets metric and scale (all, where it has none).
        above: level 1 of the ladder.
        weights: of kriging.
        full: every model's excess in every column.
    """

    scores: Scores
    columns: Columns
    like: Likeness
    scale: Bools
    above: Floats
    weights: Singles
    full: Singles

    @cached_property
    def groups_in_all(self) -> Ints:
        """On how many near-duplicate groups of tasks each model was run."""
        return distinct(self.columns.has, self.columns.group)

    @cached_property
    def tasks_in_all(self) -> Ints:
        """On how many tasks each model was run."""
        return distinct(self.columns.has, self.columns.task)

    def read(self, target: Target) -> Reading:
        """Where the models stand on a target."""
        columns = self.columns
        if not len(columns.task):  # nothing was ever run on such tasks
            none, nothing = np.zeros(0), np.zeros(0, dtype=bool)
            return Reading(columns.prior, 0.0, 0.5, nothing, none)
        known = target.language in self.scores.languages
        mine = columns.language == (self.scores.languages.index(str(target.language)) if known else -1)
        alike = column_weights(columns, self.like, target)
        by_likeness = kriged(self.weights, columns, self.like, target)
        # Where no task is in the language, the ladder falls back on all the others, most of them English; kriging
        # still tells those that are foreign to English apart.
        alone = target.language is not None and not mine.any()
        readings = (
            [by_likeness] if alone else [by_likeness, level_2(columns, mine, self.above), times(self.full, alike)]
        )
        scale = alike * self.scale
        scale = scale / scale.sum() if scale.sum() else scale
        typical = columns.mean + columns.spread * columns.level
        return Reading(
            z=np.mean(readings, axis=0),
            points=float(np.exp(scale @ np.log(columns.spread))) if scale.any() else 0.0,
            centre=float(scale @ typical) if scale.any() else 0.5,
            inside=mine if target.language is not None else np.ones_like(mine),
            alike=alike,
        )


Parts = Mapping[str, Floats]


def outlook(
    scores: Scores,
    cards: Sequence[ModelCard],
    types: tuple[str, ...],
    modalities: frozenset[str],
    fits: Path | None = None,
) -> Outlook:
    """The matrix fitted to some task types, the one that sets metric and scale first; a file of fits saves the work."""
    columns = usable_columns(scores, cards, types, modalities)
    like = likeness(scores, columns)
    parts = (read_fit(fits, digest(columns, like)) if fits else None) or fitted(columns, like)
    first = np.array([scores.tasks[t].type == types[0] for t in columns.task], dtype=bool)
    weights = np.zeros(columns.has.shape, dtype=np.float32)  # half the memory; the file has no more digits
    weights[columns.has] = parts["weights"]
    return Outlook(
        scores=scores,
        columns=columns,
        like=like,
        scale=first if first.any() else np.ones_like(first),
        above=level_1(columns),
        weights=weights,
        full=completed(columns, (parts["models"], parts["tasks"])).astype(np.float32),
    )


def fitted(columns: Columns, like: Likeness) -> dict[str, Floats]:
    """What takes time: kriging's weights (one for each score) and the factors of models and columns."""
    models, tasks = factorise(columns)
    return {"weights": krige(columns, like)[columns.has], "models": models, "tasks": tasks}


def digest(columns: Columns, like: Likeness) -> str:
    """Names what a fit was made from, to 4 digits: the same matrix and cards give the same name on any machine."""
    found = hashlib.sha256(repr(columns.has.shape).encode())
    has = columns.has
    found.update(np.packbits(has).tobytes())
    for part in (columns.excess[has], columns.weight[has], columns.prior, like.lengths, like.domains):
        # Adding 0 makes -0 the same as 0; rounding hides the last digits, in which machines differ.
        found.update((np.round(np.nan_to_num(part, nan=-1.0), 3) + 0.0).astype(np.float32).tobytes())
    return found.hexdigest()[:16]


def read_fit(path: Path, name: str) -> Parts | None:
    """The fit of that digest; None where the file is missing or damaged or has none, for a fit only saves time."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            return {part: arrays[f"{name}-{part}"].astype(np.float64) for part in PARTS}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error):
        return None
