"""Settings, from the environment. The only reader of the environment in this program."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from platformdirs import user_data_path
from pydantic import AliasChoices, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from tools.workspace import Workspace


class Settings(BaseSettings):
    """What the environment says; an explicit argument beats it, a default follows it.

    Attributes:
        home: ``ADVISOR_HOME``: vectors, runs, conversations, logs. Default: the user's data folder.
        language: ``ADVISOR_LANGUAGE``: en or zh; default: the language the user writes in.
        offline: ``ADVISOR_OFFLINE`` or ``HF_HUB_OFFLINE``: never try the model hub.
        child_memory_mb: ``ADVISOR_CHILD_MEMORY_MB``: limit for a process that runs a model.
        child_minutes: ``ADVISOR_CHILD_MINUTES``: a process that encodes for longer is ended; what it made is kept.
        milvus_uri, milvus_token: ``MILVUS_URI``, ``MILVUS_TOKEN``: a Milvus server instead of Milvus Lite.
        openai_base_url, openai_api_key: ``OPENAI_BASE_URL``, ``OPENAI_API_KEY``: for ``openai:`` models of both kinds.
        llm: ``ADVISOR_LLM``: a chat model that helps the rules to understand and words answers, as ``provider:model``.
        llm_base_url: ``ADVISOR_LLM_BASE_URL``: where it answers, if not at ``OPENAI_BASE_URL`` or the provider's own.
        llm_api_key: ``ADVISOR_LLM_API_KEY``: its key; no other key is sent to ``ADVISOR_LLM_BASE_URL``.
        llm_timeout_s: ``ADVISOR_LLM_TIMEOUT_S``: seconds that reading a message, or wording an answer, waits for it at
            most, retries included.
        llm_max_tokens: ``ADVISOR_LLM_MAX_TOKENS``: the longest answer asked of it.
        llm_answers: ``ADVISOR_LLM_ANSWERS``: whether it also words the answers to questions.
        llm_answer_tokens: ``ADVISOR_LLM_ANSWER_TOKENS``: what one worded answer may cost, all that is read and written.
        anthropic_api_key: ``ANTHROPIC_API_KEY``: for ``anthropic:`` models.
        ollama_host: ``OLLAMA_HOST``: where Ollama listens, for ``ollama:`` models.
        hub_endpoint: ``HF_ENDPOINT``: another model hub.
        catalog_results_url: ``ADVISOR_CATALOG_RESULTS_URL``: another address of MTEB's cached results.
        password: ``ADVISOR_PASSWORD``: what the web chat asks of the user "advisor"; needed to serve other machines.
    """

    model_config = SettingsConfigDict(env_prefix="ADVISOR_", extra="ignore", frozen=True, env_ignore_empty=True)

    home: Path = Field(default_factory=lambda: user_data_path("embedding-advisor"))
    language: Literal["en", "zh"] | None = None
    offline: bool = Field(False, validation_alias=AliasChoices("ADVISOR_OFFLINE", "HF_HUB_OFFLINE", "offline"))
    child_memory_mb: int | None = None
    child_minutes: float | None = Field(None, gt=0)
    milvus_uri: str | None = Field(None, validation_alias=AliasChoices("MILVUS_URI", "milvus_uri"))
    milvus_token: SecretStr | None = Field(None, validation_alias=AliasChoices("MILVUS_TOKEN", "milvus_token"))
    openai_base_url: str | None = Field(None, validation_alias=AliasChoices("OPENAI_BASE_URL", "openai_base_url"))
    openai_api_key: SecretStr | None = Field(None, validation_alias=AliasChoices("OPENAI_API_KEY", "openai_api_key"))
    llm: str | None = None
    llm_base_url: str | None = None
    llm_api_key: SecretStr | None = None
    llm_timeout_s: float = Field(30.0, gt=0, le=600)
    llm_max_tokens: int = Field(2000, ge=100)
    llm_answers: bool = True
    llm_answer_tokens: int = Field(20_000, ge=1000)
    anthropic_api_key: SecretStr | None = Field(
        None, validation_alias=AliasChoices("ANTHROPIC_API_KEY", "anthropic_api_key")
    )
    ollama_host: str = Field("127.0.0.1:11434", validation_alias=AliasChoices("OLLAMA_HOST", "ollama_host"))
    hub_endpoint: str = Field("https://huggingface.co", validation_alias=AliasChoices("HF_ENDPOINT", "hub_endpoint"))
    catalog_results_url: str = (
        "https://raw.githubusercontent.com/embeddings-benchmark/results/cached-data/__cached_results.json.gz"
    )
    password: SecretStr | None = None

    def workspace(self) -> Workspace:
        """What the tools get of it."""
        return Workspace(
            home=self.home.expanduser(),
            milvus_uri=self.milvus_uri,
            milvus_token=self.milvus_token,
            openai_base_url=self.openai_base_url,
            openai_api_key=self.openai_api_key,
            hub_endpoint=self.hub_endpoint.rstrip("/"),
            offline=self.offline,
            child_memory_mb=self.child_memory_mb,
            child_seconds=None if self.child_minutes is None else self.child_minutes * 60,
        )
