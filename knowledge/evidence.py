"""What published benchmarks let one expect of a model: its predicted score with an interval, and what it rests on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from knowledge.columns import distinct
from knowledge.constraints.languages import LanguagesConstraint
from knowledge.constraints.max_tokens import MaxTokensConstraint
from knowledge.constraints.modality import ModalityConstraint
from knowledge.likeness import Target
from knowledge.model_card import ModelCard
from knowledge.outlook import FITS, Outlook, Reading, outlook
from knowledge.requirements import Requirements, Task
from knowledge.results import Figure, Prediction
from knowledge.scores import CODE, Bools, Floats, Ints, Scores, load_scores

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

# Half the width of an 80 % interval, in units of z, for a model with three or more groups of tasks in the language and,
# with fewer, so many times wider. Set so that 82 % of the scores of tasks left out fall inside, each group of tasks
# counting the same (``benchmarks/shortlist``, which also prints what it covers where each group is left out of the
# choice); types without such a test get the widest.
_HALF_WIDTH = {
    "Retrieval": 0.85,
    "Reranking": 0.77,
    "Classification": 1.11,
    "Clustering": 0.71,
    "STS": 0.58,
    "PairClassification": 1.08,
}
_HALF_WIDTH_UNTESTED = 1.3
_WIDER = ((3, 1.0), (0, 1.5))
_WIDER_WITHOUT_ANY = 2.5

#: what users call their domain, as benchmarks call it
DOMAINS = {
    "legal": "Legal",
    "medical": "Medical",
    "finance": "Financial",
    "code": "Programming",
    "e-commerce": "E-commerce",
    "academic": "Academic",
    "news": "News",
    "government": "Government",
    "technical": "Engineering",
    "social": "Social",
    "sound": "AudioScene",
    "music": "Music",
}
# Characters a token, to turn a length in tokens into the benchmark's characters: only the order of magnitude counts.
_CHARS_PER_TOKEN = 4.0
_CHARS_PER_TOKEN_DENSE = 1.5
_DENSE_SCRIPTS = frozenset({"zh", "ja", "ko", "yue"})


def benchmark_types(task: Task, modalities: frozenset[str] = frozenset({"text"})) -> tuple[str, ...]:
    """The benchmark's task types that speak for the user's task, the one that sets metric and scale first."""
    if modalities == {"text"}:
        return _TEXT_TYPES[task]
    if len(modalities) == 1 and (task, *modalities) in _SIGNAL_TYPES:
        return (_SIGNAL_TYPES[task, next(iter(modalities))],)
    return _TEXT_TYPES["cross_modal"]


def fitted_kinds() -> tuple[tuple[tuple[str, ...], frozenset[str]], ...]:
    """The task types, with modalities, that fits are shipped for: all that users ask about but the rare mixtures."""
    of_text = [(types, frozenset({"text"})) for task, types in _TEXT_TYPES.items() if task != "cross_modal"]
    of_signals = [((kind,), frozenset({modality})) for (_, modality), kind in _SIGNAL_TYPES.items()]
    across = [(_TEXT_TYPES["cross_modal"], frozenset({"text", other})) for other in ("image", "audio", "video")]
    return tuple(dict.fromkeys([*of_text, *of_signals, *across]))


@dataclass(frozen=True, eq=False)
class Forecast:
    """What published scores say of each model for one user's task and languages.

    Attributes:
        predictions: by model.
        groups_in_language: near-duplicate groups of tasks behind each model; of several languages, the poorest counts.
        groups_in_all: the same over all languages.
        trained: on how many of its tasks in the user's languages (of all, where none is known) its card says it was
            trained, near-duplicates included.
        suspect: the models of which one of these scores stands out suspiciously.
        half_widths: of the intervals, by model, before they are cut at 0 and 1.
        languages: what it was made for; empty means all together.
    """

    predictions: dict[str, Prediction]
    groups_in_language: dict[str, int]
    groups_in_all: dict[str, int]
    trained: dict[str, int]
    suspect: frozenset[str]
    half_widths: dict[str, float]
    languages: tuple[str, ...]
    _outlook: Outlook
    _readings: tuple[Reading, ...]
    _row: dict[str, int]

    def figures(self, model: str, limit: int = 3) -> tuple[Figure, ...]:
        """The published scores of a model that tell most about the user's task, the most telling first."""
        row, alike = self._row[model], np.mean([reading.alike for reading in self._readings], axis=0)
        columns, scores = self._outlook.columns, self._outlook.scores
        found: dict[str, Figure] = {}
        for column in np.argsort(-alike * columns.has[row], kind="stable"):
            if len(found) == limit or not columns.has[row, column]:
                break
            task = scores.tasks[columns.task[column]]
            found.setdefault(
                task.name,
                Figure(
                    task=task.name,
                    language=scores.languages[columns.language[column]],
                    metric=metric_name(task.metric),
                    score=round(float(columns.values[row, column]), 4),
                    trained=bool(columns.trained[row, column]),
                    suspect=bool(columns.suspect[row, column]),
                ),
            )
        return tuple(found.values())


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


