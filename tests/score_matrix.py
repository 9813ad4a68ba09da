"""Small score matrices and cards whose right order is known."""

from __future__ import annotations

import copy
import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from knowledge.catalog import Catalog, load_catalog
from knowledge.model_card import ModelCard
from knowledge.scores import BenchmarkTask, Scores

Column = tuple[str, str]


def card(model: str, **facts: Any) -> ModelCard:
    """A plain text encoder."""
    plain = {
        "parameters": 100_000_000,
        "dimension": 384,
        "release_date": dt.date(2024, 1, 1),
        "uses_instructions": False,
        "max_tokens": 512,
        "license": "MIT",
        "commercial": "yes",
        "languages": ("en", "ja"),
        "training_data_known": True,
    }
    return ModelCard(model=model, **(plain | facts))


def catalog(*cards: ModelCard) -> Catalog:
    """The shipped tasks, licences and sources, with these models."""
    made = copy.copy(load_catalog())
    made.cards = tuple(cards)
    return made


def matrix(
    columns: Mapping[Column, Mapping[str, float]],
    *,
    types: Mapping[str, str] | None = None,
    groups: Mapping[str, str] | None = None,
    suspect: Sequence[tuple[str, str]] = (),
) -> Scores:
    """From (task, language) -> model -> score; tasks are retrieval, each its own group, unless told otherwise."""
    tasks = sorted({task for task, _ in columns})
    languages = sorted({language for _, language in columns})
    models = sorted({model for column in columns.values() for model in column})
    keys = sorted(columns)
    cells = [(c, models.index(m), columns[key][m]) for c, key in enumerate(keys) for m in sorted(columns[key])]
    return Scores(
        models=tuple(models),
        tasks=tuple(
            BenchmarkTask(
                name, (types or {}).get(name, "Retrieval"), "ndcg_at_10", (groups or {}).get(name, name), ("text",)
            )
            for name in tasks
        ),
        languages=tuple(languages),
        column_task=np.array([tasks.index(task) for task, _ in keys], dtype=np.int64),
        column_language=np.array([languages.index(language) for _, language in keys], dtype=np.int64),
        cell_column=np.array([c for c, _, _ in cells], dtype=np.int64),
        cell_model=np.array([m for _, m, _ in cells], dtype=np.int64),
        cell_score=np.array([score for _, _, score in cells]),
        cell_suspect=np.array([(keys[c][0], models[m]) in suspect for c, m, _ in cells], dtype=bool),
    )
