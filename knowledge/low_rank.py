"""Low rank: the missing scores filled in by what models with like scores did, then averaged over like tasks.

Vendors choose what to run their models on. Here every model is judged over the same columns, its missing scores
estimated by a factorisation of the score matrix (alternating least squares; Zhou et al., "Large-scale Parallel
Collaborative Filtering for the Netflix Prize", 2008), so that nobody gains by what was left out.
"""

from __future__ import annotations

import numpy as np

from knowledge.columns import Columns
from knowledge.ladder import level_1
from knowledge.likeness import Likeness, Target
from knowledge.scores import Floats

_RANK = 6
_RIDGE = 3.0
_ROUNDS = 12
# How much a column counts for a target: 1 in its language, else far less, more where texts are alike.
_ELSEWHERE = 0.02
_FOREIGN = 0.1
_LENGTH = 3.0
_DOMAIN = 1.0
_WIDTH = 0.7


def factorise(columns: Columns) -> tuple[Floats, Floats]:
    """Factors of models and of columns; their product estimates what is left of a score beside `level_1`."""
    rank = min(_RANK, *columns.has.shape)
    left = np.where(columns.has, columns.excess - level_1(columns)[:, None], 0.0)
    if not rank or not columns.has.any():
        return np.zeros((len(left), 0)), np.zeros((left.shape[1], 0))
    u, s, v = np.linalg.svd(left, full_matrices=False)
    models: Floats = u[:, :rank].astype(np.float64) * np.sqrt(s[:rank])
    tasks: Floats = v[:rank].T.astype(np.float64) * np.sqrt(s[:rank])
    for _ in range(_ROUNDS):
        models = _solved(columns.weight, left, tasks)
        tasks = _solved(columns.weight.T, left.T, models)
    # A pair of factors means the same with both signs turned; machines differ in which they find.
    sign: Floats = np.sign(models[np.abs(models).argmax(axis=0), np.arange(rank)])
    return models * sign, tasks * sign


def _solved(weight: Floats, left: Floats, other: Floats) -> Floats:
    """The ridge regression of every row of `left` on the other side's factors."""
    rank = other.shape[1]
    pairs = (other[:, :, None] * other[:, None, :]).reshape(len(other), rank * rank)
    normal = (weight @ pairs).reshape(len(weight), rank, rank) + _RIDGE * np.eye(rank)
    solved = np.linalg.solve(normal, ((weight * left) @ other)[:, :, None])
    return np.asarray(solved[:, :, 0], dtype=np.float64)


def completed(columns: Columns, factors: tuple[Floats, Floats]) -> Floats:
    """Every model's excess in every column, estimated where it was not run."""
    models, tasks = factors
    full: Floats = np.where(columns.has, columns.excess, level_1(columns)[:, None] + models @ tasks.T)
    return full


def column_weights(columns: Columns, like: Likeness, target: Target) -> Floats:
    """How much each column counts for the target; they sum to 1."""
    parts = like.to(target, _WIDTH)
    alike = 1 + _LENGTH * parts.length + _DOMAIN * parts.domain
    weights = (_ELSEWHERE + parts.language + _FOREIGN * parts.foreign) * alike / columns.crowd
    summed: Floats = weights / max(weights.sum(), 1e-9)
    return summed
