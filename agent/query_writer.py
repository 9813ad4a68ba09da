"""The language model of the settings as a writer of queries: what it is called, who would receive the passages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from agent.settings import Settings
from agent.understanding.base import Understanding
from agent.understanding.choice import choose_understanding
from agent.understanding.rules import RuleUnderstanding
from knowledge.dataset import Dataset
from knowledge.errors import UserError
from knowledge.wording import Text, say
from tools.silver import QUERIES, SEED
from tools.silver.from_model import passages_of, tokens_sent


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
    return needed(writer_of(choose_understanding(settings)))


def writer_of(understanding: Understanding) -> QueryWriter | None:
    """The model that helps to understand messages, as a writer; None where rules alone do."""
    if isinstance(understanding, RuleUnderstanding):
        return None
    from agent.understanding.llm import LlmUnderstanding

    if not isinstance(understanding, LlmUnderstanding):
        return None
    model = understanding.model
    return QueryWriter(model.endpoint.model, model.endpoint.host, model.write)


def needed(writer: QueryWriter | None) -> QueryWriter:
    """The writer.

    Raises:
        UserError: there is none.
    """
    if writer is None:
        raise UserError(
            say("No language model is set up, and this needs one."),
            say("Set ADVISOR_LLM to a provider and a model, such as openai:MODEL or ollama:MODEL."),
        )
    return writer


def sending(writer: QueryWriter, dataset: Dataset, most: int = QUERIES, seed: int = SEED) -> Text:
    """What it would be sent to write queries for the dataset, and where that goes."""
    passages = passages_of(dataset, most, seed)
    return say(
        "{model} would be sent up to {passages} passages of your documents (about {tokens} tokens), to {host}.",
        model=writer.model,
        passages=len(passages),
        tokens=tokens_sent(passages),
        host=writer.host,
    )
