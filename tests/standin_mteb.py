"""A tiny package with mteb's interface, as far as the catalog is built from it; written to a folder and imported.

Where the real mteb is installed the same readers are tested against it, too: tests/tools/test_catalog_from_mteb.py.
"""

from __future__ import annotations

import json
from pathlib import Path

PACKAGE = """
import json
from enum import Enum
from pathlib import Path
from types import SimpleNamespace

class Similarity(str, Enum):
    COSINE = "cosine"

class SentenceTransformerEncoderWrapper:
    pass

def _meta(name, **facts):
    return SimpleNamespace(**{
        "name": name, "revision": "a" * 40, "release_date": "2025-01-02", "reference": "https://example.org/" + name,
        "model_type": ["dense"], "modalities": ["text"], "languages": ["eng-Latn", "ara-Latn"], "license": "mit",
        "open_weights": True, "n_parameters": 118_000_000, "n_active_parameters": 22_000_000,
        "n_embedding_parameters": 96_000_000, "memory_usage_mb": 449, "max_tokens": float("inf"),
        "embed_dim": [128, 384], "similarity_fn_name": Similarity.COSINE, "use_instructions": True,
        "loader": SentenceTransformerEncoderWrapper, "loader_kwargs": {"model_prompts": {"query": "query: "}},
        "framework": ["PyTorch"], "training_datasets": {"SciFact"}, "adapted_from": None, "superseded_by": None,
        **facts})

def get_model_metas():
    data = json.loads((Path(__file__).parent / "models.json").read_text())
    return [_meta(name, **facts) for name, facts in data.items()]

def _task(name, **facts):
    metadata = SimpleNamespace(**{
        "name": name, "type": "Retrieval", "category": "t2t", "domains": ["Medical"], "languages": ["eng"],
        "main_score": "ndcg_at_10", "modalities": ["text"], "license": "mit", "sample_creation": "found",
        "date": ("2020-01-01", "2020-12-31"), "adapted_from": None, "superseded_by": None, "is_public": True,
        "reference": None, "eval_splits": ["test"],
        "descriptive_stats": {"test": {"num_documents": 5183, "num_samples": 5483,
            "queries_text_statistics": {"average_text_length": 90.34}}}, **facts})
    return SimpleNamespace(metadata=metadata)

def get_tasks(*, exclude_superseded=True, exclude_private=True, exclude_beta=True):
    found = [_task("SciFact"), _task("STSBenchmark", type="STS", main_score="cosine_spearman")]
    if not exclude_private:
        found.append(_task("SciFactPrivate", is_public=False, eval_splits=["a", "b"], descriptive_stats={
            "a": {"num_documents": 10}, "b": {"num_documents": 20}}))
    if not exclude_beta:
        found.append(_task("SciFact-NL", languages=["nld"], adapted_from=["SciFact"]))
    return found

def get_benchmarks():
    return [SimpleNamespace(name="BEIR", tasks=[_task("SciFact")])]

class TaskResult(SimpleNamespace):
    @classmethod
    def from_disk(cls, path):
        data = json.loads(path.read_text("utf-8"))
        if "mteb_dataset_name" in data:  # before version 1.11
            score = data["test"]["ndcg_at_10"]
            entry = {"ndcg_at_10": score, "main_score": score, "languages": ["eng-Latn"], "hf_subset": "default"}
            return cls(task_name=data["mteb_dataset_name"], scores={"test": [entry]})
        return cls(task_name=data["task_name"], scores=data["scores"])
"""

MODELS: dict[str, dict[str, object]] = {
    "intfloat/multilingual-e5-small": {},
    "mongodb/voyage-3.5": {"open_weights": False, "license": None, "revision": "1", "training_datasets": None},
    "mongodb/voyage-3.5 (output_dtype=int8)": {"open_weights": False, "revision": "1"},
    "jinaai/jina-embeddings-v2-base-en": {},
    "sentence-transformers/all-MiniLM-L6-v2": {},
}


