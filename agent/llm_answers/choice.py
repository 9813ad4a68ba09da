"""Whether a language model words the answers: where the settings name one, and do not want it only to read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.settings import Settings
from agent.understanding.base import Understanding

if TYPE_CHECKING:
    from agent.llm_answers.writer import AnswerWriter


def choose_writer(settings: Settings, understanding: Understanding) -> AnswerWriter | None:
    """The writer that the settings ask for, with the model that reads messages too; no model is contacted yet."""
    if settings.llm is None or not settings.llm_answers:
        return None
    from agent.llm_answers.writer import AnswerWriter
    from agent.understanding.llm import LlmUnderstanding

    assert isinstance(understanding, LlmUnderstanding)
    return AnswerWriter(understanding.model, most_tokens=settings.llm_answer_tokens)
