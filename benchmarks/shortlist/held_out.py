"""Tasks taken out of the score matrix with all their near-duplicates, and what is predicted of them without."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from knowledge.catalog import load_catalog
from knowledge.columns import is_encoder
from knowledge.constraints import make_constraint
from knowledge.evidence import DOMAINS, Forecast, Pool, chars_per_token, forecast, outlook_of
from knowledge.kriging import COVARIANCE, Covariance, krige, kriged
from knowledge.ladder import level_2
from knowledge.languages import language_code
from knowledge.likeness import Target
from knowledge.low_rank import column_weights
from knowledge.outlook import Outlook, Reading
from knowledge.requirements import Requirements, Slot
from knowledge.scores import BenchmarkTask, Floats, Scores, load_scores

CARDS = load_catalog().cards
SCORES = load_scores()
ROW = {card.model: row for row, card in enumerate(CARDS)}
#: models that a task must have been run on, and that do not say they were trained on it, to be judged by it
FEWEST = 12
TEXT = frozenset({"text"})


@dataclass(frozen=True, eq=False)
class Case:
    """One task in one language that was taken out.

    Attributes:
        scores: the matrix without the task's whole group.
        truth: the scores that were taken out, by card; NaN where there is none or the model was trained on the group.
        target, requirements: what a user with such a task would say: language, lengths, domain.
        seen: the matrix without the group, fitted.
        reading: what the three readings say, averaged; `parts` holds each of them.
        forecast: what the product makes of it.
    """

    group: str
    task: BenchmarkTask
    language: str
    scores: Scores
    truth: Floats
    target: Target
    requirements: Requirements
    seen: Outlook
    reading: Reading
    forecast: Forecast
    parts: dict[str, Floats]


def without(scores: Scores, group: str) -> Scores:
    """The matrix without a group of tasks; nothing of it is left, in no language."""
    kept_task = np.array([task.group != group for task in scores.tasks])
    kept = kept_task[scores.column_task][scores.cell_column]
    return replace(
        scores,
        cell_column=scores.cell_column[kept],
        cell_model=scores.cell_model[kept],
        cell_score=scores.cell_score[kept],
        cell_suspect=scores.cell_suspect[kept],
        folder=None,  # the fits beside the file are of the whole matrix
    )


def cases(types: tuple[str, ...], user_task: str, covariances: Sequence[tuple[str, Covariance]] = ()) -> Iterator[Case]:
    """Every text task of these types in every language, with what is predicted without its group."""
    for group, held in sorted(_held_out(types).items()):
        scores = without(SCORES, group)
        seen = outlook_of(scores, Pool(CARDS), types, TEXT)
        others = [(name, cov, krige(seen.columns, seen.like, cov)) for name, cov in covariances]
        for task, language, truth in held:
            requirements = _requirements(user_task, task, language)
            target = _target(task, language)
            reading, said = seen.read(target), forecast(scores, requirements, CARDS)
            parts = {
                "ladder": level_2(seen.columns, reading.inside, seen.above),
                "kriging": kriged(seen.weights, seen.columns, seen.like, target, COVARIANCE),
                "low rank": seen.full @ column_weights(seen.columns, seen.like, target),
                "lengths unknown": seen.read(Target(language=language)).z,
            }
            parts |= {name: kriged(w, seen.columns, seen.like, target, cov) for name, cov, w in others}
            yield Case(group, task, language, scores, truth, target, requirements, seen, reading, said, parts)


def _held_out(types: tuple[str, ...]) -> dict[str, list[tuple[BenchmarkTask, str, Floats]]]:
    members = defaultdict(set)
    for task in SCORES.tasks:
        members[task.group].add(task.name)
    cells = defaultdict(lambda: defaultdict(list))
    usable = np.array([t.type in types and set(t.modalities) <= TEXT for t in SCORES.tasks])
    for i in np.nonzero(usable[SCORES.column_task][SCORES.cell_column])[0]:
        column = SCORES.cell_column[i]
        key = (int(SCORES.column_task[column]), int(SCORES.column_language[column]))
        cells[key][SCORES.models[SCORES.cell_model[i]]].append(float(SCORES.cell_score[i]))
    found = defaultdict(list)
    for (t, language), of_model in sorted(cells.items()):
        task, truth = SCORES.tasks[t], np.full(len(CARDS), np.nan)
        for name, values in of_model.items():
            card = CARDS[ROW[name]] if name in ROW else None
            if card and is_encoder(card) and not set(card.training_datasets) & members[task.group]:
                truth[ROW[name]] = np.mean(values)
        if np.isfinite(truth).sum() >= FEWEST:
            found[task.group].append((task, SCORES.languages[language], truth))
    return found


def _target(task: BenchmarkTask, language: str) -> Target:
    return Target(language, task.document_chars, task.query_chars, frozenset(task.domains))


def _requirements(user_task: str, task: BenchmarkTask, language: str) -> Requirements:
    """The same in a user's words; the catalog's tasks know lengths in characters, users in tokens."""
    per_token = chars_per_token(language)

    def tokens(chars: float | None) -> Slot[int] | None:
        return Slot[int](value=max(round(chars / per_token), 1)) if chars else None

    domain = next((ours for ours, theirs in DOMAINS.items() if theirs in task.domains), None)
    natural = language_code(language) is not None
    return Requirements(
        task=user_task,  # type: ignore[arg-type]
        domain=Slot[str](value=domain) if domain else None,
        document_tokens=tokens(task.document_chars),
        query_tokens=tokens(task.query_chars),
        constraints=(make_constraint("languages", languages=(language,)),) if natural else (),
    )


def leaks(scores: Scores, types: tuple[str, ...]) -> list[tuple[str, str]]:
    """Pairs of tasks of these types in different groups on which the same models have the very same scores."""
    wanted = np.array([task.type in types for task in scores.tasks])[scores.column_task]
    columns = np.nonzero(wanted)[0]
    place = np.full(len(wanted), -1)
    place[columns] = np.arange(len(columns))
    cells = wanted[scores.cell_column]
    values = np.full((len(columns), len(scores.models)), np.nan, dtype=np.float32)
    values[place[scores.cell_column[cells]], scores.cell_model[cells]] = scores.cell_score[cells]
    tasks = [scores.tasks[t] for t in scores.column_task[columns]]
    found = set()
    for i, column in enumerate(values):
        apart = np.abs(values[i + 1 :] - column)
        shared = np.isfinite(apart).sum(axis=1)
        same = (apart < 0.0005).sum(axis=1) >= np.maximum(0.9 * shared, FEWEST)
        for other in np.nonzero(same)[0] + i + 1:
            if tasks[i].group != tasks[other].group:
                found.add(tuple(sorted((tasks[i].name, tasks[other].name))))
    return sorted(found)
