"""The ladder: shrunken means on top of each other, so that little evidence in a language borrows from the others.

Level 1 = (weighted sum of the excess over all columns + 5 x prior) / (weighted count + 5). Level 2 = the same over the
columns in the user's language, with level 1 in the place of the prior.
"""

from __future__ import annotations

import numpy as np

from knowledge.columns import Columns
from knowledge.scores import Bools, Floats

_SHRINKAGE = 5.0


def level_1(columns: Columns) -> Floats:
    """Where the models stand over all columns, shrunk towards their priors; in units of z."""
    return _shrunken(columns, np.ones(len(columns.task), dtype=bool), columns.prior)


def level_2(columns: Columns, inside: Bools, above: Floats) -> Floats:
    """Where the models stand over the columns `inside` (those in a language), shrunk towards level 1, given `above`."""
    return _shrunken(columns, inside, above) if inside.any() else above


def _shrunken(columns: Columns, inside: Bools, towards: Floats) -> Floats:
    weight = columns.weight[:, inside]
    evidence = (weight * columns.excess[:, inside]).sum(axis=1)
    found: Floats = (evidence + _SHRINKAGE * towards) / (weight.sum(axis=1) + _SHRINKAGE)
    return found
