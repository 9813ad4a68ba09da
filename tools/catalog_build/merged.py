"""Results of many files as one matrix of cells."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from tools.catalog_build.results import Result
from tools.catalog_build.rows import Cells

#: Models of which a run was broken when the study looked (its trap 4): some results are a fraction of what the same
#: model reaches elsewhere; the cause was never found.
BROKEN_RUNS = frozenset(
    {
        "izhx/udever-bloom-3b",
        "jinaai/jina-embeddings-v2-base-en",
        "jinaai/jina-embeddings-v2-small-en",
        "malenia1/ternary-weight-embedding",
    }
)
#: of such a model, a figure below this share of the median over all models is left out; in English only, since a low
#: figure of an English model in another language is what one expects
_BROKEN_BELOW = 0.5
_BROKEN_IN = "eng-Latn"


@dataclass
class Merged:
    """The cells, and how many results did not become any."""

    cells: Cells
    files: int = 0
    broken: list[str] = field(default_factory=list)
    left_out: int = 0

    def models_scored(self) -> dict[str, int]:
        """Task -> number of models with a score."""
        models: dict[str, set[int]] = {}
        for model, task in self.cells.index[:2].T:
            models.setdefault(self.cells.tasks[task], set()).add(int(model))
        return {task: len(found) for task, found in models.items()}


def merge(results: Iterable[Result], pinned: Mapping[str, str | None]) -> Merged:
    """Put the results of all revisions together: they complete each other.

    Where two revisions have a score for the same cell (1 in 20,000), that of the model's pinned revision counts, else
    the first by the revision's name.

    Args:
        results: in any order.
        pinned: model -> the revision its card names.
    """
    scores: dict[tuple[str, str, str], tuple[bool, str, float]] = {}
    files, broken = 0, []
    for result in results:
        files += 1
        if result.broken:
            broken.append(f"{result.model}: {result.broken}")
        for subset, score in result.scores.items():
            key = (result.model, result.task, subset)
            new = (result.revision != pinned.get(result.model), result.revision, score)
            scores[key] = min(scores.get(key, new), new)
    figures = {key: score for key, (_, _, score) in scores.items()}
    refused = _broken_runs(figures)
    kept = {key: score for key, score in figures.items() if key not in refused}
    return Merged(_cells(kept), files, broken, len(refused))


def _broken_runs(figures: Mapping[tuple[str, str, str], float]) -> set[tuple[str, str, str]]:
    doubtful = [key for key in figures if key[0] in BROKEN_RUNS and key[2] == _BROKEN_IN]
    columns: dict[tuple[str, str], list[float]] = {key[1:]: [] for key in doubtful}
    for (_, task, subset), score in figures.items():
        if (task, subset) in columns:
            columns[task, subset].append(score)
    return {key for key in doubtful if figures[key] < _BROKEN_BELOW * statistics.median(columns[key[1:]])}


def _cells(figures: Mapping[tuple[str, str, str], float]) -> Cells:
    names = [sorted({key[i] for key in figures}) for i in range(3)]
    places = [{name: place for place, name in enumerate(part)} for part in names]
    rows = [[places[i][key[i]] for i in range(3)] + [round(score * 10_000)] for key, score in sorted(figures.items())]
    index = np.array(rows, dtype=np.int64).reshape(len(rows), 4).T
    return Cells(names[0], names[1], names[2], index)