def write_package(folder: Path) -> Path:
    """The package below `folder`, which is then a folder to import from."""
    package = folder / "mteb"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(PACKAGE, "utf-8")
    (package / "models.json").write_text(json.dumps(MODELS), "utf-8")
    return folder


def score(value: float | None, language: str = "eng-Latn", metric: str = "ndcg_at_10") -> dict[str, object]:
    """One entry of a result file."""
    return {"main_score": value, metric: value, "hf_subset": "default", "languages": [language], "mteb_version": "2"}


def write_result(root: Path, model: str, revision: str, task: str, scores: object) -> Path:
    """A file as mteb writes it."""
    folder = root / "results" / model.replace("/", "__").replace(" ", "_") / revision
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{task}.json"
    path.write_text(
        json.dumps(
            {
                "task_name": task,
                "mteb_version": "2.0.0",
                "dataset_revision": "x",
                "evaluation_time": 1.0,
                "scores": scores,
            }
        ),
        "utf-8",
    )
    (folder / "model_meta.json").write_text(json.dumps({"name": model, "revision": revision}), "utf-8")
    return path


def write_results(root: Path) -> Path:
    """A small results folder with one of everything that has to be noticed."""
    e5 = "intfloat/multilingual-e5-small"
    write_result(root, e5, "a" * 40, "SciFact", {"test": [score(0.6777)]})
    write_result(root, e5, "0" * 40, "SciFact", {"test": [score(0.1)]})  # not the pinned revision
    write_result(root, e5, "0" * 40, "STSBenchmark", {"test": [score(0.8, metric="cosine_spearman")]})
    write_result(root, e5, "a" * 40, "SciFact-NL", {"test": [score(0.5, "nld-Latn")], "train": [score(0.99)]})
    write_result(root, e5, "a" * 40, "SciFactPrivate", {"a": [score(0.2)], "b": [score(0.4)]})
    write_result(root, "voyageai/voyage-3.5", "1", "SciFact", {"test": [score(0.7)]})
    write_result(root, "voyageai/voyage-3.5 (output_dtype=int8)", "1", "SciFact", {"test": [score(0.69)]})
    write_result(root, "nobody/unheard-of", "1", "SciFact", {"test": [score(0.9)]})
    write_result(root, "jinaai/jina-embeddings-v2-base-en", "b" * 40, "SciFact", {"test": [score(0.11)]})
    write_result(
        root,
        "jinaai/jina-embeddings-v2-base-en",
        "b" * 40,
        "STSBenchmark",
        {"test": [score(0.79, metric="cosine_spearman")]},
    )
    old = root / "results" / "sentence-transformers__all-MiniLM-L6-v2" / "no_revision_available"
    old.mkdir(parents=True)
    (old / "SciFact.json").write_text(
        json.dumps({"mteb_dataset_name": "SciFact", "test": {"ndcg_at_10": 0.645, "evaluation_time": 3.0}}), "utf-8"
    )
    (old / "Broken.json").write_text("{", "utf-8")
    return root


def cached_results(broken: bool = False) -> bytes:
    """The same as mteb's cached file has it, unzipped."""

    def entry(model: str, revision: str, task: str, scores: object, **more: object) -> dict[str, object]:
        return {
            "model_name": model,
            "model_revision": revision,
            "task_results": [{"task_name": task, "mteb_version": "2", "scores": scores}],
            **more,
        }

    found = [
        entry("intfloat/multilingual-e5-small", "a" * 40, "SciFact", {"test": [score(0.6777)]}),
        entry("intfloat/multilingual-e5-small", "0" * 40, "SciFact", {"test": [score(0.1)]}),
        entry("voyageai/voyage-3.5", "1", "SciFact", {"test": [score(0.7)]}, experiment_name=None),
        entry("mongodb/voyage-3.5", "1", "SciFact", {"test": [score(0.2)]}, experiment_name="dim_64"),
        entry("sentence-transformers/all-MiniLM-L6-v2", "no", "SciFact", {"test": [score(0.645), score(None)]}),
    ]
    text = json.dumps({"model_results": found}, indent=2)
    return text[: len(text) // 2].encode() if broken else text.encode()
