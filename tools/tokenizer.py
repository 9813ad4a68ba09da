"""How many tokens a model reads in a text, by its own tokenizer where that is on this machine. Nothing is downloaded.

A tokenizer is a ``tokenizer.json`` in the hub's cache, or a vocabulary in tiktoken's cache, which counts only where it
hashes to what tiktoken expects. Counting is a child's work: the files are not ours, and some texts take very long.
"""

from __future__ import annotations

import base64
import hashlib
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from knowledge.errors import AdvisorError
from knowledge.tokenizers import tokenizers
from tools import workers
from tools.workspace import Workspace

#: seconds after which texts are estimated instead: a million characters take about one
SECONDS = 60.0


@dataclass(frozen=True)
class Tokenizer:
    """A tokenizer on this disk; `encoding` is its name where it is tiktoken's."""

    name: str
    file: Path
    encoding: str | None = None


def find_tokenizer(model: str, workspace: Workspace) -> Tokenizer | None:
    """The tokenizer of a model by its name; None where it is not on this disk, or nobody publishes it.

    Args:
        model: as the catalog, a hub or an endpoint calls it.
        workspace: where the caches are.
    """
    known = tokenizers()
    encoding = known.encoding_of(model)
    if encoding is not None:
        facts = known.encodings[encoding]
        # tiktoken's own name for the file in its cache
        file = _tiktoken_cache(workspace) / hashlib.sha1(facts.url.encode(), usedforsecurity=False).hexdigest()
        return Tokenizer(f"tiktoken {encoding}", file, encoding) if _hashes_to(file, facts.sha256) else None
    from huggingface_hub import try_to_load_from_cache

    repository = known.repository_of(model) or model
    try:
        found = try_to_load_from_cache(repository, "tokenizer.json", cache_dir=workspace.hub_cache)
    except ValueError:  # a name that no repository can have
        return None
    return Tokenizer(repository, Path(found)) if isinstance(found, str) else None


def how_to_get(model: str) -> str | None:
    """The command that puts a model's tokenizer where `find_tokenizer` looks, for where the network may be used.

    None where nobody says that it is published.
    """
    known = tokenizers()
    encoding, repository = known.encoding_of(model), known.repository_of(model)
    if encoding is not None:
        return f"python -c \"import tiktoken; tiktoken.get_encoding('{encoding}')\""
    return None if repository is None else f"hf download {repository} tokenizer.json"


def count_tokens(tokenizer: Tokenizer, texts: Sequence[str], workspace: Workspace) -> int:
    """Tokens of all these texts together, special ones included where the tokenizer adds them.

    Counted once a process: the same texts again, as by the next question in a chat, cost nothing.

    Raises:
        AdvisorError: it took too long, or the child died.
        ValueError: the tokenizer's file is broken; says how.
    """
    return _counted(tokenizer, tokenizer.file.stat().st_mtime_ns, tuple(texts), workspace.home / "logs")


@lru_cache(maxsize=8)
def _counted(tokenizer: Tokenizer, changed: int, texts: tuple[str, ...], logs: Path) -> int:
    payload = {"file": str(tokenizer.file), "encoding": tokenizer.encoding, "texts": texts}
    told = workers.run("tools.tokenizer", payload, about=tokenizer.name, logs=logs, seconds=SECONDS)
    if "broken" in told:
        raise ValueError(told["broken"])
    return int(told["tokens"])


def work(payload: dict[str, Any], tell: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    """The child's side of `count_tokens`."""
    file, encoding, texts = Path(payload["file"]), payload["encoding"], payload["texts"]
    try:
        return {"tokens": _by_tiktoken(file, encoding, texts) if encoding else _by_tokenizers(file, texts)}
    except (AdvisorError, MemoryError):
        raise
    except Exception as error:  # noqa: BLE001 - whatever a broken file raises, the texts are estimated instead
        return {"broken": f"{type(error).__name__}: {error}"[:200]}


def _by_tiktoken(file: Path, name: str, texts: Sequence[str]) -> int:
    import tiktoken

    # tiktoken reads this file itself, but fetches it where it dislikes it
    lines = (line.split() for line in file.read_bytes().splitlines() if line)
    ranks = {base64.b64decode(token): int(rank) for token, rank in lines}
    pattern = tokenizers().encodings[name].pattern
    encoding = tiktoken.Encoding(name, pat_str=pattern, mergeable_ranks=ranks, special_tokens={})
    return sum(len(encoding.encode_ordinary(text)) for text in texts)


def _by_tokenizers(file: Path, texts: Sequence[str], batch: int = 256) -> int:
    from tokenizers import Tokenizer as Loaded

    loaded = Loaded.from_file(str(file))
    loaded.no_truncation()
    loaded.no_padding()
    starts = range(0, len(texts), batch)
    return sum(len(of.ids) for start in starts for of in loaded.encode_batch(list(texts[start : start + batch])))


def _tiktoken_cache(workspace: Workspace) -> Path:
    """Where tiktoken keeps vocabularies: as it is told, else where it would by itself."""
    return workspace.tiktoken_cache or Path(tempfile.gettempdir()) / "data-gym-cache"


def _hashes_to(file: Path, sha256: str) -> bool:
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest() == sha256
    except OSError:
        return False