@lru_cache(maxsize=4)  # some 20 MB each
def outlook_of(scores: Scores, pool: Pool, types: tuple[str, ...], modalities: frozenset[str]) -> Outlook:
    """The matrix fitted to some task types; cached as long as the pool holds the same tuple of cards."""
    return outlook(scores, pool.cards, types, modalities, scores.folder / FITS if scores.folder else None)


@lru_cache(maxsize=64)  # some 1.5 MB each
def _forecast(
    scores: Scores, pool: Pool, types: tuple[str, ...], modalities: frozenset[str], targets: tuple[Target, ...]
) -> Forecast:
    seen = outlook_of(scores, pool, types, modalities)
    columns = seen.columns
    readings = tuple(seen.read(target) for target in targets)
    groups = [distinct(columns.has[:, r.inside], columns.group[r.inside]) for r in readings]
    in_all, tasks_in_all = seen.groups_in_all, seen.tasks_in_all
    means = np.mean([r.centre + r.points * r.z for r in readings], axis=0)
    halves = np.mean([_half_width(types[0], r, g, in_all) for r, g in zip(readings, groups, strict=True)], axis=0)
    mean, low, high = (np.round(np.clip(x, 0, 1), 4).tolist() for x in (means, means - halves, means + halves))
    poorest = np.min(groups, axis=0)
    inside = np.any([r.inside for r in readings], axis=0)
    behind = columns.task[inside]
    names = [card.model for card in pool.cards]
    tasks = distinct(columns.has[:, inside], behind)
    metric = _metric(scores, seen, inside)
    trained = distinct(columns.trained[:, inside], behind)
    return Forecast(
        predictions={
            name: Prediction(
                mean=mean[i],
                low=low[i],
                high=high[i],
                metric=metric,
                tasks_in_language=int(tasks[i]),
                tasks_in_all=int(tasks_in_all[i]),
            )
            for i, name in enumerate(names)
        },
        groups_in_language=dict(zip(names, poorest.tolist(), strict=True)),
        groups_in_all=dict(zip(names, in_all.tolist(), strict=True)),
        trained=dict(zip(names, trained.tolist(), strict=True)),
        suspect=frozenset(names[i] for i in np.nonzero(columns.suspect[:, inside].any(axis=1))[0]),
        half_widths=dict(zip(names, halves.tolist(), strict=True)),
        languages=tuple(t.language for t in targets if t.language),
        _outlook=seen,
        _readings=readings,
        _row={name: i for i, name in enumerate(names)},
    )


def _metric(scores: Scores, seen: Outlook, inside: Bools) -> str:
    """The main score that most columns in the languages use, of those that set the scale."""
    both = seen.scale & inside
    metrics = [scores.tasks[t].metric for t in seen.columns.task[both if both.any() else seen.scale]]
    return metric_name(max(sorted(set(metrics)), key=metrics.count)) if metrics else "score"


