"""``models.jsonl``: what is known of each model, cleaned of what cannot be true."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from knowledge.model_card import ModelCard
from tools.catalog_build.languages import codes
from tools.catalog_build.rows import Row
from tools.catalog_build.writing import known, write_lines

SOURCE = "mteb"

COLUMNS = (
    "model",
    "revision",
    "release_date",
    "reference",
    "model_type",
    "modalities",
    "languages",
    "license_raw",
    "is_api",
    "n_parameters",
    "n_active_parameters",
    "n_embedding_parameters",
    "memory_usage_mb",
    "max_tokens",
    "embed_dim",
    "embed_dims",
    "similarity_fn",
    "use_instructions",
    "prompts",
    "framework",
    "loader",
    "loader_kwargs",
    "training_datasets",
    "training_data_known",
    "adapted_from",
    "superseded_by",
)

MODALITIES = ("text", "image", "audio", "video")

# Loaders of mteb that hand the model to sentence-transformers as it is: where they do not ask for remote code,
# the model loads without. Every other loader may ask for it inside its own code.
PLAIN_LOADERS = frozenset(
    {
        "SentenceTransformerEncoderWrapper",
        "InstructSentenceTransformerModel",
        "SparseEncoderWrapper",
        "CrossEncoderWrapper",
    }
)

# Between one bit and eight bytes a weight. Outside it, the file that was measured is not the model: a LoRA adapter
# of 27 MB for a model of 7 B weights, or a 7 B base counted for a model of 1.3 B.
BYTES_PER_PARAMETER = (0.125, 8.0)


def build_models(rows: Iterable[Row], out: Path) -> None:
    """Write ``models.jsonl``: the rows as corrected, and the models that mteb lacks; the order does not matter.

    Of what the field's guides name, "e5-base-instruct" does not exist, and DLRM, Sora and DALL-E make no vectors to
    search with: they are not among the added.

    Raises:
        CatalogError: a row names what is no language.
    """
    licenses = _license_ids()
    cards = {row["model"]: _card(row, licenses) for row in rows}
    for correction in _curated("corrections.json"):
        for name in correction["models"]:
            if name in cards:
                _correct(cards[name], correction)
    for addition in _curated("additions.json"):
        cards.setdefault(addition["model"], _added(addition, licenses))
    ordered = sorted(cards.values(), key=lambda card: (card["model"].casefold(), card["model"]))
    write_lines(out / "models.jsonl", "models", map(_line, ordered), source=SOURCE)


def _line(card: Mapping[str, Any]) -> dict[str, Any]:
    """The fields in the order of the card; not knowing is left out, but embedding neither text nor picture is known."""
    row = known({field: card[field] for field in ModelCard.model_fields if field in card})
    return row if card["modalities"] else row | {"modalities": []}


def _curated(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((Path(__file__).parent / name).read_text("utf-8"))
    return found


def _added(addition: Mapping[str, Any], licenses: Mapping[str, str]) -> dict[str, Any]:
    """A model of ``additions.json``: each of its facts has a source of its own."""
    facts = {field: fact["value"] for field, fact in addition["facts"].items()}
    sources = {field: fact["source"] for field, fact in addition["facts"].items()}
    if "license_text" in facts:
        facts["license"] = licenses.get(facts["license_text"])
        sources["license"] = sources["license_text"]
    return {
        "model": addition["model"],
        "modalities": ["text"],
        **facts,
        "note": addition.get("note"),
        "aliases": addition["aliases"],
        "sources": {"*": sources["reference"], **sources},
    }


def _license_ids() -> dict[str, str]:
    """How sources spell a licence -> its id; a spelling that is not listed stays unknown."""
    entries = json.loads((files("knowledge") / "data" / "licenses.json").read_text("utf-8"))["licenses"]
    return {spelling: name for name, entry in entries.items() for spelling in entry.get("spellings", ())}


def _card(row: Row, licenses: Mapping[str, str]) -> dict[str, Any]:
    arguments = json.loads(row["loader_kwargs"] or "{}")
    parameters = whole(row["n_parameters"])
    dimensions = sorted({int(d) for d in row["embed_dims"] or ()})
    query_prompt, document_prompt = (None, None) if row["is_api"] else prompts(row["prompts"])
    return {
        "model": row["model"],
        "revision": row["revision"] if re.fullmatch(r"[0-9a-f]{40}", row["revision"] or "") else None,
        "release_date": row["release_date"],
        "reference": row["reference"],
        "architecture": list(row["model_type"] or ()),
        "modalities": sorted(row["modalities"] or (), key=MODALITIES.index),
        "languages": codes(row["languages"]),
        "license": "LicenseRef-API-terms" if row["is_api"] else licenses.get(row["license_raw"] or ""),
        "license_text": row["license_raw"],
        "is_api": row["is_api"] or None,
        "parameters": parameters,
        "active_parameters": whole(row["n_active_parameters"]),
        "embedding_parameters": whole(row["n_embedding_parameters"]),
        "memory_mb": plausible_memory(row["memory_usage_mb"], parameters),
        "max_tokens": whole(row["max_tokens"]),
        "dimension": whole(row["embed_dim"]),
        "matryoshka_dimensions": dimensions if len(dimensions) > 1 else None,
        "similarity": row["similarity_fn"].lower() if row["similarity_fn"] else None,
        "uses_instructions": row["use_instructions"],
        "query_prompt": query_prompt,
        "document_prompt": document_prompt,
        "frameworks": list(row["framework"] or ()),
        "needs_remote_code": remote_code(arguments, row["loader"]),
        "training_datasets": sorted(row["training_datasets"] or ()),
        "training_data_known": row["training_data_known"] or None,
        # two publishers left a path of their own machine here
        "adapted_from": None if str(row["adapted_from"]).startswith("/") else row["adapted_from"],
        "superseded_by": row["superseded_by"],
        "sources": {"*": SOURCE},
    }


def _correct(card: dict[str, Any], correction: Mapping[str, Any]) -> None:
    for field, value in correction["set"].items():
        card[field] = value
        card["sources"][field] = correction["source"]


def whole(value: float | None) -> int | None:
    """A whole number; None for what is absent, not a number, or stated as infinite."""
    return None if value is None or not math.isfinite(value) else int(value)


def plausible_memory(megabytes: float | None, parameters: int | None) -> float | None:
    """Megabytes of the stored weights, or None where they cannot be this model's."""
    if not megabytes or not math.isfinite(megabytes):
        return None
    low, high = BYTES_PER_PARAMETER
    return megabytes if not parameters or low <= megabytes * 2**20 / parameters <= high else None


def prompts(text: str | None) -> tuple[str | None, str | None]:
    """What is put before a query and before a document, or None.

    Values such as ``retrieval.query`` are left out: names of tasks that a model's own code understands, not text.
    """
    given = json.loads(text) if text else None
    if not isinstance(given, dict):
        return None, None

    def find(role: str) -> str | None:
        prompt = given.get(role) or given.get(f"Retrieval-{role}") or ""
        prompt = prompt.removesuffix("{text}")
        return prompt if re.search(r"[^\w.\-]", prompt) and "{" not in prompt else None

    return find("query"), find("document")


def remote_code(arguments: Mapping[str, Any], loader: str | None) -> bool | None:
    """Whether the model runs code from its repository; None where that is not known."""
    if "trust_remote_code" in arguments:
        return bool(arguments["trust_remote_code"])
    return False if loader in PLAIN_LOADERS else None
