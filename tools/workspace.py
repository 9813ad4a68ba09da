"""Where the tools keep things and what they may reach. Filled in by the caller: tools read no environment variables."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from pydantic import SecretStr


@dataclass(frozen=True)
class Workspace:
    """Folders, endpoints and keys.

    Attributes:
        home: folder for the vector cache, the run store and logs; made when first written to.
        milvus_uri: a Milvus server; None means Milvus Lite in a temporary folder.
        openai_base_url: any OpenAI-compatible endpoint; None means OpenAI's own.
        endpoint_api_key: for an endpoint that the user names for itself; no other key is sent there.
        hub_endpoint: the model hub's base URL.
        hub_cache: folder of downloaded models; None means huggingface_hub's default.
        tiktoken_cache: folder of vocabularies that tiktoken fetched; None means its default.
        offline: never try the hub.
        child_memory_mb: limit for a child process; None means the machine's.
        child_seconds: a child process that encodes is ended after so long; None means never.
    """

    home: Path
    milvus_uri: str | None = None
    milvus_token: SecretStr | None = None
    openai_base_url: str | None = None
    openai_api_key: SecretStr | None = None
    endpoint_api_key: SecretStr | None = None
    hub_endpoint: str = "https://huggingface.co"
    hub_cache: Path | None = None
    tiktoken_cache: Path | None = None
    offline: bool = False
    child_memory_mb: int | None = None
    child_seconds: float | None = None
    openai_prices: dict[str, float] = field(default_factory=dict)

    @property
    def vectors(self) -> Path:
        """The vector cache."""
        return self.home / "vectors"

    @property
    def store(self) -> Path:
        """The run store's SQLite file."""
        return self.home / "runs.sqlite"
