"""The columns of the score matrix that speak for one kind of task, all on one scale.

A column is one task in one language. Its scores are turned into z-scores over the single-vector encoders, clipped at 3,
and a two-way fit separates what each model adds from how strong the models of the column are: what remains is each
model's *excess* there. A ridge regression on size, age, dimension and use of instructions is each model's *prior*.

Columns of one near-duplicate group and language share a weight of 1 / sqrt(n). A score on a task (or a near-duplicate
of it) that the model says it was trained on counts half: it says less about tasks that are new to the model, but
leaving it out altogether makes no better list (``benchmarks/shortlist``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from knowledge.model_card import ModelCard
from knowledge.scores import Bools, Floats, Ints, Scores

_MIN_MODELS = 8
_CLIP = 3.0
_EFFECT_SHRINKAGE = 1.0
_RIDGE = 1.0
_ROUNDS = 30
_TRAINED_WEIGHT = 0.5


@dataclass(frozen=True, eq=False)
class Columns:
    """The usable columns for some task types, models in rows (one a card, in the cards' order).

    Attributes:
        task, language: indices into the score matrix, one entry a column.
        group: near-duplicate group, numbered; one entry a column.
        has: whether the model was run there.
        values: the published scores (0 to 1), 0 where there is none.
        excess: in units of z, 0 where there is no score.
        weight: of each cell, 0 where there is no score.
        crowd: sqrt(n) for each column, n being the columns of its near-duplicate group and language.
        trained: whether the model says it was trained on the column's group.
        suspect: whether the figure may be a mistake.
        mean, spread: of the column's scores (0 to 1) over the encoders.
        level: how strong the column's models are, in units of z.
        prior: of each model, in units of z.
    """

    task: Ints
    language: Ints
    group: Ints
    has: Bools
    values: Floats
    excess: Floats
    weight: Floats
    crowd: Floats
    trained: Bools
    suspect: Bools
    mean: Floats
    spread: Floats
    level: Floats
    prior: Floats


def is_encoder(card: ModelCard) -> bool:
    """Whether the model turns a text (or image, ...) into one vector, all this program searches with."""
    return "dense" in card.architecture


def distinct(has: Bools, label: Ints) -> Ints:
    """For each row, how many different labels its true columns carry."""
    if not len(label):
        return np.zeros(len(has), dtype=np.int64)
    order = np.argsort(label, kind="stable")
    _, starts = np.unique(label[order], return_index=True)
    counted: Ints = np.logical_or.reduceat(has[:, order], starts, axis=1).sum(axis=1)
    return counted


def usable_columns(
    scores: Scores, cards: Sequence[ModelCard], types: tuple[str, ...], modalities: frozenset[str]
) -> Columns:
    """The columns of these task types that need no other modality and at least 8 encoders were run on."""
    usable_task = np.array([t.type in types and set(t.modalities) <= modalities for t in scores.tasks], dtype=bool)
    encoders = np.array([is_encoder(card) for card in cards], dtype=bool)
    columns, values, suspect = _matrix(scores, cards, usable_task[scores.column_task])
    enough = np.isfinite(values[encoders]).sum(axis=0) >= _MIN_MODELS
    columns, values, suspect = columns[enough], values[:, enough], suspect[:, enough]
    task, language = scores.column_task[columns], scores.column_language[columns]
    groups = {name: i for i, name in enumerate(sorted({task.group for task in scores.tasks}))}
    group = np.array([groups[task.group] for task in scores.tasks], dtype=np.int64)[task]

    has = np.isfinite(values)
    filled = np.where(has, values, 0.0)
    count = np.maximum(has[encoders].sum(axis=0), 1)
    mean = filled[encoders].sum(axis=0) / count
    spread = np.sqrt((np.where(has, values - mean, 0.0)[encoders] ** 2).sum(axis=0) / count)
    spread = np.maximum(spread, 1e-9)
    z = np.where(has, np.clip((filled - mean) / spread, -_CLIP, _CLIP), 0.0)

    shared = np.unique(np.stack([group, language]), axis=1, return_inverse=True, return_counts=True)
    trained = _trained(scores, cards, groups)[:, group] & has
    crowd = np.sqrt(shared[2][shared[1].ravel()])
    weight = has / crowd * np.where(trained, _TRAINED_WEIGHT, 1.0)
    run = encoders & has.any(axis=1)
    effect, level = _two_way(z[run], weight[run])
    known = np.full(len(cards), np.nan)
    known[run] = effect
    return Columns(
        task=task,
        language=language,
        group=group,
        has=has,
        values=filled,
        excess=np.where(has, z - level, 0.0),
        weight=weight,
        crowd=crowd,
        trained=trained,
        suspect=suspect,
        mean=mean,
        spread=spread,
        level=level,
        prior=_prior(cards, known),
    )


def _matrix(scores: Scores, cards: Sequence[ModelCard], usable: Bools) -> tuple[Ints, Floats, Bools]:
    """The usable columns with any score of the cards; scores (NaN: none) and suspicion, cards in rows."""
    index = {card.model: row for row, card in enumerate(cards)}
    row_of = np.array([index.get(name, -1) for name in scores.models], dtype=np.int64)
    cells = usable[scores.cell_column] & (row_of[scores.cell_model] >= 0)
    columns, place = np.unique(scores.cell_column[cells], return_inverse=True)
    rows = row_of[scores.cell_model[cells]]
    values = np.full((len(cards), len(columns)), np.nan)
    values[rows, place] = scores.cell_score[cells]
    suspect = np.zeros(values.shape, dtype=bool)
    suspect[rows, place] = scores.cell_suspect[cells]
    return columns, values, suspect


def _trained(scores: Scores, cards: Sequence[ModelCard], groups: dict[str, int]) -> Bools:
    """Model x group: does the card name a task of the group among its training sets?"""
    group_of = {task.name: groups[task.group] for task in scores.tasks}
    trained = np.zeros((len(cards), len(groups)), dtype=bool)
    for row, card in enumerate(cards):
        for name in card.training_datasets:
            if name in group_of:
                trained[row, group_of[name]] = True
    return trained


def _two_way(z: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """What each model adds and the level of each column, by alternating weighted means."""
    of_model, of_column = weight.sum(axis=1), np.maximum(weight.sum(axis=0), 1e-9)
    sum_of_model, sum_of_column = (weight * z).sum(axis=1), (weight * z).sum(axis=0)
    model, column = np.zeros(len(z)), np.zeros(z.shape[1])
    for _ in range(_ROUNDS):
        model = (sum_of_model - weight @ column) / (of_model + _EFFECT_SHRINKAGE)
        column = (sum_of_column - model @ weight) / of_column
    return model, column


def _prior(cards: Sequence[ModelCard], effect: Floats) -> Floats:
    """Ridge regression of the models' effects on what the cards say; a fact that is missing counts as average."""
    facts = np.array([_facts(card) for card in cards], dtype=np.float64).reshape(len(cards), 4)
    known = np.isfinite(effect)
    if not known.any():
        return np.zeros(len(cards))
    reference = facts[known]
    present = np.isfinite(reference)
    count = np.maximum(present.sum(axis=0), 1)
    mean = np.where(present, reference, 0.0).sum(axis=0) / count
    spread = np.sqrt((np.where(present, reference - mean, 0.0) ** 2).sum(axis=0) / count)
    standard = np.where(np.isfinite(facts), (facts - mean) / np.maximum(spread, 1e-9), 0.0)
    # A vector of 30,000 dimensions is of another kind, not thirty times as telling.
    standard = np.clip(standard, -_CLIP, _CLIP)
    features = np.column_stack([standard, standard[:, :2] ** 2, np.ones(len(cards))])
    penalty = np.diag([_RIDGE] * (features.shape[1] - 1) + [0.0])
    x, y = features[known], effect[known]
    fitted: Floats = features @ np.linalg.lstsq(x.T @ x + penalty, x.T @ y, rcond=None)[0]
    return np.clip(fitted, -_CLIP, _CLIP)


def _facts(card: ModelCard) -> list[float]:
    """Log parameters, release date, log dimension, instructions; NaN where not known."""
    unknown = float("nan")
    return [
        float(np.log(card.parameters)) if card.parameters else unknown,
        card.release_date.toordinal() / 365.25 if card.release_date else unknown,
        float(np.log(card.dimension)) if card.dimension else unknown,
        unknown if card.uses_instructions is None else float(card.uses_instructions),
    ]
