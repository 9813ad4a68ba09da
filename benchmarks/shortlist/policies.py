"""Ways to put models in order for a task that was taken out: the leaderboards', simple means, and ours."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from benchmarks.shortlist.held_out import CARDS, ROW, SCORES, Case
from knowledge.catalog import load_catalog
from knowledge.scores import Bools, Floats
from tools.shortlist import Ranked, choose, proven

#: orders the cards for a case: the higher, the better; the field is those it may choose from
Policy = Callable[[Case, Bools], Floats]

_LAST = -1e6
_ENGLISH, _MULTILINGUAL = "MTEB(eng, v2)", "MTEB(Multilingual, v2)"
_BENCHMARKS = {task.task: task.benchmarks for task in load_catalog().tasks}
_CARD_OF = {card.model: card for card in CARDS}


def _means(case: Case, wanted: Callable[[int], bool]) -> Floats:
    """Each card's mean over the tasks (of their columns' means) that are wanted; NaN where it was not run on all."""
    scores = case.scores
    columns = np.array([wanted(c) for c in range(len(scores.column_task))])[scores.cell_column]
    task = scores.column_task[scores.cell_column[columns]]
    model, score = scores.cell_model[columns], scores.cell_score[columns]
    tasks, place = np.unique(task, return_inverse=True)
    total, count = np.zeros((2, len(scores.models), len(tasks)))
    np.add.at(total, (model, place), score)
    np.add.at(count, (model, place), 1)
    mean = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    found = np.full(len(CARDS), np.nan)
    for i, name in enumerate(scores.models):
        if name in ROW and len(tasks):
            found[ROW[name]] = mean[i].mean()  # NaN where one is missing: a board ranks who ran everything
    return found


_boards: dict[tuple[str, str, bool], Floats] = {}


def board(case: Case, name: str, retrieval: bool) -> Floats:
    """A leaderboard without the task's group; whoever did not run all of it comes last, in no order."""

    def wanted(column: int) -> bool:
        task = SCORES.tasks[case.scores.column_task[column]]
        return (
            name in _BENCHMARKS.get(task.name, ())
            and task.group != case.group
            and (not retrieval or task.type == "Retrieval")
            and (name != _ENGLISH or SCORES.languages[case.scores.column_language[column]] == "en")
        )

    key = (case.group, name, retrieval)
    if key not in _boards:
        _boards[key] = np.nan_to_num(_means(case, wanted), nan=_LAST)
    return _boards[key]


def complete(case: Case) -> Bools:
    """Who ran everything on both boards."""
    return (board(case, _ENGLISH, False) > _LAST) & (board(case, _MULTILINGUAL, False) > _LAST)


def _overall(case: Case, field: Bools) -> Floats:
    return board(case, _ENGLISH if case.language == "en" else _MULTILINGUAL, False)


def _retrieval(case: Case, field: Bools) -> Floats:
    return board(case, _ENGLISH if case.language == "en" else _MULTILINGUAL, True)


def _multilingual(case: Case, field: Bools) -> Floats:
    return board(case, _MULTILINGUAL, True)


def _plain(case: Case, field: Bools) -> Floats:
    return _mean(case, np.ones(len(case.seen.columns.task), dtype=bool))


def _alike(case: Case, field: Bools) -> Floats:
    shared = case.seen.like.domains @ np.array([n in case.task.domains for n in case.seen.like.names], dtype=float)
    inside = case.seen.columns.language == SCORES.languages.index(case.language)
    alike = _mean(case, inside & (shared > 0))
    return np.where(alike > _LAST, alike, _plain(case, field) - 10)


def _mean(case: Case, inside: Bools) -> Floats:
    has = case.seen.columns.has[:, inside]
    count = has.sum(axis=1)
    total = case.seen.columns.values[:, inside].sum(axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), _LAST)


def _largest(case: Case, field: Bools) -> Floats:
    return np.array([float(card.parameters or 0) for card in CARDS])


def shipped(case: Case, field: Bools, k: int) -> list[int]:
    """The list as ``tools.shortlist`` makes it: prediction, evidence rule, caps, sizes, the broadly tested model."""
    seen = case.forecast
    entries = [Ranked(CARDS[i], seen.predictions[CARDS[i].model]) for i in np.nonzero(field)[0]]
    admitted, _, _ = proven(entries, seen, case.requirements, k)
    chosen, _ = choose(sorted(admitted, key=lambda entry: entry.order), seen, k, _CARD_OF)
    return [ROW[entry.card.model] for entry, _ in chosen]


POLICIES: Mapping[str, Policy] = {
    "largest that fits": _largest,
    "MTEB board, overall mean": _overall,
    "MTEB board, retrieval mean": _retrieval,
    "Multilingual board, retrieval": _multilingual,
    "mean of all retrieval tasks": _plain,
    "same language, same domain": _alike,
    "ladder (the study's)": lambda case, field: case.parts["ladder"],
    "kriging": lambda case, field: case.parts["kriging"],
    "low rank": lambda case, field: case.parts["low rank"],
    "all three, lengths unknown": lambda case, field: case.parts["lengths unknown"],
    "all three": lambda case, field: case.reading.z,
}


def cheapest_static(field: Bools) -> int | None:
    """The smallest static model of the field."""
    rows = [i for i in np.nonzero(field)[0] if (CARDS[i].spec or "").startswith("static:")]
    return min(rows, key=lambda i: CARDS[i].parameters or 1e18) if rows else None
