"""Counting tokens with a model's own tokenizer; this runs in the child, since its files are not ours."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.encoders import Resolved
from tools.preflight.model_files import ModelFiles

#: texts tokenized at once
BATCH = 256
_UNKNOWN = ("[UNK]", "<unk>", "<UNK>")


@dataclass(frozen=True)
class Counts:
    """Tokens of each text (special tokens included), and how many of them the tokenizer has no entry for."""

    tokens: list[int]
    unknown: list[int]


def tokenizer_file(resolved: Resolved) -> Path | None:
    """The tokenizer in the form that the tokenizers library reads, where the model has it."""
    if resolved.path is None:
        return None
    folder = Path(resolved.path)
    if resolved.backend == "static" and resolved.model == "wordllama":
        return next(iter(sorted((folder / "tokenizers").glob("*.json"))), None)
    inner = folder / ModelFiles(folder).transformer
    return next((file for file in (inner / "tokenizer.json", folder / "tokenizer.json") if file.is_file()), None)


def count(resolved: Resolved, texts: Sequence[str], prompt: str = "") -> Counts:
    """Tokens of each text with a prompt before it.

    Raises:
        Exception: whatever a broken tokenizer raises.
    """
    assert resolved.path
    files = ModelFiles(Path(resolved.path))
    ready = [prompt + text for text in texts]
    if files.lowers:
        ready = [text.lower() for text in ready]
    file = tokenizer_file(resolved)
    return _fast(file, ready) if file else _slow(str(Path(resolved.path) / files.transformer), ready)


def _fast(file: Path, texts: Sequence[str]) -> Counts:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(file))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    unknown = _unknown_ids(file)
    found = Counts([], [])
    for start in range(0, len(texts), BATCH):
        for encoding in tokenizer.encode_batch(list(texts[start : start + BATCH])):
            ids = encoding.ids
            found.tokens.append(len(ids))
            found.unknown.append(sum(i in unknown for i in ids) if unknown else 0)
    return found


def _unknown_ids(file: Path) -> frozenset[int]:
    """The ids that stand for "no entry": the unknown token, and the bytes that some fall back on."""
    model = json.loads(file.read_text("utf-8")).get("model", {})
    if isinstance(model.get("unk_id"), int):
        return frozenset({model["unk_id"]})
    vocabulary = model.get("vocab", {})
    if not isinstance(vocabulary, dict):
        return frozenset()
    names = {model.get("unk_token"), *_UNKNOWN}
    if model.get("byte_fallback"):
        names |= {f"<0x{byte:02X}>" for byte in range(128, 256)}
    return frozenset(vocabulary[name] for name in names if name in vocabulary)


def _slow(folder: str, texts: Sequence[str]) -> Counts:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    ids = [tokenizer(text, truncation=False)["input_ids"] for text in texts]
    unknown = tokenizer.unk_token_id
    return Counts([len(i) for i in ids], [0 if unknown is None else i.count(unknown) for i in ids])
