"""Which understanding is used: the rules, and a language model beside them where the settings name one."""

from __future__ import annotations

from agent.settings import Settings
from agent.understanding.base import Understanding
from agent.understanding.rules import RuleUnderstanding
from knowledge.errors import UserError
from knowledge.wording import say

OPENAI = "https://api.openai.com/v1"


def choose_understanding(settings: Settings) -> Understanding:
    """The understanding that the settings ask for; no model is contacted yet.

    Raises:
        UserError: ``ADVISOR_LLM`` names no model.
    """
    rules = RuleUnderstanding()
    if settings.llm is None:
        return rules
    from agent.understanding.llm import LlmUnderstanding
    from agent.understanding.llm_model import Endpoint, LanguageModel

    provider, _, model = settings.llm.partition(":")
    if not provider.isidentifier() or not model.strip():
        raise UserError(
            say("“{name}” does not name a language model.", name=settings.llm[:100]),
            say("Set ADVISOR_LLM to a provider and a model, such as openai:MODEL or ollama:MODEL, or unset it."),
        )
    own_url = settings.llm_base_url
    if provider == "openai":
        url = own_url or settings.openai_base_url or OPENAI
        key = settings.llm_api_key or (None if own_url else settings.openai_api_key)
        endpoint = Endpoint("openai", model, url, key)
    elif provider == "ollama":
        endpoint = Endpoint("openai", model, own_url or f"{ollama_url(settings)}/v1", settings.llm_api_key)
    elif provider == "anthropic":
        key = settings.llm_api_key or (None if own_url else settings.anthropic_api_key)
        endpoint = Endpoint("anthropic", model, own_url, key)
    else:
        endpoint = Endpoint(provider, model, own_url, settings.llm_api_key)
    made = LanguageModel(endpoint, timeout_s=settings.llm_timeout_s, max_tokens=settings.llm_max_tokens)
    return LlmUnderstanding(made, rules)


def ollama_url(settings: Settings) -> str:
    """Where Ollama is spoken to; ``OLLAMA_HOST`` may also say on which addresses it listens."""
    written = settings.ollama_host.rstrip("/")
    scheme, _, rest = written.rpartition("://")
    host, _, port = rest.rpartition(":") if rest.rpartition(":")[2].isdecimal() else (rest, "", "11434")
    everywhere = ("", "0.0.0.0")  # noqa: S104 - what it listens on; asked on loopback
    return f"{scheme or 'http'}://{'127.0.0.1' if host in everywhere else host}:{port}"