def _half_width(task_type: str, reading: Reading, groups: Ints, in_all: Ints) -> Floats:
    factor = np.select([groups >= least for least, _ in _WIDER], [factor for _, factor in _WIDER])
    factor = np.where(in_all > 0, factor, _WIDER_WITHOUT_ANY)
    half: Floats = _HALF_WIDTH.get(task_type, _HALF_WIDTH_UNTESTED) * reading.points * factor
    return half


def forecast(scores: Scores, requirements: Requirements, cards: Sequence[ModelCard]) -> Forecast:
    """What published scores let one expect of each model; cached as long as `cards` is the same tuple."""
    modalities = wanted_modalities(requirements)
    types = benchmark_types(requirements.task.value, modalities)
    pool = Pool(cards if isinstance(cards, tuple) else tuple(cards))
    languages = _languages(scores, requirements, pool, types, modalities)
    targets = tuple(_target(requirements, language) for language in languages)
    return _forecast(scores, pool, types, modalities, targets)


def _languages(
    scores: Scores, requirements: Requirements, pool: Pool, types: tuple[str, ...], modalities: frozenset[str]
) -> tuple[str | None, ...]:
    """The languages to predict for; None stands for all together."""
    if requirements.task.value == "code_search":
        return (CODE,)
    demanded = requirements.constraint(LanguagesConstraint)
    named = tuple(sorted(set(requirements.languages)))
    if demanded and demanded.at_least and len(named) < demanded.at_least:
        # Nobody said which: those that most tasks are in stand for them.
        columns = outlook_of(scores, pool, types, modalities).columns
        pairs = {(scores.languages[lang], g) for lang, g in zip(columns.language, columns.group, strict=True)}
        counts = Counter(lang for lang, _ in pairs if lang != CODE and lang not in named)
        usual = sorted(counts, key=lambda lang: (-counts[lang], lang))[: demanded.at_least - len(named)]
        named = tuple(sorted({*named, *usual}))
    if named:
        return named
    return (ASSUMED_LANGUAGE,) if "text" in modalities else (None,)


def chars_per_token(language: str | None) -> float:
    """Characters that a token has in a language, roughly."""
    return _CHARS_PER_TOKEN_DENSE if language in _DENSE_SCRIPTS else _CHARS_PER_TOKEN


def _target(requirements: Requirements, language: str | None) -> Target:
    """The user's task in one language, as benchmarks describe theirs."""
    per_token = chars_per_token(language)
    longest = requirements.constraint(MaxTokensConstraint)
    documents = requirements.document_tokens.value if requirements.document_tokens else None
    documents = documents or (longest.tokens if longest else None)
    queries = requirements.query_tokens.value if requirements.query_tokens else None
    domain = DOMAINS.get(requirements.domain.value) if requirements.domain else None
    return Target(
        language=language,
        document_chars=documents * per_token if documents else None,
        query_chars=queries * per_token if queries else None,
        domains=frozenset({domain} if domain else ()),
    )


def wanted_modalities(requirements: Requirements) -> frozenset[str]:
    """What the user's items are: as demanded, else text (text and images for cross-modal search)."""
    demanded = requirements.constraint(ModalityConstraint)
    if demanded and demanded.hard:
        return frozenset(demanded.modalities)
    return frozenset({"text", "image"} if requirements.task.value == "cross_modal" else {"text"})


def predict(scores: Scores, requirements: Requirements, cards: Sequence[ModelCard]) -> dict[str, Prediction]:
    """The expected score of each model on a typical published task like the user's: in the user's language, of like \
    lengths and domain where these are known.

    `mean` is on the task metric's own scale (0 to 1) and is meant for telling models apart: what the user's own data
    will give depends far more on the data than on the model. Likewise `low` to `high` (80 %) covers how far the model
    may stand from where it is placed among the others, not how hard the user's data is. It widens with less evidence; a
    model without any comparable score (``tasks_in_all == 0``) is placed by size, age and dimension alone, at 2.5
    times the width.

    Several languages: the mean over the languages of each language's prediction, every language counting the same. Many
    that were not named: those that most benchmark tasks are in. No language known: English where texts are searched,
    else all languages together. Code search: the columns whose texts are programs, whatever language the queries are
    in.
    """
    return forecast(scores, requirements, cards).predictions


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
