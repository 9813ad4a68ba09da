"""Settings: by argument, else environment, else file, else default. The only reader of the environment here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from platformdirs import user_data_path
from pydantic import AliasChoices, Field, SecretStr
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from agent.config_file import default_file, read_config
from tools.workspace import Workspace


class Settings(BaseSettings):
    """What the environment says, else the configuration file; an explicit argument beats both, a default follows.

    Attributes:
        config: ``ADVISOR_CONFIG``: the configuration file. Default: ``config.toml`` in the user's folder for them.
        home: ``ADVISOR_HOME``: vectors, runs, conversations, logs. Default: the user's data folder.
        language: ``ADVISOR_LANGUAGE``: en or zh; default: the language the user writes in.
        offline: ``ADVISOR_OFFLINE`` or ``HF_HUB_OFFLINE``: never try the model hub.
        child_memory_mb: ``ADVISOR_CHILD_MEMORY_MB``: limit for a process that runs a model.
        child_minutes: ``ADVISOR_CHILD_MINUTES``: a process that encodes for longer is ended; what it made is kept.
        milvus_uri, milvus_token: ``MILVUS_URI``, ``MILVUS_TOKEN``: a Milvus server instead of Milvus Lite.
        openai_base_url, openai_api_key: ``OPENAI_BASE_URL``, ``OPENAI_API_KEY``: for ``openai:`` models of both kinds.
        endpoint_api_key: ``ADVISOR_ENDPOINT_API_KEY``: for an embedding endpoint named on the command line, if it wants
            one; ``OPENAI_API_KEY`` goes to ``OPENAI_BASE_URL`` alone.
        webhook_secret: ``ADVISOR_WEBHOOK_SECRET``: what ``advisor recheck --webhook`` signs its message with.
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
        tiktoken_cache_dir: ``TIKTOKEN_CACHE_DIR``: where vocabularies are that tiktoken fetched, to count tokens with.
        catalog_results_url: ``ADVISOR_CATALOG_RESULTS_URL``: another address of MTEB's cached results.
        password: ``ADVISOR_PASSWORD``: what the web chat asks of the user "advisor"; needed to serve other machines.
        jobs: ``ADVISOR_JOBS``: how many jobs of the HTTP API are worked on at once.
        upload_mb: ``ADVISOR_UPLOAD_MB``: how large one dataset may be that is handed over by browser or HTTP API.
        slack_bot_token: ``SLACK_BOT_TOKEN``: of the Slack app (``xoxb-...``).
        slack_app_token: ``SLACK_APP_TOKEN``: for Socket Mode (``xapp-...``).
        slack_signing_secret: ``SLACK_SIGNING_SECRET``: for HTTP mode; requests that are not signed with it are refused.
        slack_api_url: ``ADVISOR_SLACK_API_URL``: another address of Slack's Web API, such as GovSlack's.
    """

    model_config = SettingsConfigDict(env_prefix="ADVISOR_", extra="ignore", frozen=True, env_ignore_empty=True)

    config: Path | None = None
    home: Path = Field(default_factory=lambda: user_data_path("embedding-advisor"))
    language: Literal["en", "zh"] | None = None
    offline: bool = Field(False, validation_alias=AliasChoices("ADVISOR_OFFLINE", "HF_HUB_OFFLINE", "offline"))
    child_memory_mb: int | None = None
    child_minutes: float | None = Field(None, gt=0)
    milvus_uri: str | None = Field(None, validation_alias=AliasChoices("MILVUS_URI", "milvus_uri"))
    milvus_token: SecretStr | None = Field(None, validation_alias=AliasChoices("MILVUS_TOKEN", "milvus_token"))
    openai_base_url: str | None = Field(None, validation_alias=AliasChoices("OPENAI_BASE_URL", "openai_base_url"))
    openai_api_key: SecretStr | None = Field(None, validation_alias=AliasChoices("OPENAI_API_KEY", "openai_api_key"))
    endpoint_api_key: SecretStr | None = None
    webhook_secret: SecretStr | None = None
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
    tiktoken_cache_dir: Path | None = Field(
        None, validation_alias=AliasChoices("TIKTOKEN_CACHE_DIR", "tiktoken_cache_dir")
    )
    catalog_results_url: str = (
        "https://raw.githubusercontent.com/embeddings-benchmark/results/cached-data/__cached_results.json.gz"
    )
    password: SecretStr | None = None
    jobs: int = Field(2, ge=1, le=64)
    upload_mb: int = Field(512, ge=1)
    slack_bot_token: SecretStr | None = Field(None, validation_alias=AliasChoices("SLACK_BOT_TOKEN", "slack_bot_token"))
    slack_app_token: SecretStr | None = Field(None, validation_alias=AliasChoices("SLACK_APP_TOKEN", "slack_app_token"))
    slack_signing_secret: SecretStr | None = Field(
        None, validation_alias=AliasChoices("SLACK_SIGNING_SECRET", "slack_signing_secret")
    )
    slack_api_url: str = "https://slack.com/api/"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        named = init_settings().get("config") or env_settings().get("config")
        found = read_config(Path(named) if named else None, names_in_files())
        return init_settings, env_settings, InitSettingsSource(settings_cls, found)

    def workspace(self) -> Workspace:
        """What the tools get of it."""
        return Workspace(
            home=self.home.expanduser(),
            milvus_uri=self.milvus_uri,
            milvus_token=self.milvus_token,
            openai_base_url=self.openai_base_url,
            openai_api_key=self.openai_api_key,
            endpoint_api_key=self.endpoint_api_key,
            hub_endpoint=self.hub_endpoint.rstrip("/"),
            tiktoken_cache=self.tiktoken_cache_dir,
            offline=self.offline,
            child_memory_mb=self.child_memory_mb,
            child_seconds=None if self.child_minutes is None else self.child_minutes * 60,
        )


Origin = Literal["flag", "environment", "file", "default"]


@dataclass(frozen=True)
class Explained:
    """A setting's value and who says so.

    Attributes:
        origin: what decided it.
        where: the environment variable or file; None for arguments and defaults.
        variables: the environment variables that can set it.
        secret: whether nobody may see the value.
    """

    name: str
    value: Any
    origin: Origin
    where: str | None
    variables: tuple[str, ...]
    secret: bool


def variables_of(name: str) -> tuple[str, ...]:
    """The environment variables that a setting is read from, the first that is set counts."""
    alias = Settings.model_fields[name].validation_alias
    if isinstance(alias, AliasChoices):
        return tuple(choice for choice in alias.choices if isinstance(choice, str) and choice.isupper())
    return (f"ADVISOR_{name.upper()}",)


def is_secret(name: str) -> bool:
    """Whether nobody may see what a setting is set to."""
    annotation = Settings.model_fields[name].annotation
    return SecretStr in (annotation, *getattr(annotation, "__args__", ()))


def names_in_files() -> dict[str, tuple[str, ...]]:
    """The settings that a configuration file may have, and the environment variables they go by."""
    return {name: variables_of(name) for name in Settings.model_fields if name != "config"}


def set_by(name: str, given: Mapping[str, Any]) -> tuple[Origin, str | None]:
    """What decides a setting, where these were given as arguments, and the variable or file that does."""
    if name in given:
        return "flag", None
    environment = EnvSettingsSource(Settings).env_vars
    variable = next((v for v in variables_of(name) if environment.get(v.lower())), None)
    if variable is not None:
        return "environment", variable
    named = given.get("config") or environment.get("advisor_config")
    file = Path(named) if named else None
    if name in read_config(file, names_in_files()):
        return "file", str(file or default_file())
    return "default", None


def explain(given: Mapping[str, Any]) -> tuple[Explained, ...]:
    """Every setting in use, where these were given as arguments; raises as `Settings` does."""
    settings = Settings(**given)
    return tuple(
        Explained(name, getattr(settings, name), *set_by(name, given), variables_of(name), is_secret(name))
        for name in Settings.model_fields
    )
