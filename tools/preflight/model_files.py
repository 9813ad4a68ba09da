"""A model's own configuration files, whatever is in them: missing, empty, huge or contradictory."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

#: a configuration larger than this is no configuration
MAX_BYTES = 8 * 2**20
#: tokenizers without a limit say so with a number such as 1e30
NO_LIMIT = 1_000_000
#: of `model_type`: positions up to the padding's own are not used for text (fairseq's numbering)
_PADDED_POSITIONS = frozenset({"roberta", "xlm-roberta", "xlm-roberta-xl", "camembert", "mpnet", "longformer"})
_POOLING_MODES = {
    "pooling_mode_cls_token": "cls",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_mean_sqrt_len_tokens": "mean_sqrt_len_tokens",
    "pooling_mode_weightedmean_tokens": "weightedmean",
    "pooling_mode_lasttoken": "lasttoken",
}


@dataclass
class ModelFiles:
    """What a model's folder says about it; `broken` names the files that could not be read."""

    folder: Path | None
    broken: list[str] = field(default_factory=list)

    def json(self, name: str) -> dict[str, Any]:
        """A file's object; empty where it is missing or broken."""
        found = self._read(name)
        return found if isinstance(found, dict) else {}

    def _read(self, name: str) -> object:
        if self.folder is None:
            return None
        try:
            file = self.folder / name
            if not file.is_file():
                return None
            if file.stat().st_size <= MAX_BYTES:
                found: object = json.loads(file.read_text("utf-8"))
                if isinstance(found, dict | list):
                    return found
        except (OSError, ValueError, RecursionError):  # a decoding error is a ValueError
            pass
        if name not in self.broken:
            self.broken.append(name)
        return None

    @cached_property
    def config(self) -> dict[str, Any]:
        """config.json."""
        return self.json("config.json")

    @cached_property
    def sbert(self) -> dict[str, Any]:
        """config_sentence_transformers.json."""
        return self.json("config_sentence_transformers.json")

    @cached_property
    def modules(self) -> list[tuple[str, str]] | None:
        """(class name, path) of each module in order; None where there is no readable modules.json."""
        found = self._read("modules.json")
        if not isinstance(found, list):
            return None
        return [
            (str(m.get("type", "")).rsplit(".", 1)[-1], str(m.get("path", ""))) for m in found if isinstance(m, dict)
        ]

    @cached_property
    def prompts(self) -> dict[str, str]:
        """The prompts it names, by the model's own names for them."""
        named = self.sbert.get("prompts")
        return {str(k): v for k, v in named.items() if isinstance(v, str)} if isinstance(named, dict) else {}

    @property
    def transformer(self) -> str:
        """Path of the transformer module inside the folder; empty where it is the folder itself."""
        return next((path for name, path in self.modules or () if "Transformer" in name), "")

    def beside_transformer(self, name: str) -> dict[str, Any]:
        """A file that lies with the transformer module."""
        return self.json(f"{self.transformer}/{name}" if self.transformer else name)

    @property
    def folders(self) -> list[str]:
        """The folders in it."""
        if self.folder is None:
            return []
        try:
            return sorted(p.name for p in self.folder.iterdir() if p.is_dir())
        except OSError:
            return []

    @property
    def dense_folders(self) -> list[str]:
        """Folders of dense layers, listed in modules.json or not."""
        return [name for name in self.folders if name.endswith("_Dense")]

    @cached_property
    def pooling_folder(self) -> str | None:
        """Where the pooling is configured: as modules.json says, else the folder of that name."""
        listed = [path for name, path in self.modules or () if name == "Pooling"]
        return next(iter(listed or [name for name in self.folders if name.endswith("_Pooling")]), None)

    @cached_property
    def pooling(self) -> dict[str, Any]:
        """The pooling's configuration."""
        return self.json(f"{self.pooling_folder}/config.json") if self.pooling_folder else {}

    @cached_property
    def pooling_modes(self) -> tuple[str, ...]:
        """The modes it names, in either way of writing them."""
        named = self.pooling.get("pooling_mode")
        if isinstance(named, str):
            return (named,)
        if isinstance(named, list):
            return tuple(str(mode) for mode in named)
        return tuple(mode for key, mode in _POOLING_MODES.items() if self.pooling.get(key) is True)

    @property
    def position_limit(self) -> int | None:
        """Positions the weights have for text."""
        inner = self.beside_transformer("config.json")
        text = inner.get("text_config")
        found = limit((text if isinstance(text, Mapping) else inner).get("max_position_embeddings"))
        padding = inner.get("pad_token_id")
        if found and inner.get("model_type") in _PADDED_POSITIONS and isinstance(padding, int):
            return max(found - padding - 1, 1)
        return found

    @property
    def sbert_limit(self) -> int | None:
        """``max_seq_length``."""
        return limit(self.beside_transformer("sentence_bert_config.json").get("max_seq_length"))

    @property
    def tokenizer_limit(self) -> int | None:
        """``model_max_length``."""
        return limit(self.beside_transformer("tokenizer_config.json").get("model_max_length"))

    @property
    def lowers(self) -> bool:
        """Whether texts are brought to lower case first."""
        return self.beside_transformer("sentence_bert_config.json").get("do_lower_case") is True

    @property
    def made_from(self) -> str | None:
        """The model it says it was made from."""
        name = self.config.get("_name_or_path")
        return name if isinstance(name, str) and name else None


def limit(value: object) -> int | None:
    """A limit in tokens, where the value is one."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if 0 < value < NO_LIMIT else None
