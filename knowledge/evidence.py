"""What published benchmarks let one expect of a model: its predicted score with an interval, and what it rests on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from knowledge.constraints.modality import ModalityConstraint
from knowledge.ladder import Ladder, Standing
from knowledge.model_card import ModelCard
from knowledge.requirements import Requirements, Task
from knowledge.results import Prediction
from knowledge.scores import CODE, Floats, Scores, load_scores

__all__ = [
    "ASSUMED_LANGUAGE",
    "CODE",
    "RETRIEVAL_TASKS",
    "Forecast",
    "Pool",
    "Scores",
    "benchmark_types",
    "forecast",
    "load_scores",
    "predict",
    "wanted_modalities",
]

#: the language of texts of which nothing is known yet; most models and most tasks know it
ASSUMED_LANGUAGE = "en"

#: tasks whose answer is a ranking of the user's documents
RETRIEVAL_TASKS: frozenset[Task] = frozenset({"search", "rag", "recommendation", "code_search"})

# The first type sets metric and scale; the others only add evidence of which model is better.
_TEXT_TYPES: dict[Task, tuple[str, ...]] = {
    "search": ("Retrieval",),
    "rag": ("Retrieval",),
    "recommendation": ("Retrieval",),
    "code_search": ("Retrieval",),
    "reranking": ("Reranking",),
    "classification": ("Classification", "MultilabelClassification"),
    "clustering": ("Clustering",),
    "similarity": ("STS",),
    "deduplication": ("PairClassification", "STS"),
    "cross_modal": ("Any2AnyRetrieval", "Any2AnyMultilingualRetrieval"),
}
# Where the user's items are of one kind and none of them are texts, the benchmark has types of its own.
_SIGNAL_TYPES: dict[tuple[Task, str], str] = {
    ("classification", "image"): "ImageClassification",
    ("classification", "audio"): "AudioClassification",
    ("classification", "video"): "VideoClassification",
    ("clustering", "image"): "ImageClustering",
    ("clustering", "audio"): "AudioClustering",
    ("clustering", "video"): "VideoClustering",
    ("deduplication", "audio"): "AudioPairClassification",
    ("deduplication", "video"): "VideoPairClassification",
    ("reranking", "audio"): "AudioReranking",
}

# Half the width of an 80 % interval for a score relative to the other models, in points (0 to 1). Retrieval: the
# leave-one-group-out calibration of the study that this ladder comes from; the others: the same test by
# ``benchmarks/shortlist``; types without a test get the widest.
_HALF_WIDTH = {
    "Retrieval": 0.13,
    "Reranking": 0.08,
    "Classification": 0.09,
    "Clustering": 0.10,
    "STS": 0.09,
    "PairClassification": 0.09,
}
_HALF_WIDTH_UNTESTED = 0.15
# Fewer task groups in the language, wider: (at least so many groups, factor), from the same test.
_WIDER = ((3, 1.0), (2, 1.4), (0, 1.7))
_WIDER_WITHOUT_ANY = 2.5


def benchmark_types(task: Task, modalities: frozenset[str] = frozenset({"text"})) -> tuple[str, ...]:
    """The benchmark's task types that speak for the user's task, the one that sets metric and scale first."""
    if modalities == {"text"}:
        return _TEXT_TYPES[task]
    if len(modalities) == 1 and (task, *modalities) in _SIGNAL_TYPES:
        return (_SIGNAL_TYPES[task, next(iter(modalities))],)
    return _TEXT_TYPES["cross_modal"]


@dataclass(frozen=True, eq=False)
class Forecast:
    """What the ladder says of each model for one user's task and languages.

    Attributes:
        predictions: by model.
        groups_in_language: near-duplicate groups of tasks behind each model; of several languages, the poorest counts.
        groups_in_all: the same over all languages.
        tasks: names of the tasks in the user's languages (all tasks, where none is known), by model.
        suspect: the models of which one of these scores stands out suspiciously.
        languages: what it was made for; empty means all together.
    """

    predictions: dict[str, Prediction]
    groups_in_language: dict[str, int]
    groups_in_all: dict[str, int]
    tasks: dict[str, tuple[str, ...]]
    suspect: frozenset[str]
    languages: tuple[str, ...]


class Pool:
    """Cards as a cache key. The same tuple object is the same key: comparing a thousand cards would cost more than \
    the work saved.
    """

    def __init__(self, cards: tuple[ModelCard, ...]) -> None:
        self.cards = cards

    def __hash__(self) -> int:
        return id(self.cards)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Pool) and self.cards is other.cards


@lru_cache(maxsize=12)
def _ladder(scores: Scores, pool: Pool, types: tuple[str, ...], modalities: frozenset[str]) -> Ladder:
    return Ladder(scores, pool.cards, types, modalities)


@lru_cache(maxsize=128)
def _forecast(
    scores: Scores, pool: Pool, types: tuple[str, ...], modalities: frozenset[str], languages: tuple[str, ...]
) -> Forecast:
    ladder = _ladder(scores, pool, types, modalities)
    standings = [ladder.standing(language) for language in languages or (None,)]
    overall = ladder.standing(None)
    means = np.mean([s.centre + s.points * s.z for s in standings], axis=0)
    halves = np.mean([_half_width(types[0], s, overall) for s in standings], axis=0)
    mean, low, high = (np.round(np.clip(x, 0, 1), 4).tolist() for x in (means, means - halves, means + halves))
    tasks_of, suspect = ladder.behind(languages)
    names = [card.model for card in pool.cards]
    groups = np.min([s.groups for s in standings], axis=0)
    return Forecast(
        predictions={
            name: Prediction(
                mean=mean[i],
                low=low[i],
                high=high[i],
                metric=standings[0].metric,
                tasks_in_language=len(tasks_of[i]),
                tasks_in_all=int(overall.tasks[i]),
            )
            for i, name in enumerate(names)
        },
        groups_in_language={name: int(groups[i]) for i, name in enumerate(names)},
        groups_in_all={name: int(overall.groups[i]) for i, name in enumerate(names)},
        tasks={name: tasks_of[i] for i, name in enumerate(names)},
        suspect=frozenset(names[i] for i in suspect),
        languages=languages,
    )


def _half_width(task_type: str, standing: Standing, overall: Standing) -> Floats:
    factor = np.select([standing.groups >= least for least, _ in _WIDER], [factor for _, factor in _WIDER])
    factor = np.where(overall.groups > 0, factor, _WIDER_WITHOUT_ANY)
    half: Floats = _HALF_WIDTH.get(task_type, _HALF_WIDTH_UNTESTED) * factor
    return half


def forecast(scores: Scores, requirements: Requirements, cards: Sequence[ModelCard]) -> Forecast:
    """What published scores let one expect of each model; cached as long as `cards` is the same tuple."""
    modalities = wanted_modalities(requirements)
    task = requirements.task.value
    types = benchmark_types(task, modalities)
    assumed = (ASSUMED_LANGUAGE,) if "text" in modalities else ()
    languages = (CODE,) if task == "code_search" else requirements.languages or assumed
    pool = Pool(cards if isinstance(cards, tuple) else tuple(cards))
    return _forecast(scores, pool, types, modalities, tuple(sorted(set(languages))))


def wanted_modalities(requirements: Requirements) -> frozenset[str]:
    """What the user's items are: as demanded, else text (text and images for cross-modal search)."""
    demanded = requirements.constraint(ModalityConstraint)
    if demanded and demanded.hard:
        return frozenset(demanded.modalities)
    return frozenset({"text", "image"} if requirements.task.value == "cross_modal" else {"text"})


def predict(scores: Scores, requirements: Requirements, cards: Sequence[ModelCard]) -> dict[str, Prediction]:
    """The expected score of each model on a typical published task like the user's, in the user's language.

    `mean` is on the task metric's own scale (0 to 1) and is meant for telling models apart: what the user's own data
    will give depends far more on the data than on the model. Likewise `low` to `high` (80 %) covers how far the model
    may stand from where it is placed among the others, not how hard the user's data is. It widens with less evidence; a
    model without any comparable score (``tasks_in_all == 0``) is placed by size, age and dimension alone, at 2.5
    times the width.

    Several languages: the mean over the languages of each language's prediction, every language counting the same.
    No language known: English where texts are searched, else all languages together. Code search: the columns whose
    texts are programs, whatever language the queries are in.
    """
    return forecast(scores, requirements, cards).predictions
