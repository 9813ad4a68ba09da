"""How a leg is used outside this program: its packages, its revision, its prompts, the precision it runs in."""

from __future__ import annotations

import re
from pathlib import Path

from knowledge.candidate import Leg
from tools import hub, model_folder
from tools.encoders.base import Kind, Resolved
from tools.encoders.st import PROMPT_NAMES

#: a commit, which pins weights on the hub; other revisions are of packages and folders
_COMMIT = re.compile(r"[0-9a-f]{40}")
_ENCODERS = {"st": "sentence-transformers", "openai": "openai"}


def packages_of(leg: Leg) -> tuple[str, ...]:
    """Names of the packages that a leg's encoder needs, as pip has them; without Milvus."""
    if leg.backend == "bm25":
        return ("bm25s", "PyStemmer")
    if leg.backend == "static":
        return ("wordllama",) if leg.name == "wordllama" else ("model2vec",)
    return (_ENCODERS.get(leg.backend, "sentence-transformers"),)


def pinned(resolved: Resolved) -> bool:
    """Whether its revision is a commit that the hub can be asked for."""
    return resolved.revision is not None and _COMMIT.fullmatch(resolved.revision) is not None


def package_of(resolved: Resolved) -> dict[str, str] | None:
    """The module, and the folder in it, of the package that its weights came from; None where it was no package."""
    found = hub.packaged(resolved.model)
    if found is None or found.revision != resolved.revision:
        return None
    _, module, folder = hub.PACKAGED[resolved.model]
    return {"module": module, "folder": folder}


def is_folder(leg: Leg) -> bool:
    """Whether its model is a folder of this machine."""
    return bool(leg.name) and Path(leg.name).expanduser().is_dir()  # bm25 names none


def runs_in_files(leg: Leg) -> bool:
    """Whether the program of a deployment (`tools.pipeline`) searches as it does: with no vector for each token."""
    return leg.backend != "multi" and (leg.backend != "m3" or leg.options.get("mode") == "dense")


def engine_of(leg: Leg) -> tuple[str, str]:
    """The engine and precision that a leg was measured with."""
    return leg.options.get("backend", "torch"), leg.options.get("precision", "fp32")


def precision_of(leg: Leg) -> str:
    """The precision to load its weights in with PyTorch; what other engines round themselves is left whole."""
    engine, precision = engine_of(leg)
    return precision if engine == "torch" else "fp32"


def prompts_of(resolved: Resolved) -> dict[Kind, str | None]:
    """The prompts in full, those of the model's own configuration too; None where only the model knows."""
    if resolved.path is None:
        return dict(resolved.prompts)
    config = model_folder.read_json(resolved.model, Path(resolved.path), "config_sentence_transformers.json", dict)
    own = config.get("prompts") or {}

    def in_full(kind: Kind) -> str:
        names = (*PROMPT_NAMES[kind], config.get("default_prompt_name"))
        return next((own[name] for name in names if name in own), "")

    return {kind: in_full(kind) if given is None else given for kind, given in resolved.prompts.items()}
