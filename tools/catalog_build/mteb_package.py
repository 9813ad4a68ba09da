"""What an installed mteb knows: its models and tasks, as rows like those of the distilled tables."""

from __future__ import annotations

import json
import logging
import math
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from knowledge.errors import MissingExtraError
from knowledge.wording import say
from tools.catalog_build.rows import Row

#: column -> where mteb's descriptive statistics of a split have it
_COUNTS = {
    "n_docs": ("num_documents",),
    "n_queries": ("num_queries",),
    "avg_doc_chars": ("documents_text_statistics", "average_text_length"),
    "avg_query_chars": ("queries_text_statistics", "average_text_length"),
    "n_samples": ("num_samples",),
}


def needed() -> Any:
    """The package.

    Raises:
        MissingExtraError: it, or what names languages, is not installed.
    """
    try:
        import langcodes  # noqa: F401 - only to know that it is there before the long work begins
        import language_data  # noqa: F401
        import mteb
    except ImportError as error:
        raise MissingExtraError(
            say("Building the catalog needs {package}, which is not installed.", package=error.name or "mteb"),
            say("Install it with: pip install '{extra}'.", extra="embedding-advisor[catalog]"),
        ) from error
    return mteb


def model_rows() -> list[Row]:
    """Every model that mteb has metadata of."""
    with _quiet():
        return [_model(meta) for meta in needed().get_model_metas() if meta.name]


def _model(meta: Any) -> Row:
    arguments = dict(meta.loader_kwargs or {})
    sizes = meta.embed_dim if isinstance(meta.embed_dim, list | tuple) else [meta.embed_dim]
    sizes = [size for size in sizes if size is not None]
    return {
        "model": meta.name,
        "revision": meta.revision,
        "release_date": str(meta.release_date) if meta.release_date else None,
        "reference": meta.reference,
        "model_type": list(meta.model_type or ()),
        "modalities": list(meta.modalities or ()),
        "languages": list(meta.languages or ()),
        "license_raw": meta.license,
        "is_api": meta.open_weights is False,
        "n_parameters": meta.n_parameters,
        "n_active_parameters": meta.n_active_parameters,
        "n_embedding_parameters": meta.n_embedding_parameters,
        "memory_usage_mb": meta.memory_usage_mb,
        "max_tokens": meta.max_tokens,
        "embed_dim": max(sizes, default=None),
        "embed_dims": sizes,
        "similarity_fn": _value(meta.similarity_fn_name),
        "use_instructions": meta.use_instructions,
        "prompts": json.dumps(arguments.get("model_prompts"), default=str),
        "framework": list(meta.framework or ()),
        "loader": _name(meta.loader),
        "loader_kwargs": json.dumps(arguments, default=str),
        "training_datasets": sorted(meta.training_datasets or ()),
        "training_data_known": meta.training_datasets is not None,
        "adapted_from": meta.adapted_from,
        "superseded_by": meta.superseded_by,
    }


def _value(choice: Any) -> str | None:
    """The text of an enumeration's member, or the text itself."""
    return None if choice is None else str(getattr(choice, "value", choice))


def _name(loader: Any) -> str | None:
    """The name of a class or function, or of what a partial wraps."""
    return getattr(loader, "__name__", None) or getattr(getattr(loader, "func", None), "__name__", None)


def tasks() -> list[Any]:
    """Every task, those that mteb hides by default too: superseded, private and beta ones."""
    with _quiet():
        return list(needed().get_tasks(exclude_superseded=False, exclude_private=False, exclude_beta=False))


def task_rows(all_tasks: list[Any], models_scored: Mapping[str, int]) -> list[Row]:
    """The tasks as rows.

    Args:
        all_tasks: from `tasks`.
        models_scored: task -> how many models have a published score on it.
    """
    benchmarks: dict[str, list[str]] = {}
    with _quiet():
        for benchmark in needed().get_benchmarks():
            for task in benchmark.tasks:
                benchmarks.setdefault(task.metadata.name, []).append(benchmark.name)
    return [_task(task.metadata, benchmarks, models_scored) for task in all_tasks]


def _task(metadata: Any, benchmarks: Mapping[str, list[str]], models_scored: Mapping[str, int]) -> Row:
    statistics = _statistics(metadata)
    return {
        "task": metadata.name,
        "type": metadata.type,
        "category": metadata.category,
        "domains": list(metadata.domains or ()),
        "languages": list(metadata.languages or ()),
        "main_score": metadata.main_score,
        "modalities": list(metadata.modalities or ()),
        "license": metadata.license,
        "sample_creation": metadata.sample_creation,
        "date": str([str(day) for day in metadata.date]) if metadata.date else None,
        "adapted_from": list(metadata.adapted_from or ()),
        "superseded_by": metadata.superseded_by,
        "is_public": metadata.is_public,
        "reference": metadata.reference,
        "benchmarks": sorted(set(benchmarks.get(metadata.name, ()))),
        "n_models_scored": models_scored.get(metadata.name, 0),
        **{column: _mean(statistics, path) for column, path in _COUNTS.items()},
    }


def _statistics(metadata: Any) -> list[Mapping[str, Any]]:
    """What mteb counted in each split that is evaluated."""
    found = metadata.descriptive_stats or {}
    return [found[split] for split in metadata.eval_splits if found.get(split)]


def _mean(splits: list[Mapping[str, Any]], path: tuple[str, ...]) -> float | None:
    """A figure as the mean over the splits that have it: what one evaluation meets, not the sum of several."""
    values = []
    for split in splits:
        value: Any = split
        for key in path:
            value = (value or {}).get(key)
        if value is not None:
            values.append(float(value))
    return math.fsum(values) / len(values) if values else None


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep mteb quiet: it warns of every beta task; nobody here asked for one."""
    log = logging.getLogger("mteb")
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(before)
