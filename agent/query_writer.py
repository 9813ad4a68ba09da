"""The language model of the settings as a writer of queries: what it is called, who would receive the passages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from agent.settings import Settings
from agent.understanding.choice import choose_understanding
from knowledge.errors import UserError
from knowledge.wording import say


@dataclass(frozen=True)
class QueryWriter:
    """A model that writes.

    Attributes:
        model: its name.
        host: who receives what it is asked.
        write: asks it; raises ProviderError.
    """

    model: str
    host: str
    write: Callable[[str], str]


def query_writer(settings: Settings) -> QueryWriter:
    """The model that the settings name; it is not contacted yet.

    Raises:
        UserError: they name none.
    """
    if settings.llm is None:
        raise UserError(
            say("No language model is set up, so none can write queries."),
            say("Set ADVISOR_LLM to a provider and a model, such as openai:MODEL or ollama:MODEL, or leave --llm out."),
        )
    from agent.understanding.llm import LlmUnderstanding

    understanding = choose_understanding(settings)
    assert isinstance(understanding, LlmUnderstanding)
    model = understanding.model
    return QueryWriter(model.endpoint.model, model.endpoint.host, model.write)
