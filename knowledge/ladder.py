"""The ladder: how published scores are turned into one standing per model.

Shrunken means on top of each other, fitted at run time from the score matrix alone:

1. Every column (one task, one language) with at least 8 models is turned into z-scores, clipped at 3. A column
   weighs 1/sqrt(n) where n columns share its near-duplicate group and language.
2. A two-way fit separates what the model adds (a) from how strong the models of a column are (b).
3. A ridge regression of a on parameters, release date, dimension and use of instructions is each model's prior.
4. Level 1 = (weighted sum of (z - b) over all columns + 5 x prior) / (weighted count + 5).
5. Level 2 = the same over the columns in the user's language, with level 1 in the place of the prior.

Points per unit of z are the median standard deviation of the language's columns. ``benchmarks/shortlist`` measures how
good the resulting order is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from knowledge.model_card import ModelCard
from knowledge.scores import Bools, Floats, Ints, Scores

_MIN_MODELS = 8
_CLIP = 3.0
_SHRINKAGE = 5.0
_EFFECT_SHRINKAGE = 1.0
_RIDGE = 1.0
_ROUNDS = 30


@dataclass(frozen=True)
class Standing:
    """Where the models stand in one language, in units of z; one entry a model.

    Attributes:
        z: level 2 of the ladder.
        points: score points (0 to 1) per unit of z.
        centre: score of an average model (z = 0) on a typical task.
        metric: the main score most of the language's tasks use.
        tasks, groups: how many tasks and near-duplicate groups each model has scores for in this language.
    """

    z: Floats
    points: float
    centre: float
    metric: str
    tasks: Ints
    groups: Ints


class Ladder:
    """The ladder fitted to some task types.

    Args:
        cards: the models to place; columns are normalised over the single-vector encoders among them.
        types: benchmark task types, the one that sets metric and scale first.
        modalities: only tasks that need no other modality count.
    """

    def __init__(
        self,
        scores: Scores,
        cards: Sequence[ModelCard],
        types: tuple[str, ...],
        modalities: frozenset[str] = frozenset({"text"}),
    ) -> None:
        self._scores, self._cards, self._types = scores, cards, types
        usable_task = np.array(
            [t.type in types and set(t.modalities) <= modalities for t in scores.tasks],
            dtype=bool,
        )
        self._in_pool = np.array([is_encoder(card) for card in cards], dtype=bool)
        values, self.columns = self._matrix(usable_task[scores.column_task])
        self.has = np.isfinite(values)
        self._normalise(values)
        self._fit()

    def _matrix(self, usable: Bools) -> tuple[Floats, Ints]:
        """Scores of the cards (rows) on usable columns with enough models, NaN where there is none."""
        scores = self._scores
        index = {card.model: row for row, card in enumerate(self._cards)}
        row_of = np.array([index.get(name, -1) for name in scores.models], dtype=np.int64)
        cells = usable[scores.cell_column] & (row_of[scores.cell_model] >= 0)
        columns, place = np.unique(scores.cell_column[cells], return_inverse=True)
        values = np.full((len(self._cards), len(columns)), np.nan)
        values[row_of[scores.cell_model[cells]], place] = scores.cell_score[cells]
        enough = np.isfinite(values[self._in_pool]).sum(axis=0) >= _MIN_MODELS
        flagged = cells & scores.cell_suspect
        self._suspect = np.zeros((len(self._cards), int(enough.sum())), dtype=bool)
        kept = columns[enough]
        known = flagged & np.isin(scores.cell_column, kept)
        self._suspect[row_of[scores.cell_model[known]], np.searchsorted(kept, scores.cell_column[known])] = True
        return values[:, enough], columns[enough]

    def _normalise(self, values: Floats) -> None:
        count = np.maximum(self.has[self._in_pool].sum(axis=0), 1)
        filled = np.where(self.has, values, 0.0)
        mean = filled[self._in_pool].sum(axis=0) / count
        spread = np.sqrt((np.where(self.has, values - mean, 0.0)[self._in_pool] ** 2).sum(axis=0) / count)
        spread = np.maximum(spread, 1e-9)
        self._mean, self._spread = mean, spread
        self._z = np.where(self.has, np.clip((filled - mean) / spread, -_CLIP, _CLIP), 0.0)
        scores = self._scores
        self.task = scores.column_task[self.columns]
        self.language = scores.column_language[self.columns]
        groups = {name: i for i, name in enumerate(sorted({task.group for task in scores.tasks}))}
        group_of_task = np.array([groups[task.group] for task in scores.tasks], dtype=np.int64)
        self.group = group_of_task[self.task]
        shared = np.unique(np.stack([self.group, self.language]), axis=1, return_inverse=True, return_counts=True)
        self._weights = self.has / np.sqrt(shared[2][shared[1].ravel()])

    def _fit(self) -> None:
        pool = self._in_pool
        weights, z = self._weights[pool], self._z[pool]
        weight_of_model, weight_of_column = weights.sum(axis=1), np.maximum(weights.sum(axis=0), 1e-9)
        sum_of_model, sum_of_column = (weights * z).sum(axis=1), (weights * z).sum(axis=0)
        column = np.zeros(len(self.columns))
        model = np.zeros(len(z))
        for _ in range(_ROUNDS):
            model = (sum_of_model - weights @ column) / (weight_of_model + _EFFECT_SHRINKAGE)
            column = (sum_of_column - model @ weights) / weight_of_column
        self._column_effect = column
        self.excess = np.where(self.has, self._z - column, 0.0)
        effect = np.full(len(self._cards), np.nan)
        effect[pool] = np.where(weight_of_model > 0, model, np.nan)
        self.prior = _prior(self._cards, effect)
        self.level_1 = self._shrunken(np.ones(len(self.columns), dtype=bool), self.prior)

    def _shrunken(self, columns: Bools, towards: Floats) -> Floats:
        weights = self._weights[:, columns]
        evidence = (weights * self.excess[:, columns]).sum(axis=1)
        result: Floats = (evidence + _SHRINKAGE * towards) / (weights.sum(axis=1) + _SHRINKAGE)
        return result

    def standing(self, language: str | None) -> Standing:
        """Where the models stand in a language; None, or a language without a task, leaves them on level 1."""
        known = language is not None and language in self._scores.languages
        inside = self.language == (self._scores.languages.index(str(language)) if known else -1)
        z = self._shrunken(inside, self.level_1) if inside.any() else self.level_1
        counted = inside if language is not None else np.ones_like(inside)
        scale = inside if inside.any() else np.ones_like(inside)
        first = np.array([self._scores.tasks[t].type == self._types[0] for t in self.task], dtype=bool)
        scale = scale & first if (scale & first).any() else scale
        metrics = [self._scores.tasks[t].metric for t in self.task[scale]]
        typical = self._mean + self._spread * self._column_effect
        return Standing(
            z=z,
            points=float(np.median(self._spread[scale])) if scale.any() else 0.0,
            centre=float(np.median(typical[scale])) if scale.any() else 0.5,
            metric=metric_name(max(sorted(set(metrics)), key=metrics.count)) if metrics else "score",
            tasks=_distinct(self.has[:, counted], self.task[counted]),
            groups=_distinct(self.has[:, counted], self.group[counted]),
        )

    def behind(self, languages: Sequence[str]) -> tuple[list[tuple[str, ...]], Ints]:
        """Per model, the names of its tasks in these languages (none given: in all); rows with a suspect score."""
        names = self._scores.languages
        wanted = {names.index(language) for language in languages if language in names}
        inside = np.array([not languages or language in wanted for language in self.language], dtype=bool)
        tasks = self.task[inside]
        behind = [tuple(sorted({self._scores.tasks[t].name for t in tasks[row]})) for row in self.has[:, inside]]
        return behind, np.nonzero(self._suspect[:, inside].any(axis=1))[0]


def is_encoder(card: ModelCard) -> bool:
    """Whether the model turns a text (or image, ...) into one vector, all this program searches with."""
    return "dense" in card.architecture


def _distinct(has: Bools, label: Ints) -> Ints:
    """For each row, how many different labels its true columns carry."""
    total = np.zeros(len(has), dtype=np.int64)
    for value in np.unique(label):
        total += has[:, label == value].any(axis=1)
    return total


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


def metric_name(main_score: str) -> str:
    """A main score under the name that ir-measures prints, or the field's usual one."""
    name, _, cutoff = main_score.partition("_at_")
    shown = _METRICS.get(name, name)
    return f"{shown}@{cutoff}" if cutoff else shown


_METRICS = {
    "ndcg": "nDCG",
    "recall": "R",
    "map": "AP",
    "mrr": "RR",
    "hit_rate": "Success",
    "max_ap": "AP",
    "max_accuracy": "accuracy",
    "f1": "F1",
    "v_measure": "V-measure",
    "cosine_spearman": "Spearman",
    "nmi": "NMI",
    "lrap": "LRAP",
}
